/* SPDX-License-Identifier: Apache-2.0 */
/* Destroying a retired key: a waiting time, a second administrator when there are two, then the HSM, and only when that
 * no longer has any version of it the store says "destroyed". Whatever fails on the way leaves a retired key, and the
 * same request again finishes what was begun. Rows and certificates stay. */
#include <string.h>

#include "common/text.h"
#include "server/api/caller.h"
#include "server/api/hsms.h"
#include "server/api/key_life.h"
#include "server/api/parse.h"

enum { VERSIONS_MAX = 1024 };

struct destruction {
    struct key_step step;
    const struct api *api;
    const struct principal *who;
    char key_id[ID_SIZE];
    bool is_confirmed;
    struct destroyed {
        uint8_t id[HSM_ID_LEN];
        struct hsm *hsm;
    } * versions; /* all of them */
    size_t count;
    struct error failure;
};

static void destruction_clear(struct destruction *d)
{
    key_step_clear(&d->step);
    free(d->versions);
}
#define cleanup_destruction CLEANUP(destruction_clear)

static status wait_judge(const struct destruction *d, struct error *err)
{
    char from[TIME_TEXT_SIZE];
    int64_t due_ms = d->step.key.retired_ms + d->api->destroy_wait_ms;

    if (clock_now_ms() >= due_ms)
        return OK;
    time_format(due_ms, from);
    return error_set(err, CODE_CONFLICT,
                     "the signing key was retired too short a time ago; it may be destroyed from %s on", from);
}

/* Who asked first counts only while he still is an administrator. */
static bool is_asked_by_administrator(struct db *db, const char *id)
{
    struct principal p;

    return *id && is_ok(principal_find(db, id, &p, NULL)) && p.role == ROLE_ADMINISTRATOR && !p.disabled &&
           (p.expires_ms == 0 || clock_now_ms() < p.expires_ms);
}

static status confirmation_judge(struct db *db, struct destruction *d, struct error *err)
{
    struct signing_key *key = &d->step.key;
    int64_t administrators = 0;

    TRY(principal_count_administrators(db, &administrators, err));
    bool is_asked = is_asked_by_administrator(db, key->destroy_by);
    if (administrators >= 2 && is_asked && strcmp(key->destroy_by, d->who->id) == 0)
        return error_set(err, CODE_CONFLICT, "you asked for this destruction: another administrator has to confirm it");
    d->is_confirmed = administrators < 2 || is_asked;
    return OK;
}

/* The first of two: is it asked for, or confirmed? */
static status ask_rows(struct db *db, struct change *change, struct error *err)
{
    struct destruction *d = (struct destruction *)change;
    struct signing_key *key = &d->step.key;
    enum key_state to;

    TRY(key_step_judge(db, &d->step, &to, err));
    TRY(wait_judge(d, err));
    TRY(confirmation_judge(db, d, err));
    change->record.type = d->is_confirmed ? "key.destroy_confirm" : "key.destroy_ask";
    if (d->is_confirmed)
        return OK;
    (void)text_copy(key->destroy_by, sizeof(key->destroy_by), d->who->id);
    key->destroy_ms = clock_now_ms();
    TRY(signing_key_set_retirement(db, key, err));
    key->revision++;
    return OK;
}

static status version_collect(void *arg, const struct signing_key *version)
{
    struct destruction *d = arg;

    if (d->count == VERSIONS_MAX)
        return (status){CODE_TOO_LARGE};
    struct destroyed *v = &d->versions[d->count++];
    memcpy(v->id, version->hsm_id, HSM_ID_LEN);
    return hsm_of_key(d->api, version, &v->hsm, &d->failure);
}

static status versions_load(struct destruction *d, struct api *api, struct error *err)
{
    cleanup_reader struct reader reader = {0};

    d->versions = calloc(VERSIONS_MAX, sizeof(*d->versions));
    if (!d->versions)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    TRY(reader_acquire(&reader, api->store, err));
    status s = key_version_list(reader.db, d->step.key_id, version_collect, d, err);
    if (d->failure.code != CODE_OK && err)
        *err = d->failure;
    return s;
}

/* What is gone already is as good as destroyed now; what the HSM says it did is looked after. */
static status version_destroy(struct hsm *h, const uint8_t id[HSM_ID_LEN], struct deadline limit, struct error *err)
{
    cleanup_hsm_key struct hsm_key still = {0};
    status s = hsm_destroy(h, id, limit, err);

    if (!is_ok(s) && s.code != CODE_NOT_FOUND)
        return s;
    s = hsm_find(h, id, limit, &still, err);
    if (is_ok(s))
        return error_set(err, CODE_HSM_UNAVAILABLE, "the HSM said that it destroyed the key, and still has it");
    return s.code == CODE_NOT_FOUND ? OK : s;
}

static status hsm_destroy_all(struct destruction *d, struct deadline limit, struct error *err)
{
    for (size_t i = 0; i < d->count; i++)
        TRY(version_destroy(d->versions[i].hsm, d->versions[i].id, limit, err));
    return OK;
}

static status failure_rows(struct db *db, struct change *change, struct error *err)
{
    (void)db, (void)change, (void)err;
    return OK;
}

/* On record too, since some versions may be gone. */
static void failure_record(struct destruction *d, struct api *api, struct request *req, const struct error *why)
{
    struct change *change = &d->step.change;

    change_clear(change);
    *change = (struct change){0};
    change_begin(change, req, "key.destroy");
    change_key(change, &d->step.key);
    change->record.outcome = "failed";
    change->record.reason = why->text;
    ignore(change_commit(change, api, req, failure_rows, NULL));
}

static status destruction_finish(struct destruction *d, struct api *api, struct request *req, struct error *err)
{
    struct change *change = &d->step.change;

    change_clear(change);
    *change = (struct change){0};
    change_begin(change, req, "key.destroy");
    change->if_match = NULL; /* judged when it was confirmed */
    json_add_integer(&change->detail, "versions", (int64_t)d->count);
    return change_commit(change, api, req, key_step_rows, err);
}

/* An administrator's permission names no project, so nobody has looked for the key yet. */
static status target_find(struct destruction *d, struct api *api, struct request *req, struct error *err)
{
    cleanup_reader struct reader reader = {0};
    cleanup_signing_key struct signing_key found = {0};

    TRY(reader_acquire(&reader, api->store, err));
    TRY(key_find(reader.db, request_param(req, "key"), &found, err));
    (void)text_copy(d->key_id, sizeof(d->key_id), found.id);
    d->step.key_id = d->key_id;
    return OK;
}

status key_destroy(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_destruction struct destruction d = {
        .step = {.action = KEY_ACTION_DESTROY},
        .api = api,
        .who = caller_principal(req),
    };

    TRY(query_none(req, err));
    TRY(body_empty(req, err));
    TRY(target_find(&d, api, req, err));
    change_begin(&d.step.change, req, "key.destroy_ask");
    TRY(change_commit(&d.step.change, api, req, ask_rows, err));
    if (!d.is_confirmed)
        return key_answer(api, res, 202, &d.step.key, err);

    TRY(versions_load(&d, api, err));
    status s = hsm_destroy_all(&d, request_deadline(req), err);
    if (!is_ok(s)) {
        failure_record(&d, api, req, err);
        return s;
    }
    TRY(destruction_finish(&d, api, req, err));
    return key_answer(api, res, 200, &d.step.key, err);
}
