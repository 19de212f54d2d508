-- SPDX-License-Identifier: Apache-2.0
-- Several certificate authorities. certificate is empty while a CA waits for one from outside; chain: those above it as
-- they were given, DER one behind the other, for a CA whose parent is not here.
ALTER TABLE certificate_authority ADD COLUMN parent {text} NOT NULL DEFAULT '';
ALTER TABLE certificate_authority ADD COLUMN purpose {text} NOT NULL DEFAULT 'root'
    CHECK (purpose IN ('root', 'code_signing', 'timestamping'));
ALTER TABLE certificate_authority ADD COLUMN state {text} NOT NULL DEFAULT 'active'
    CHECK (state IN ('active', 'awaiting_certificate', 'retired'));
ALTER TABLE certificate_authority ADD COLUMN subject {text} NOT NULL DEFAULT '';
ALTER TABLE certificate_authority ADD COLUMN chain {blob};
ALTER TABLE certificate_authority ADD COLUMN policy {text} NOT NULL DEFAULT '';
ALTER TABLE certificate_authority ADD COLUMN leaf_days {int} NOT NULL DEFAULT 460;
ALTER TABLE certificate_authority ADD COLUMN crl_days {int} NOT NULL DEFAULT 7;
ALTER TABLE certificate_authority ADD COLUMN created_ms {int} NOT NULL DEFAULT 0;
ALTER TABLE certificate_authority ADD COLUMN revision {int} NOT NULL DEFAULT 1;
-- revocations grows with each revocation; crl_revocations is what it was when the CRL was made.
ALTER TABLE certificate_authority ADD COLUMN revocations {int} NOT NULL DEFAULT 0;
ALTER TABLE certificate_authority ADD COLUMN crl_number {int} NOT NULL DEFAULT 0;
ALTER TABLE certificate_authority ADD COLUMN crl_revocations {int} NOT NULL DEFAULT 0;
ALTER TABLE certificate_authority ADD COLUMN crl_this_ms {int} NOT NULL DEFAULT 0;
ALTER TABLE certificate_authority ADD COLUMN crl_next_ms {int} NOT NULL DEFAULT 0;
ALTER TABLE certificate_authority ADD COLUMN crl {blob};
UPDATE certificate_authority SET parent = 'root', purpose = 'code_signing' WHERE name = 'issuing';

-- Every certificate that a CA here signed. reason: CRLReason of RFC 5280 §5.3.1. invalid_ms: when the key may have been
-- lost, 0 where nobody knows.
CREATE TABLE issued_certificate (
    ca {text} NOT NULL REFERENCES certificate_authority (name),
    serial {text} NOT NULL,
    profile {text} NOT NULL,
    key_id {text} NOT NULL,
    version {int} NOT NULL,
    subject {text} NOT NULL,
    not_before_ms {int} NOT NULL,
    not_after_ms {int} NOT NULL,
    certificate {blob} NOT NULL,
    issued_ms {int} NOT NULL,
    revoked_ms {int} NOT NULL DEFAULT 0,
    reason {int} NOT NULL DEFAULT 0,
    invalid_ms {int} NOT NULL DEFAULT 0,
    PRIMARY KEY (ca, serial)
) {strict};
CREATE INDEX issued_certificate_by_key ON issued_certificate (key_id, version);
CREATE INDEX issued_certificate_by_end ON issued_certificate (ca, not_after_ms);

-- The key that answers OCSP requests for a CA, with its certificate of the moment.
CREATE TABLE ocsp_responder (
    ca {text} PRIMARY KEY REFERENCES certificate_authority (name),
    hsm_id {blob} NOT NULL,
    certificate {blob} NOT NULL,
    renew_ms {int} NOT NULL
) {strict};

-- Which CA a version's certificate is of ('': none here), and when it was revoked (0: is not): read with the key, so
-- that no signature asks for it.
ALTER TABLE key_version ADD COLUMN ca {text} NOT NULL DEFAULT '';
ALTER TABLE key_version ADD COLUMN revoked_ms {int} NOT NULL DEFAULT 0;
UPDATE key_version SET ca = 'issuing' WHERE certificate IS NOT NULL;
ALTER TABLE signing_key ADD COLUMN plan_ca {text} NOT NULL DEFAULT '';
