/* SPDX-License-Identifier: Apache-2.0 */
/* What the token can make and sign: its mechanisms and their limits, read once, when the token is first seen. A token
 * that cannot make a kind of signature must not offer it: programs choose by what is listed. */
#include <stdio.h>

#include "server/hsm/internal.h"

enum { MECHANISMS_MAX = 4096 };

static const struct {
    enum hash hash;
    CK_MECHANISM_TYPE pss;
} sha3_rows[] = {{HASH_SHA3_224, CKM_SHA3_224_RSA_PKCS_PSS},
                 {HASH_SHA3_256, CKM_SHA3_256_RSA_PKCS_PSS},
                 {HASH_SHA3_384, CKM_SHA3_384_RSA_PKCS_PSS},
                 {HASH_SHA3_512, CKM_SHA3_512_RSA_PKCS_PSS}};

static const struct {
    enum key_family family;
    CK_MECHANISM_TYPE type;
    const char *name;
} generation_rows[] = {{FAMILY_RSA, CKM_RSA_PKCS_KEY_PAIR_GEN, "CKM_RSA_PKCS_KEY_PAIR_GEN"},
                       {FAMILY_EC, CKM_EC_KEY_PAIR_GEN, "CKM_EC_KEY_PAIR_GEN"},
                       {FAMILY_EDWARDS, CKM_EC_EDWARDS_KEY_PAIR_GEN, "CKM_EC_EDWARDS_KEY_PAIR_GEN"}};

/* The unit in which PKCS#11 measures a mechanism's keys (CK_MECHANISM_INFO): 0 where it says none, or the token does.
 */
static const struct {
    CK_MECHANISM_TYPE type;
    const char *name;
    int bits_per_unit;
} name_rows[] = {
#define MECHANISM_NAME(name, bits_per_unit) {name, #name, bits_per_unit},
#include "server/hsm/mechanism_names.def"
#undef MECHANISM_NAME
};

struct mechanism_list {
    struct hsm *h;
    CK_MECHANISM_TYPE *types;
    CK_ULONG count;
};

static CK_RV list_read(struct hsm *h, struct mechanism_list *l)
{
    CK_RV rv = CALL(h, h->pool.anchor, C_GetMechanismList)(h->slot, NULL, &l->count);

    if (rv != CKR_OK)
        return rv;
    if (l->count > MECHANISMS_MAX)
        return CKR_DEVICE_ERROR;
    l->types = calloc(l->count ? l->count : 1, sizeof *l->types);
    return l->types ? CALL(h, h->pool.anchor, C_GetMechanismList)(h->slot, l->types, &l->count) : CKR_HOST_MEMORY;
}

/* The list decides: tokens answer C_GetMechanismInfo also for what they were told not to do. */
static bool list_info(const struct mechanism_list *l, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info)
{
    *info = (CK_MECHANISM_INFO){0};
    for (CK_ULONG i = 0; i < l->count; i++) {
        if (l->types[i] == type)
            return l->h->f->C_GetMechanismInfo(l->h->slot, type, info) == CKR_OK;
    }
    return false;
}

static bool list_signs(const struct mechanism_list *l, CK_MECHANISM_TYPE type)
{
    CK_MECHANISM_INFO info;

    return list_info(l, type, &info) && (info.flags & CKF_SIGN);
}

static void signing_set(struct hsm_ability *a, const struct mechanism_list *l)
{
    bool raw = list_signs(l, CKM_RSA_X_509), pss = list_signs(l, CKM_RSA_PKCS_PSS);

    a->mechanisms =
        (list_signs(l, CKM_RSA_PKCS) ? 1u << MECHANISM_RSA_PKCS1 : 0) | (pss || raw ? 1u << MECHANISM_RSA_PSS : 0) |
        (list_signs(l, CKM_ECDSA) ? 1u << MECHANISM_ECDSA : 0) | (list_signs(l, CKM_EDDSA) ? 1u << MECHANISM_EDDSA : 0);
    a->pss_hashes = HASH_SET_ALL;
    for (size_t i = 0; i < COUNT_OF(sha3_rows) && !raw; i++) {
        if (!pss || !list_signs(l, sha3_rows[i].pss))
            a->pss_hashes &= ~hash_bit(sha3_rows[i].hash);
    }
}

