/* SPDX-License-Identifier: Apache-2.0 */
/* What must be done so that the server is as the text says: first what is new, then what changes, last the members that
 * lose a role, so that whoever applies keeps his own until the end. */
#include "cli/definition.h"

#include <stdlib.h>
#include <string.h>

#include "cli/api.h"
#include "common/clock.h"
#include "common/text.h"

void plan_clear(struct plan *p)
{
    for (size_t i = 0; i < p->count; i++) {
        buf_clear(&p->steps[i].text);
        buf_clear(&p->steps[i].path);
        buf_clear(&p->steps[i].body);
    }
    free(p->steps);
    *p = (struct plan){0};
}

static status step_add(struct plan *p, char sign, const char *method, struct plan_step **out, struct error *err)
{
    if (p->count == p->room) {
        size_t room = p->room ? 2 * p->room : 16;
        struct plan_step *steps = reallocarray(p->steps, room, sizeof(*steps));
        if (!steps)
            return error_set(err, CODE_NO_MEMORY, "out of memory");
        p->steps = steps;
        p->room = room;
    }
    *out = &p->steps[p->count++];
    **out = (struct plan_step){.sign = sign, .method = method, .revision = -1};
    return OK;
}

static status step_check(const struct plan_step *s, struct error *err)
{
    TRY(buf_check(&s->text, err));
    TRY(buf_check(&s->path, err));
    return buf_check(&s->body, err);
}

static const char *text_of(const struct json *object, const char *member)
{
    return json_get_text(object, member, "");
}

static const struct json *item_find(const struct json *list, const char *member, const char *value)
{
    for (size_t i = 0; i < json_count(list); i++)
        if (strcmp(text_of(json_at(list, i), member), value) == 0)
            return json_at(list, i);
    return NULL;
}

/* ---- policies */

static bool value_same(const struct json *a, const struct json *b);

static bool object_same(const struct json *a, const struct json *b)
{
    for (size_t i = 0; i < json_count(a); i++)
        if (!value_same(json_at(a, i), json_get(b, json_name_at(a, i))))
            return false;
    return true;
}

/* The order of an object's members means nothing. */
static bool value_same(const struct json *a, const struct json *b)
{
    if (!a || !b || json_type(a) != json_type(b) || json_count(a) != json_count(b))
        return a == b;
    if (json_type(a) == JSON_OBJECT)
        return object_same(a, b);
    if (json_type(a) == JSON_ARRAY) {
        for (size_t i = 0; i < json_count(a); i++)
            if (!value_same(json_at(a, i), json_at(b, i)))
                return false;
        return true;
    }
    cleanup_buf struct buf left = {0}, right = {0};
    struct json_writer l = json_writer_on(&left), r = json_writer_on(&right);
    json_add_value(&l, NULL, a);
    json_add_value(&r, NULL, b);
    return slice_equal(buf_slice(&left), buf_slice(&right));
}

static void difference_tell(const struct json *wanted, const struct json *present, struct buf *out)
{
    const char *between = ": ";
    for (size_t i = 0; i < json_count(wanted); i++) {
        const char *name = json_name_at(wanted, i);
        const struct json *before = json_get(present, name);
        if (value_same(json_at(wanted, i), before))
            continue;
        buf_printf(out, "%s%c%s", between, before ? '~' : '+', name);
        between = ", ";
    }
    for (size_t i = 0; i < json_count(present); i++) {
        if (json_get(wanted, json_name_at(present, i)))
            continue;
        buf_printf(out, "%s-%s", between, json_name_at(present, i));
        between = ", ";
    }
}

/* wanted and present: what has a member "policy"; present NULL: it is made in this plan. what: "of demo". */
static status policy_plan(struct plan *p, const struct json *wanted, const struct json *present, const char *what,
                          const struct buf *path, struct error *err)
{
    struct plan_step *s = NULL;
    const struct json *to = json_get(wanted, "policy"), *from = json_get(present, "policy");
    bool has_old = json_type(from) == JSON_OBJECT, has_new = json_type(to) == JSON_OBJECT;
    if (!to || (!has_old && !has_new) || (has_old && has_new && value_same(to, from)))
        return OK;

    TRY(step_add(p, !has_old ? '+' : has_new ? '~' : '-', has_new ? "PUT" : "DELETE", &s, err));
    s->revision = json_get_integer(present, "policy_version", 0);
    buf_add(&s->path, path->data, path->len);
    buf_printf(&s->text, "policy of %s", what);
    difference_tell(has_new ? to : NULL, has_old ? from : NULL, &s->text);
    if (has_new) {
        struct json_writer w = json_writer_on(&s->body);
        json_add_value(&w, NULL, to);
    }
    return step_check(s, err);
}

