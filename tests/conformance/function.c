/* SPDX-License-Identifier: Apache-2.0 */
#include "function.h"

#include <string.h>

#define GENERAL(name, given)                                                                                           \
    static CK_RV call_##name(const struct rig *r, struct arguments *a)                                                 \
    {                                                                                                                  \
        (void)a;                                                                                                       \
        return r->f->name given;                                                                                       \
    }
#define SLOT GENERAL
#define SESSION GENERAL
#define SESSION_3_0(name, given)                                                                                       \
    static CK_RV call_##name(const struct rig *r, struct arguments *a)                                                 \
    {                                                                                                                  \
        return r->f3->name given;                                                                                      \
    }
#include "function.def"
#undef GENERAL
#undef SLOT
#undef SESSION
#undef SESSION_3_0

const struct function functions[] = {
#define GENERAL(name, given) {#name, FUNCTION_GENERAL, false, call_##name},
#define SLOT(name, given) {#name, FUNCTION_SLOT, false, call_##name},
#define SESSION(name, given) {#name, FUNCTION_SESSION, false, call_##name},
#define SESSION_3_0(name, given) {#name, FUNCTION_SESSION, true, call_##name},
#include "function.def"
#undef GENERAL
#undef SLOT
#undef SESSION
#undef SESSION_3_0
};
const size_t function_count = COUNT_OF(functions);

static CK_BYTE empty[1];

struct arguments arguments_make(const struct rig *r)
{
    return (struct arguments){
        .slot = r->slot,
        .session = r->session,
        .object = r->key.private_key,
        .mechanism = {CKM_RSA_PKCS, NULL, 0},
        .digest_mechanism = {CKM_SHA256, NULL, 0},
        .generate_mechanism = {CKM_AES_KEY_GEN, NULL, 0},
        .pair_mechanism = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0},
        .attribute = {CKA_LABEL, empty, 0},
        .len = 256,
        .in = "0123456789",
    };
}

bool function_exists(const struct rig *r, const struct function *f)
{
    return !f->is_3_0 || r->f3;
}
