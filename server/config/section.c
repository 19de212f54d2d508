/* SPDX-License-Identifier: Apache-2.0 */
/* The sections of the configuration: [hsm.NAME], an HSM besides the default one. */
#include <assert.h>
#include <string.h>

#include "common/file.h"
#include "common/text.h"
#include "server/config/option.h"

#define PREFIX "hsm."
#define NAME_DEFAULT "default"

static_assert((int)HSM_OPTION_COUNT <= (int)CONFIG_HSM_OPTIONS_MAX, "as many options of a section");

static const struct config_hsm *section_find(const struct config *c, const char *section)
{
    for (size_t i = 0; i < c->hsm_count; i++) {
        if (strcmp(c->hsms[i].section, section) == 0)
            return &c->hsms[i];
    }
    return NULL;
}

static status name_check(const struct config *c, const char *section, struct error *err)
{
    const struct config_hsm *other = section_find(c, section);

    if (strncmp(section, PREFIX, strlen(PREFIX)) != 0)
        return error_set(err, CODE_CONFIGURATION, "unknown section: [%.60s]; [" PREFIX "<name>] is expected", section);
    if (!text_is_name(section + strlen(PREFIX)))
        return error_set(err, CODE_CONFIGURATION, "[%.60s]: a name of a-z 0-9 . _ - is expected behind \"" PREFIX "\"",
                         section);
    if (strcmp(section, PREFIX NAME_DEFAULT) == 0)
        return error_set(err, CODE_CONFIGURATION, "[" PREFIX NAME_DEFAULT "]: the options hsm_* are that one's");
    if (other)
        return error_set(err, CODE_CONFIGURATION, "[%.60s] is already there in line %d", section, other->line);
    return OK;
}

static void section_clear(struct config_hsm *h)
{
    for (size_t i = 0; i < HSM_OPTION_COUNT; i++)
        option_clear(h, &hsm_options[i]);
    free(h->section);
}

status section_begin(struct config *c, const char *section, int line, struct error *err)
{
    TRY(name_check(c, section, err));
    struct config_hsm *grown = reallocarray(c->hsms, c->hsm_count + 1, sizeof *grown);
    if (!grown)
        return error_set(err, CODE_NO_MEMORY, "configuration");
    c->hsms = grown;
    struct config_hsm *h = &grown[c->hsm_count];
    *h = (struct config_hsm){.section = strdup(section), .line = line};
    if (!h->section)
        return error_set(err, CODE_NO_MEMORY, "configuration");
    h->name = h->section + strlen(PREFIX);
    c->hsm_count++;
    for (size_t i = 0; i < HSM_OPTION_COUNT; i++)
        TRY(option_set(h, c->directory, &hsm_options[i], hsm_options[i].default_text, err));
    return OK;
}

static const struct option *option_find(const char *key)
{
    for (size_t i = 0; i < HSM_OPTION_COUNT; i++) {
        if (strcmp(hsm_options[i].name, key) == 0)
            return &hsm_options[i];
    }
    return NULL;
}

static status option_take(struct config *c, const char *key, const char *value, int line, struct error *err)
{
    struct config_hsm *h = &c->hsms[c->hsm_count - 1];
    const struct option *o = option_find(key);

    if (!o)
        return error_set(err, CODE_CONFIGURATION, "unknown option: %.60s", key);
    int *set_at = &h->lines[o - hsm_options];
    if (*set_at != 0)
        return error_set(err, CODE_CONFIGURATION, "%s is already set in line %d", o->name, *set_at);
    *set_at = line;
    return option_set(h, c->directory, o, value, err);
}

status section_set(struct config *c, const char *key, const char *value, int line, struct error *err)
{
    status s = option_take(c, key, value, line, err);

    if (!is_ok(s))
        error_prefix(err, "[%s]", c->hsms[c->hsm_count - 1].section);
    return s;
}

