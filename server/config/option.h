/* SPDX-License-Identifier: Apache-2.0 */
/* config.def and hsm.def as tables: what the parser and the printers share. */
#pragma once

#include "server/config/config.h"

enum option_kind { OPTION_TEXT, OPTION_PATH, OPTION_INTEGER, OPTION_CHOICE, OPTION_LIST, OPTION_STORE, OPTION_URI };
enum option_when { OPTION_LIVE, OPTION_RESTART };

struct option {
    const char *name;
    enum option_kind kind;
    enum option_when when;
    const char *default_text;
    int64_t min, max;
    const char *choices;
    const char *help;
    size_t offset; /* of the member in struct config, or struct config_hsm */
};
enum option_index {
#define OPTION(name, ...) OPTION_INDEX_##name,
#include "server/config/config.def"
#undef OPTION
    OPTION_COUNT
};
extern const struct option options[OPTION_COUNT];
enum hsm_option_index {
#define OPTION(name, ...) HSM_OPTION_INDEX_##name,
#include "server/config/hsm.def"
#undef OPTION
    HSM_OPTION_COUNT
};
extern const struct option hsm_options[HSM_OPTION_COUNT];

/* base: the struct that the table is of. Takes text as the option's value; the former value is freed. The error says
 * what is legal, not where. */
status option_set(void *base, const char *directory, const struct option *o, const char *text, struct error *err);
void option_clear(void *base, const struct option *o);
/* The value in the format of the file. */
void option_format(const void *base, const struct option *o, struct buf *out);
/* "an integer from 1 to 65535" */
void option_describe(const struct option *o, struct buf *out);
/* The option in the example: its help, what is legal, and "name = default" behind the mark of a comment. */
void option_example(const struct option *o, char mark, struct buf *out);

/* ---- section.c: the sections of HSMs */
/* [hsm.NAME]. CODE_CONFIGURATION. */
status section_begin(struct config *c, const char *section, int line, struct error *err);
/* Of the last section. */
status section_set(struct config *c, const char *key, const char *value, int line, struct error *err);
/* Once the whole file has been read: what each section lacks. name is the file's. */
status sections_complete(struct config *c, const char *name, struct error *err);
void sections_clear(struct config *c);
void sections_print(const struct config *c, struct buf *out);
void sections_example(struct buf *out);
/* Adds what differs to names. */
void sections_differ(const struct config *old, const struct config *fresh, struct buf *names);
