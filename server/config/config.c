/* SPDX-License-Identifier: Apache-2.0 */
/* The file: entries to options, and options to the file. */
#include "server/config/config.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "common/file.h"
#include "common/ini.h"
#include "server/config/option.h"

enum { CONFIG_MAX = 64 * 1024, HELP_WIDTH = 100 };

struct reader {
    struct config *config;
    int *lines; /* per option: the line that set it, 0 for none */
};

static const struct option *option_find(const char *name)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
    return NULL;
}

static status entry_read(void *arg, const struct ini_entry *entry, struct error *err)
{
    const struct reader *r = arg;
    if (!entry->key)
        return section_begin(r->config, entry->section, entry->line, err);
    if (*entry->section)
        return section_set(r->config, entry->key, entry->value, entry->line, err);
    const struct option *o = option_find(entry->key);
    if (!o)
        return error_set(err, CODE_CONFIGURATION, "unknown option: %.60s", entry->key);
    int *set_at = &r->lines[o - options];
    if (*set_at != 0)
        return error_set(err, CODE_CONFIGURATION, "%s is already set in line %d", o->name, *set_at);
    *set_at = entry->line;
    return option_set(r->config, r->config->directory, o, entry->value, err);
}

static status config_new(const char *directory, struct config **out, struct error *err)
{
    cleanup_config struct config *c = calloc(1, sizeof *c);
    if (!c || !(c->directory = strdup(directory)))
        return error_set(err, CODE_NO_MEMORY, "configuration");
    for (size_t i = 0; i < OPTION_COUNT; i++)
        TRY(option_set(c, c->directory, &options[i], options[i].default_text, err));
    *out = steal(&c);
    return OK;
}

status config_parse(const char *name, const char *directory, struct slice text, struct config **out, struct error *err)
{
    cleanup_config struct config *c = NULL;
    int lines[OPTION_COUNT] = {0};
    TRY(config_new(directory, &c, err));
    TRY(ini_read(name, text, entry_read, &(struct reader){c, lines}, err));
    TRY(sections_complete(c, name, err));
    *out = steal(&c);
    return OK;
}

/* Absolute, so that what is relative to it holds wherever it is used. NULL with errno set. */
static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    cleanup_free char *name = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    return name ? realpath(name, NULL) : NULL;
}

status config_load(const char *path, struct config **out, struct error *err)
{
    cleanup_buf struct buf text = {0};
    cleanup_config struct config *c = NULL;
    struct stat st;
    bool is_directory = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    cleanup_free char *file = is_directory ? path_join(path, CONFIG_FILE_NAME) : strdup(path);
    cleanup_free char *directory = file ? directory_of(file) : NULL;
    if (!directory)
        return error_set(err, CODE_IO, "%s: %s", path, strerror(errno));
    TRY(file_read(file, CONFIG_MAX, FILE_NOT_WRITABLE_BY_OTHERS, &text, err));
    TRY(config_parse(file, directory, buf_slice(&text), &c, err));
    c->path = steal(&file);
    *out = steal(&c);
    return OK;
}

void config_free(struct config *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < OPTION_COUNT; i++)
        option_clear(c, &options[i]);
    sections_clear(c);
    free(c->path);
    free(c->directory);
    free(c);
}

void config_print(const struct config *c, struct buf *out)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        buf_printf(out, "%s = ", options[i].name);
        option_format(c, &options[i], out);
        buf_add_byte(out, '\n');
    }
    sections_print(c, out);
}

static void help_wrap(const char *help, struct buf *out)
{
    while (*help) {
        size_t len = strlen(help);
        if (len > HELP_WIDTH) {
            len = HELP_WIDTH;
            while (len > 0 && help[len] != ' ')
                len--;
        }
        buf_printf(out, "# %.*s\n", (int)len, help);
        help += len + (help[len] == ' ');
    }
}

void option_example(const struct option *o, char mark, struct buf *out)
{
    buf_add_byte(out, '\n');
    help_wrap(o->help, out);
    buf_add_text(out, "# (");
    option_describe(o, out);
    buf_printf(out, "%s)\n%c%s =%s%s\n", o->when == OPTION_LIVE ? "; SIGHUP takes a new value" : "", mark, o->name,
               o->default_text[0] ? " " : "", o->default_text);
}

void config_example(struct buf *out)
{
    buf_add_text(
        out, "# SPDX-License-Identifier: Apache-2.0\n"
             "# chanceryd: every option with its default. Generated: chanceryd --print-example.\n"
             "# One option a line, comments on lines of their own. Relative paths are relative to the directory of\n"
             "# this file. Others than its owner must not be able to write it.\n");
    for (size_t i = 0; i < OPTION_COUNT; i++)
        option_example(&options[i], '#', out);
    sections_example(out);
}

status config_take_live(struct config *c, const struct config *fresh, struct error *err)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        cleanup_buf struct buf value = {0};
        if (options[i].when != OPTION_LIVE)
            continue;
        option_format(fresh, &options[i], &value);
        TRY(option_set(c, c->directory, &options[i], buf_text(&value), err));
    }
    return OK;
}

void config_restart_needed(const struct config *old, const struct config *fresh, struct buf *names)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        cleanup_buf struct buf before = {0};
        cleanup_buf struct buf after = {0};
        if (options[i].when == OPTION_LIVE)
            continue;
        option_format(old, &options[i], &before);
        option_format(fresh, &options[i], &after);
        if (strcmp(buf_text(&before), buf_text(&after)) != 0)
            buf_printf(names, "%s%s", names->len > 0 ? ", " : "", options[i].name);
    }
    sections_differ(old, fresh, names);
}
