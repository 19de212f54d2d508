/* SPDX-License-Identifier: Apache-2.0 */
/* The switches of the pass-through module: what it does differently from the SoftHSM behind it. */
#pragma once

#include <stdatomic.h>

struct faults {
    atomic_int sign_hold;           /* C_Sign does not come back while this is set, for a minute at most */
    atomic_ulong hold_slot;         /* sign_hold is for sessions of this slot alone; 0: of all */
    atomic_ulong absent_slot;       /* has no token; 0: none */
    atomic_ulong rsa_max_bits;      /* what C_GetMechanismInfo says of CKM_RSA_PKCS_KEY_PAIR_GEN; 0: as it is */
    atomic_ulong initialize_fail;   /* every C_Initialize gives this CK_RV */
    atomic_int signing;             /* calls of C_Sign that have not come back */
    atomic_ulong sign_fail;         /* the next C_Sign gives this CK_RV, after C_SignInit succeeded */
    atomic_int sign_short;          /* the next C_Sign gives one byte less */
    atomic_ulong login_fail;        /* every C_Login gives this CK_RV */
    atomic_ulong token_flags;       /* or-ed into the flags of C_GetTokenInfo */
    atomic_int extractable;         /* C_GenerateKeyPair makes extractable keys */
    atomic_int insensitive;         /* C_GenerateKeyPair makes keys that are not sensitive */
    atomic_ulong destroy_fail;      /* every C_DestroyObject destroys, and then gives this CK_RV */
    atomic_ulong write_fail;        /* C_SetAttributeValue of a public key gives this CK_RV */
    atomic_ulong open_session_fail; /* every C_OpenSession gives this CK_RV */
    atomic_ulong session_info_fail; /* every C_GetSessionInfo gives this CK_RV */
    _Atomic(void (*)(void)) then;   /* called once, when C_GenerateKeyPair has made a key */
    atomic_int opens, logins, searches, generated, signed_count, initialized, finalized; /* calls that went through */
};
/* Symbol of the module: struct faults *faults(void). */
