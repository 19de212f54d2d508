-- SPDX-License-Identifier: Apache-2.0
-- Each version says which HSM has it, since a rotation may go to another one. signing_key.hsm is that of the current
-- version, or the one that a pending key is to be made in.
ALTER TABLE key_version ADD COLUMN hsm {text} NOT NULL DEFAULT 'default';
UPDATE key_version SET hsm = (SELECT k.hsm FROM signing_key k WHERE k.id = key_version.key_id);
