-- SPDX-License-Identifier: Apache-2.0
-- Ways to get a certificate, other than the built-in CA at once. settings: a JSON object, of the connector's type;
-- secrets are in files that it names.
CREATE TABLE connector (
    id {text} PRIMARY KEY,
    name {text} NOT NULL UNIQUE,
    type {text} NOT NULL CHECK (type IN ('builtin', 'cmp', 'est', 'manual')),
    settings {text} NOT NULL,
    revision {int} NOT NULL,
    created_ms {int} NOT NULL
) {strict};

-- The two that are always there.
INSERT INTO connector (id, name, type, settings, revision, created_ms) VALUES
    ('con_builtin', 'builtin', 'builtin', '{}', 1, 0),
    ('con_manual', 'manual', 'manual', '{}', 1, 0);

-- What the servers do for connectors outside of any request. Whoever holds the lease works on it; a lease that has ended
-- is free again. transaction_state: what the protocol needs to go on without asking twice. result: JSON.
CREATE TABLE job (
    id {text} PRIMARY KEY,
    kind {text} NOT NULL CHECK (kind IN ('enroll', 'renew', 'revoke', 'test')),
    connector_id {text} NOT NULL REFERENCES connector (id),
    key_id {text} NOT NULL,
    version {int} NOT NULL,
    subject {text} NOT NULL,
    days {int} NOT NULL,
    state {text} NOT NULL CHECK (state IN ('queued', 'running', 'waiting', 'done', 'failed')),
    attempts {int} NOT NULL,
    next_ms {int} NOT NULL,
    lease_owner {text} NOT NULL,
    lease_until_ms {int} NOT NULL,
    transaction_state {text} NOT NULL,
    last_error {text} NOT NULL,
    result {text} NOT NULL,
    requested_by {text} NOT NULL,
    created_ms {int} NOT NULL,
    finished_ms {int} NOT NULL
) {strict};
CREATE INDEX job_due ON job (next_ms) WHERE finished_ms = 0;
CREATE INDEX job_finished ON job (finished_ms) WHERE finished_ms > 0;
CREATE INDEX job_by_connector ON job (connector_id);
CREATE INDEX job_by_key ON job (key_id, id);
-- One certificate at a time. A revocation stands beside it: it names its certificate.
CREATE UNIQUE INDEX job_open_of_key ON job (key_id, version)
    WHERE finished_ms = 0 AND key_id <> '' AND kind <> 'revoke';

-- connector: '' the built-in CA at once, or nobody; else a connector's id. job_id: the last one made for it.
ALTER TABLE signing_key ADD COLUMN connector {text} NOT NULL DEFAULT '';
ALTER TABLE signing_key ADD COLUMN renew_before_days {int} NOT NULL DEFAULT 30;
ALTER TABLE signing_key ADD COLUMN job_id {text} NOT NULL DEFAULT '';

-- chain: the issuers up to the root, DER one behind the other; of a certificate that a CA here issued (ca) its row has
-- it. source: '' a CA here, or the connector's id. not_after_ms 0: not read yet, or no certificate.
-- notified_days: the last notice of its end that was given.
ALTER TABLE key_version ADD COLUMN chain {blob};
ALTER TABLE key_version ADD COLUMN certificate_source {text} NOT NULL DEFAULT '';
ALTER TABLE key_version ADD COLUMN not_after_ms {int} NOT NULL DEFAULT 0;
ALTER TABLE key_version ADD COLUMN notified_days {int} NOT NULL DEFAULT 0;
CREATE INDEX key_version_by_end ON key_version (not_after_ms) WHERE not_after_ms > 0;
