-- SPDX-License-Identifier: Apache-2.0
-- {int} {serial} {text} {blob} {strict} {clustered} become those of the database; see migrate.c. Times are Unix
-- milliseconds, 0 means never.

-- One row: what grows with every change of rights, and the head of the audit log (I7). The batch locks it.
CREATE TABLE log_head (
    id {int} PRIMARY KEY CHECK (id = 1),
    generation {int} NOT NULL,
    seq {int} NOT NULL,
    record_hash {blob} NOT NULL,
    time_ms {int} NOT NULL
) {strict};

CREATE TABLE project (
    id {text} PRIMARY KEY,
    name {text} NOT NULL UNIQUE,
    description {text} NOT NULL,
    created_ms {int} NOT NULL
) {strict};

-- Users and service accounts: one space of names and ids.
CREATE TABLE principal (
    id {text} PRIMARY KEY,
    name {text} NOT NULL UNIQUE,
    type {text} NOT NULL CHECK (type IN ('user', 'service_account')),
    role {text} NOT NULL CHECK (role IN ('user', 'administrator', 'auditor')),
    disabled {int} NOT NULL,
    expires_ms {int} NOT NULL,
    created_ms {int} NOT NULL
) {strict};

CREATE TABLE member (
    project_id {text} NOT NULL REFERENCES project (id),
    principal_id {text} NOT NULL REFERENCES principal (id),
    role {int} NOT NULL CHECK (role IN (1, 2, 4)),
    since_ms {int} NOT NULL,
    PRIMARY KEY (project_id, principal_id, role)
) {strict};
CREATE INDEX member_by_principal ON member (principal_id);

CREATE TABLE account_key (
    id {text} PRIMARY KEY,
    account_id {text} NOT NULL REFERENCES principal (id),
    algorithm {text} NOT NULL,
    spki {blob} NOT NULL,
    created_ms {int} NOT NULL,
    last_used_ms {int} NOT NULL
) {strict};
CREATE INDEX account_key_by_account ON account_key (account_id);

CREATE TABLE api_key (
    id {text} PRIMARY KEY,
    user_id {text} NOT NULL REFERENCES principal (id),
    name {text} NOT NULL,
    secret_sha256 {blob} NOT NULL,
    created_ms {int} NOT NULL,
    expires_ms {int} NOT NULL,
    last_used_ms {int} NOT NULL,
    UNIQUE (user_id, name)
) {strict};

CREATE TABLE access_token (
    sha256 {blob} PRIMARY KEY,
    principal_id {text} NOT NULL REFERENCES principal (id),
    expires_ms {int} NOT NULL
) {strict};
CREATE INDEX access_token_by_expiry ON access_token (expires_ms);

CREATE TABLE assertion_id (
    principal_id {text} NOT NULL REFERENCES principal (id),
    jti {text} NOT NULL,
    expires_ms {int} NOT NULL,
    PRIMARY KEY (principal_id, jti)
) {strict};
CREATE INDEX assertion_id_by_expiry ON assertion_id (expires_ms);

CREATE TABLE signing_key (
    id {text} PRIMARY KEY,
    project_id {text} NOT NULL REFERENCES project (id),
    label {text} NOT NULL,
    state {text} NOT NULL CHECK (state IN ('active', 'disabled')),
    disabled_reason {text} NOT NULL,
    hashes {text} NOT NULL,
    mechanisms {text} NOT NULL,
    version {int} NOT NULL,
    created_ms {int} NOT NULL,
    UNIQUE (project_id, label)
) {strict};

CREATE TABLE key_version (
    key_id {text} NOT NULL REFERENCES signing_key (id),
    version {int} NOT NULL,
    type {text} NOT NULL,
    hsm_id {blob} NOT NULL UNIQUE,
    spki {blob} NOT NULL,
    hsm_attributes {text} NOT NULL,
    certificate {blob},
    created_ms {int} NOT NULL,
    PRIMARY KEY (key_id, version)
) {strict};

-- Counters are evidence: no reference, so that nothing can keep one from being counted.
CREATE TABLE key_usage (
    key_id {text} NOT NULL,
    day {text} NOT NULL,
    success {int} NOT NULL,
    refused {int} NOT NULL,
    failed {int} NOT NULL,
    PRIMARY KEY (key_id, day)
) {clustered};

-- id: in the order of time, so that old rows are found without an index.
CREATE TABLE idempotency (
    id {serial},
    principal_id {text} NOT NULL,
    idempotency_key {text} NOT NULL,
    request_sha256 {blob} NOT NULL,
    intent_seq {int} NOT NULL,
    outcome_seq {int} NOT NULL,
    version {int} NOT NULL,
    signature {blob},
    created_ms {int} NOT NULL,
    UNIQUE (principal_id, idempotency_key)
) {strict};

CREATE TABLE certificate_authority (
    name {text} PRIMARY KEY,
    hsm_id {blob} NOT NULL,
    certificate {blob} NOT NULL
) {strict};

-- The audit log. line is the record; the other columns are copies for searching. server: who wrote it.
CREATE TABLE record (
    seq {int} PRIMARY KEY,
    line {text} NOT NULL,
    type {text} NOT NULL,
    principal_id {text},
    key_id {text},
    outcome {text},
    request_id {text},
    digest {text},
    intent_seq {int},
    server {int} NOT NULL
) {strict};

-- Servers that write the log. Every intent of theirs before open_from has its outcome, so a start after a crash reads
-- only what follows. epoch grows whenever the place is taken.
CREATE TABLE log_server (
    id {int} PRIMARY KEY,
    open_from {int} NOT NULL,
    epoch {int} NOT NULL
) {strict};

INSERT INTO log_head (id, generation, seq, record_hash, time_ms) VALUES (1, 1, 0, {zeros}, 0);
