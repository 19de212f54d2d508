/* SPDX-License-Identifier: Apache-2.0 */
/* From query to answer: read and judge, then the own authority or an outside one, then the count, the record and the
 * line in the log. */
#include <string.h>

#include "common/encoding.h"
#include "common/log.h"
#include "server/tsa/internal.h"

enum { RECORD_TIMEOUT_MS = 10000 };

/* What is told of an answer. */
struct served {
    struct stamp stamp;
    const char *upstream; /* NULL: the authority is our own */
    char digest[2 * 64 + 1], serial[2 * SERIAL_LEN + 1], time[TIME_TEXT_SIZE];
};

static void served_describe(struct served *s, const struct query *q)
{
    hex_format(q->digest, s->digest);
    hex_format((struct slice){s->stamp.serial, SERIAL_LEN}, s->serial);
    time_format((int64_t)s->stamp.at.tv_sec * 1000 + s->stamp.at.tv_nsec / 1000000, s->time);
}

static bool token_record(struct tsa *t, const struct query *q, const struct served *s, const struct tsa_caller *who,
                         struct refusal *r)
{
    cleanup_buf struct buf detail = {0};
    struct json_writer w = json_writer_on(&detail);
    struct error err = {0};

    json_begin_object(&w, NULL);
    json_add_text(&w, "hash", hash_name(q->hash));
    json_add_text(&w, "digest", s->digest);
    json_add_text(&w, "upstream", s->upstream);
    json_add_text(&w, "serial", s->upstream ? NULL : s->serial);
    json_add_text(&w, "time", s->upstream ? NULL : s->time);
    json_add_text(&w, "policy", s->upstream ? NULL : t->config.policy);
    json_end_object(&w);
    struct audit_record record = {
        .type = "timestamp.issue",
        .outcome = "success",
        .detail_json = buf_text(&detail),
        .client_address = who->address,
        .request_id = who->request_id,
    };
    struct audit_work work = {.record = &record};
    if (!detail.failed && is_ok(audit_commit(t->config.audit, &work, deadline_in(RECORD_TIMEOUT_MS), &err)))
        return true;
    log_error(LOG_LEVEL_ERROR, "timestamp.record", &err);
    return refuse(r, TS_INFO_SYSTEM_FAILURE, "the token could not be recorded");
}

static bool token_get(struct tsa *t, const struct query *q, struct deadline d, struct served *s, struct buf *reply,
                      struct refusal *r)
{
    if (t->relay)
        return relay_ask(t->relay, q, d, reply, &s->upstream, r);
    return query_policy(q, t->policy, r) && token_make(t, q, d, &s->stamp, reply, r);
}

static bool answer_make(struct tsa *t, struct slice der, const struct tsa_caller *who, struct deadline d,
                        struct buf *reply, struct refusal *r)
{
    cleanup_query struct query q = {0};
    struct served s = {0};

    if (!query_read(der, &q, r) || !token_get(t, &q, d, &s, reply, r))
        return false;
    served_describe(&s, &q);
    if (t->config.records_all && !token_record(t, &q, &s, who, r))
        return false;
    log_event(LOG_LEVEL_INFO, "timestamp", "hash", hash_name(q.hash), "digest", s.digest, "serial",
              s.upstream ? "" : s.serial, "time", s.upstream ? "" : s.time, "upstream", s.upstream ? s.upstream : "",
              "address", who->address ? who->address : "", "request_id", who->request_id ? who->request_id : "", NULL);
    return true;
}

status tsa_answer(struct tsa *t, struct slice query, const struct tsa_caller *who, struct deadline d, struct buf *reply,
                  struct error *err)
{
    struct refusal r = {0};
    bool granted = answer_make(t, query, who, d, reply, &r);

    usage_count(t, granted);
    if (granted)
        return buf_check(reply, err);
    log_event(LOG_LEVEL_INFO, "timestamp.refused", "reason", r.text, "address", who->address ? who->address : "",
              "request_id", who->request_id ? who->request_id : "", NULL);
    return refusal_encode(&r, reply, err);
}
