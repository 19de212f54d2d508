-- SPDX-License-Identifier: Apache-2.0
-- Lists are in the order of names. Keys in a state are found project by project, in the order of their labels.
DROP INDEX signing_key_by_lifecycle;
CREATE INDEX signing_key_by_lifecycle ON signing_key (lifecycle, project_id, label);
DROP INDEX member_in_order;
