#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A key of the token as a certificate authority's (openssl req -x509, x509 -req, ca -gencrl), and in the other formats that
# openssl signs through the engine: cms with PSS, smime. openssl without the engine verifies. Not openssl ts, which in 3.0
# reads its key from a file and from nowhere else.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/lib-engine.sh
. "$(dirname "$0")/lib-engine.sh"
sandbox_up
head -c 20000 /dev/urandom >data.bin
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout subject.key -subj "/CN=A subject" -out subject.csr 2>/dev/null

# -check_ss_sig: openssl does not otherwise check a trust anchor's own signature.
verify_root()
{
    timeout 60 openssl verify -check_ss_sig -CAfile ca.pem ca.pem
}

sign_x509()
{
    rm -f subject.pem
    with_engine x509 -req -engine pkcs11 -in subject.csr -CA ca.pem -CAkeyform engine -CAkey "$(uri)" -set_serial 17 -sha384 \
        -days 2 -out subject.pem
}

verify_x509()
{
    timeout 60 openssl verify -CAfile ca.pem subject.pem
}

sign_crl()
{
    rm -f crl.pem index.txt*
    : >index.txt
    printf '[ca]\ndefault_ca = test\n[test]\ndatabase = index.txt\n' >ca.cnf
    with_engine ca -config ca.cnf -gencrl -engine pkcs11 -keyform engine -keyfile "$(uri)" -cert ca.pem -md sha256 -crldays 2 \
        -out crl.pem
}

# `openssl crl` of 3.0 exits 0 on a bad signature: its words decide.
verify_crl()
{
    timeout 60 openssl crl -in crl.pem -CAfile ca.pem -noout >crl.out 2>&1
    grep -q 'verify OK' crl.out || { cat crl.out; return 1; }
}

sign_cms_pss()
{
    rm -f data.cms
    with_engine cms -sign -engine pkcs11 -keyform engine -inkey "$(uri)" -keyopt rsa_padding_mode:pss -signer leaf.pem \
        -certfile issuers.pem -binary -md sha384 -outform DER -in data.bin -out data.cms
}

verify_cms()
{
    openssl cms -cmsout -print -inform DER -in data.cms | grep -q rsassaPss || { echo "not PSS"; return 1; }
    timeout 60 openssl cms -verify -purpose any -CAfile "$P11_CA" -inform DER -in data.cms -content data.bin -binary -out /dev/null
}

sign_smime()
{
    rm -f data.eml
    with_engine smime -sign -engine pkcs11 -keyform engine -inkey "$(uri)" -signer leaf.pem -certfile issuers.pem -md sha256 \
        -nodetach -binary -in data.bin -out data.eml
}

verify_smime()
{
    timeout 60 openssl smime -verify -purpose any -CAfile "$P11_CA" -in data.eml -binary -out data.out && cmp data.bin data.out
}

for key in "$P11_RSA" "$P11_EC"; do
    certificates
    signing_case "openssl req -x509 $key" self_signed_ca verify_root 'verification failed'
    self_signed_ca
    signing_case "openssl x509 -req $key" sign_x509 verify_x509 'verification failed'
    signing_case "openssl ca -gencrl $key" sign_crl verify_crl 'verify failure'
    signing_case "openssl smime $key" sign_smime verify_smime 'Verification failure'
done

key=$P11_RSA
certificates
signing_case "openssl cms PSS $key" sign_cms_pss verify_cms 'Verification failure'
