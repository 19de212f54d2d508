/* SPDX-License-Identifier: Apache-2.0 */
/* C_GenerateRandom. */
#include "module/random.h"

#include <openssl/rand.h>

#include "client/libctx.h"
#include "module/session.h"

static status generate(CK_BYTE *out, CK_ULONG len, struct error *err)
{
    cleanup_libctx struct libctx_scope scope = {0};
    TRY(libctx_enter(&scope, err));
    return RAND_bytes_ex(scope.ctx, out, len, 0) == 1 ? OK : error_set(err, CODE_INTERNAL, "no random bytes");
}

CK_RV random_generate(struct module *m, CK_SESSION_HANDLE session, CK_BYTE *out, CK_ULONG len)
{
    struct session_view view;
    CK_RV rv = session_view(m, session, &view);
    if (rv != CKR_OK)
        return rv;
    if (!out && len > 0)
        return CKR_ARGUMENTS_BAD;
    return len == 0 || is_ok(generate(out, len, NULL)) ? CKR_OK : CKR_FUNCTION_FAILED;
}

CK_RV random_seed(struct module *m, CK_SESSION_HANDLE session)
{
    struct session_view view;
    CK_RV rv = session_view(m, session, &view);
    return rv == CKR_OK ? CKR_RANDOM_SEED_NOT_SUPPORTED : rv;
}
