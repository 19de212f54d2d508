-- SPDX-License-Identifier: Apache-2.0
-- "Was this digest signed?" and keys by state, without a walk over everything.
CREATE INDEX record_by_digest ON record (digest, seq) WHERE type = 'signature.outcome';
CREATE INDEX signing_key_by_lifecycle ON signing_key (lifecycle, id);
