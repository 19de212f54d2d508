/* SPDX-License-Identifier: Apache-2.0 */
/* Every permission against every caller there can be: the expectations are written out as rules, not read from the
 * table under test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/auth/auth.h"

static bool expected(enum permission p, const struct principal *who, unsigned roles, bool self)
{
    bool known = who && !who->disabled;
    bool administrator = known && who->role == ROLE_ADMINISTRATOR;
    bool auditor = known && who->role == ROLE_AUDITOR;
    switch (p) {
    case PERMISSION_PUBLIC:
        return true;
    case PERMISSION_ANY:
    case PERMISSION_SIGN:
        return known;
    case PERMISSION_READ_ALL:
        return administrator || auditor;
    case PERMISSION_ADMINISTER:
        return administrator;
    case PERMISSION_PROJECT_READ:
        return administrator || auditor || (known && roles != 0);
    case PERMISSION_PROJECT_MANAGE:
        return administrator || (known && roles & MEMBER_OWNER);
    case PERMISSION_SELF_OR_ADMINISTER:
        return administrator || (known && self);
    case PERMISSION_SELF_OR_READ_ALL:
        return administrator || auditor || (known && self);
    case PERMISSION_NONE:
    case PERMISSION_COUNT:
    default:
        return false;
    }
}

static void check_caller(const struct principal *who, unsigned roles, bool self)
{
    for (int p = -1; p <= PERMISSION_COUNT + 1; p++) {
        bool granted = permission_granted((enum permission)p, who, roles, self);
        if (granted != expected((enum permission)p, who, roles, self))
            fail_msg("permission %d, role %d, disabled %d, member roles %u, self %d: %d", p, who ? (int)who->role : -1,
                     who ? who->disabled : -1, roles, self, granted);
    }
}

static void each_permission_is_granted_to_exactly_its_holders(void **state)
{
    (void)state;
    for (unsigned roles = 0; roles < 8; roles++) {
        for (int self = 0; self < 2; self++) {
            check_caller(NULL, roles, self);
            for (int role = ROLE_NONE; role <= ROLE_AUDITOR; role++) {
                struct principal who = {.role = (enum platform_role)role};
                check_caller(&who, roles, self);
                who.disabled = true;
                check_caller(&who, roles, self);
            }
        }
    }
}

static void a_row_without_permission_is_refused_to_an_administrator_too(void **state)
{
    (void)state;
    const struct principal administrator = {.role = ROLE_ADMINISTRATOR};

    assert_false(permission_granted(PERMISSION_NONE, &administrator, 7, true));
}

static void an_auditor_changes_nothing(void **state)
{
    (void)state;
    const struct principal auditor = {.role = ROLE_AUDITOR};

    assert_false(permission_granted(PERMISSION_ADMINISTER, &auditor, 0, false));
    assert_false(permission_granted(PERMISSION_PROJECT_MANAGE, &auditor, 0, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_permission_is_granted_to_exactly_its_holders),
        cmocka_unit_test(a_row_without_permission_is_refused_to_an_administrator_too),
        cmocka_unit_test(an_auditor_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
