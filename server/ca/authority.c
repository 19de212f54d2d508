/* SPDX-License-Identifier: Apache-2.0 */
/* See authority.h. The private key is an HSM key behind EVP (I3). */
#include "server/ca/authority.h"

#include <string.h>

void authority_clear(struct authority *a)
{
    X509_free(a->crt);
    EVP_PKEY_free(a->key);
    ca_row_clear(&a->row);
    *a = (struct authority){0};
}

static status row_load(struct store *s, const char *name, struct ca_row *row, struct error *err)
{
    struct db *db = store_reader_acquire(s, err);

    if (!db)
        return err ? (status){err->code} : (status){CODE_UNAVAILABLE};
    status found = ca_row_find(db, name, row, err);
    store_reader_release(s, db);
    if (found.code == CODE_NOT_FOUND)
        return error_set(err, CODE_NOT_FOUND, "there is no CA %.64s", name);
    return found;
}

status authority_read(struct ca *ca, const char *name, struct authority *out, struct error *err)
{
    TRY(row_load(ca->config.store, name, &out->row, err));
    return out->row.certificate.len ? certificate_decode(buf_slice(&out->row.certificate), &out->crt, err) : OK;
}

status authority_open(struct ca *ca, const char *name, struct authority *out, struct error *err)
{
    TRY(authority_read(ca, name, out, err));
    if (!out->crt)
        return error_set(err, CODE_CONFLICT, "the CA %s waits for its certificate", name);
    status found = hsm_evp_key(ca->config.hsm, out->row.hsm_id, &out->key, err);
    if (!is_ok(found))
        error_prefix(err, "the key of the CA %s", name);
    TRY(found);
    if (X509_check_private_key(out->crt, out->key) != 1)
        return certificate_failure("the CA's certificate is not of its key in the HSM", err);
    return OK;
}

const EVP_MD *authority_digest(EVP_PKEY *key)
{
    int bits = EVP_PKEY_get_bits(key);
    return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC ? (bits > 256 ? EVP_sha384() : EVP_sha256()) : EVP_sha384();
}

status authority_plan(const struct ca *ca, const struct authority *issuer, enum ca_profile profile,
                      struct certificate_plan *plan, struct buf texts[4], struct error *err)
{
    const struct profile *p = &profiles[profile];
    const char *url = ca->config.public_url;

    plan->libctx = hsm_libctx(ca->config.hsm);
    plan->basic_constraints = p->basic_constraints;
    plan->key_usage = p->key_usage;
    plan->extended_key_usage = p->extended_key_usage;
    plan->no_check = p->no_check;
    if (p->has_locations && issuer && url && *url) {
        buf_printf(&texts[0], "URI:%s/ca/%s.crl", url, issuer->row.name);
        buf_printf(&texts[1], "OCSP;URI:%s/ocsp/%s,caIssuers;URI:%s/ca/%s.cer", url, issuer->row.name, url,
                   issuer->row.name);
        plan->crl_points = buf_text(&texts[0]);
        plan->information_access = buf_text(&texts[1]);
    }
    if (p->has_policy && issuer && *issuer->row.policy) {
        buf_add_text(&texts[2], issuer->row.policy);
        plan->policy = buf_text(&texts[2]);
    }
    for (int i = 0; i < 4; i++)
        TRY(buf_check(&texts[i], err));
    return OK;
}

status authority_failure(const char *what, struct error *err)
{
    struct error why = {0};

    status s = certificate_failure(what, err);
    if (is_ok(hsm_evp_failure(&why)))
        return s;
    if (err)
        *err = why;
    return (status){why.code};
}

status authority_sign(const struct certificate_plan *plan, X509 *issuer, EVP_PKEY *key, X509 **out, struct error *err)
{
    struct error why = {0};

    ignore(hsm_evp_failure(NULL));
    status s = certificate_sign(plan, issuer, key, authority_digest(key), out, err);
    if (is_ok(s) || is_ok(hsm_evp_failure(&why)))
        return s;
    if (err)
        *err = why;
    return (status){why.code};
}
