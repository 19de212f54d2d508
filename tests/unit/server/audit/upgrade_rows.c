/* SPDX-License-Identifier: Apache-2.0 */
/* See upgrade_rows.h. What a later schema adds to a table is set by an UPDATE of its own, to values that no migration
 * gives. */
#include "upgrade_rows.h"

#include "common/cleanup.h"

/* Key and hashes are bytes of text, of the length they have to be. */
#define BLOB(text) "CAST('" text "' AS {blob})"
#define ID_20(digit) BLOB("cka-id-20-bytes----" digit)
#define HASH_32(digit) BLOB("sha-256-of-something-32-bytes--" digit)

const struct upgrade_row upgrade_rows[] = {
    {1, 0,
     "INSERT INTO project (id, name, description, created_ms) VALUES "
     "('prj_a', 'demo', 'Release \xc3\xa9l\xc3\xa8ve', 1000), ('prj_b', 'tools', '', 1001)"},
    {1, 0,
     "INSERT INTO principal (id, name, type, role, disabled, expires_ms, created_ms) VALUES "
     "('usr_a', 'alice', 'user', 'administrator', 0, 0, 2000), ('usr_b', 'bob', 'user', 'user', 1, 0, 2001), "
     "('svc_a', 'build-1', 'service_account', 'user', 0, 9000000000000, 2002)"},
    {1, 7,
     "INSERT INTO member (project_id, principal_id, role, since_ms) VALUES "
     "('prj_a', 'usr_a', 1, 3000), ('prj_a', 'svc_a', 2, 3001), ('prj_b', 'usr_b', 4, 3002)"},
    {1, 0,
     "INSERT INTO account_key (id, account_id, algorithm, spki, created_ms, last_used_ms) VALUES "
     "('akey_a', 'svc_a', 'EdDSA', " BLOB("spki") ", 4000, 4001)"},
    {1, 0,
     "INSERT INTO api_key (id, user_id, name, secret_sha256, created_ms, expires_ms, last_used_ms) VALUES "
     "('key1', 'usr_a', 'laptop', " HASH_32("1") ", 5000, 9000000000000, 0)"},
    {1, 0,
     "INSERT INTO access_token (sha256, principal_id, expires_ms) VALUES (" HASH_32("2") ", 'svc_a', 9000000000000)"},
    {1, 0, "INSERT INTO assertion_id (principal_id, jti, expires_ms) VALUES ('svc_a', 'jti-1', 9000000000000)"},
    {1, 0,
     "INSERT INTO signing_key (id, project_id, label, state, disabled_reason, hashes, mechanisms, version, created_ms) "
     "VALUES ('key_a', 'prj_a', 'rsa', 'active', '', 'sha256,sha384', 'rsa_pkcs1,rsa_pss', 1, 6000), "
     "('key_b', 'prj_a', 'old', 'disabled', 'lost', 'sha256', 'ecdsa', 1, 6001)"},
    {1, 0,
     "INSERT INTO key_version (key_id, version, type, hsm_id, spki, hsm_attributes, certificate, created_ms) VALUES "
     "('key_a', 1, 'rsa3072', " ID_20("1") ", " BLOB("spki of a") ", '{\"sensitive\":true}', " BLOB(
         "leaf") ", 6000), "
                 "('key_b', 1, 'p256', " ID_20("2") ", " BLOB("spki of b") ", '{}', NULL, 6001)"},
    {1, 13,
     "INSERT INTO key_usage (key_id, day, success, refused, failed) VALUES "
     "('key_a', '2026-01-01', 5, 2, 1), ('key_b', '2026-01-02', 7, 0, 0)"},
    {1, 0,
     "INSERT INTO idempotency (principal_id, idempotency_key, request_sha256, intent_seq, outcome_seq, version, "
     "signature, created_ms) VALUES ('svc_a', 'done', " HASH_32("3") ", 2, 3, 1, " BLOB(
         "signature") ", 7000), "
                      "('svc_a', 'open', " HASH_32("4") ", 4, 0, 1, NULL, 7001)"},
    {1, 0,
     "INSERT INTO certificate_authority (name, hsm_id, certificate) VALUES "
     "('root', " ID_20("3") ", " BLOB("root") "), ('issuing', " ID_20("4") ", " BLOB("issuing") ")"},
    {1, 0, "INSERT INTO log_server (id, open_from, epoch) VALUES (1, 2, 3)"},
    {1, 0, "UPDATE log_head SET generation = 7"},

    {2, 0, "UPDATE project SET revision = 3 WHERE id = 'prj_a'"},
    {2, 0, "UPDATE principal SET revision = 4 WHERE id = 'usr_a'"},
    {2, 0, "UPDATE signing_key SET revision = 5 WHERE id = 'key_a'"},

    {3, 0,
     "INSERT INTO policy (scope, scope_id, version, document, author_id, created_ms) VALUES "
     "('platform', '', 1, '{}', 'usr_a', 100), ('project', 'prj_a', 1, '', 'usr_a', 101), "
     "('project', 'prj_a', 2, '{\"hashes\":[\"sha256\"]}', 'usr_a', 102)"},
    {3, 0,
     "INSERT INTO signing_freeze (scope, scope_id, reason, author_id, since_ms) VALUES "
     "('project', 'prj_b', 'moved', 'usr_a', 110)"},
    {3, 0,
     "INSERT INTO listed_digest (key_id, hash, digest, remaining, expires_ms, note, author_id, created_ms) VALUES "
     "('key_a', 'sha256', '00ff', 2, 0, 'release', 'usr_a', 120)"},
    {3, 0,
     "INSERT INTO key_counter (key_id, mark, total, day, day_count, month, month_count) VALUES "
     "('key_a', 'm', 8, '2026-01-01', 2, '2026-01', 3)"},

    {4, 0,
     "INSERT INTO approval_request (id, key_id, requester_id, reason, signatures, hours, needed, break_glass, state, "
     "revision, created_ms, expires_ms) VALUES "
     "('apr_a', 'key_a', 'svc_a', 'release', 0, 8, 1, 0, 'approved', 2, 200, 9000000000000)"},
    {4, 0,
     "INSERT INTO approval_decision (request_id, approver_id, is_yes, comment, created_ms) VALUES "
     "('apr_a', 'usr_b', 1, 'good', 201)"},
    {4, 0, "INSERT INTO approval_digest (request_id, hash, digest, remaining) VALUES ('apr_a', 'sha256', '00ff', 1)"},
    {4, 0,
     "INSERT INTO approval_grant (request_id, key_id, principal_id, by_digest, break_glass, approvals, remaining, "
     "not_before_ms, not_after_ms, is_revoked) VALUES ('apr_a', 'key_a', 'svc_a', 1, 0, 1, 1, 201, 9000000000000, 0)"},

    {5, 0,
     "INSERT INTO idempotent_create (principal_id, idempotency_key, request_sha256, target_id, answer, created_ms) "
     "VALUES ('usr_a', 'once', " HASH_32("5") ", 'prj_a', '{}', 300)"},

    {6, 0,
     "UPDATE signing_key SET lifecycle = 'retired', lifecycle_before = 'disabled', retired_ms = 400, "
     "hsm = 'second' WHERE id = 'key_b'"},
    {6, 0,
     "INSERT INTO signing_key (id, project_id, label, state, disabled_reason, hashes, mechanisms, version, created_ms, "
     "lifecycle, plan_type, plan_subject, plan_days) VALUES "
     "('key_c', 'prj_a', 'next', 'disabled', '', 'sha256', 'ecdsa', 0, 401, 'pending', 'p384', '/CN=Next', 90)"},
    {6, 0,
     "INSERT INTO key_version (key_id, version, type, hsm_id, spki, hsm_attributes, certificate, created_ms, findings) "
     "VALUES ('key_a', 2, 'rsa4096', " ID_20("5") ", " BLOB("spki of a 2") ", '{}', " BLOB("leaf 2") ", 402, 'weak')"},
    {6, 0, "UPDATE key_version SET grace_until_ms = 9000000000000 WHERE key_id = 'key_a' AND version = 1"},
    {6, 0, "UPDATE signing_key SET version = 2 WHERE id = 'key_a'"},
    {6, 0,
     "INSERT INTO key_certificate (key_id, version, certificate, replaced_ms) VALUES "
     "('key_a', 1, " BLOB("leaf before") ", 403)"},

    {7, 0, "INSERT INTO team (id, name, description, created_ms, revision) VALUES ('team_a', 'crew', 'all', 500, 6)"},
    {7, 0, "INSERT INTO team_member (team_id, principal_id, since_ms) VALUES ('team_a', 'usr_b', 501)"},
    {7, 0,
     "INSERT INTO member (project_id, principal_id, team_id, role, since_ms, not_before_ms, not_after_ms) VALUES "
     "('prj_a', 'usr_a', NULL, 1, 3000, 0, 0), ('prj_a', 'svc_a', NULL, 2, 3001, 10, 9000000000000), "
     "('prj_b', 'usr_b', NULL, 4, 3002, 0, 0), ('prj_a', NULL, 'team_a', 4, 502, 0, 0)"},
    {7, 0, "UPDATE principal SET description = 'builds', team_id = 'team_a' WHERE id = 'svc_a'"},
    {7, 0, "UPDATE account_key SET expires_ms = 9000000000000"},
    {7, 0, "UPDATE api_key SET scopes = 3"},
    {7, 10,
     "INSERT INTO web_session (id, user_id, api_key_id, sha256, address, created_ms, last_used_ms, expires_ms) VALUES "
     "('ses_a', 'usr_a', 'key1', " HASH_32("6") ", '127.0.0.1', 510, 511, 9000000000000)"},

    {9, 0, "UPDATE key_version SET hsm = 'second' WHERE key_id = 'key_b'"},

    {10, 0,
     "INSERT INTO user_password (user_id, hash, is_one_time, changed_ms) VALUES ('usr_a', '$argon2id$', 0, 600)"},
    {10, 0, "INSERT INTO sign_in_failure (who, failures, last_ms) VALUES ('usr_a', 2, 601)"},
    {10, 0,
     "INSERT INTO user_totp (user_id, secret, is_confirmed, last_step, created_ms) VALUES "
     "('usr_a', " BLOB("sealed") ", 1, 9, 602)"},
    {10, 0, "INSERT INTO recovery_code (user_id, sha256) VALUES ('usr_a', " HASH_32("7") ")"},
    {10, 0,
     "INSERT INTO web_session (id, user_id, api_key_id, sha256, address, created_ms, last_used_ms, expires_ms, "
     "confirmed_until_ms, is_limited) VALUES "
     "('ses_a', 'usr_a', 'key1', " HASH_32("6") ", '127.0.0.1', 510, 511, 9000000000000, 700, 1)"},

    {11, 0,
     "UPDATE certificate_authority SET parent = 'root', purpose = 'code_signing', subject = '/CN=Issuing', "
     "leaf_days = 90, crl_days = 3, created_ms = 800, revision = 2, revocations = 1, crl_number = 4, "
     "crl_revocations = 1, crl_this_ms = 801, crl_next_ms = 802, crl = " BLOB("crl") " WHERE name = 'issuing'"},
    {11, 0,
     "INSERT INTO issued_certificate (ca, serial, profile, key_id, version, subject, not_before_ms, not_after_ms, "
     "certificate, issued_ms, revoked_ms, reason) VALUES "
     "('root', '01', 'issuing_code_signing', '', 0, '/CN=Issuing', 0, 1, " BLOB(
         "issuing") ", 803, 0, 0), "
                    "('issuing', '02', 'code_signing', 'key_a', 1, '/CN=A', 0, 1, " BLOB(
                        "leaf") ", 804, 805, 1), "
                                "('issuing', '03', 'code_signing', 'key_a', 2, '/CN=A', 0, 1, " BLOB(
                                    "leaf 2") ", 806, 0, 0)"},
    {11, 0,
     "INSERT INTO ocsp_responder (ca, hsm_id, certificate, renew_ms) VALUES "
     "('issuing', " ID_20("6") ", " BLOB("responder") ", 9000000000000)"},
    {11, 0, "UPDATE key_version SET ca = 'issuing' WHERE key_id = 'key_a'"},
    {11, 0, "UPDATE key_version SET revoked_ms = 805 WHERE key_id = 'key_a' AND version = 1"},
    {11, 0, "UPDATE signing_key SET plan_ca = 'issuing' WHERE id = 'key_c'"},

    {12, 0,
     "INSERT INTO timestamp_authority (id, disabled, disabled_reason, version, created_ms) VALUES (1, 0, '', 1, 900)"},
    {12, 0,
     "INSERT INTO timestamp_key (version, state, type, hsm_id, spki, hsm_attributes, subject, certificate, created_ms) "
     "VALUES (1, 'active', 'p256', " ID_20("7") ", " BLOB("spki") ", '{}', '/CN=Time', " BLOB("leaf") ", 901)"},
    {12, 0,
     "INSERT INTO timestamp_certificate (version, certificate, replaced_ms) VALUES (1, " BLOB("before") ", 902)"},
    {12, 0, "UPDATE timestamp_serial SET next = 42, clock_ms = 903"},
    {12, 0, "INSERT INTO timestamp_usage (day, granted, refused) VALUES ('2026-01-01', 3, 1)"},

    {13, 0,
     "INSERT INTO key_usage (key_id, day, principal_id, success, refused, failed) VALUES "
     "('key_a', '2026-01-01', 'svc_a', 5, 2, 1), ('key_b', '2026-01-02', 'svc_a', 7, 0, 0)"},

    {14, 0,
     "INSERT INTO connector (id, name, type, settings, revision, created_ms) VALUES "
     "('con_a', 'outside', 'cmp', '{\"url\":\"https://127.0.0.1/\"}', 2, 950)"},
    {14, 0,
     "INSERT INTO job (id, kind, connector_id, key_id, version, subject, days, state, attempts, next_ms, lease_owner, "
     "lease_until_ms, transaction_state, last_error, result, requested_by, created_ms, finished_ms) VALUES "
     "('job_a', 'renew', 'con_a', 'key_a', 2, '/CN=A', 90, 'waiting', 1, 960, '', 0, '{}', '', '', 'usr_a', 951, 0)"},
    {14, 0, "UPDATE signing_key SET connector = 'con_a', renew_before_days = 12, job_id = 'job_a' WHERE id = 'key_a'"},
    {14, 0,
     "UPDATE key_version SET chain = " BLOB(
         "chain") ", certificate_source = 'con_a', not_after_ms = 9000000000000, "
                  "notified_days = 30, ca = '' WHERE key_id = 'key_a' AND version = 2"},
};
const size_t upgrade_row_count = COUNT_OF(upgrade_rows);

