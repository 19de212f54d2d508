-- SPDX-License-Identifier: Apache-2.0
-- Grows with every change of the row: what If-Match compares, so that nobody overwrites what he has not seen.
ALTER TABLE project ADD COLUMN revision {int} NOT NULL DEFAULT 1;
ALTER TABLE principal ADD COLUMN revision {int} NOT NULL DEFAULT 1;
ALTER TABLE signing_key ADD COLUMN revision {int} NOT NULL DEFAULT 1;
