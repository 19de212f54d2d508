-- SPDX-License-Identifier: Apache-2.0
-- What the overview counts is in these indexes, so that no row is read for it: keys by state, of all and of some projects;
-- certificates by their end; users and service accounts. Lists are in the order of names: the keys of a project in a state are
-- found in that of their labels, and nothing asks for members in the order of their ids.
DROP INDEX signing_key_by_lifecycle;
CREATE INDEX signing_key_by_lifecycle ON signing_key (lifecycle, id, version);
CREATE INDEX signing_key_by_project ON signing_key (project_id, lifecycle, label, id, version);
DROP INDEX key_version_by_end;
CREATE INDEX key_version_by_end ON key_version (not_after_ms, key_id, version, revoked_ms) WHERE not_after_ms > 0;
CREATE INDEX principal_by_type ON principal (type, removed_ms, name);
DROP INDEX member_in_order;
