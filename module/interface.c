/* SPDX-License-Identifier: Apache-2.0 */
/* The function lists of 2.40 and 3.0 and the functions nobody implements, all made from functions.def. */
#include "module/interface.h"

#include <string.h>

#include "module/module.h"

static CK_RV unsupported(void)
{
    cleanup_module struct module *m = NULL;
    CK_RV rv = module_acquire(&m);
    return rv == CKR_OK ? CKR_FUNCTION_NOT_SUPPORTED : rv;
}

#define SUPPORTED(name)
#define UNSUPPORTED(name, arguments)                                                                                   \
    CK_RV name arguments                                                                                               \
    {                                                                                                                  \
        return unsupported();                                                                                          \
    }
#define SUPPORTED_3_0 SUPPORTED
#define UNSUPPORTED_3_0 UNSUPPORTED
#include "module/functions.def"
#undef SUPPORTED
#undef UNSUPPORTED
#undef SUPPORTED_3_0
#undef UNSUPPORTED_3_0

/* C_GetInfo tells the version of the interface it was reached by. */
static CK_RV info_3_0(CK_INFO *info)
{
    CK_RV rv = C_GetInfo(info);
    if (rv == CKR_OK)
        info->cryptokiVersion = (CK_VERSION){3, 0};
    return rv;
}

static CK_RV initialize_fork_safe(void *args)
{
    return module_initialize(args, true);
}

#define SUPPORTED(name) .name = name,
#define UNSUPPORTED(name, arguments) .name = name,
static CK_FUNCTION_LIST list_2_40 = {
    .version = {2, 40},
#include "module/functions.def"
};

#define SUPPORTED_3_0 SUPPORTED
#define UNSUPPORTED_3_0 UNSUPPORTED
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
static CK_FUNCTION_LIST_3_0 list_3_0 = {.version = {3, 0},
#include "module/functions.def"
                                        .C_GetInfo = info_3_0};
static CK_FUNCTION_LIST_3_0 list_fork_safe = {.version = {3, 0},
#include "module/functions.def"
                                              .C_Initialize = initialize_fork_safe,
                                              .C_GetInfo = info_3_0};
#pragma GCC diagnostic pop
#undef SUPPORTED
#undef UNSUPPORTED
#undef SUPPORTED_3_0
#undef UNSUPPORTED_3_0

static char standard_name[] = "PKCS 11";
/* The first one is the default. Initialised by the first two, a forked child must initialise anew; by the last, parent
 * and child both go on. */
static CK_INTERFACE interfaces[] = {
    {standard_name, &list_3_0, 0},
    {standard_name, &list_2_40, 0},
    {standard_name, &list_fork_safe, CKF_INTERFACE_FORK_SAFE},
};

CK_RV interface_function_list(CK_FUNCTION_LIST **out)
{
    if (!out)
        return CKR_ARGUMENTS_BAD;
    *out = &list_2_40;
    return CKR_OK;
}

CK_RV interface_list(CK_INTERFACE *list, CK_ULONG *count)
{
    if (!count)
        return CKR_ARGUMENTS_BAD;
    CK_ULONG room = *count;
    *count = COUNT_OF(interfaces);
    if (!list)
        return CKR_OK;
    if (room < COUNT_OF(interfaces))
        return CKR_BUFFER_TOO_SMALL;
    memcpy(list, interfaces, sizeof interfaces);
    return CKR_OK;
}

static bool matches(const CK_INTERFACE *candidate, const CK_UTF8CHAR *name, const CK_VERSION *version, CK_FLAGS flags)
{
    const CK_VERSION *own = candidate->pFunctionList; /* every list begins with its version */
    if (name && strcmp((const char *)name, candidate->pInterfaceName) != 0)
        return false;
    if (version && (version->major != own->major || version->minor != own->minor))
        return false;
    return (candidate->flags & flags) == flags;
}

CK_RV interface_find(const CK_UTF8CHAR *name, const CK_VERSION *version, CK_FLAGS flags, CK_INTERFACE **out)
{
    if (!out)
        return CKR_ARGUMENTS_BAD;
    for (size_t i = 0; i < COUNT_OF(interfaces); i++) {
        if (matches(&interfaces[i], name, version, flags)) {
            *out = &interfaces[i];
            return CKR_OK;
        }
    }
    return CKR_ARGUMENTS_BAD;
}
