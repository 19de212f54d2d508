/* SPDX-License-Identifier: Apache-2.0 */
/* Denied requests on record, so that somebody who tries doors is seen; bounded, so that he cannot fill the log with it.
 */
#include "server/api/denied.h"

#include <pthread.h>

#include "common/log.h"
#include "common/text.h"

enum { SLOTS = 1024, SIGN_IN_SLOTS = DENIED_PROBES, SECOND_MS = 1000, SIGN_IN_MS = 10 * SECOND_MS };

bool denied_take(struct denied_slot *slots, size_t count, uint64_t key, int64_t second, int64_t *suppressed)
{
    struct denied_slot *at = NULL;
    for (size_t i = 0; i < DENIED_PROBES; i++) {
        struct denied_slot *slot = &slots[(key + i) % count];
        if (slot->key == key) {
            at = slot;
            break;
        }
        if (!at && (slot->key == 0 || slot->second < second))
            at = slot;
    }
    if (!at)
        return false; /* a second in which everybody is denied everything */
    if (at->key == key && at->second >= second) {
        at->suppressed++;
        return false;
    }
    *suppressed = at->key == key ? at->suppressed : 0;
    *at = (struct denied_slot){.key = key, .second = second};
    return true;
}

static bool is_to_be_recorded(const struct request *req, const struct principal *who, int64_t *suppressed)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static struct denied_slot slots[SLOTS];
    const struct route *route = request_route(req);
    uint64_t key = (text_hash(who->id) * 31 + text_hash(route->pattern)) * 31 + text_hash(route->method);

    (void)pthread_mutex_lock(&lock);
    bool taken = denied_take(slots, SLOTS, key | 1, clock_now_ms() / SECOND_MS, suppressed);
    (void)pthread_mutex_unlock(&lock);
    return taken;
}

static void detail_write(struct buf *out, const char *method, int64_t suppressed)
{
    struct json_writer w = json_writer_on(out);

    json_begin_object(&w, NULL);
    json_add_text(&w, "method", method);
    json_add_integer(&w, "suppressed", suppressed);
    json_end_object(&w);
}

void denied_record(struct api *api, struct request *req, const struct caller *caller, const struct error *err)
{
    const struct principal *who = &caller->identity.principal;
    cleanup_buf struct buf detail = {0};
    struct error failure = {0};
    int64_t suppressed = 0;

    if (!is_to_be_recorded(req, who, &suppressed))
        return;
    detail_write(&detail, request_route(req)->method, suppressed);
    struct audit_record record = {
        .type = "access.denied",
        .principal = who->name,
        .principal_id = who->id,
        .project = *caller->project.name ? caller->project.name : NULL,
        .target_type = "route",
        .target_id = request_route(req)->pattern,
        .target_name = request_route(req)->pattern,
        .detail_json = buf_text(&detail),
        .outcome = "refused",
        .reason = err->text,
        .client_address = request_client_address(req),
        .request_id = request_id(req),
    };
    struct audit_work work = {.record = &record};
    if (!is_ok(buf_check(&detail, &failure)) ||
        !is_ok(audit_commit(api->audit, &work, request_deadline(req), &failure)))
        log_error(LOG_LEVEL_WARNING, "access.denied", &failure);
}

/* ---- sign-ins: nobody is known yet, so the bound is on all of them */

static bool sign_in_is_to_be_recorded(const struct request *req, int64_t *suppressed)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static struct denied_slot slots[SIGN_IN_SLOTS];
    uint64_t key = text_hash(request_client_address(req));

    (void)pthread_mutex_lock(&lock);
    bool taken = denied_take(slots, SIGN_IN_SLOTS, key | 1, clock_now_ms() / SIGN_IN_MS, suppressed);
    (void)pthread_mutex_unlock(&lock);
    return taken;
}

void denied_sign_in_record(struct api *api, struct request *req, const struct principal *user, const char *method,
                           const struct error *err)
{
    cleanup_buf struct buf detail = {0};
    struct error failure = {0};
    int64_t suppressed = 0;

    if (!sign_in_is_to_be_recorded(req, &suppressed))
        return;
    detail_write(&detail, method, suppressed);
    struct audit_record record = {
        .type = "session.denied",
        .principal = user ? user->name : NULL,
        .principal_id = user ? user->id : NULL,
        .target_type = "session",
        .detail_json = buf_text(&detail),
        .outcome = "refused",
        .reason = *err->detail ? err->detail : err->text,
        .client_address = request_client_address(req),
        .request_id = request_id(req),
    };
    struct audit_work work = {.record = &record};
    if (!is_ok(buf_check(&detail, &failure)) ||
        !is_ok(audit_commit(api->audit, &work, request_deadline(req), &failure)))
        log_error(LOG_LEVEL_WARNING, "session.denied", &failure);
}