static status hsm_complete(const struct config *c, struct config_hsm *h, struct error *err)
{
    if (!*h->token == !*h->uri)
        return error_set(err, CODE_CONFIGURATION, "either token or uri is needed");
    if (!*h->pin_file && !strstr(h->uri, "pin-source="))
        return error_set(err, CODE_CONFIGURATION, "pin_file is needed");
    if (h->sessions >= c->http_workers)
        return error_set(err, CODE_CONFIGURATION, "sessions: less than http_workers (%lld) is expected, not %lld",
                         (long long)c->http_workers, (long long)h->sessions);
    if (*h->lock_file)
        return OK;

    cleanup_buf struct buf name = {0};
    buf_printf(&name, "hsm-%s.lock", h->name);
    TRY(buf_check(&name, err));
    return option_set(h, c->directory, &hsm_options[HSM_OPTION_INDEX_lock_file], buf_text(&name), err);
}

status sections_complete(struct config *c, const char *name, struct error *err)
{
    for (size_t i = 0; i < c->hsm_count; i++) {
        status s = hsm_complete(c, &c->hsms[i], err);
        if (!is_ok(s)) {
            error_prefix(err, "%s:%d: [%s]", name, c->hsms[i].line, c->hsms[i].section);
            return s;
        }
    }
    if (c->hsm_count > 0 && c->hsm_sessions >= c->http_workers)
        return error_set(err, CODE_CONFIGURATION,
                         "%s: hsm_sessions: less than http_workers (%lld) is expected where there are several HSMs",
                         name, (long long)c->http_workers);
    return OK;
}

void sections_clear(struct config *c)
{
    for (size_t i = 0; i < c->hsm_count; i++)
        section_clear(&c->hsms[i]);
    free(c->hsms);
}

void sections_print(const struct config *c, struct buf *out)
{
    for (size_t i = 0; i < c->hsm_count; i++) {
        buf_printf(out, "\n[%s]\n", c->hsms[i].section);
        for (size_t k = 0; k < HSM_OPTION_COUNT; k++) {
            buf_printf(out, "%s = ", hsm_options[k].name);
            option_format(&c->hsms[i], &hsm_options[k], out);
            buf_add_byte(out, '\n');
        }
    }
}

void sections_example(struct buf *out)
{
    buf_add_text(
        out, "\n# More HSMs, each in a section behind all options above, by the name that keys call it: chancery key\n"
             "# create --hsm two. The whole section is commented out by ;\n"
             ";[hsm.two]\n");
    for (size_t i = 0; i < HSM_OPTION_COUNT; i++)
        option_example(&hsm_options[i], ';', out);
}

static void names_add(struct buf *names, const char *section, const char *option)
{
    buf_printf(names, "%s%s%s%s", names->len > 0 ? ", " : "", section, option ? "." : "", option ? option : "");
}

static void section_differ(const struct config_hsm *old, const struct config_hsm *fresh, struct buf *names)
{
    for (size_t i = 0; i < HSM_OPTION_COUNT; i++) {
        cleanup_buf struct buf before = {0}, after = {0};
        option_format(old, &hsm_options[i], &before);
        option_format(fresh, &hsm_options[i], &after);
        if (strcmp(buf_text(&before), buf_text(&after)) != 0)
            names_add(names, old->section, hsm_options[i].name);
    }
}

void sections_differ(const struct config *old, const struct config *fresh, struct buf *names)
{
    for (size_t i = 0; i < old->hsm_count; i++) {
        const struct config_hsm *other = section_find(fresh, old->hsms[i].section);
        if (other)
            section_differ(&old->hsms[i], other, names);
        else
            names_add(names, old->hsms[i].section, NULL);
    }
    for (size_t i = 0; i < fresh->hsm_count; i++) {
        if (!section_find(old, fresh->hsms[i].section))
            names_add(names, fresh->hsms[i].section, NULL);
    }
}
