/* SPDX-License-Identifier: Apache-2.0 */
/* config.def as a table: what the parser and the printers share. */
#pragma once

#include "server/config/config.h"

enum option_kind { OPTION_TEXT, OPTION_PATH, OPTION_INTEGER, OPTION_CHOICE, OPTION_LIST, OPTION_STORE };
enum option_when { OPTION_LIVE, OPTION_RESTART };

struct option {
    const char *name;
    enum option_kind kind;
    enum option_when when;
    const char *default_text;
    int64_t min, max;
    const char *choices;
    const char *help;
    size_t offset; /* of the member in struct config */
};
enum option_index {
#define OPTION(name, ...) OPTION_INDEX_##name,
#include "server/config/config.def"
#undef OPTION
    OPTION_COUNT
};
extern const struct option options[OPTION_COUNT];

/* Takes text as the option's value; the former value is freed. The error says what is legal, not where. */
status option_set(struct config *c, const struct option *o, const char *text, struct error *err);
void option_clear(struct config *c, const struct option *o);
/* The value in the format of the file. */
void option_format(const struct config *c, const struct option *o, struct buf *out);
/* "an integer from 1 to 65535" */
void option_describe(const struct option *o, struct buf *out);
