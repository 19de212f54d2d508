/* SPDX-License-Identifier: Apache-2.0 */
/* What a principal may do: authz.def as bit sets. Nothing is granted that the table does not say. */
#include "server/auth/auth.h"

enum holder {
    HOLDER_PUBLIC = 1,
    HOLDER_ANY = 2,
    HOLDER_ADMINISTRATOR = 4,
    HOLDER_AUDITOR = 8,
    HOLDER_OWNER = 16,
    HOLDER_SIGNER = 32,
    HOLDER_APPROVER = 64,
    HOLDER_SELF = 128,
};

static const unsigned holders_of[] = {
#define GRANT(permission, public, any, administrator, auditor, owner, signer, approver, self)                          \
    [PERMISSION_##permission] = (public) * HOLDER_PUBLIC | (any)*HOLDER_ANY | (administrator)*HOLDER_ADMINISTRATOR |   \
                                (auditor)*HOLDER_AUDITOR | (owner)*HOLDER_OWNER | (signer)*HOLDER_SIGNER |             \
                                (approver)*HOLDER_APPROVER | (self)*HOLDER_SELF,
#include "server/auth/authz.def"
#undef GRANT
};
_Static_assert(COUNT_OF(holders_of) == PERMISSION_COUNT, "authz.def has one row for each permission");

static unsigned holder_bits(const struct principal *who, unsigned member_roles, bool self)
{
    unsigned bits = HOLDER_PUBLIC;
    if (!who || who->disabled)
        return bits;

    bits |= HOLDER_ANY;
    if (who->role == ROLE_ADMINISTRATOR)
        bits |= HOLDER_ADMINISTRATOR;
    if (who->role == ROLE_AUDITOR)
        bits |= HOLDER_AUDITOR;
    if (member_roles & MEMBER_OWNER)
        bits |= HOLDER_OWNER;
    if (member_roles & MEMBER_SIGNER)
        bits |= HOLDER_SIGNER;
    if (member_roles & MEMBER_APPROVER)
        bits |= HOLDER_APPROVER;
    if (self)
        bits |= HOLDER_SELF;
    return bits;
}

bool permission_granted(enum permission p, const struct principal *who, unsigned member_roles, bool self)
{
    if (p <= PERMISSION_NONE || p >= PERMISSION_COUNT)
        return false;
    return (holders_of[p] & holder_bits(who, member_roles, self)) != 0;
}
