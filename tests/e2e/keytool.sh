#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# keytool shows the token as a key store: each key that has a certificate, with the chain up to the root; a key without
# certificate is not shown, for SunPKCS11 pairs keys and certificates. It signs requests, which openssl verifies.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
sandbox_up
admin key create demo bare --type p256 --certificate none >/dev/null
sed "s|^library = .*|library = $P11_MODULE|" "$root/conf/sunpkcs11.cfg" >sunpkcs11.cfg

store()
{
    timeout 120 keytool "$@" -keystore NONE -storetype PKCS11 -providerClass sun.security.pkcs11.SunPKCS11 \
        -providerArg sunpkcs11.cfg -storepass "$pin"
}

pin=$P11_PIN
store -list >list.txt 2>&1 || { cat list.txt; fail "keytool -list"; }
[ "$(sed -n 's/, PrivateKeyEntry.*//p' list.txt | sort | tr '\n' ' ')" = "demo-p256 demo-p384 demo-rsa2048 demo-rsa3072 demo-rsa4096 " ] ||
    { cat list.txt; fail "keytool -list does not show exactly the keys that have a certificate"; }
pass "keytool -list shows every key with a certificate"
timeout 60 pkcs11-tool --module "$P11_MODULE" --token-label "$P11_TOKEN" --login --pin "$P11_PIN" -O >objects.txt 2>/dev/null
grep -q 'label: *demo-bare$' objects.txt ||
    fail "the key without certificate is not on the token at all"
pass "a key without certificate is on the token, and keytool does not show it"

chain_is_whole()
{
    store -list -rfc -alias "$key" >rfc.txt || return 1
    grep -q 'Certificate chain length: 3' rfc.txt || return 1
    admin certificate "$key" --chain | tr -d '\r\n' >expected.txt
    awk '/BEGIN/ { on = 1 } on { print } /END/ { on = 0 }' rfc.txt | tr -d '\r\n' >shown.txt # keytool breaks lines elsewhere
    cmp shown.txt expected.txt
}

sign_request()
{
    sed "s|^library = .*|library = $module|" "$root/conf/sunpkcs11.cfg" >sunpkcs11.cfg
    rm -f request.pem
    store -certreq -alias "$key" -sigalg "$algorithm" -file request.pem
}

# `openssl req -verify` of 3.0 exits 0 on a bad request: its words decide.
verify_request()
{
    timeout 60 openssl req -in request.pem -verify -noout >req.out 2>&1
    grep -q 'verify OK' req.out || { cat req.out; return 1; }
}

while read -r key algorithm; do
    expect_ok "keytool -list -rfc $key shows the chain up to the root" chain_is_whole
    signing_case "keytool -certreq $algorithm" sign_request verify_request 'verify failure'
done <<EOF
$P11_RSA SHA256withRSA
$P11_RSA SHA512withRSA
$P11_EC SHA256withECDSA
EOF

pin=not-the-passphrase
expect_refused "keytool with a wrong PIN" 'load failed' store -list
pin=$P11_PIN
sed -i 's/^slotListIndex = 0/slotListIndex = 1/' sunpkcs11.cfg
expect_ok "keytool -list takes the second token" store -list
