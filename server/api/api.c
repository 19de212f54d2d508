/* SPDX-License-Identifier: Apache-2.0 */
/* Every route of the server. A resource that is not in one of these lists is not served. */
#include "server/api/routes.h"

const struct route *const api_tables[] = {
    signature_routes,
    signing_key_routes,
    token_routes,
    whoami_routes,
    project_routes,
    member_routes,
    key_routes,
    key_life_routes,
    key_version_routes,
    hsm_routes,
    reconcile_routes,
    user_routes,
    team_routes,
    effective_signer_routes,
    policy_routes,
    freeze_routes,
    listed_digest_routes,
    access_routes,
    audit_routes,
    api_key_routes,
    session_routes,
    user_session_routes,
    password_routes,
    totp_routes,
    usage_routes,
    ca_routes,
    tsa_routes,
    timestamp_routes,
    cas_routes,
    key_certificate_routes,
    service_account_routes,
    account_key_routes,
    health_routes,
    approval_routes,
    approval_step_routes,
    NULL,
};

const struct route *const api_public_tables[] = {
    public_health_routes,
    timestamp_routes,
    public_ca_routes,
    NULL,
};
