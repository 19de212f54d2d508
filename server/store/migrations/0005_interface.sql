-- SPDX-License-Identifier: Apache-2.0
-- What a create with an Idempotency-Key answered, for a day. answer '': it held a secret, which is kept nowhere.
CREATE TABLE idempotent_create (
    principal_id {text} NOT NULL,
    idempotency_key {text} NOT NULL,
    request_sha256 {blob} NOT NULL,
    target_id {text} NOT NULL,
    answer {text} NOT NULL,
    created_ms {int} NOT NULL,
    PRIMARY KEY (principal_id, idempotency_key)
) {strict};
CREATE INDEX idempotent_create_by_time ON idempotent_create (created_ms);
