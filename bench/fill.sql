-- SPDX-License-Identifier: Apache-2.0
-- 10,000 principals, 1,000 projects with three members each, 100,000 keys with a policy of their own and of their project, for
-- an SQLite store whose server is stopped. The keys have no counterpart in the HSM: nobody signs with them here. `bench_policy`
-- (document) holds the policy, `bench_key` (id) the key that is measured: both are made by bench/cost.
CREATE TEMP TABLE n (i INTEGER PRIMARY KEY);
INSERT INTO n WITH RECURSIVE up(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM up WHERE i < 99999) SELECT i FROM up;

INSERT INTO principal (id, name, type, role, disabled, expires_ms, created_ms)
SELECT CASE WHEN i % 10 = 0 THEN 'usr_' ELSE 'sa_' END || lower(hex(randomblob(10))), printf('bench-%05d', i),
       CASE WHEN i % 10 = 0 THEN 'user' ELSE 'service_account' END, 'user', 0, 0, 1700000000000
FROM n WHERE i < 10000;

INSERT INTO project (id, name, description, created_ms)
SELECT 'prj_' || lower(hex(randomblob(10))), printf('bench-%04d', i), 'Project of the benchmark', 1700000000000
FROM n WHERE i < 1000;

-- Every principal stands in the table of members; each project has an owner, eight signers and an approver.
CREATE TEMP TABLE place AS SELECT p.id AS project_id, CAST(substr(p.name, 7) AS INTEGER) AS i FROM project p WHERE p.name LIKE 'bench-%';
CREATE TEMP TABLE person AS SELECT id, CAST(substr(name, 7) AS INTEGER) AS i FROM principal WHERE name LIKE 'bench-%';
CREATE INDEX temp.place_i ON place (i);
INSERT INTO member (project_id, principal_id, role, since_ms, not_before_ms, not_after_ms)
SELECT place.project_id, person.id, CASE person.i % 10 WHEN 0 THEN 1 WHEN 1 THEN 4 ELSE 2 END, 1700000000000, 0, 0
FROM person JOIN place ON place.i = person.i / 10;

INSERT INTO signing_key (id, project_id, label, state, disabled_reason, hashes, mechanisms, version, created_ms)
SELECT 'key_' || lower(hex(randomblob(10))), place.project_id, printf('key-%06d', n.i), 'active', '', k.hashes, k.mechanisms, 1,
       1700000000000
FROM n JOIN place ON place.i = n.i % 1000, (SELECT hashes, mechanisms FROM signing_key WHERE id = (SELECT id FROM bench_key)) k;

INSERT INTO key_version (key_id, version, type, hsm_id, spki, hsm_attributes, certificate, created_ms)
SELECT s.id, 1, v.type, randomblob(20), v.spki, v.hsm_attributes, v.certificate, 1700000000000
FROM signing_key s, (SELECT * FROM key_version WHERE key_id = (SELECT id FROM bench_key)) v WHERE s.label LIKE 'key-%';

INSERT INTO policy (scope, scope_id, version, document, author_id, created_ms)
SELECT 'key', s.id, 1, b.document, '', 1700000000000 FROM signing_key s, bench_policy b WHERE s.label LIKE 'key-%'
UNION ALL SELECT 'project', project_id, 1, b.document, '', 1700000000000 FROM place, bench_policy b;

-- The digests bench-pkcs11 signs: worker and turn, little-endian, and 20 bytes of 0x5a.
INSERT INTO listed_digest (key_id, hash, digest, remaining, expires_ms, note, author_id, created_ms)
SELECT (SELECT id FROM bench_key), 'sha256',
       printf('%02x000000%02x%02x%02x0000000000', worker.i, n.i & 255, n.i >> 8 & 255, n.i >> 16)
       || '5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a', 1000000, 0, '', '', 1700000000000
FROM n, (SELECT i FROM n WHERE i < 8) worker WHERE n.i < 20000;

INSERT INTO key_counter (key_id, mark, total, day, day_count, month, month_count)
SELECT id, 'bench', 0, '', 0, '', 0 FROM signing_key WHERE label LIKE 'key-%';

DROP TABLE bench_key;
DROP TABLE bench_policy;
ANALYZE;
