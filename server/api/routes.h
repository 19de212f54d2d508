/* SPDX-License-Identifier: Apache-2.0 */
/* The route table of each resource; api.c collects them. */
#pragma once

#include "server/api/api.h"

extern const struct route health_routes[], public_health_routes[], token_routes[], whoami_routes[],
    signing_key_routes[], signature_routes[], project_routes[], member_routes[], key_routes[], service_account_routes[],
    account_key_routes[], user_routes[], api_key_routes[], audit_routes[], usage_routes[], ca_routes[], cas_routes[],
    public_ca_routes[], key_certificate_routes[], policy_routes[], freeze_routes[], listed_digest_routes[],
    access_routes[], approval_routes[], approval_step_routes[], key_life_routes[], key_version_routes[], hsm_routes[],
    reconcile_routes[], session_routes[], user_session_routes[], password_routes[], totp_routes[], team_routes[],
    project_role_routes[], server_info_routes[], effective_signer_routes[], tsa_routes[], timestamp_routes[],
    connector_routes[], job_routes[], key_enroll_routes[], key_revoke_routes[], overview_routes[], key_source_routes[];
