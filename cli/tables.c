/* SPDX-License-Identifier: Apache-2.0 */
/* All tables, in the order of --help. */
#include "cli/tables.h"

const struct cli_command *const cli_tables[] = {
    login_commands,
    signing_commands,
    verify_commands,
    certificate_commands,
    project_commands,
    key_commands,
    key_certificate_commands,
    connector_commands,
    ca_commands,
    hsm_commands,
    tsa_commands,
    account_commands,
    user_commands,
    password_commands,
    apikey_commands,
    team_commands,
    role_commands,
    member_commands,
    policy_commands,
    approval_commands,
    definition_commands,
    audit_commands,
    doctor_commands,
    overview_commands,
    other_commands,
};
const size_t cli_table_count = COUNT_OF(cli_tables);
