/* SPDX-License-Identifier: Apache-2.0 */
/* See key_material.h. The private key is made inside the HSM and never leaves it (I3). */
#include "server/api/key_material.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/secret.h"
#include "common/text.h"
#include "server/api/caller.h"
#include "server/api/hsms.h"
#include "server/api/parse.h"
#include "server/api/render.h"

enum { ABANDON_TIMEOUT_MS = 5000 };

void key_attributes_write(struct signing_key *key, const struct hsm_key *found)
{
    const struct {
        const char *name;
        bool value;
    } rows[] = {{"sensitive", found->sensitive},
                {"always_sensitive", found->always_sensitive},
                {"extractable", found->extractable},
                {"never_extractable", found->never_extractable},
                {"local", found->local}};
    size_t len = 0;

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        len += (size_t)snprintf(key->hsm_attributes + len, sizeof(key->hsm_attributes) - len, "%s\"%s\":%s",
                                i == 0 ? "{" : ",", rows[i].name, rows[i].value ? "true" : "false");
    (void)snprintf(key->hsm_attributes + len, sizeof(key->hsm_attributes) - len, "}");
}

static status pair_make(struct api *api, struct signing_key *key, struct deadline d, struct error *err)
{
    char hsm_label[2 * NAME_SIZE];
    struct hsm *hsm = NULL;
    cleanup_hsm_key struct hsm_key made = {0};

    (void)snprintf(hsm_label, sizeof(hsm_label), "%s-%s", key->project_name, key->label);
    TRY(hsm_of_key(api, key, &hsm, err));
    TRY(hsm_check_type(hsm, key->type, err));
    TRY(hsm_generate(hsm, key->type, hsm_label, d, &made, err));

    memcpy(key->hsm_id, made.id, sizeof(key->hsm_id));
    key_attributes_write(key, &made);
    buf_clear(&key->spki);
    key->spki = made.spki;
    made.spki = (struct buf){0};
    key->version_created_ms = clock_now_ms();
    return OK;
}

static void pair_drop(struct api *api, const struct signing_key *key)
{
    struct error err = {0};
    struct hsm *hsm = NULL;

    status s = hsm_of_key(api, key, &hsm, &err);
    if (is_ok(s))
        s = hsm_destroy(hsm, key->hsm_id, deadline_in(ABANDON_TIMEOUT_MS), &err);
    if (is_ok(s))
        return;
    error_prefix(&err, "the HSM keeps a key %s-%s that no row names", key->project_name, key->label);
    log_error(LOG_LEVEL_ERROR, "key.abandon", &err);
}

status key_certificate_issue(struct api *api, struct signing_key *key, const struct key_certificate_order *order,
                             struct deadline d, struct error *err)
{
    const struct ca_request wanted = {
        .spki = buf_slice(&key->spki), .subject = order->subject, .days = order->days, .ca = order->ca};
    cleanup_issued_certificate struct issued_certificate issued = {0};

    TRY(ca_issue(api->ca, &wanted, d, &issued, err));
    buf_clear(&key->certificate);
    key->certificate = issued.certificate;
    issued.certificate = (struct buf){0};
    (void)text_copy(key->certificate_ca, sizeof(key->certificate_ca), issued.ca);
    buf_clear(&key->chain);
    key->certificate_source[0] = '\0';
    key->not_after_ms = issued.not_after_ms;
    key->revoked_ms = 0;
    return OK;
}

status key_certificate_insert(struct db *db, const struct signing_key *key, struct error *err)
{
    cleanup_issued_certificate struct issued_certificate issued = {0};

    if (key->certificate.len == 0 || !*key->certificate_ca)
        return OK;
    TRY(ca_issued_describe(buf_slice(&key->certificate), &issued, err));
    (void)text_copy(issued.ca, sizeof(issued.ca), key->certificate_ca);
    (void)text_copy(issued.key_id, sizeof(issued.key_id), key->id);
    (void)text_copy(issued.profile, sizeof(issued.profile), profiles[PROFILE_CODE_SIGNING].name);
    issued.version = key->version;
    buf_add(&issued.certificate, key->certificate.data, key->certificate.len);
    TRY(buf_check(&issued.certificate, err));
    return issued_certificate_insert(db, &issued, err);
}

