/* SPDX-License-Identifier: Apache-2.0 */
/* Keys by CKA_ID: find and destroy. */
#include <string.h>

#include "server/hsm/internal.h"

void hsm_key_clear(struct hsm_key *k)
{
    buf_clear(&k->spki);
    *k = (struct hsm_key){0};
}

struct search {
    const uint8_t *id;
    struct hsm_key *out;
};

static CK_RV find_operation(struct hsm *h, struct session *s, void *arg)
{
    struct search *search = arg;
    CK_OBJECT_HANDLE private, public;
    CK_ULONG count;

    CK_RV rv = object_private(h, s, search->id, &private);
    if (rv != CKR_OK)
        return rv;
    rv = object_find(h, s, CKO_PUBLIC_KEY, search->id, &public, 1, &count);
    if (rv != CKR_OK)
        return rv;
    if (count == 0)
        return RV_MALFORMED;
    rv = object_read_key(h, s, private, public, search->out);
    if (rv == CKR_OK)
        memcpy(search->out->id, search->id, HSM_ID_LEN);
    return rv;
}

status hsm_find(struct hsm *h, const uint8_t id[HSM_ID_LEN], struct deadline d, struct hsm_key *out, struct error *err)
{
    cleanup_hsm_key struct hsm_key key = {0};
    struct search search = {id, &key};

    TRY(hsm_run(h, d, h->timeout_ms, find_operation, &search, err));
    *out = key;
    key = (struct hsm_key){0};
    return OK;
}

static CK_RV destroy_class(struct hsm *h, struct session *s, CK_OBJECT_CLASS class, const uint8_t *id, CK_ULONG *count)
{
    CK_OBJECT_HANDLE found[4];
    CK_RV rv = object_find(h, s, class, id, found, COUNT_OF(found), count);

    for (CK_ULONG i = 0; rv == CKR_OK && i < *count; i++)
        rv = CALL(h, s, C_DestroyObject)(s->handle, found[i]);
    return rv;
}

static CK_RV destroy_operation(struct hsm *h, struct session *s, void *arg)
{
    const uint8_t *id = arg;
    CK_ULONG privates, publics;

    CK_RV rv = destroy_class(h, s, CKO_PRIVATE_KEY, id, &privates);
    handles_forget(&h->handles, id);
    if (rv == CKR_OK)
        rv = destroy_class(h, s, CKO_PUBLIC_KEY, id, &publics);
    return rv == CKR_OK && privates == 0 ? RV_NOT_FOUND : rv;
}

status hsm_destroy(struct hsm *h, const uint8_t id[HSM_ID_LEN], struct deadline d, struct error *err)
{
    uint8_t copy[HSM_ID_LEN];

    memcpy(copy, id, sizeof copy);
    return hsm_run(h, d, h->timeout_ms, destroy_operation, copy, err);
}
