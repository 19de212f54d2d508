/* SPDX-License-Identifier: Apache-2.0 */
/* The table of include/chancery/errors.def, read from the module's side. */
#include "module/ckr.h"

#include "common/log.h"

CK_RV ckr_of(enum code code)
{
    switch (code) {
    case CODE_OK:
        return CKR_OK;
#define ERROR(name, wire, http, ckr, text)                                                                             \
    case CODE_##name:                                                                                                  \
        return ckr;
#include "chancery/errors.def"
#undef ERROR
    case CODE_COUNT:
        break;
    }
    return CKR_GENERAL_ERROR;
}

CK_RV ckr_report(const char *event, status s, const struct error *err)
{
    if (!is_ok(s))
        log_error(LOG_LEVEL_ERROR, event, err);
    return ckr_of(s.code);
}