status key_material_make(struct api *api, struct signing_key *key, const struct key_certificate_order *order,
                         struct deadline d, struct error *err)
{
    TRY(pair_make(api, key, d, err));
    buf_clear(&key->certificate);
    key->certificate_ca[0] = '\0';
    key->revoked_ms = 0;
    if (!*order->subject || *order->connector) /* a connector's comes later */
        return OK;

    status s = key_certificate_issue(api, key, order, d, err);
    if (!is_ok(s))
        pair_drop(api, key);
    return s;
}

static status id_compare(void *arg, const struct signing_key *version)
{
    const uint8_t *id = arg;

    return memcmp(version->hsm_id, id, HSM_ID_LEN) == 0 ? (status){CODE_CONFLICT} : OK;
}

/* Where a commit's fate is unknown, a key too many in the HSM is better than one too few. */
void key_material_abandon(struct api *api, const struct signing_key *key)
{
    cleanup_reader struct reader reader = {0};
    uint8_t id[HSM_ID_LEN];
    struct error err = {0};

    memcpy(id, key->hsm_id, sizeof(id));
    status s = reader_acquire(&reader, api->store, &err);
    if (is_ok(s))
        s = key_version_list(reader.db, key->id, id_compare, id, &err);
    reader_release(&reader);
    if (is_ok(s)) {
        pair_drop(api, key);
    } else if (s.code != CODE_CONFLICT) {
        error_prefix(&err, "the HSM may keep a key %s-%s that no row names", key->project_name, key->label);
        log_error(LOG_LEVEL_ERROR, "key.abandon", &err);
    }
}

status key_material_detail(struct json_writer *w, const struct signing_key *key, struct error *err)
{
    uint8_t fingerprint[32];

    json_add_text(w, "type", key_type_name(key->type));
    json_add_text(w, "hsm_name", signing_key_hsm(key));
    json_add_hex(w, "cka_id", (struct slice){key->hsm_id, sizeof(key->hsm_id)});
    mechanisms_render(w, key->mechanisms);
    hashes_render(w, key->hashes);
    if (key->certificate.len > 0) {
        TRY(sha256(buf_slice(&key->certificate), fingerprint, err));
        json_add_hex(w, "certificate_sha256", (struct slice){fingerprint, sizeof(fingerprint)});
    } else {
        json_add_null(w, "certificate_sha256");
    }
    json_add_raw(w, "hsm", key->hsm_attributes);
    return OK;
}

status key_certificate_order_like(const struct signing_key *key, bool needs_one, struct key_certificate_order *out,
                                  struct error *err)
{
    *out = (struct key_certificate_order){0};
    (void)text_copy(out->ca, sizeof(out->ca), key->certificate_ca);
    if (key->certificate.len > 0)
        return ca_settings(buf_slice(&key->certificate), out->subject, sizeof(out->subject), &out->days, err);
    if (needs_one)
        (void)snprintf(out->subject, sizeof(out->subject), "CN=%s-%s", key->project_name, key->label);
    return OK;
}

status key_certificate_order_parse(const char *subject, int64_t days, const char *ca, struct key_certificate_order *out,
                                   struct error *err)
{
    if (days && (days < 1 || days > CERTIFICATE_DAYS_MOST))
        return error_set(err, CODE_INVALID, "days: 1 to %d is expected", CERTIFICATE_DAYS_MOST);
    if (days)
        out->days = (int)days;
    if (ca) {
        TRY(check_name("ca", ca, err));
        (void)text_copy(out->ca, sizeof(out->ca), ca);
    }
    if (!subject)
        return OK;

    TRY(check_text("subject", subject, err));
    (void)text_copy(out->subject, sizeof(out->subject), subject);
    return ca_subject_check(out->subject, err);
}
