/* SPDX-License-Identifier: Apache-2.0 */
/* The mechanism table. The list of a token never changes, since programs keep it, often from before the login: what the
 * types of keys that may stand there can do, and the digests of this machine. Whether a mechanism signs is told by its
 * flags, as far as the token's keys were seen; without a key that allows it, it verifies. */
#include "module/mechanism.h"

#include "client/client.h"
#include "module/module.h"
#include "module/object.h"

static const struct mechanism_row rows[] = {
#define SIGN_MECHANISM(ckm, mechanism, hash, min, max) {ckm, MECHANISM_##mechanism, HASH_##hash, min, max},
#include "chancery/mechanisms.def"
#undef SIGN_MECHANISM
#define DIGEST_MECHANISM(ckm, hash) {ckm, MECHANISM_NONE, HASH_##hash, 0, 0},
#include "chancery/mechanisms.def"
#undef DIGEST_MECHANISM
};

static bool is_digest(const struct mechanism_row *row)
{
    return row->mechanism == MECHANISM_NONE;
}

static const struct mechanism_row *row_find(CK_MECHANISM_TYPE type)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (rows[i].type == type)
            return &rows[i];
    }
    return NULL;
}

const struct mechanism_row *mechanism_find_sign(CK_MECHANISM_TYPE type)
{
    const struct mechanism_row *row = row_find(type);
    return row && !is_digest(row) ? row : NULL;
}

const struct mechanism_row *mechanism_find_digest(CK_MECHANISM_TYPE type)
{
    const struct mechanism_row *row = row_find(type);
    return row && is_digest(row) ? row : NULL;
}

enum hash mechanism_hash(CK_MECHANISM_TYPE digest)
{
    const struct mechanism_row *row = mechanism_find_digest(digest);
    return row ? row->hash : HASH_NONE;
}

enum hash mechanism_mgf_hash(CK_RSA_PKCS_MGF_TYPE mgf)
{
    switch (mgf) {
#define MASK_GENERATION(ckg, hash)                                                                                     \
    case ckg:                                                                                                          \
        return HASH_##hash;
#include "chancery/mechanisms.def"
#undef MASK_GENERATION
    default:
        return HASH_NONE;
    }
}

static bool is_on_slot(const struct mechanism_row *row, const struct slot *slot)
{
    return is_digest(row) || slot_holds(slot, mechanism_family(row->mechanism));
}

CK_RV mechanism_list(struct module *m, CK_SLOT_ID id, CK_MECHANISM_TYPE *list, CK_ULONG *count)
{
    const struct slot *slot = slot_find(m, id);
    if (!slot)
        return CKR_SLOT_ID_INVALID;
    if (!count)
        return CKR_ARGUMENTS_BAD;

    CK_ULONG room = list ? *count : 0;
    CK_ULONG found = 0;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (!is_on_slot(&rows[i], slot))
            continue;
        if (found < room)
            list[found] = rows[i].type;
        found++;
    }
    *count = found;
    return list && room < found ? CKR_BUFFER_TOO_SMALL : CKR_OK;
}

/* True, too, where no key was seen yet: who asks early must not be told less than there is. */
static bool is_allowed_by_a_key(const struct mechanism_row *row, struct slot *slot)
{
    cleanup_object_set struct object_set *set = slot_objects_seen(slot);
    bool has_keys = false;
    for (size_t i = 0; set && i < object_set_count(set); i++) {
        const struct object *o = object_set_at(set, i);
        if (o->class != CKO_PRIVATE_KEY || !o->key)
            continue;
        if (mechanism_is_allowed(row, o->key))
            return true;
        has_keys = true;
    }
    return !has_keys;
}

/* CKF_HW: the private keys are in an HSM, and pkcs11-tool --test signs only where it is set. */
static CK_FLAGS flags_of(const struct mechanism_row *row, struct slot *slot)
{
    if (is_digest(row))
        return CKF_DIGEST;
    CK_FLAGS flags = is_allowed_by_a_key(row, slot) ? CKF_HW | CKF_SIGN | CKF_VERIFY : CKF_VERIFY;
    if (mechanism_family(row->mechanism) == FAMILY_EC)
        flags |= CKF_EC_F_P | CKF_EC_NAMEDCURVE | CKF_EC_UNCOMPRESS;
    if (mechanism_family(row->mechanism) == FAMILY_EDWARDS)
        flags |= CKF_EC_F_P | CKF_EC_CURVENAME;
    return flags;
}

CK_RV mechanism_info(struct module *m, CK_SLOT_ID id, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info)
{
    struct slot *slot = slot_find(m, id);
    if (!slot)
        return CKR_SLOT_ID_INVALID;
    if (!info)
        return CKR_ARGUMENTS_BAD;
    const struct mechanism_row *row = row_find(type);
    if (!row || !is_on_slot(row, slot))
        return CKR_MECHANISM_INVALID;

    *info = (CK_MECHANISM_INFO){row->min_bits, row->max_bits, flags_of(row, slot)};
    return CKR_OK;
}

bool mechanism_is_allowed(const struct mechanism_row *row, const struct client_key *key)
{
    if (is_digest(row) || mechanism_family(row->mechanism) != key_type_family(key->type))
        return false;
    return key->mechanisms[row->mechanism] && (row->hash == HASH_NONE || (key->hashes & hash_bit(row->hash)));
}

void mechanism_allowed_list(const struct client_key *key, struct buf *out)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (mechanism_is_allowed(&rows[i], key))
            buf_add(out, &rows[i].type, sizeof rows[i].type);
    }
}
