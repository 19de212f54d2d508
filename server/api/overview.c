/* SPDX-License-Identifier: Apache-2.0 */
/* What there is and what waits for somebody, counted by the store: of everything for administrators and auditors, of
 * what their lists hold for others. Each part counts what its list shows, so that a number and its list agree. */
#include <stdio.h>

#include "server/api/approval_view.h"
#include "server/api/parse.h"
#include "server/api/routes.h"

enum { SHOWN = 8, ENDING_DAYS = 60, ENDING_DAYS_MOST = 3650, USAGE_DAYS = 30, USAGE_DAYS_MOST = 366 };
#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)

struct overview {
    struct db *db;
    struct json_writer *w;
    const struct principal *who;
    const char *member_id; /* NULL: sees everything */
    int64_t now_ms, ending_days, usage_days;
    struct project_count projects;
    struct usage used; /* of all days */
};

static status keys_add(struct overview *o, struct error *err)
{
    int64_t counts[KEY_STATE_COUNT];

    TRY(signing_key_count(o->db, o->member_id, counts, err));
    json_begin_object(o->w, "keys");
    for (int s = 0; s < KEY_STATE_COUNT; s++)
        json_add_integer(o->w, key_state_name((enum key_state)s), counts[s]);
    json_end_object(o->w);
    return OK;
}

static status end_row(void *arg, const struct certificate_end *e)
{
    struct json_writer *w = arg;
    char key[2 * NAME_SIZE];

    (void)snprintf(key, sizeof(key), "%s:%s", e->project_name, e->label);
    json_begin_object(w, NULL);
    json_add_text(w, "key", key);
    json_add_text(w, "key_id", e->key_id);
    json_add_integer(w, "version", e->version);
    json_add_time(w, "expires", e->not_after_ms);
    json_end_object(w);
    return OK;
}

static status certificates_add(struct overview *o, struct error *err)
{
    const struct certificate_end_filter filter = {
        .until_ms = o->now_ms + o->ending_days * DAY_MS, .member_id = o->member_id, .limit = SHOWN};
    struct certificate_end_count count;

    TRY(certificate_end_count(o->db, o->member_id, o->now_ms, filter.until_ms, &count, err));
    json_begin_object(o->w, "certificates");
    json_add_integer(o->w, "within_days", o->ending_days);
    json_add_integer(o->w, "ending", count.ending);
    json_add_integer(o->w, "expired", count.expired);
    json_begin_array(o->w, "first");
    TRY(certificate_end_list(o->db, &filter, end_row, o->w, err));
    json_end_array(o->w);
    json_end_object(o->w);
    return OK;
}

static status approval_row(void *arg, const struct approval *a)
{
    approval_render(arg, a);
    return OK;
}

static status approvals_add(struct overview *o, struct error *err)
{
    struct approval_filter filter = {
        .state = APPROVAL_PENDING, .break_glass = -1, .viewer_id = o->member_id, .now_ms = o->now_ms};
    const struct page page = {.limit = SHOWN};
    int64_t pending = 0, to_decide = 0;

    TRY(approval_count(o->db, &filter, &pending, err));
    filter.decider_id = o->who->id;
    filter.decider_is_administrator = o->who->role == ROLE_ADMINISTRATOR;
    TRY(approval_count(o->db, &filter, &to_decide, err));
    json_begin_object(o->w, "approvals");
    json_add_integer(o->w, "pending", pending);
    json_add_integer(o->w, "to_decide", to_decide);
    json_begin_array(o->w, "newest");
    filter.decider_id = NULL;
    TRY(approval_list(o->db, &filter, page, approval_row, o->w, err));
    json_end_array(o->w);
    json_end_object(o->w);
    return OK;
}

static void counts_add(struct json_writer *w, const struct usage *u)
{
    json_add_integer(w, "success", u->success);
    json_add_integer(w, "refused", u->refused);
    json_add_integer(w, "failed", u->failed);
}

static status usage_row(void *arg, const struct usage *u)
{
    struct overview *o = arg;

    o->used.success += u->success;
    o->used.refused += u->refused;
    o->used.failed += u->failed;
    json_begin_object(o->w, NULL);
    json_add_text(o->w, "day", u->day);
    counts_add(o->w, u);
    json_end_object(o->w);
    return OK;
}

/* As GET /v1/usage: for those who see everything, and for owners. */
static status signatures_add(struct overview *o, struct error *err)
{
    char from[TIME_TEXT_SIZE];

    if (o->member_id && o->projects.owned == 0) {
        json_add_null(o->w, "signatures");
        return OK;
    }
    time_format_day(o->now_ms - (o->usage_days - 1) * DAY_MS, from);
    json_begin_object(o->w, "signatures");
    json_add_integer(o->w, "days", o->usage_days);
    json_add_text(o->w, "from", from);
    json_begin_array(o->w, "by_day");
    TRY(usage_sum_days(o->db, o->member_id, from, usage_row, o, err));
    json_end_array(o->w);
    counts_add(o->w, &o->used);
    json_end_object(o->w);
    return OK;
}

static status jobs_add(struct overview *o, struct error *err)
{
    int64_t counts[JOB_STATES];

    TRY(job_count(o->db, counts, err));
    json_begin_object(o->w, "jobs");
    for (int s = 0; s < JOB_STATES; s++)
        json_add_integer(o->w, job_state_name((enum job_state)s), counts[s]);
    json_end_object(o->w);
    return OK;
}

/* Their lists are for those who see everything. */
static status platform_add(struct overview *o, struct error *err)
{
    int64_t users = 0, accounts = 0;

    if (o->member_id) {
        json_add_null(o->w, "jobs");
        json_add_null(o->w, "users");
        json_add_null(o->w, "service_accounts");
        return OK;
    }
    TRY(jobs_add(o, err));
    TRY(principal_count(o->db, PRINCIPAL_USER, &users, err));
    TRY(principal_count(o->db, PRINCIPAL_SERVICE_ACCOUNT, &accounts, err));
    json_add_integer(o->w, "users", users);
    json_add_integer(o->w, "service_accounts", accounts);
    return OK;
}

static status overview_render(struct overview *o, struct error *err)
{
    TRY(project_count(o->db, o->member_id, &o->projects, err));
    json_begin_object(o->w, NULL);
    TRY(keys_add(o, err));
    TRY(certificates_add(o, err));
    TRY(approvals_add(o, err));
    TRY(signatures_add(o, err));
    TRY(platform_add(o, err));
    json_add_integer(o->w, "projects", o->projects.seen);
    json_end_object(o->w);
    return OK;
}

static status overview_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_reader struct reader reader = {0};
    static const char *const parameters[] = {"expiring_within", "days", NULL};
    struct overview o = {
        .who = caller_principal(req), .now_ms = clock_now_ms(), .ending_days = ENDING_DAYS, .usage_days = USAGE_DAYS};

    TRY(request_query_only(req, parameters, err));
    TRY(query_integer(req, "expiring_within", 1, ENDING_DAYS_MOST, &o.ending_days, err));
    TRY(query_integer(req, "days", 1, USAGE_DAYS_MOST, &o.usage_days, err));
    TRY(reader_acquire(&reader, api->store, err));
    o.db = reader.db;
    o.member_id = caller_reads_all(req) ? NULL : o.who->id;
    o.w = response_json(res, 200);
    return overview_render(&o, err);
}

const struct route overview_routes[] = {
    {"GET", "/v1/overview", PERMISSION_ANY, overview_get, 0},
    {0},
};
