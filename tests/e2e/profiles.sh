#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The OASIS profiles that the tokens claim hold with a key file that is encrypted: certificates and public keys before
# login, with the server down too; signatures after it.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
sandbox_up

# Debian's module is that of Debian's interpreter.
profiles()
{
    timeout 60 /usr/bin/python3 "$e2e/profiles.py" "$1" "$P11_PIN"
}

grep -q 'BEGIN ENCRYPTED PRIVATE KEY' "$sandbox/client/demo-signer.key" || fail "the key file is not encrypted"
expect_ok "BL-M-1, EXT-M-1, AUTH-M-1 and CERT-M-1, and a session public key" profiles "$P11_MODULE"
export SPOIL_MODULE=$P11_MODULE
expect_refused "a spoiled signature fails AUTH-M-1" "the signature" profiles "$spoil"

"$root/scripts/sandbox" down "$sandbox"
timeout 60 pkcs11-tool --module "$P11_MODULE" -O >offline.txt 2>offline.err || { cat offline.err; fail "a listing without the server"; }
[ "$(grep -c 'Profile object' offline.txt)" -eq 4 ] || { cat offline.txt; fail "four profiles without the server"; }
grep -q 'label: *demo-rsa3072' offline.txt || { cat offline.txt; fail "no certificate without the server"; }
pass "profiles and certificates are listed before login with the server down"
