/* SPDX-License-Identifier: Apache-2.0 */
/* Slots, tokens, and what they tell of themselves (base §3.2, §5.5). */
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "group.h"

static bool utf8_is_whole(const CK_BYTE *at, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned more = at[i] < 0x80 ? 0 : (at[i] & 0xe0) == 0xc0 ? 1 : (at[i] & 0xf0) == 0xe0 ? 2 : 3;
        if (at[i] >= 0x80 && (at[i] < 0xc2 || at[i] > 0xf4))
            return false;
        for (; more > 0; more--) {
            if (++i >= len || (at[i] & 0xc0) != 0x80)
                return false;
        }
    }
    return true;
}

static void padded_is_whole(const char *name, const CK_BYTE *field, size_t len)
{
    check("base §3.2", text("%s is padded with blanks, not NUL", name), !memchr(field, 0, len));
    check("base §3.2", text("%s is UTF-8", name), utf8_is_whole(field, len));
}

static void list_is_whole(struct rig *r, CK_BBOOL present)
{
    CK_SLOT_ID list[64];
    CK_ULONG count = 77;
    const char *which = present ? "CK_TRUE" : "CK_FALSE";
    EXPECT("base §5.5.1", text("C_GetSlotList(%s, NULL, count)", which), r->f->C_GetSlotList(present, NULL, &count),
           CKR_OK);
    if (!check("base §5.5.1", text("there are slots (%s)", which), count > 0 && count < COUNT_OF(list)))
        return;
    for (CK_ULONG given = 0; given < count; given++) {
        CK_ULONG len = given;
        EXPECT("base §5.5.1", text("C_GetSlotList(%s) with room for %lu of %lu", which, given, count),
               r->f->C_GetSlotList(present, list, &len), CKR_BUFFER_TOO_SMALL);
        check_number("base §5.5.1", "CKR_BUFFER_TOO_SMALL sets the count", len, count);
    }
    const CK_ULONG rooms[] = {count, count + 1, COUNT_OF(list), ~0UL};
    for (size_t i = 0; i < COUNT_OF(rooms); i++) {
        CK_ULONG len = rooms[i];
        memset(list, 0xaa, sizeof list);
        EXPECT("base §5.5.1", text("C_GetSlotList(%s) with room for %lu", which, rooms[i]),
               r->f->C_GetSlotList(present, list, &len), CKR_OK);
        check_number("base §5.5.1", "the count", len, count);
        check("base §5.5.1", "nothing is written behind the last id", list[count] == 0xaaaaaaaaaaaaaaaaUL);
    }
    for (CK_ULONG i = 0; i < count; i++) {
        for (CK_ULONG j = 0; j < i; j++)
            check("base §5.5.1", "slot ids are unique", list[i] != list[j]);
    }
}

static void slot_info_is_whole(struct rig *r, CK_SLOT_ID slot, bool present)
{
    CK_SLOT_INFO info;
    memset(&info, 0, sizeof info);
    if (!EXPECT("base §5.5.2", "C_GetSlotInfo", r->f->C_GetSlotInfo(slot, &info), CKR_OK))
        return;
    padded_is_whole("slotDescription", info.slotDescription, sizeof info.slotDescription);
    padded_is_whole("CK_SLOT_INFO.manufacturerID", info.manufacturerID, sizeof info.manufacturerID);
    CK_FLAGS known = CKF_TOKEN_PRESENT | CKF_REMOVABLE_DEVICE | CKF_HW_SLOT;
    check("base §3.2", text("slot flags 0x%lx are the standard's", info.flags), (info.flags & ~known) == 0);
    check("base §3.2", "CKF_TOKEN_PRESENT says what C_GetSlotList says", !!(info.flags & CKF_TOKEN_PRESENT) == present);
}

void slot_list_group(struct rig *r)
{
    CK_SLOT_ID all[64], present[64];
    CK_ULONG all_count = COUNT_OF(all), present_count = COUNT_OF(present);
    list_is_whole(r, CK_TRUE);
    list_is_whole(r, CK_FALSE);
    EXPECT("base §5.5.1", "C_GetSlotList(CK_FALSE)", r->f->C_GetSlotList(CK_FALSE, all, &all_count), CKR_OK);
    EXPECT("base §5.5.1", "C_GetSlotList(CK_TRUE)", r->f->C_GetSlotList(CK_TRUE, present, &present_count), CKR_OK);
    for (CK_ULONG i = 0; i < present_count; i++) {
        bool is_in = false;
        for (CK_ULONG j = 0; j < all_count; j++)
            is_in |= all[j] == present[i];
        check("base §5.5.1", "a slot with a token is one of all slots", is_in);
    }
    for (CK_ULONG i = 0; i < all_count; i++) {
        bool is_present = false;
        for (CK_ULONG j = 0; j < present_count; j++)
            is_present |= all[i] == present[j];
        slot_info_is_whole(r, all[i], is_present);
    }
}

static void memory_is_sane(const char *what, CK_ULONG total, CK_ULONG left)
{
    check("base §3.2", text("%s: free is not above total", what),
          total == CK_UNAVAILABLE_INFORMATION || left == CK_UNAVAILABLE_INFORMATION || left <= total);
}

static void limits_are_sane(const CK_TOKEN_INFO *t)
{
    check("base §3.2", "no more sessions than the most",
          t->ulMaxSessionCount == CK_EFFECTIVELY_INFINITE || t->ulMaxSessionCount == CK_UNAVAILABLE_INFORMATION ||
              t->ulSessionCount == CK_UNAVAILABLE_INFORMATION || t->ulSessionCount <= t->ulMaxSessionCount);
    check("base §3.2", "the shortest PIN is not longer than the longest", t->ulMinPinLen <= t->ulMaxPinLen);
    check("base §3.2", "the longest PIN is not 0", t->ulMaxPinLen > 0);
    memory_is_sane("public memory", t->ulTotalPublicMemory, t->ulFreePublicMemory);
    memory_is_sane("private memory", t->ulTotalPrivateMemory, t->ulFreePrivateMemory);
}

