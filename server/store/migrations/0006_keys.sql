-- SPDX-License-Identifier: Apache-2.0
-- A key's life (key_states.def). The older column `state`, whose check SQLite cannot change, says from now on only
-- whether the key signs: 'active', or 'disabled' for everything else.
ALTER TABLE signing_key ADD COLUMN lifecycle {text} NOT NULL DEFAULT 'active'
    CHECK (lifecycle IN ('pending', 'active', 'disabled', 'retired', 'destroyed', 'missing'));
UPDATE signing_key SET lifecycle = state;
ALTER TABLE signing_key ADD COLUMN lifecycle_before {text} NOT NULL DEFAULT '';
ALTER TABLE signing_key ADD COLUMN hsm {text} NOT NULL DEFAULT 'default';
ALTER TABLE signing_key ADD COLUMN retired_ms {int} NOT NULL DEFAULT 0;
ALTER TABLE signing_key ADD COLUMN destroy_by {text} NOT NULL DEFAULT '';
ALTER TABLE signing_key ADD COLUMN destroy_ms {int} NOT NULL DEFAULT 0;
-- What a pending key is to become. plan_subject '': without a certificate.
ALTER TABLE signing_key ADD COLUMN plan_type {text} NOT NULL DEFAULT '';
ALTER TABLE signing_key ADD COLUMN plan_subject {text} NOT NULL DEFAULT '';
ALTER TABLE signing_key ADD COLUMN plan_days {int} NOT NULL DEFAULT 0;

-- grace_until_ms: until when a version that is no longer the current one may be named by who signs. findings: what its
-- attributes lack and an administrator accepted.
ALTER TABLE key_version ADD COLUMN grace_until_ms {int} NOT NULL DEFAULT 0;
ALTER TABLE key_version ADD COLUMN findings {text} NOT NULL DEFAULT '';


-- Certificates that a renewal replaced.
CREATE TABLE key_certificate (
    key_id {text} NOT NULL REFERENCES signing_key (id),
    version {int} NOT NULL,
    certificate {blob} NOT NULL,
    replaced_ms {int} NOT NULL,
    PRIMARY KEY (key_id, version, replaced_ms)
) {strict};
