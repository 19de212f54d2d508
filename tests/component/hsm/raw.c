/* SPDX-License-Identifier: Apache-2.0 */
#include "raw.h"

#include <dlfcn.h>
#include <string.h>

#include "fixture.h"

CK_FUNCTION_LIST *raw_module(const char *path)
{
    CK_FUNCTION_LIST *list = NULL;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);

    assert_non_null(library);
    CK_C_GetFunctionList get = (CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList");
    assert_non_null(get);
    assert_int_equal(get(&list), CKR_OK);
    return list;
}

struct faults *raw_faults(void)
{
    void *library = dlopen(FAULTY_MODULE, RTLD_NOW | RTLD_LOCAL);

    assert_non_null(library);
    struct faults *(*get)(void) = (struct faults * (*)(void)) dlsym(library, "faults");
    assert_non_null(get);
    return get();
}

CK_SLOT_ID raw_slot(CK_FUNCTION_LIST *module)
{
    CK_SLOT_ID slots[8];
    CK_ULONG count = COUNT_OF(slots);
    CK_TOKEN_INFO info;

    assert_int_equal(module->C_GetSlotList(CK_TRUE, slots, &count), CKR_OK);
    for (CK_ULONG i = 0; i < count; i++) {
        if (module->C_GetTokenInfo(slots[i], &info) == CKR_OK && info.flags & CKF_TOKEN_INITIALIZED &&
            strncmp((const char *)info.label, TOKEN_LABEL, strlen(TOKEN_LABEL)) == 0)
            return slots[i];
    }
    fail_msg("the token is not there");
    return 0;
}
