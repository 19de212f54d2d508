-- SPDX-License-Identifier: Apache-2.0
-- A signer's wish to use a key whose policy needs approvals. signatures 0: for the digests in approval_digest. Expired
-- and used up are not states of a row: they follow from the time and from what the grant has left.
CREATE TABLE approval_request (
    id {text} PRIMARY KEY,
    key_id {text} NOT NULL REFERENCES signing_key (id),
    requester_id {text} NOT NULL REFERENCES principal (id),
    reason {text} NOT NULL,
    signatures {int} NOT NULL,
    hours {int} NOT NULL,
    needed {int} NOT NULL,
    break_glass {int} NOT NULL,
    state {text} NOT NULL CHECK (state IN ('pending', 'approved', 'denied', 'cancelled', 'revoked')),
    revision {int} NOT NULL,
    created_ms {int} NOT NULL,
    expires_ms {int} NOT NULL
) {strict};
CREATE INDEX approval_request_by_key ON approval_request (key_id, requester_id);
CREATE INDEX approval_request_by_time ON approval_request (created_ms, id);

CREATE TABLE approval_decision (
    request_id {text} NOT NULL REFERENCES approval_request (id),
    approver_id {text} NOT NULL REFERENCES principal (id),
    is_yes {int} NOT NULL,
    comment {text} NOT NULL,
    created_ms {int} NOT NULL,
    PRIMARY KEY (request_id, approver_id)
) {strict};

CREATE TABLE approval_digest (
    request_id {text} NOT NULL REFERENCES approval_request (id),
    hash {text} NOT NULL,
    digest {text} NOT NULL,
    remaining {int} NOT NULL,
    PRIMARY KEY (request_id, hash, digest)
) {strict};

-- What an approved request gives; approvals: how many it was granted by. remaining counts digests, too.
CREATE TABLE approval_grant (
    request_id {text} PRIMARY KEY REFERENCES approval_request (id),
    key_id {text} NOT NULL,
    principal_id {text} NOT NULL,
    by_digest {int} NOT NULL,
    break_glass {int} NOT NULL,
    approvals {int} NOT NULL,
    remaining {int} NOT NULL,
    not_before_ms {int} NOT NULL,
    not_after_ms {int} NOT NULL,
    is_revoked {int} NOT NULL
) {strict};
CREATE INDEX approval_grant_by_user ON approval_grant (key_id, principal_id, not_after_ms);
