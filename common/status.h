/* SPDX-License-Identifier: Apache-2.0 */
/* The one result type. A struct, because gcc is silent when an int or a CK_RV is returned as an enum.
 * The text travels in struct error, set once, where the cause is known. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

enum code {
    CODE_OK = 0,
#define ERROR(name, wire, http, ckr, text) CODE_##name,
#include "chancery/errors.def"
#undef ERROR
    CODE_COUNT
};

typedef struct [[nodiscard]] status {
    enum code code;
} status;

#define OK ((status){CODE_OK})

/* Return the failure as it is. */
#define TRY(expr)                                                                                                      \
    do {                                                                                                               \
        status try_status_ = (expr);                                                                                   \
        if (try_status_.code != CODE_OK)                                                                               \
            return try_status_;                                                                                        \
    } while (0)

static inline bool is_ok(status s)
{
    return s.code == CODE_OK;
}

/* For the rare result that truly does not matter: clean-up after a failure that is being reported. */
static inline void ignore(status s)
{
    (void)s;
}

struct error {
    enum code code;
    char text[320];    /* safe to show to the caller */
    char detail[512];  /* for the log of this side only; never a secret */
    int retry_after_s; /* of a refusal that time heals; 0: not known */
};

/* Set code and text and return the status: `return error_set(err, CODE_INVALID, "digest: %zu bytes", n);`. err may be
 * NULL. An error already set is overwritten; detail is cleared. */
status error_set(struct error *err, enum code code, const char *format, ...) __attribute__((format(printf, 3, 4)));
#ifdef __clang_analyzer__ /* it looks into one file at a time: let it know that the answer is never OK */
#define error_set(err, code, ...) ((void)(error_set)(err, code, __VA_ARGS__), (status){code})
#endif
/* Add the part for the log. */
void error_detail(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Puts "context: " before the text. */
void error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds to the end of the text; the arguments may not point into err. */
void error_suffix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

const char *code_wire(enum code code); /* "digest_malformed"; "ok" for CODE_OK */
int code_http(enum code code);         /* 400; 200 for CODE_OK */
const char *code_text(enum code code); /* default text */
bool code_from_wire(const char *wire, enum code *out);
