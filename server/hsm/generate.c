/* SPDX-License-Identifier: Apache-2.0 */
/* I3: key pairs are made in the token, sensitive and not extractable, for signing only. What the token made of the
 * request is read back and judged; a pair that came out weaker is destroyed. */
#include <string.h>

#include "common/text.h"
#include "server/hsm/internal.h"

struct generation {
    enum key_type type;
    const char *label;
    struct hsm_key *out;
    CK_OBJECT_HANDLE public, private;
};

static CK_MECHANISM_TYPE generation_mechanism(enum key_type type)
{
    switch (key_type_family(type)) {
    case FAMILY_RSA:
        return CKM_RSA_PKCS_KEY_PAIR_GEN;
    case FAMILY_EC:
        return CKM_EC_KEY_PAIR_GEN;
    default:
        return CKM_EC_EDWARDS_KEY_PAIR_GEN;
    }
}

static CK_RV generate_pair(struct hsm *h, struct session *s, struct generation *g)
{
    static const CK_BYTE exponent[] = {1, 0, 1};
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_ULONG bits = (CK_ULONG)key_type_bits(g->type);
    struct slice params = curve_params(g->type);
    CK_ULONG label_len = strlen(g->label);
    bool rsa = key_type_family(g->type) == FAMILY_RSA;
    CK_ATTRIBUTE public[] = {
        {CKA_TOKEN, &yes, sizeof yes},
        {CKA_PRIVATE, &no, sizeof no},
        {CKA_VERIFY, &yes, sizeof yes},
        {CKA_ENCRYPT, &no, sizeof no},
        {CKA_WRAP, &no, sizeof no},
        {CKA_LABEL, (void *)g->label, label_len},
        rsa ? (CK_ATTRIBUTE){CKA_MODULUS_BITS, &bits, sizeof bits}
            : (CK_ATTRIBUTE){CKA_EC_PARAMS, (void *)params.data, params.len},
        {CKA_PUBLIC_EXPONENT, (void *)exponent, sizeof exponent},
    };
    CK_ATTRIBUTE private[] = {
        {CKA_TOKEN, &yes, sizeof yes},     {CKA_PRIVATE, &yes, sizeof yes}, {CKA_SENSITIVE, &yes, sizeof yes},
        {CKA_EXTRACTABLE, &no, sizeof no}, {CKA_SIGN, &yes, sizeof yes},    {CKA_DECRYPT, &no, sizeof no},
        {CKA_UNWRAP, &no, sizeof no},      {CKA_DERIVE, &no, sizeof no},    {CKA_LABEL, (void *)g->label, label_len},
    };
    CK_MECHANISM mechanism = {generation_mechanism(g->type), NULL, 0};

    return CALL(h, s, C_GenerateKeyPair)(s->handle, &mechanism, public, COUNT_OF(public) - (rsa ? 0 : 1), private,
                                         COUNT_OF(private), &g->public, &g->private);
}

static CK_RV id_set(struct hsm *h, struct session *s, struct generation *g)
{
    CK_ATTRIBUTE id = {CKA_ID, g->out->id, HSM_ID_LEN};
    CK_RV rv = CALL(h, s, C_SetAttributeValue)(s->handle, g->public, &id, 1);

    return rv != CKR_OK ? rv : CALL(h, s, C_SetAttributeValue)(s->handle, g->private, &id, 1);
}

static void pair_destroy(struct hsm *h, struct session *s, struct generation *g)
{
    (void)h->f->C_DestroyObject(s->handle, g->private);
    (void)h->f->C_DestroyObject(s->handle, g->public);
}

static CK_RV generate_operation(struct hsm *h, struct session *s, void *arg)
{
    struct generation *g = arg;

    CK_RV rv = generate_pair(h, s, g);
    if (rv != CKR_OK)
        return rv;
    rv = object_read_key(h, s, g->private, g->public, g->out);
    if (rv == CKR_OK)
        rv = id_set(h, s, g);
    if (rv != CKR_OK)
        pair_destroy(h, s, g);
    return rv;
}

status key_judge(const struct hsm_key *k, struct error *err)
{
    const char *weak = !k->sensitive           ? "CKA_SENSITIVE is not true"
                       : k->extractable        ? "CKA_EXTRACTABLE is not false"
                       : !k->always_sensitive  ? "CKA_ALWAYS_SENSITIVE is not true"
                       : !k->never_extractable ? "CKA_NEVER_EXTRACTABLE is not true"
                                               : NULL;

    if (!weak)
        return OK;
    return error_set(err, CODE_INTERNAL, "the HSM made a key weaker than asked (%s); it is not kept", weak);
}

status hsm_generate(struct hsm *h, enum key_type type, const char *label, struct deadline d, struct hsm_key *out,
                    struct error *err)
{
    cleanup_hsm_key struct hsm_key key = {0};
    struct generation g = {.type = type, .label = label, .out = &key};

    if (type <= KEY_TYPE_NONE || type >= KEY_TYPE_COUNT)
        return error_set(err, CODE_INVALID, "no such key type");
    if (!text_is_printable(label, sizeof key.label - 1))
        return error_set(err, CODE_INVALID, "the key's label is not printable or too long");
    TRY(hsm_run(h, d, GENERATE_LIMIT_MS, generate_operation, &g, err));

    status judged = key_judge(&key, err);
    if (is_ok(judged) && key.type != type)
        judged = error_set(err, CODE_INTERNAL, "the HSM made a key of another type than asked");
    if (!is_ok(judged)) {
        ignore(hsm_destroy(h, key.id, deadline_in(h->timeout_ms), NULL));
        return judged;
    }
    *out = key;
    key = (struct hsm_key){0};
    return OK;
}