/* ---- projects */

static status project_new(struct plan *p, const struct json *wanted, struct error *err)
{
    struct plan_step *s = NULL;
    const char *name = text_of(wanted, "name");
    TRY(step_add(p, '+', "POST", &s, err));
    buf_printf(&s->text, "project %s", name);
    api_path(&s->path, "/v1/projects");
    struct json_writer w = json_writer_on(&s->body);
    json_begin_object(&w, NULL);
    json_add_text(&w, "name", name);
    json_add_text(&w, "description", text_of(wanted, "description"));
    json_end_object(&w);
    return step_check(s, err);
}

static status project_plan(struct plan *p, const struct json *wanted, const struct json *present, struct error *err)
{
    struct plan_step *s = NULL;
    const char *name = text_of(wanted, "name"), *description = json_get_text(wanted, "description", NULL);
    if (!present)
        return project_new(p, wanted, err);
    if (!description || strcmp(description, text_of(present, "description")) == 0)
        return OK;

    TRY(step_add(p, '~', "PATCH", &s, err));
    s->revision = json_get_integer(present, "revision", -1);
    buf_printf(&s->text, "project %s: description \"%s\", was \"%s\"", name, description,
               text_of(present, "description"));
    api_path(&s->path, "/v1/projects/%", name);
    struct json_writer w = json_writer_on(&s->body);
    json_begin_object(&w, NULL);
    json_add_text(&w, "description", description);
    json_end_object(&w);
    return step_check(s, err);
}

/* ---- members */

static const struct json *member_find(const struct json *members, const struct json *m)
{
    for (size_t i = 0; i < json_count(members); i++) {
        const struct json *other = json_at(members, i);
        if (strcmp(text_of(other, "principal"), text_of(m, "principal")) == 0 &&
            strcmp(text_of(other, "role"), text_of(m, "role")) == 0)
            return other;
    }
    return NULL;
}

/* The same moment may be written in more than one way; 0: there is none. */
static bool times_same(const struct json *a, const struct json *b)
{
    for (size_t i = 0; i < COUNT_OF(definition_times); i++) {
        int64_t left = 0, right = 0;
        (void)time_parse(text_of(a, definition_times[i]), &left, NULL);
        (void)time_parse(text_of(b, definition_times[i]), &right, NULL);
        if (left != right)
            return false;
    }
    return true;
}

static status member_step(struct plan *p, char sign, const char *project, const struct json *m, struct error *err)
{
    struct plan_step *s = NULL;
    const char *principal = text_of(m, "principal"), *role = text_of(m, "role");
    TRY(step_add(p, sign, sign == '+' ? "POST" : "DELETE", &s, err));
    buf_printf(&s->text, "%s %s of project %s", role, principal, project);
    if (sign == '-') {
        api_path(&s->path, "/v1/projects/%/members/%/%", project, role, principal);
        return step_check(s, err);
    }
    api_path(&s->path, "/v1/projects/%/members", project);
    struct json_writer w = json_writer_on(&s->body);
    json_begin_object(&w, NULL);
    json_add_text(&w, "principal", principal);
    json_add_text(&w, "role", role);
    for (size_t i = 0; i < COUNT_OF(definition_times); i++) {
        const char *moment = text_of(m, definition_times[i]);
        if (!*moment)
            continue;
        json_add_text(&w, definition_times[i], moment);
        buf_printf(&s->text, ", %s %s", definition_times[i], moment);
    }
    json_end_object(&w);
    return step_check(s, err);
}

/* Those of one list that are not in the other. A member has no change of its times but to go and to come again. */
static status members_plan(struct plan *p, char sign, const struct json *wanted, const struct json *present,
                           struct error *err)
{
    const struct json *to = json_get(wanted, "members"), *from = json_get(present, "members");
    const struct json *walked = sign == '+' ? to : from, *other = sign == '+' ? from : to;
    if (json_type(to) != JSON_ARRAY)
        return OK;
    for (size_t i = 0; i < json_count(walked); i++) {
        const struct json *m = json_at(walked, i), *same = member_find(other, m);
        if (same && (sign == '-' || times_same(m, same)))
            continue;
        if (same)
            TRY(member_step(p, '-', text_of(wanted, "name"), same, err));
        TRY(member_step(p, sign, text_of(wanted, "name"), m, err));
    }
    return OK;
}

/* ---- keys */

static void key_name(struct buf *out, const char *project, const struct json *key)
{
    buf_printf(out, "%s:%s", project, text_of(key, "label"));
}

