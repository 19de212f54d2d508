/* SPDX-License-Identifier: Apache-2.0 */
/* The server's configuration: the format of common/ini.h, one option a line, then perhaps sections of HSMs. What is not
 * understood is refused with file:line and the legal range. */
#pragma once

#include <stdint.h>

#include "common/buf.h"

struct text_list {
    char **items; /* NULL-ended */
    size_t count;
};

#define CONFIG_TYPE_TEXT char *
#define CONFIG_TYPE_PATH char *
#define CONFIG_TYPE_CHOICE char *
#define CONFIG_TYPE_STORE char *
#define CONFIG_TYPE_URI char *
#define CONFIG_TYPE_INTEGER int64_t
#define CONFIG_TYPE_LIST struct text_list
#define OPTION(name, kind, ...) CONFIG_TYPE_##kind name;

enum { CONFIG_HSM_OPTIONS_MAX = 16 };

/* A section [hsm.NAME]. Members are named as its options; see hsm.def. */
struct config_hsm {
    char *section; /* "hsm.NAME" */
    const char *name;
    int line;                          /* of the section */
    int lines[CONFIG_HSM_OPTIONS_MAX]; /* per option: the line that set it, 0 for none */
#include "server/config/hsm.def"
};

/* Members are named as the options; see config.def. */
struct config {
    char *path;      /* the file; NULL when there was none */
    char *directory; /* what relative paths are relative to */
    struct config_hsm *hsms;
    size_t hsm_count;
#include "server/config/config.def"
};
#undef OPTION

#define CONFIG_FILE_NAME "chanceryd.conf"

/* path: the file, or a directory with chanceryd.conf in it. A file that others can write is refused. */
status config_load(const char *path, struct config **out, struct error *err);
/* name appears in errors. NUL-terminated text is not needed. */
status config_parse(const char *name, const char *directory, struct slice text, struct config **out, struct error *err);
void config_free(struct config *c);
DEFINE_CLEANUP_PTR(struct config, config_free)
#define cleanup_config CLEANUP(config_free_cleanup)

/* The effective values, in the format of the file. */
void config_print(const struct config *c, struct buf *out);
/* conf/chanceryd.conf: every option with its help, range and default. */
void config_example(struct buf *out);
/* Names of options that differ and need a restart, separated by ", "; empty when a reload will do. */
void config_restart_needed(const struct config *old, const struct config *fresh, struct buf *names);
/* The values of fresh for those options that a reload may change. */
status config_take_live(struct config *c, const struct config *fresh, struct error *err);