static void generation_set(struct hsm_ability *a, const struct mechanism_list *l)
{
    for (size_t i = 0; i < COUNT_OF(generation_rows); i++) {
        CK_MECHANISM_INFO info;
        enum key_family family = generation_rows[i].family;

        a->generation[family].is_there = list_info(l, generation_rows[i].type, &info);
        a->generation[family].min_bits = info.ulMinKeySize;
        a->generation[family].max_bits = info.ulMaxKeySize;
    }
}

static int64_t bits_of(CK_ULONG size, int bits_per_unit)
{
    return bits_per_unit == 0 || size > INT32_MAX ? -1 : (int64_t)size * bits_per_unit;
}

static void limit_set(struct hsm_mechanism *out, struct hsm *h, CK_MECHANISM_TYPE type)
{
    CK_MECHANISM_INFO info = {0};
    int bits_per_unit = 0;

    (void)snprintf(out->name, sizeof out->name, "0x%lx", type);
    for (size_t i = 0; i < COUNT_OF(name_rows); i++) {
        if (name_rows[i].type != type)
            continue;
        (void)snprintf(out->name, sizeof out->name, "%s", name_rows[i].name);
        bits_per_unit = name_rows[i].bits_per_unit;
    }
    if (h->f->C_GetMechanismInfo(h->slot, type, &info) != CKR_OK)
        bits_per_unit = 0;
    out->min_bits = bits_of(info.ulMinKeySize, bits_per_unit);
    out->max_bits = bits_of(info.ulMaxKeySize, bits_per_unit);
}

static struct hsm_ability *ability_make(const struct mechanism_list *l)
{
    struct hsm_ability *a = calloc(1, sizeof *a + l->count * sizeof a->limits[0]);

    if (!a)
        return NULL;
    signing_set(a, l);
    generation_set(a, l);
    a->count = l->count;
    for (size_t i = 0; i < a->count; i++)
        limit_set(&a->limits[i], l->h, l->types[i]);
    return a;
}

CK_RV ability_read(struct hsm *h)
{
    struct mechanism_list l = {.h = h};

    if (atomic_load(&h->ability))
        return CKR_OK;
    CK_RV rv = list_read(h, &l);
    if (rv == CKR_OK) {
        struct hsm_ability *a = ability_make(&l);
        rv = a ? CKR_OK : CKR_HOST_MEMORY;
        atomic_store(&h->ability, a);
    }
    free(l.types);
    return rv;
}

/* A token that was never seen takes nothing away: who signs is told that it is away. */
void hsm_offer(const struct hsm *h, unsigned *mechanisms, unsigned *hashes)
{
    const struct hsm_ability *a = atomic_load(&h->ability);

    if (!a)
        return;
    *mechanisms &= a->mechanisms;
    if (*mechanisms & 1u << MECHANISM_RSA_PSS)
        *hashes &= a->pss_hashes;
}

status hsm_check_type(const struct hsm *h, enum key_type type, struct error *err)
{
    const struct hsm_ability *a = atomic_load(&h->ability);
    enum key_family family = key_type_family(type);
    CK_ULONG bits = (CK_ULONG)key_type_bits(type);
    const char *mechanism = "";

    for (size_t i = 0; i < COUNT_OF(generation_rows); i++)
        mechanism = generation_rows[i].family == family ? generation_rows[i].name : mechanism;
    if (!a)
        return OK;
    if (!a->generation[family].is_there)
        return error_set(err, CODE_INVALID, "type: the HSM %s makes no %s keys: it has no %s", h->name,
                         key_type_name(type), mechanism);
    /* SoftHSM and others give no sensible range for Edwards keys. */
    if (family == FAMILY_EDWARDS || (bits >= a->generation[family].min_bits && bits <= a->generation[family].max_bits))
        return OK;
    return error_set(err, CODE_INVALID, "type: the HSM %s makes no %s keys: its %s takes %lu to %lu bits", h->name,
                     key_type_name(type), mechanism, a->generation[family].min_bits, a->generation[family].max_bits);
}
