-- SPDX-License-Identifier: Apache-2.0
-- Teams. They share one space of names with users and service accounts, because a member is named by any of them.
CREATE TABLE team (
    id {text} PRIMARY KEY,
    name {text} NOT NULL UNIQUE,
    description {text} NOT NULL,
    created_ms {int} NOT NULL,
    revision {int} NOT NULL DEFAULT 1
) {strict};

CREATE TABLE team_member (
    team_id {text} NOT NULL REFERENCES team (id),
    principal_id {text} NOT NULL REFERENCES principal (id),
    since_ms {int} NOT NULL,
    PRIMARY KEY (team_id, principal_id)
) {strict};
CREATE INDEX team_member_by_principal ON team_member (principal_id);

-- A member is a principal or a team, from not_before to not_after.
ALTER TABLE member RENAME TO member_before;
DROP INDEX member_by_principal;
CREATE TABLE member (
    project_id {text} NOT NULL REFERENCES project (id),
    principal_id {text} REFERENCES principal (id),
    team_id {text} REFERENCES team (id),
    role {int} NOT NULL CHECK (role IN (1, 2, 4)),
    since_ms {int} NOT NULL,
    not_before_ms {int} NOT NULL,
    not_after_ms {int} NOT NULL,
    CHECK ((principal_id IS NULL) <> (team_id IS NULL)),
    UNIQUE (project_id, principal_id, role),
    UNIQUE (project_id, team_id, role)
) {strict};
INSERT INTO member (project_id, principal_id, team_id, role, since_ms, not_before_ms, not_after_ms)
    SELECT project_id, principal_id, NULL, role, since_ms, 0, 0 FROM member_before;
DROP TABLE member_before;
CREATE INDEX member_by_principal ON member (principal_id);
CREATE INDEX member_by_team ON member (team_id);
-- The order of a project's list.
CREATE INDEX member_in_order ON member (project_id, (COALESCE(principal_id, team_id)), role);

-- Who has which role, and how: by a row of its own (team_id '') or by a team. What is not in its time is there too.
-- CROSS: SQLite takes the joined tables in this order, from a principal's few teams to their roles, and does not walk all
-- members of a project for it, which every signature would wait for.
CREATE VIEW principal_role AS
    SELECT project_id, principal_id, role, not_before_ms, not_after_ms, '' AS team_id
        FROM member WHERE principal_id IS NOT NULL
    UNION ALL
    SELECT m.project_id, t.principal_id, m.role, m.not_before_ms, m.not_after_ms, m.team_id
        FROM team_member t CROSS JOIN member m WHERE m.team_id = t.team_id;

-- A removed principal stays as a name that is never given again, so that the log stays unambiguous. team_id: of a
-- service account, the team whose members manage its keys.
ALTER TABLE principal ADD COLUMN removed_ms {int} NOT NULL DEFAULT 0;
ALTER TABLE principal ADD COLUMN description {text} NOT NULL DEFAULT '';
ALTER TABLE principal ADD COLUMN team_id {text} REFERENCES team (id);
ALTER TABLE account_key ADD COLUMN expires_ms {int} NOT NULL DEFAULT 0;
-- Bits of enum scope; those made before have all.
ALTER TABLE api_key ADD COLUMN scopes {int} NOT NULL DEFAULT 7;

-- Sessions of browsers, each opened with an API key and ending with it. sha256: of the cookie's text.
CREATE TABLE web_session (
    id {text} PRIMARY KEY,
    user_id {text} NOT NULL REFERENCES principal (id),
    api_key_id {text} NOT NULL REFERENCES api_key (id),
    sha256 {blob} NOT NULL UNIQUE,
    address {text} NOT NULL,
    created_ms {int} NOT NULL,
    last_used_ms {int} NOT NULL,
    expires_ms {int} NOT NULL
) {strict};
CREATE INDEX web_session_by_user ON web_session (user_id);
CREATE INDEX web_session_by_api_key ON web_session (api_key_id);
