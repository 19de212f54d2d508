#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A Java program with 8 threads makes 400 signatures through SunPKCS11 (RSA PKCS#1, RSA-PSS, ECDSA in turn); Java's software
# providers verify each, openssl the first of each kind, and the audit log has recorded as many as were made.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
sandbox_up
javac -d classes "$e2e/data/Threads.java"
admin certificate "$P11_RSA" --leaf >rsa.pem
admin certificate "$P11_EC" --leaf >ec.pem
for kind in rsa ec; do
    openssl x509 -in $kind.pem -pubkey -noout >$kind.pub
done

threads()
{
    printf 'name = Chancery\nlibrary = %s\nslotListIndex = 0\n' "$module" >sunpkcs11.cfg
    rm -rf made
    mkdir made
    timeout 110 java -cp classes Threads sunpkcs11.cfg "$P11_PIN" "$P11_RSA" "$P11_EC" rsa.pem ec.pem 8 400 made
}

outcomes()
{
    audit_json | jq -r 'select(.type == "signature.outcome") | .outcome' | sort | uniq -c | tr -s ' '
}

module=$P11_MODULE
expect_ok "8 threads make 400 good signatures" threads
[ "$(outcomes)" = " 400 success" ] || { outcomes; fail "the audit log has not 400 successes"; }
pass "the audit log has 400 successes, and nothing else"

verify_openssl()
{
    openssl dgst "-$hash" -verify "$public" -signature "made/$name.sig" "${options[@]}" "made/$name.data"
}
while read -r name public hash options; do
    read -ra options <<<"$options"
    expect_ok "openssl verifies $name" verify_openssl
done <<'EOF'
rsa-sha256 rsa.pub sha256
rsa-sha512 rsa.pub sha512
pss-sha256 rsa.pub sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32
pss-sha384 rsa.pub sha384 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:48
ec-sha256 ec.pub sha256
ec-sha384 ec.pub sha384
EOF

export SPOIL_MODULE=$P11_MODULE
module=$spoil
expect_refused "spoiled signatures are found, all of them" '^0 of 400 signatures are good' threads
