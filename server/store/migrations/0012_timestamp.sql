-- SPDX-License-Identifier: Apache-2.0
-- The timestamp authority (RFC 3161), at most one. version: the key that signs; 0 while there is none with a
-- certificate.
CREATE TABLE timestamp_authority (
    id {int} PRIMARY KEY CHECK (id = 1),
    disabled {int} NOT NULL,
    disabled_reason {text} NOT NULL,
    version {int} NOT NULL,
    created_ms {int} NOT NULL,
    revision {int} NOT NULL DEFAULT 1
) {strict};

-- Its keys. A pending one waits for its certificate; the private key of a retired one is gone. chain: DER certificates of
-- the issuers, one behind the other, the nearest first.
CREATE TABLE timestamp_key (
    version {int} PRIMARY KEY,
    state {text} NOT NULL CHECK (state IN ('pending', 'active', 'retired')),
    type {text} NOT NULL,
    hsm_id {blob} NOT NULL UNIQUE,
    spki {blob} NOT NULL,
    hsm_attributes {text} NOT NULL,
    subject {text} NOT NULL,
    certificate {blob},
    chain {blob},
    created_ms {int} NOT NULL
) {strict};

-- Certificates that a renewal replaced.
CREATE TABLE timestamp_certificate (
    version {int} NOT NULL REFERENCES timestamp_key (version),
    certificate {blob} NOT NULL,
    replaced_ms {int} NOT NULL,
    PRIMARY KEY (version, replaced_ms)
) {strict};

-- One row. next: the first number that no server has taken; clock_ms: a time that has been, so that none before it is
-- attested any more.
CREATE TABLE timestamp_serial (
    id {int} PRIMARY KEY CHECK (id = 1),
    next {int} NOT NULL,
    clock_ms {int} NOT NULL
) {strict};
INSERT INTO timestamp_serial (id, next, clock_ms) VALUES (1, 1, 0);

CREATE TABLE timestamp_usage (
    day {text} PRIMARY KEY,
    granted {int} NOT NULL,
    refused {int} NOT NULL
) {clustered};
