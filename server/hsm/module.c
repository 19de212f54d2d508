/* SPDX-License-Identifier: Apache-2.0 */
/* Loads the HSM's module through p11-kit, unmanaged: the module's own functions are called, without a wrapper in
 * between. C_Initialize and C_Finalize are counted per process, since they are the process's and not a caller's. A
 * module stays mapped until the process ends: unmapping one that shares OpenSSL with us leaves its exit handlers
 * dangling. */
#include "server/hsm/internal.h"

#include <p11-kit/p11-kit.h>
#include <string.h>

enum { MODULES_MAX = 8 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    CK_FUNCTION_LIST *f;
    int users;
    bool foreign; /* somebody else had initialised it: not ours to finalise */
} modules[MODULES_MAX];

static int module_row(const CK_FUNCTION_LIST *f)
{
    for (int i = 0; i < MODULES_MAX; i++) {
        if (modules[i].f == f)
            return i;
    }
    return -1;
}

static CK_RV initialize(CK_FUNCTION_LIST *f)
{
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};

    return f->C_Initialize(&args);
}

static status initialize_counted(int row, const char *path, struct error *err)
{
    if (modules[row].users == 0) {
        CK_RV rv = initialize(modules[row].f);
        if (rv != CKR_OK && rv != CKR_CRYPTOKI_ALREADY_INITIALIZED) {
            ignore(rv_status(rv, "C_Initialize", err));
            error_prefix(err, "%s", path);
            return (status){CODE_CONFIGURATION};
        }
        modules[row].foreign = rv != CKR_OK;
    }
    modules[row].users++;
    return OK;
}

status module_acquire(const char *path, CK_FUNCTION_LIST **out, struct error *err)
{
    if (!path || path[0] != '/')
        return error_set(err, CODE_CONFIGURATION, "the HSM module needs an absolute path, not \"%s\"",
                         path ? path : "");
    if (access(path, R_OK) != 0)
        return error_set(err, CODE_CONFIGURATION, "%s: no such HSM module, or not readable", path);

    cleanup_unlock pthread_mutex_t *held = &lock;
    (void)pthread_mutex_lock(held);

    CK_FUNCTION_LIST *f = p11_kit_module_load(path, P11_KIT_MODULE_UNMANAGED | P11_KIT_MODULE_CRITICAL);
    if (!f) {
        const char *why = p11_kit_message();
        return error_set(err, CODE_CONFIGURATION, "%s: cannot load the HSM module: %s", path, why ? why : "");
    }
    int row = module_row(f);
    if (row < 0)
        row = module_row(NULL);
    if (row < 0)
        return error_set(err, CODE_CONFIGURATION, "%s: too many HSM modules in one process", path);
    modules[row].f = f;
    TRY(initialize_counted(row, path, err));
    *out = f;
    return OK;
}

void module_release(CK_FUNCTION_LIST *f)
{
    cleanup_unlock pthread_mutex_t *held = &lock;
    (void)pthread_mutex_lock(held);
    int row = module_row(f);

    if (row < 0 || --modules[row].users > 0 || modules[row].foreign)
        return;
    (void)f->C_Finalize(NULL);
}

CK_RV module_reset(CK_FUNCTION_LIST *f)
{
    cleanup_unlock pthread_mutex_t *held = &lock;
    (void)pthread_mutex_lock(held);
    int row = module_row(f);

    if (row < 0 || modules[row].users != 1 || modules[row].foreign)
        return CKR_DEVICE_ERROR;
    (void)f->C_Finalize(NULL);
    return initialize(f);
}

status label_pad(const char *label, CK_UTF8CHAR out[LABEL_LEN], struct error *err)
{
    size_t len = label ? strlen(label) : 0;

    if (len == 0 || len > LABEL_LEN)
        return error_set(err, CODE_INVALID, "token label \"%s\": 1 to %d bytes are expected", label ? label : "",
                         LABEL_LEN);
    memset(out, ' ', LABEL_LEN);
    memcpy(out, label, len);
    return OK;
}

bool label_equal(const CK_UTF8CHAR padded[LABEL_LEN], const char *label)
{
    CK_UTF8CHAR expected[LABEL_LEN];

    return is_ok(label_pad(label, expected, NULL)) && memcmp(padded, expected, LABEL_LEN) == 0;
}

static CK_RV slots_list(CK_FUNCTION_LIST *f, CK_SLOT_ID **out, CK_ULONG *count)
{
    CK_RV rv = f->C_GetSlotList(CK_TRUE, NULL, count);
    if (rv != CKR_OK)
        return rv;

    cleanup_free CK_SLOT_ID *slots = calloc(*count + 1, sizeof *slots);
    if (!slots)
        return CKR_HOST_MEMORY;
    rv = f->C_GetSlotList(CK_TRUE, slots, count);
    if (rv == CKR_OK)
        *out = steal(&slots);
    return rv;
}

/* How many tokens fit, and the first of them. label NULL: those not initialised. */
static CK_RV slots_match(CK_FUNCTION_LIST *f, const char *label, CK_SLOT_ID *first, int *matches)
{
    cleanup_free CK_SLOT_ID *slots = NULL;
    CK_ULONG count = 0;
    CK_RV rv = slots_list(f, &slots, &count);

    *matches = 0;
    for (CK_ULONG i = 0; rv == CKR_OK && i < count; i++) {
        CK_TOKEN_INFO info;
        if (f->C_GetTokenInfo(slots[i], &info) != CKR_OK)
            continue;
        bool initialised = info.flags & CKF_TOKEN_INITIALIZED;
        if (label ? !initialised || !label_equal(info.label, label) : initialised)
            continue;
        if ((*matches)++ == 0)
            *first = slots[i];
    }
    return rv;
}

status module_find_token(CK_FUNCTION_LIST *f, const char *label, CK_SLOT_ID *slot, struct error *err)
{
    int matches = 0;
    CK_RV rv = slots_match(f, label, slot, &matches);

    if (rv != CKR_OK)
        return rv_status(rv, "C_GetSlotList", err);
    if (matches == 0)
        return error_set(err, CODE_CONFIGURATION, "the HSM module has no token with the label \"%s\"", label);
    if (matches > 1)
        return error_set(err, CODE_CONFIGURATION, "the HSM module has %d tokens with the label \"%s\"", matches, label);
    return OK;
}

status module_find_free(CK_FUNCTION_LIST *f, CK_SLOT_ID *slot, struct error *err)
{
    int matches = 0;
    CK_RV rv = slots_match(f, NULL, slot, &matches);

    if (rv != CKR_OK)
        return rv_status(rv, "C_GetSlotList", err);
    if (matches == 0)
        return error_set(err, CODE_CONFLICT, "the HSM module has no slot with a token that is not initialised");
    return OK;
}
