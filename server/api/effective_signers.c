/* SPDX-License-Identifier: Apache-2.0 */
/* Who may sign with a project's keys now, and by what: one object for each principal with all its reasons, also for
 * those that are named but may not, with what stands against it. */
#include <string.h>

#include "server/api/caller.h"
#include "server/api/list.h"
#include "server/api/render.h"
#include "server/api/routes.h"

struct signers {
    struct list list;
    int64_t now_ms;
    struct principal current; /* whose reasons come one by one; id "" before the first */
    bool is_shown, in_time;
};

static const char *standing_name(enum role_time time)
{
    static const char *const names[] = {
        [ROLE_ABSENT] = "", [ROLE_ENDED] = "ended", [ROLE_NOT_YET] = "not_yet", [ROLE_IN_TIME] = "in_time"};
    return names[time];
}

/* NULL: nothing stands against it. */
static const char *obstacle_of(const struct signers *s)
{
    if (s->current.disabled)
        return "disabled";
    if (s->current.expires_ms != 0 && s->now_ms >= s->current.expires_ms)
        return "expired";
    return s->in_time ? NULL : "not_in_time";
}

static void signer_end(struct signers *s)
{
    if (!s->is_shown)
        return;
    const char *obstacle = obstacle_of(s);
    json_end_array(s->list.w);
    json_add_bool(s->list.w, "may_sign", !obstacle);
    json_add_text(s->list.w, "obstacle", obstacle);
    json_end_object(s->list.w);
    s->is_shown = false;
}

static void signer_begin(struct signers *s, const struct principal *p)
{
    s->current = *p;
    s->in_time = false;
    s->is_shown = list_take(&s->list, p->name);
    if (!s->is_shown)
        return;
    json_begin_object(s->list.w, NULL);
    json_add_text(s->list.w, "principal", p->id);
    json_add_text(s->list.w, "name", p->name);
    json_add_text(s->list.w, "type", principal_type_name(p->type));
    json_begin_array(s->list.w, "reasons");
}

static void reason_render(struct json_writer *w, const struct role_reason *why)
{
    json_begin_object(w, NULL);
    json_add_text(w, "by", *why->team ? "team" : "direct");
    json_add_text(w, "team", *why->team ? why->team : NULL);
    json_add_text(w, "time", standing_name(why->time));
    json_add_time(w, "not_before", why->not_before_ms);
    json_add_time(w, "not_after", why->not_after_ms);
    json_end_object(w);
}

static status signer_row(void *arg, const struct principal *p, const struct role_reason *why)
{
    struct signers *s = arg;

    if (strcmp(p->id, s->current.id) != 0) {
        signer_end(s);
        signer_begin(s, p);
    }
    if (s->is_shown)
        reason_render(s->list.w, why);
    s->in_time |= why->time == ROLE_IN_TIME;
    return OK;
}

static status effective_signers_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_reader struct reader reader = {0};
    struct signers s = {.now_ms = clock_now_ms()};

    TRY(list_open(&s.list, &reader, arg, req, err));
    list_begin(&s.list, res);
    TRY(member_list_signers(reader.db, caller_of(req)->project.id, s.list.page, signer_row, &s, err));
    signer_end(&s);
    return list_end(&s.list);
}

const struct route effective_signer_routes[] = {
    {"GET", "/v1/projects/{project}/effective-signers", PERMISSION_PROJECT_READ, effective_signers_get, 0},
    {0},
};
