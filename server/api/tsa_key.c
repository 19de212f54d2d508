/* SPDX-License-Identifier: Apache-2.0 */
/* The authority's keys: made in the HSM (I3), certified by the built-in CA or an outside one, destroyed when they sign
 * no more: tokens carry their certificate, and nobody shall make another one with an old key. */
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/text.h"
#include "server/api/caller.h"
#include "server/api/key_material.h"
#include "server/api/parse.h"
#include "server/api/tsa.h"

enum { DESTROY_TIMEOUT_MS = 5000, VERSIONS_MAX = 1000 };
#define SUBJECT_DEFAULT "CN=Timestamp Authority"

void tsa_change_clear(struct tsa_change *c)
{
    change_clear(&c->change);
    timestamp_key_clear(&c->key);
    timestamp_key_clear(&c->active);
    issued_certificate_clear(&c->issued);
}

/* ---- orders */

static status type_parse(const char *type, enum key_type *out, struct error *err)
{
    if (!type)
        return OK;
    if (key_type_parse(type, out) &&
        (*out == KEY_TYPE_RSA3072 || *out == KEY_TYPE_RSA4096 || *out == KEY_TYPE_P256 || *out == KEY_TYPE_P384))
        return OK;
    return error_set(err, CODE_INVALID, "type: rsa3072, rsa4096, p256 or p384 is expected");
}

status tsa_order_parse(struct tsa_order *o, struct request *req, bool needs_type, struct error *err)
{
    const char *type = NULL, *issuer = "builtin", *subject = NULL, *ca = NULL;
    int64_t days = -1;
    const struct json_field fields[] = {
        {"type", JSON_STRING, needs_type ? JSON_REQUIRED : 0, &type},
        {"issuer", JSON_STRING, 0, &issuer},
        {"subject", JSON_STRING, 0, &subject},
        {"days", JSON_INTEGER, 0, &days},
        {"ca", JSON_STRING, 0, &ca},
    };

    TRY(body_read(req, fields, COUNT_OF(fields), err));
    TRY(type_parse(type, &o->type, err));
    o->is_external = strcmp(issuer, "external") == 0;
    if (!o->is_external && strcmp(issuer, "builtin") != 0)
        return error_set(err, CODE_INVALID, "issuer: builtin or external is expected");
    if (days != -1 && (days < 1 || days > profiles[PROFILE_TIMESTAMPING].days_most))
        return error_set(err, CODE_INVALID, "days: 1 to %d is expected", profiles[PROFILE_TIMESTAMPING].days_most);
    o->days = days > 0 ? (int)days : 0;
    if (ca)
        TRY(check_name("ca", ca, err));
    if (ca && o->is_external)
        return error_set(err, CODE_INVALID, "ca: has no meaning with an outside issuer");
    (void)text_copy(o->ca, sizeof(o->ca), ca ? ca : "");
    if (!subject)
        return OK;
    TRY(check_text("subject", subject, err));
    (void)text_copy(o->subject, sizeof(o->subject), subject);
    status s = ca_subject_check(o->subject, err);
    if (!is_ok(s))
        error_prefix(err, "subject");
    return s;
}

/* ---- making */

static void attributes_keep(struct timestamp_key *key, const struct hsm_key *made)
{
    struct signing_key scratch = {0};

    key_attributes_write(&scratch, made);
    (void)text_copy(key->hsm_attributes, sizeof(key->hsm_attributes), scratch.hsm_attributes);
}

static status pair_make(struct api *api, struct timestamp_key *key, struct deadline d, struct error *err)
{
    char label[64];
    cleanup_hsm_key struct hsm_key made = {0};

    (void)snprintf(label, sizeof(label), "chancery-tsa-%d", key->version);
    TRY(hsm_generate(api->hsm, key->type, label, d, &made, err));
    memcpy(key->hsm_id, made.id, sizeof(key->hsm_id));
    attributes_keep(key, &made);
    key->spki = made.spki;
    made.spki = (struct buf){0};
    key->created_ms = clock_now_ms();
    return OK;
}

static void pair_destroy(struct api *api, int version, const uint8_t hsm_id[HSM_ID_LEN])
{
    struct error err = {0};

    if (is_ok(hsm_destroy(api->hsm, hsm_id, deadline_in(DESTROY_TIMEOUT_MS), &err)))
        return;
    error_prefix(&err, "the HSM keeps the key chancery-tsa-%d, which signs no more", version);
    log_error(LOG_LEVEL_ERROR, "tsa.key", &err);
}