static status key_new(struct plan *p, const char *project, const struct json *wanted, struct error *err)
{
    struct plan_step *s = NULL;
    TRY(step_add(p, '+', "POST", &s, err));
    buf_printf(&s->text, "key %s:%s, %s", project, text_of(wanted, "label"), text_of(wanted, "type"));
    api_path(&s->path, "/v1/projects/%/keys", project);
    struct json_writer w = json_writer_on(&s->body);
    json_begin_object(&w, NULL);
    json_add_text(&w, "label", text_of(wanted, "label"));
    json_add_text(&w, "type", text_of(wanted, "type"));
    json_end_object(&w);
    return step_check(s, err);
}

/* Between active and disabled only: the rest of a key's life is no matter of a text in git. */
static status key_state_plan(struct plan *p, const char *project, const struct json *wanted, const struct json *present,
                             struct error *err)
{
    struct plan_step *s = NULL;
    const char *to = json_get_text(wanted, "state", NULL), *from = present ? text_of(present, "state") : "active";
    if (!to || strcmp(to, from) == 0)
        return OK;
    bool enable = strcmp(to, "active") == 0 && strcmp(from, "disabled") == 0;
    if (!enable && (strcmp(to, "disabled") != 0 || strcmp(from, "active") != 0))
        return error_set(err, CODE_INVALID, "key %s:%s is %s; apply does not make it %.40s", project,
                         text_of(wanted, "label"), from, to);

    TRY(step_add(p, '~', "POST", &s, err));
    s->revision = json_get_integer(present, "revision", -1);
    buf_printf(&s->text, "key %s:%s: %s, was %s", project, text_of(wanted, "label"), to, from);
    buf_add_text(&s->path, "/v1/keys/");
    cleanup_buf struct buf name = {0};
    key_name(&name, project, wanted);
    api_path(&s->path, enable ? "%/enable" : "%/disable", buf_text(&name));
    buf_add_text(&s->body, "{}");
    return step_check(s, err);
}

/* The policy goes before the state: what is enabled is limited already. */
static status key_plan(struct plan *p, const char *project, const struct json *wanted, const struct json *present,
                       struct error *err)
{
    cleanup_buf struct buf name = {0}, path = {0}, what = {0};
    if (present && strcmp(text_of(wanted, "type"), text_of(present, "type")) != 0)
        return error_set(err, CODE_INVALID, "key %s:%s is of type %s, which cannot become %.40s", project,
                         text_of(wanted, "label"), text_of(present, "type"), text_of(wanted, "type"));
    if (!present)
        TRY(key_new(p, project, wanted, err));
    key_name(&name, project, wanted);
    buf_printf(&what, "key %s", buf_text(&name));
    api_path(&path, "/v1/keys/%/policy", buf_text(&name));
    TRY(buf_check(&what, err));
    TRY(policy_plan(p, wanted, present, buf_text(&what), &path, err));
    return key_state_plan(p, project, wanted, present, err);
}

static status keys_plan(struct plan *p, const struct json *wanted, const struct json *present, struct error *err)
{
    const struct json *keys = json_get(wanted, "keys");
    for (size_t i = 0; i < json_count(keys); i++) {
        const struct json *key = json_at(keys, i);
        TRY(key_plan(p, text_of(wanted, "name"), key,
                     item_find(json_get(present, "keys"), "label", text_of(key, "label")), err));
    }
    return OK;
}

/* ---- all */

static status project_policy_plan(struct plan *p, const struct json *wanted, const struct json *present,
                                  struct error *err)
{
    cleanup_buf struct buf path = {0}, what = {0};
    buf_printf(&what, "project %s", text_of(wanted, "name"));
    api_path(&path, "/v1/projects/%/policy", text_of(wanted, "name"));
    TRY(buf_check(&what, err));
    return policy_plan(p, wanted, present, buf_text(&what), &path, err);
}

status plan_make(const struct json *wanted, const struct json *present, struct plan *out, struct error *err)
{
    const struct json *projects = json_get(wanted, "projects"), *known = json_get(present, "projects");
    cleanup_buf struct buf path = {0};
    buf_add_text(&path, "/v1/policy");
    TRY(policy_plan(out, wanted, present, "the platform", &path, err));
    for (size_t i = 0; i < json_count(projects); i++) {
        const struct json *to = json_at(projects, i), *from = item_find(known, "name", text_of(to, "name"));
        TRY(project_plan(out, to, from, err));
        TRY(project_policy_plan(out, to, from, err));
        TRY(members_plan(out, '+', to, from, err));
        TRY(keys_plan(out, to, from, err));
    }
    for (size_t i = 0; i < json_count(projects); i++) {
        const struct json *to = json_at(projects, i), *from = item_find(known, "name", text_of(to, "name"));
        TRY(members_plan(out, '-', to, from, err));
    }
    return OK;
}
