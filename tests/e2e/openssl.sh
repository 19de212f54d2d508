#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# openssl dgst, cms and req sign through the engine (libp11) and the module; openssl without the engine verifies.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/lib-engine.sh
. "$(dirname "$0")/lib-engine.sh"
sandbox_up
head -c 100000 /dev/urandom >data.bin

sign_dgst()
{
    rm -f data.sig
    with_engine dgst -engine pkcs11 -keyform engine -sign "$(uri)" \
        "-$hash" "${options[@]}" -out data.sig data.bin
}

verify_dgst()
{
    timeout 120 openssl dgst "-$hash" -verify public.pem -signature data.sig "${options[@]}" data.bin
}

sign_cms()
{
    rm -f data.cms
    with_engine cms -sign -engine pkcs11 -keyform engine -inkey "$(uri)" \
        -signer leaf.pem -certfile issuers.pem -binary -md sha256 -outform DER -in data.bin -out data.cms
}

verify_cms()
{
    timeout 120 openssl cms -verify -purpose any -CAfile "$P11_CA" -inform DER -in data.cms -content data.bin -binary -out /dev/null
}

sign_req()
{
    rm -f request.pem
    with_engine req -new -engine pkcs11 -keyform engine -key "$(uri)" \
        -sha256 -out request.pem
}

# `openssl req -verify` of 3.0 exits 0 on a bad request: its words decide.
verify_req()
{
    timeout 120 openssl req -in request.pem -verify -noout >req.out 2>&1
    grep -q 'verify OK' req.out || { cat req.out; return 1; }
}

for key in "$P11_RSA" "$P11_EC"; do
    admin certificate "$key" --leaf >leaf.pem
    admin certificate "$key" --chain | awk '/BEGIN/ { n++ } n > 1' >issuers.pem
    openssl x509 -in leaf.pem -pubkey -noout >public.pem
    for hash in sha256 sha384 sha512; do
        options=()
        signing_case "openssl dgst -$hash $key" sign_dgst verify_dgst 'Verification failure'
    done
    signing_case "openssl cms $key" sign_cms verify_cms 'Verification failure|verification failure'
    signing_case "openssl req $key" sign_req verify_req 'verify failure'
done

key=$P11_RSA
admin certificate "$key" --leaf | openssl x509 -pubkey -noout >public.pem
for salt in digest 20; do
    for hash in sha256 sha512; do
        options=(-sigopt rsa_padding_mode:pss -sigopt "rsa_pss_saltlen:$salt")
        signing_case "openssl dgst -$hash PSS salt $salt" sign_dgst verify_dgst 'Verification failure'
    done
done
