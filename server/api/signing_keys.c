/* SPDX-License-Identifier: Apache-2.0 */
/* GET /v1/signing/keys: everything a token needs in one answer: the active keys of the projects in which the caller is
 * a signer. Tokens ask often: the ETag is made of the store's generation, so that "not modified" costs one small query.
 */
#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "server/api/caller.h"
#include "server/api/hsms.h"
#include "server/api/parse.h"
#include "server/api/render.h"
#include "server/api/routes.h"
#include "server/api/signing_keys.h"
#include "server/sign/rights.h"

struct token_view {
    struct db *db;
    struct json_writer *w;
    const struct api *api;
    const struct chain *chain;
    struct policy_memo policies;
    struct json_writer earlier; /* elements of the array of that name */
    int64_t now_ms;
    char last[SIGNING_KEY_CURSOR_SIZE];
    int shown;
};

/* What policy takes away is not offered: tools choose by what they are shown. */
static status key_narrow(struct token_view *view, const struct signing_key *key, unsigned *mechanisms, unsigned *hashes)
{
    struct policy_in_force policies[POLICIES_IN_FORCE] = {0};
    status s = policies_in_force(view->db, &view->policies, key, policies, NULL);
    *mechanisms = key->mechanisms;
    *hashes = key->hashes;
    for (size_t i = 0; is_ok(s) && i < POLICIES_IN_FORCE; i++) {
        const struct policy *p = policies[i].policy;
        *mechanisms &= p && p->has_mechanisms ? p->mechanisms : ~0u;
        *hashes &= p && p->has_hashes ? p->hashes : ~0u;
    }
    policies_release(policies);
    return s;
}

static status offer_write(struct token_view *view, struct json_writer *w, const struct signing_key *key)
{
    struct signing_key offered = *key; /* what the policy allows and the HSM can do; borrows */
    struct hsm *hsm = NULL;

    TRY(key_narrow(view, key, &offered.mechanisms, &offered.hashes));
    if (is_ok(hsm_of_key(view->api, key, &hsm, NULL)))
        hsm_offer(hsm, &offered.mechanisms, &offered.hashes);
    json_begin_object(w, NULL);
    json_add_text(w, "id", key->id);
    json_add_text(w, "project", key->project_name);
    json_add_text(w, "label", key->label);
    key_material_render(w, &offered, view->chain);
    json_end_object(w);
    return OK;
}

static status earlier_row(void *arg, const struct signing_key *key)
{
    struct token_view *view = arg;

    return offer_write(view, &view->earlier, key);
}

static status token_key_row(void *arg, const struct signing_key *key)
{
    struct token_view *view = arg;

    TRY(offer_write(view, view->w, key));
    if (key->version > 1)
        TRY(signing_key_list_earlier(view->db, key->id, view->now_ms, earlier_row, view, NULL));
    signing_key_cursor(key, view->last);
    view->shown++;
    return OK;
}

/* All of them: a token has no pages. */
static status token_keys_write(struct db *db, const char *principal_id, struct token_view *view, struct error *err)
{
    const struct signing_key_filter filter = {.member_id = principal_id, .roles = MEMBER_SIGNER, .only_active = true};
    char after[SIGNING_KEY_CURSOR_SIZE];

    do {
        view->shown = 0;
        (void)text_copy(after, sizeof(after), view->last);
        struct page page = {.after = *after ? after : NULL, .limit = LIMIT_PAGE};
        TRY(signing_key_list(db, &filter, page, token_key_row, view, err));
    } while (view->shown == LIMIT_PAGE);
    return OK;
}

static bool etag_matches(const struct request *req, const char *etag)
{
    const char *known = request_header(req, "If-None-Match");

    return known && (strcmp(known, "*") == 0 || strstr(known, etag) != NULL);
}

/* The generation is read before the keys: an answer may be newer than its ETag, never older. */
status signing_keys_etag(struct db *db, const char *principal_id, char etag[KEYS_ETAG_SIZE], struct error *err)
{
    int64_t generation = 0, turn_ms = 0;

    TRY(store_generation(db, &generation, err));
    TRY(member_last_turn(db, principal_id, clock_now_ms(), &turn_ms, err));
    (void)snprintf(etag, KEYS_ETAG_SIZE, "\"%lld-%lld-%s\"", (long long)generation, (long long)turn_ms, principal_id);
    return OK;
}

static status signing_keys_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_chain struct chain chain = {0};
    cleanup_reader struct reader reader = {0};
    char etag[KEYS_ETAG_SIZE];

    TRY(query_none(req, err));
    TRY(reader_acquire(&reader, api->store, err));
    TRY(signing_keys_etag(reader.db, caller_principal(req)->id, etag, err));
    reader_release(&reader);
    response_header(res, "ETag", etag);
    response_header(res, "Cache-Control", "private, no-cache");
    if (etag_matches(req, etag)) {
        response_status(res, 304);
        return OK;
    }

    TRY(chain_load(&chain, api, err));
    TRY(reader_acquire(&reader, api->store, err));
    cleanup_buf struct buf earlier = {0};
    struct token_view view = {
        .db = reader.db,
        .w = response_json(res, 200),
        .api = api,
        .chain = &chain,
        .earlier = json_writer_on(&earlier),
        .now_ms = clock_now_ms(),
    };
    json_begin_array(&view.earlier, NULL);
    json_begin_object(view.w, NULL);
    json_begin_array(view.w, "keys");
    status s = token_keys_write(reader.db, caller_principal(req)->id, &view, err);
    policy_memo_clear(&view.policies);
    TRY(s);
    json_end_array(view.w);
    json_end_array(&view.earlier);
    TRY(buf_check(&earlier, err));
    json_add_raw(view.w, "earlier", buf_text(&earlier));
    json_end_object(view.w);
    return OK;
}

const struct route signing_key_routes[] = {
    {"GET", ROUTE_SIGNING_KEYS, PERMISSION_ANY, signing_keys_get, 0},
    {0},
};
