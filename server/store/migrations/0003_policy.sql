-- SPDX-License-Identifier: Apache-2.0
-- Policies: each save is a new version, and none is ever changed. document '' ends the policy of its scope; scope_id is
-- '' for the platform.
CREATE TABLE policy (
    scope {text} NOT NULL CHECK (scope IN ('platform', 'project', 'key')),
    scope_id {text} NOT NULL,
    version {int} NOT NULL,
    document {text} NOT NULL,
    author_id {text} NOT NULL,
    created_ms {int} NOT NULL,
    PRIMARY KEY (scope, scope_id, version)
) {strict};

-- While a row stands, nothing of its scope signs.
CREATE TABLE signing_freeze (
    scope {text} NOT NULL CHECK (scope IN ('platform', 'project')),
    scope_id {text} NOT NULL,
    reason {text} NOT NULL,
    author_id {text} NOT NULL,
    since_ms {int} NOT NULL,
    PRIMARY KEY (scope, scope_id)
) {strict};

-- What a key with a list of digests may sign. remaining -1: any number of times.
CREATE TABLE listed_digest (
    key_id {text} NOT NULL REFERENCES signing_key (id),
    hash {text} NOT NULL,
    digest {text} NOT NULL,
    remaining {int} NOT NULL,
    expires_ms {int} NOT NULL,
    note {text} NOT NULL,
    author_id {text} NOT NULL,
    created_ms {int} NOT NULL,
    PRIMARY KEY (key_id, hash, digest)
) {strict};

-- Intents counted against quotas; mark: the policies they were counted under. No reference: counting must not fail.
CREATE TABLE key_counter (
    key_id {text} PRIMARY KEY,
    mark {text} NOT NULL,
    total {int} NOT NULL,
    day {text} NOT NULL,
    day_count {int} NOT NULL,
    month {text} NOT NULL,
    month_count {int} NOT NULL
) {clustered};
