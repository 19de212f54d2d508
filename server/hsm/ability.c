/* SPDX-License-Identifier: Apache-2.0 */
/* What the token can sign: its list of mechanisms, read once. A token that cannot make a kind of signature must not
 * offer it: programs choose by what is listed. */
#include <string.h>

#include "server/hsm/internal.h"

static const struct {
    enum hash hash;
    CK_MECHANISM_TYPE pss;
} sha3_rows[] = {{HASH_SHA3_224, CKM_SHA3_224_RSA_PKCS_PSS},
                 {HASH_SHA3_256, CKM_SHA3_256_RSA_PKCS_PSS},
                 {HASH_SHA3_384, CKM_SHA3_384_RSA_PKCS_PSS},
                 {HASH_SHA3_512, CKM_SHA3_512_RSA_PKCS_PSS}};

static CK_RV list_read(struct hsm *h, struct session *s, CK_MECHANISM_TYPE **list, CK_ULONG *count)
{
    CK_RV rv = CALL(h, s, C_GetMechanismList)(h->slot, NULL, count);

    if (rv != CKR_OK)
        return rv;
    *list = calloc(*count ? *count : 1, sizeof **list);
    return *list ? CALL(h, s, C_GetMechanismList)(h->slot, *list, count) : CKR_HOST_MEMORY;
}

struct mechanism_list {
    struct hsm *h;
    const CK_MECHANISM_TYPE *types;
    CK_ULONG count;
};

static bool list_signs(const struct mechanism_list *l, CK_MECHANISM_TYPE type)
{
    CK_MECHANISM_INFO info = {0};

    for (CK_ULONG i = 0; i < l->count; i++) {
        if (l->types[i] == type)
            return l->h->f->C_GetMechanismInfo(l->h->slot, type, &info) == CKR_OK && (info.flags & CKF_SIGN);
    }
    return false;
}

static void ability_set(struct hsm_ability *a, const struct mechanism_list *l)
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

static CK_RV ability_operation(struct hsm *h, struct session *s, void *arg)
{
    CK_MECHANISM_TYPE *types = NULL;
    CK_ULONG count = 0;
    CK_RV rv = list_read(h, s, &types, &count);

    if (rv == CKR_OK)
        ability_set(arg, &(struct mechanism_list){h, types, count});
    free(types);
    return rv;
}

status ability_read(struct hsm *h, struct error *err)
{
    return hsm_run(h, deadline_in(h->timeout_ms), h->timeout_ms, ability_operation, &h->ability, err);
}

void hsm_offer(const struct hsm *h, unsigned *mechanisms, unsigned *hashes)
{
    *mechanisms &= h->ability.mechanisms;
    if (*mechanisms & 1u << MECHANISM_RSA_PSS)
        *hashes &= h->ability.pss_hashes;
}
