/* SPDX-License-Identifier: Apache-2.0 */
/* The command tables, one per noun. */
#pragma once

#include "cli/cli.h"

extern const struct cli_command login_commands[];
extern const struct cli_command signing_commands[];
extern const struct cli_command verify_commands[];
extern const struct cli_command certificate_commands[];
extern const struct cli_command project_commands[];
extern const struct cli_command key_commands[];
extern const struct cli_command key_certificate_commands[];
extern const struct cli_command connector_commands[];
extern const struct cli_command hsm_commands[];
extern const struct cli_command tsa_commands[];
extern const struct cli_command account_commands[];
extern const struct cli_command user_commands[];
extern const struct cli_command password_commands[];
extern const struct cli_command apikey_commands[];
extern const struct cli_command team_commands[];
extern const struct cli_command role_commands[];
extern const struct cli_command member_commands[];
extern const struct cli_command policy_commands[];
extern const struct cli_command approval_commands[];
extern const struct cli_command definition_commands[];
extern const struct cli_command audit_commands[];
extern const struct cli_command doctor_commands[];
extern const struct cli_command overview_commands[];
extern const struct cli_command other_commands[];
extern const struct cli_command ca_commands[];

/* cmd_ca.c: what both ways to revoke take. */
extern const struct cli_option cli_revocation_options[];
status cli_revocation_body(struct cli *cli, struct buf *body, struct error *err);
