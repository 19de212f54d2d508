/* SPDX-License-Identifier: Apache-2.0 */
/* Disable, enable, retire. What is not active signs nothing from the moment the change is durable (I4). */
#include "server/api/key_life.h"

#include <string.h>

#include "common/text.h"
#include "server/api/caller.h"
#include "server/api/key_create.h"
#include "server/api/parse.h"
#include "server/api/render.h"
#include "server/api/routes.h"

void key_step_clear(struct key_step *s)
{
    change_clear(&s->change);
    signing_key_clear(&s->key);
}

static status step_refuse(const struct key_step *s, struct error *err)
{
    const char *state = key_state_name(s->key.state), *action = key_action_name(s->action);
    for (int from = 0; from < KEY_STATE_COUNT; from++) {
        enum key_state to = KEY_STATE_COUNT;
        if (key_transition((enum key_state)from, s->action, &to) && to == s->key.state)
            return error_set(err, CODE_CONFLICT, "the signing key is %s already", state);
    }
    return error_set(err, CODE_CONFLICT, "the signing key is %s: there is no way to %s it", state, action);
}

status key_step_judge(struct db *db, struct key_step *s, enum key_state *to, struct error *err)
{
    signing_key_clear(&s->key);
    TRY(signing_key_find(db, s->key_id, &s->key, err));
    change_key(&s->change, &s->key);
    TRY(change_check_revision(&s->change, s->key.revision, err));
    return key_transition(s->key.state, s->action, to) ? OK : step_refuse(s, err);
}

static status retirement_begin(struct db *db, struct signing_key *key, struct error *err)
{
    key->retired_ms = clock_now_ms();
    key->destroy_ms = 0;
    key->destroy_by[0] = '\0';
    return signing_key_set_retirement(db, key, err);
}

status key_step_rows(struct db *db, struct change *change, struct error *err)
{
    struct key_step *s = (struct key_step *)change;
    enum key_state to;

    TRY(key_step_judge(db, s, &to, err));
    json_add_text(&change->detail, "from", key_state_name(s->key.state));
    json_add_text(&change->detail, "to", key_state_name(to));
    TRY(signing_key_set_state(db, s->key_id, to, s->reason, err));
    if (to == KEY_RETIRED)
        TRY(retirement_begin(db, &s->key, err));
    signing_key_clear(&s->key);
    return signing_key_find(db, s->key_id, &s->key, err);
}

status key_answer(struct api *api, struct response *res, int status_code, const struct signing_key *key,
                  struct error *err)
{
    cleanup_chain struct chain chain = {0};

    TRY(chain_load(&chain, api, err));
    response_revision(res, key->revision);
    key_render(response_json(res, status_code), key, &chain);
    return OK;
}

static status key_step_take(struct api *api, struct request *req, struct response *res, struct key_step *s,
                            const char *record, struct error *err)
{
    s->key_id = caller_of(req)->key_id;
    change_begin(&s->change, req, record);
    if (s->reason && *s->reason)
        json_add_text(&s->change.detail, "reason", s->reason);
    TRY(change_commit(&s->change, api, req, key_step_rows, err));
    return key_answer(api, res, 200, &s->key, err);
}

static status reason_read(struct request *req, const char **reason, struct error *err)
{
    const struct json_field fields[] = {{"reason", JSON_STRING, 0, reason}};

    TRY(query_none(req, err));
    TRY(body_read(req, fields, COUNT_OF(fields), err));
    return check_text("reason", *reason, err);
}

static status key_disable(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_key_step struct key_step s = {.action = KEY_ACTION_DISABLE};

    TRY(reason_read(req, &s.reason, err));
    return key_step_take(arg, req, res, &s, "key.disable", err);
}

static status key_enable(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_key_step struct key_step s = {.action = KEY_ACTION_ENABLE};

    TRY(query_none(req, err));
    TRY(body_empty(req, err));
    return key_step_take(arg, req, res, &s, "key.enable", err);
}

static status key_retire(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_key_step struct key_step s = {.action = KEY_ACTION_RETIRE};

    TRY(reason_read(req, &s.reason, err));
    return key_step_take(arg, req, res, &s, "key.retire", err);
}

const struct route key_life_routes[] = {
    {"POST", "/v1/keys/{key}/disable", PERMISSION_PROJECT_MANAGE, key_disable, 0},
    {"POST", "/v1/keys/{key}/enable", PERMISSION_PROJECT_MANAGE, key_enable, 0},
    {"POST", "/v1/keys/{key}/retire", PERMISSION_PROJECT_MANAGE, key_retire, 0},
    {"POST", "/v1/keys/{key}/activate", PERMISSION_PROJECT_MANAGE, key_activate, 0},
    {"POST", "/v1/keys/{key}/destroy", PERMISSION_ADMINISTER, key_destroy, 0},
    {0},
};