static status chain_keep(struct api *api, struct timestamp_key *key, const char *ca, struct error *err)
{
    CLEANUP(ca_chains_clear) struct ca_chains chains = {0};

    TRY(ca_chains_load(api->ca, &chains, err));
    const struct ca_chain *chain = ca_chain_find(&chains, ca);
    buf_reset(&key->chain);
    for (size_t i = 0; chain && i < chain->count; i++)
        buf_add(&key->chain, chain->certificates[i].data, chain->certificates[i].len);
    return buf_check(&key->chain, err);
}

status tsa_certificate_issue(struct api *api, struct request *req, struct tsa_change *c, struct timestamp_key *key,
                             struct tsa_order *o, struct error *err)
{
    TRY(tsa_ca_choose(api, req, o, err));
    const struct ca_request wanted = {buf_slice(&key->spki), o->subject, o->days, PROFILE_TIMESTAMPING, o->ca};
    status s = ca_issue(api->ca, &wanted, request_deadline(req), &c->issued, err);
    if (s.code == CODE_NOT_FOUND)
        return error_set(err, CODE_INVALID, "ca: there is no CA %.64s", o->ca);
    TRY(s);
    buf_reset(&key->certificate);
    buf_add(&key->certificate, c->issued.certificate.data, c->issued.certificate.len);
    TRY(buf_check(&key->certificate, err));
    TRY(chain_keep(api, key, o->ca, err));
    (void)text_copy(key->subject, sizeof(key->subject), o->subject);
    return tsa_certificate_check(buf_slice(&key->certificate), err);
}

static status version_newer(void *arg, const struct timestamp_key *key)
{
    int *version = arg;

    *version = key->version >= *version ? key->version + 1 : *version;
    return OK;
}

static status version_choose(struct api *api, struct timestamp_key *key, struct error *err)
{
    cleanup_reader struct reader reader = {0};

    key->version = 1;
    TRY(reader_acquire(&reader, api->store, err));
    TRY(timestamp_key_list(reader.db, version_newer, &key->version, err));
    return key->version <= VERSIONS_MAX
               ? OK
               : error_set(err, CODE_CONFLICT, "the authority had %d keys already", VERSIONS_MAX);
}

status tsa_key_make(struct api *api, struct request *req, struct tsa_change *c, struct tsa_order *o, struct error *err)
{
    struct timestamp_key *key = &c->key;

    TRY(version_choose(api, key, err));
    key->type = o->type;
    key->state = o->is_external ? TIMESTAMP_KEY_PENDING : TIMESTAMP_KEY_ACTIVE;
    if (!*o->subject)
        (void)text_copy(o->subject, sizeof(o->subject), SUBJECT_DEFAULT);
    (void)text_copy(key->subject, sizeof(key->subject), o->subject);
    TRY(pair_make(api, key, request_deadline(req), err));
    status s = o->is_external ? OK : tsa_certificate_issue(api, req, c, key, o, err);
    if (!is_ok(s))
        pair_destroy(api, key->version, key->hsm_id);
    return s;
}

status tsa_order_like(const struct timestamp_key *key, struct tsa_order *o, struct error *err)
{
    if (o->type == KEY_TYPE_NONE)
        o->type = key->type;
    if (!*o->subject)
        (void)text_copy(o->subject, sizeof(o->subject), key->subject);
    return ca_subject_check(o->subject, err);
}

/* ---- unmaking */

static status id_compare(void *arg, const struct timestamp_key *key)
{
    return memcmp(key->hsm_id, arg, HSM_ID_LEN) == 0 ? (status){CODE_CONFLICT} : OK;
}

/* Where a commit's fate is unknown, a key too many in the HSM is better than one too few. */
void tsa_key_abandon(struct api *api, const struct timestamp_key *key)
{
    cleanup_reader struct reader reader = {0};
    uint8_t id[HSM_ID_LEN];

    memcpy(id, key->hsm_id, sizeof(id));
    status s = reader_acquire(&reader, api->store, &(struct error){0});
    if (is_ok(s))
        s = timestamp_key_list(reader.db, id_compare, id, NULL);
    reader_release(&reader);
    if (is_ok(s))
        pair_destroy(api, key->version, id);
}

status tsa_key_retire(struct db *db, struct tsa_change *c, struct timestamp_key *key, struct error *err)
{
    key->state = TIMESTAMP_KEY_RETIRED;
    c->retired[c->retired_count].version = key->version;
    memcpy(c->retired[c->retired_count++].hsm_id, key->hsm_id, HSM_ID_LEN);
    return timestamp_key_update(db, key, clock_now_ms(), err);
}

void tsa_retired_destroy(struct api *api, const struct tsa_change *c)
{
    for (size_t i = 0; i < c->retired_count; i++)
        pair_destroy(api, c->retired[i].version, c->retired[i].hsm_id);
}