#define OF_KEY(columns, id) "SELECT " columns " FROM signing_key WHERE id = '" id "'"
#define OF_VERSION(columns, id) "SELECT " columns " FROM key_version WHERE key_id = '" id "' AND version = 1"
#define OF_CA(columns, name) "SELECT " columns " FROM certificate_authority WHERE name = '" name "'"

const struct upgrade_check upgrade_checks[] = {
    {2, "SELECT revision FROM project WHERE id = 'prj_a'", "3", "1"},
    {2, "SELECT revision FROM principal WHERE id = 'usr_a'", "4", "1"},
    {2, OF_KEY("revision", "key_a"), "5", "1"},
    {6, OF_KEY("lifecycle", "key_a"), "active", "active"},
    {6, OF_KEY("lifecycle || ',' || lifecycle_before", "key_b"), "retired,disabled", "disabled,"},
    {6, OF_KEY("retired_ms || ',' || hsm", "key_b"), "400,second", "0,default"},
    {6,
     OF_KEY("destroy_by || ',' || destroy_ms || ',' || plan_type || ',' || plan_subject || ',' || plan_days", "key_a"),
     ",0,,,0", ",0,,,0"},
    {6, OF_VERSION("grace_until_ms || ',' || findings", "key_a"), "9000000000000,", "0,"},
    {7, "SELECT COUNT(*) FROM member WHERE principal_id IS NOT NULL", "3", "3"},
    {7, "SELECT not_before_ms || ',' || not_after_ms FROM member WHERE principal_id = 'svc_a'", "10,9000000000000",
     "0,0"},
    {7, "SELECT removed_ms || ',' || description || ',' || COALESCE(team_id, '-') FROM principal WHERE id = 'svc_a'",
     "0,builds,team_a", "0,,-"},
    {7, "SELECT expires_ms FROM account_key", "9000000000000", "0"},
    {7, "SELECT scopes FROM api_key", "3", "7"},
    /* A version that was there before it said which HSM has it is where its key was. */
    {6, OF_VERSION("hsm", "key_b"), "second", "default"},
    {9, OF_VERSION("hsm", "key_a"), "default", "default"},
    {10, "SELECT COALESCE(MAX(confirmed_until_ms), 0) || ',' || COALESCE(MAX(is_limited), 0) FROM web_session", "700,1",
     "0,0"},
    {11, OF_CA("parent || ',' || purpose || ',' || state", "root"), ",root,active", ",root,active"},
    {11, OF_CA("parent || ',' || purpose || ',' || state", "issuing"), "root,code_signing,active",
     "root,code_signing,active"},
    {11, OF_CA("subject || ',' || policy || ',' || leaf_days || ',' || crl_days || ',' || created_ms", "issuing"),
     "/CN=Issuing,,90,3,800", ",,460,7,0"},
    {11,
     OF_CA("revision || ',' || revocations || ',' || crl_number || ',' || crl_revocations || ',' || crl_this_ms",
           "issuing"),
     "2,1,4,1,801", "1,0,0,0,0"},
    {11, OF_VERSION("ca || ',' || revoked_ms", "key_a"), "issuing,805", "issuing,0"},
    {11, OF_VERSION("ca || ',' || revoked_ms", "key_b"), ",0", ",0"},
    {11, OF_KEY("plan_ca", "key_a"), "", ""},
    {12, "SELECT next || ',' || clock_ms FROM timestamp_serial", "42,903", "1,0"},
    {13, "SELECT MIN(principal_id) || ',' || SUM(success) || ',' || SUM(refused) || ',' || SUM(failed) FROM key_usage",
     "svc_a,12,2,1", ",12,2,1"},
    {14, "SELECT COUNT(*) FROM connector WHERE id IN ('con_builtin', 'con_manual')", "2", "2"},
    {14, OF_KEY("connector || ',' || renew_before_days || ',' || job_id", "key_a"), "con_a,12,job_a", ",30,"},
    {14, OF_VERSION("certificate_source || ',' || not_after_ms || ',' || notified_days", "key_a"), ",0,0", ",0,0"},
};
const size_t upgrade_check_count = COUNT_OF(upgrade_checks);
