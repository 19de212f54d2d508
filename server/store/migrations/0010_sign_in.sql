-- SPDX-License-Identifier: Apache-2.0
-- Passwords of users, apart from the row that every request reads. hash: argon2id, with its salt and parameters. A one-time
-- password was set by somebody else and opens a session that can only change it.
CREATE TABLE user_password (
    user_id {text} PRIMARY KEY REFERENCES principal (id),
    hash {text} NOT NULL,
    is_one_time {int} NOT NULL,
    changed_ms {int} NOT NULL
) {strict};

-- Failed sign-ins in a row. who: a user's id, or one of a fixed number of names for what is no user, so that neither the
-- answers nor the growth of this table tell the two apart.
CREATE TABLE sign_in_failure (
    who {text} PRIMARY KEY,
    failures {int} NOT NULL,
    last_ms {int} NOT NULL
) {strict};

-- The second factor. secret: encrypted with the server's key (server/auth/sealed.h). last_step: of the code that was used
-- last; is_confirmed 0: begun, and not asked for yet.
CREATE TABLE user_totp (
    user_id {text} PRIMARY KEY REFERENCES principal (id),
    secret {blob} NOT NULL,
    is_confirmed {int} NOT NULL,
    last_step {int} NOT NULL,
    created_ms {int} NOT NULL
) {strict};

CREATE TABLE recovery_code (
    user_id {text} NOT NULL REFERENCES principal (id),
    sha256 {blob} NOT NULL,
    PRIMARY KEY (user_id, sha256)
) {strict};

-- api_key_id NULL: opened with a password. confirmed_until: until when what is sensitive needs no new proof of who it is.
-- is_limited: opened with a one-time password.
ALTER TABLE web_session RENAME TO web_session_before;
DROP INDEX web_session_by_user;
DROP INDEX web_session_by_api_key;
CREATE TABLE web_session (
    id {text} PRIMARY KEY,
    user_id {text} NOT NULL REFERENCES principal (id),
    api_key_id {text} REFERENCES api_key (id),
    sha256 {blob} NOT NULL UNIQUE,
    address {text} NOT NULL,
    created_ms {int} NOT NULL,
    last_used_ms {int} NOT NULL,
    expires_ms {int} NOT NULL,
    confirmed_until_ms {int} NOT NULL,
    is_limited {int} NOT NULL
) {strict};
INSERT INTO web_session (id, user_id, api_key_id, sha256, address, created_ms, last_used_ms, expires_ms,
    confirmed_until_ms, is_limited)
    SELECT id, user_id, api_key_id, sha256, address, created_ms, last_used_ms, expires_ms, 0, 0 FROM web_session_before;
DROP TABLE web_session_before;
CREATE INDEX web_session_by_user ON web_session (user_id);
CREATE INDEX web_session_by_api_key ON web_session (api_key_id);