void token_info_group(struct rig *r)
{
    const CK_TOKEN_INFO *t = &r->info;
    CK_FLAGS known = CKF_RNG | CKF_WRITE_PROTECTED | CKF_LOGIN_REQUIRED | CKF_USER_PIN_INITIALIZED |
                     CKF_RESTORE_KEY_NOT_NEEDED | CKF_CLOCK_ON_TOKEN | CKF_PROTECTED_AUTHENTICATION_PATH |
                     CKF_DUAL_CRYPTO_OPERATIONS | CKF_TOKEN_INITIALIZED | CKF_SECONDARY_AUTHENTICATION |
                     CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED |
                     CKF_USER_PIN_TO_BE_CHANGED | CKF_SO_PIN_COUNT_LOW | CKF_SO_PIN_FINAL_TRY | CKF_SO_PIN_LOCKED |
                     CKF_SO_PIN_TO_BE_CHANGED | (1UL << 24) /* CKF_ERROR_STATE */;
    check("base §3.2", text("token flags 0x%lx are the standard's", t->flags), (t->flags & ~known) == 0);
    check("base §3.2", "CKF_TOKEN_INITIALIZED is set", t->flags & CKF_TOKEN_INITIALIZED);
    check("base §3.2", "CKF_USER_PIN_INITIALIZED is set", t->flags & CKF_USER_PIN_INITIALIZED);
    check("base §3.2", "CKF_SECONDARY_AUTHENTICATION is not set", !(t->flags & CKF_SECONDARY_AUTHENTICATION));
    check("base §3.2", "CKF_USER_PIN_LOCKED is not set", !(t->flags & CKF_USER_PIN_LOCKED));
    padded_is_whole("label", t->label, sizeof t->label);
    padded_is_whole("CK_TOKEN_INFO.manufacturerID", t->manufacturerID, sizeof t->manufacturerID);
    padded_is_whole("model", t->model, sizeof t->model);
    check("base §3.2", "serialNumber is padded with blanks, not NUL",
          !memchr(t->serialNumber, 0, sizeof t->serialNumber));
    check("base §3.2", "serialNumber says something", t->serialNumber[0] != ' ');
    if (t->flags & CKF_CLOCK_ON_TOKEN)
        check("base §3.2", "utcTime ends in 00", memcmp(t->utcTime + 14, "00", 2) == 0);
    limits_are_sane(t);
}

static void counts_are(struct rig *r, const char *when, CK_ULONG sessions, CK_ULONG read_write)
{
    CK_TOKEN_INFO info;
    EXPECT("base §5.5.3", "C_GetTokenInfo", r->f->C_GetTokenInfo(r->slot, &info), CKR_OK);
    if (info.ulSessionCount != CK_UNAVAILABLE_INFORMATION)
        check_number("base §3.2", text("ulSessionCount %s", when), info.ulSessionCount, sessions);
    if (info.ulRwSessionCount != CK_UNAVAILABLE_INFORMATION)
        check_number("base §3.2", text("ulRwSessionCount %s", when), info.ulRwSessionCount, read_write);
}

void session_count_group(struct rig *r)
{
    counts_are(r, "before the first session", 0, 0);
    CK_SESSION_HANDLE first = session_new(r, false);
    counts_are(r, "with one R/O session", 1, 0);
    CK_SESSION_HANDLE second = session_new(r, true);
    counts_are(r, "with one R/W session more", 2, 1);
    EXPECT("base §5.6.2", "C_CloseSession", r->f->C_CloseSession(first), CKR_OK);
    counts_are(r, "with the R/W session alone", 1, 1);
    EXPECT("base §5.6.2", "C_CloseSession", r->f->C_CloseSession(second), CKR_OK);
    counts_are(r, "after the last session", 0, 0);
    (void)session_new(r, true);
    (void)session_new(r, false);
    EXPECT("base §5.6.3", "C_CloseAllSessions", r->f->C_CloseAllSessions(r->slot), CKR_OK);
    counts_are(r, "after C_CloseAllSessions", 0, 0);
}

struct waiter {
    pthread_t thread;
    struct rig *rig;
    CK_RV rv;
};

static void *wait_blocking(void *argument)
{
    struct waiter *w = argument;
    CK_SLOT_ID slot;
    w->rv = w->rig->f->C_WaitForSlotEvent(0, &slot, NULL);
    return NULL;
}

/* A token that never comes or goes has no event; one that cannot wait says so at once. */
void slot_event_group(struct rig *r)
{
    CK_SLOT_ID slot = 0;
    for (int i = 0; i < 2; i++)
        EXPECT("base §5.5.4", "C_WaitForSlotEvent(CKF_DONT_BLOCK)",
               r->f->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL), CKR_NO_EVENT, CKR_FUNCTION_NOT_SUPPORTED);
    struct waiter w = {.rig = r};
    about("C_WaitForSlotEvent that blocks, and C_Finalize from another thread");
    if (pthread_create(&w.thread, NULL, wait_blocking, &w) != 0)
        return;
    nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    EXPECT("base §5.4.2", "C_Finalize while C_WaitForSlotEvent may wait", r->f->C_Finalize(NULL), CKR_OK);
    (void)pthread_join(w.thread, NULL);
    EXPECT("base §5.5.4", "C_WaitForSlotEvent that blocks", w.rv, CKR_CRYPTOKI_NOT_INITIALIZED,
           CKR_FUNCTION_NOT_SUPPORTED, CKR_FUNCTION_FAILED);
}
