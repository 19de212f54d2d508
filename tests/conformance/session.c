/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing sessions and their states (base §3.3, §5.6.1–5.6.5). */
#include <string.h>

#include "group.h"

void session_open_group(struct rig *r)
{
    const struct {
        CK_FLAGS flags;
        CK_RV wanted;
    } cases[] = {
        {0, CKR_SESSION_PARALLEL_NOT_SUPPORTED},
        {CKF_RW_SESSION, CKR_SESSION_PARALLEL_NOT_SUPPORTED},
        {CKF_SERIAL_SESSION, CKR_OK},
        {CKF_SERIAL_SESSION | CKF_RW_SESSION, r->info.flags & CKF_WRITE_PROTECTED ? CKR_TOKEN_WRITE_PROTECTED : CKR_OK},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
        EXPECT("base §5.6.1", text("C_OpenSession with flags 0x%lx", cases[i].flags),
               r->f->C_OpenSession(r->slot, cases[i].flags, r, NULL, &session), cases[i].wanted);
        if (cases[i].wanted != CKR_OK)
            continue;
        CK_SESSION_INFO info;
        memset(&info, 0xaa, sizeof info);
        check("base §3.3", "a session handle is not 0", session != CK_INVALID_HANDLE);
        EXPECT("base §5.6.4", "C_GetSessionInfo", r->f->C_GetSessionInfo(session, &info), CKR_OK);
        check_number("base §3.3", "CK_SESSION_INFO.slotID", info.slotID, r->slot);
        check_number("base §3.3", "CK_SESSION_INFO.flags", info.flags, cases[i].flags);
        check_number("base §3.3", "CK_SESSION_INFO.ulDeviceError", info.ulDeviceError, 0);
        check_number("base §3.3", "CK_SESSION_INFO.state", info.state,
                     cases[i].flags & CKF_RW_SESSION ? CKS_RW_PUBLIC_SESSION : CKS_RO_PUBLIC_SESSION);
        EXPECT("base §5.6.2", "C_CloseSession", r->f->C_CloseSession(session), CKR_OK);
        EXPECT("base §5.6.2", "C_CloseSession again", r->f->C_CloseSession(session), CKR_SESSION_HANDLE_INVALID);
        EXPECT("base §5.6.4", "C_GetSessionInfo of the closed session", r->f->C_GetSessionInfo(session, &info),
               CKR_SESSION_HANDLE_INVALID);
    }
}

void session_many_group(struct rig *r)
{
    enum { MANY = 200 };
    CK_SESSION_HANDLE sessions[MANY];
    CK_SESSION_INFO info;
    for (int i = 0; i < MANY; i++)
        sessions[i] = session_new(r, i & 1);
    bool unique = true;
    for (int i = 0; i < MANY; i++) {
        for (int j = 0; j < i; j++)
            unique = unique && sessions[i] != sessions[j];
    }
    check("base §5.6.1", "the handles of 200 open sessions are unique", unique);
    for (int i = 0; i < MANY; i += 2)
        EXPECT("base §5.6.2", "C_CloseSession of every second", r->f->C_CloseSession(sessions[i]), CKR_OK);
    for (int i = 0; i < MANY; i++)
        EXPECT("base §5.6.4", i & 1 ? "C_GetSessionInfo of an open one" : "C_GetSessionInfo of a closed one",
               r->f->C_GetSessionInfo(sessions[i], &info), i & 1 ? CKR_OK : CKR_SESSION_HANDLE_INVALID);
    EXPECT("base §5.6.3", "C_CloseAllSessions", r->f->C_CloseAllSessions(r->slot), CKR_OK);
    for (int i = 1; i < MANY; i += 50)
        EXPECT("base §5.6.3", "C_GetSessionInfo after C_CloseAllSessions", r->f->C_GetSessionInfo(sessions[i], &info),
               CKR_SESSION_HANDLE_INVALID);
    EXPECT("base §5.6.3", "C_CloseAllSessions with none open", r->f->C_CloseAllSessions(r->slot), CKR_OK);
}

/* C_CloseAllSessions is about one token. */
void session_slots_group(struct rig *r)
{
    if (r->target->token_count < 2)
        return;
    CK_SLOT_ID first = r->slot, second;
    CK_TOKEN_INFO token;
    CK_SESSION_INFO info;
    if (!check("base §5.5.3", "the second token is found",
               slot_by_label(r, r->target->tokens[1].label, &second, &token)))
        return;
    CK_SESSION_HANDLE here = session_new(r, false);
    r->slot = second;
    CK_SESSION_HANDLE there = session_new(r, false);
    check("base §5.6.1", "sessions with two tokens have different handles", here != there);
    EXPECT("base §5.6.8", "C_Login to the first token", login(r, here), CKR_OK);
    EXPECT("base §5.6.4", "C_GetSessionInfo", r->f->C_GetSessionInfo(there, &info), CKR_OK);
    check_number("base §5.6.8", "a login to one token leaves the other's state", info.state, CKS_RO_PUBLIC_SESSION);
    check_number("base §3.3", "the session's slot", info.slotID, second);
    EXPECT("base §5.6.3", "C_CloseAllSessions of the first token", r->f->C_CloseAllSessions(first), CKR_OK);
    EXPECT("base §5.6.3", "the first token's session", r->f->C_GetSessionInfo(here, &info), CKR_SESSION_HANDLE_INVALID);
    EXPECT("base §5.6.3", "the second token's session", r->f->C_GetSessionInfo(there, &info), CKR_OK);
}

void parallel_group(struct rig *r)
{
    EXPECT("base §5.20.1", "C_GetFunctionStatus", r->f->C_GetFunctionStatus(r->session), CKR_FUNCTION_NOT_PARALLEL);
    EXPECT("base §5.20.2", "C_CancelFunction", r->f->C_CancelFunction(r->session), CKR_FUNCTION_NOT_PARALLEL);
}

void random_group(struct rig *r)
{
    CK_BYTE first[64 + 2] = {0}, second[64 + 2] = {0}, zero[64] = {0};
    static CK_BYTE much[65536];
    bool has = r->info.flags & CKF_RNG;
    if (!has) {
        EXPECT("base §5.19.2", "C_GenerateRandom without CKF_RNG", r->f->C_GenerateRandom(r->session, first, 8),
               CKR_RANDOM_NO_RNG, CKR_FUNCTION_NOT_SUPPORTED);
        return;
    }
    EXPECT("base §5.19.2", "C_GenerateRandom", r->f->C_GenerateRandom(r->session, first + 1, 64), CKR_OK);
    EXPECT("base §5.19.2", "C_GenerateRandom again", r->f->C_GenerateRandom(r->session, second + 1, 64), CKR_OK);
    check("base §5.19.2", "random bytes are not zero", memcmp(first + 1, zero, 64) != 0);
    check("base §5.19.2", "random bytes are not the same again", memcmp(first + 1, second + 1, 64) != 0);
    check("base §5.19.2", "nothing is written before or behind", !first[0] && !first[65] && !second[0] && !second[65]);
    EXPECT("base §5.19.2", "C_GenerateRandom of 64 KiB", r->f->C_GenerateRandom(r->session, much, sizeof much), CKR_OK);
    check("base §5.19.2", "the last of many random bytes are not zero", memcmp(much + sizeof much - 64, zero, 64) != 0);
    EXPECT("base §5.19.2", "C_GenerateRandom of nothing", r->f->C_GenerateRandom(r->session, zero, 0), CKR_OK,
           CKR_ARGUMENTS_BAD);
    EXPECT("base §5.19.1", "C_SeedRandom", r->f->C_SeedRandom(r->session, first, 64), CKR_OK,
           CKR_RANDOM_SEED_NOT_SUPPORTED);
}
