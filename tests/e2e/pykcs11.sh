#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# PyKCS11 drives the module from Python: all attributes of all objects, logins, and a signature with every key by every
# mechanism that is listed; openssl verifies each.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
sandbox_up
admin key create demo old-rsa --type rsa2048 --hash sha1 --hash sha224 --hash sha256 --hash sha384 --hash sha512 >/dev/null
admin key create demo old-ec --type p521 --hash sha1 --hash sha224 --hash sha256 --hash sha384 --hash sha512 >/dev/null
mkdir made
head -c 5000 /dev/urandom >made/data
openssl dgst -sha256 -binary made/data >digest.bin

# Debian's own interpreter: PyKCS11 is installed for it.
py()
{
    MODULE=$module timeout 100 /usr/bin/python3 "$e2e/data/pykcs11.py" "$1" made
}

attributes()
{
    py attributes
}

login()
{
    py login
}

sign()
{
    rm -f made/demo-*
    py sign >signed.txt || { cat signed.txt; return 1; }
}

verify()
{
    local label name hash options
    while read -r label name hash; do
        options=()
        case $name in *PSS*) options=(-sigopt rsa_padding_mode:pss) ;; esac
        openssl x509 -in "$label.pem" -pubkey -noout >public.pem
        case $name in
        CKM_EDDSA) openssl pkeyutl -verify -pubin -inkey public.pem -rawin -in made/data -sigfile "made/$label.$name" ;;
        *ECDSA*) ecdsa_der "made/$label.$name" >made.der && openssl dgst "-$hash" -verify public.pem -signature made.der made/data ;;
        *) openssl dgst "-$hash" -verify public.pem -signature "made/$label.$name" "${options[@]}" made/data ;;
        esac >openssl.out 2>&1 || { echo "$label $name: $(cat openssl.out)"; return 1; }
    done <signed.txt
}

# r‖s as SEQUENCE { r, s }
ecdsa_der()
{
    local hex half
    hex=$(od -An -v -tx1 "$1" | tr -d ' \n')
    half=$((${#hex} / 2))
    printf 'asn1=SEQUENCE:s\n[s]\nr=INTEGER:0x%s\ns=INTEGER:0x%s\n' "${hex:0:half}" "${hex:half}" >ecdsa.cnf
    openssl asn1parse -genconf ecdsa.cnf -noout -out /dev/stdout
}

for label in demo-old-rsa demo-old-ec demo-rsa2048 demo-rsa3072 demo-rsa4096 demo-p256 demo-p384 "$P11_ED"; do
    admin certificate "$label" --leaf >"$label.pem"
done
module=$P11_MODULE
expect_ok "all attributes of all objects are told, secret ones never" attributes
signing_case "every key by every mechanism" sign verify 'Verification [Ff]ailure'
count=$(wc -l <signed.txt)
[ "$count" -ge 51 ] || { cat signed.txt; fail "only $count signatures were made"; }
pass "$count signatures"

verify_by_module()
{
    py verify
}
expect_ok "every key by every mechanism, once more" sign
expect_ok "C_Verify accepts each, and for no other data" verify_by_module
module=$spoil
expect_ok "every key by every mechanism, spoiled" sign
expect_refused "C_Verify finds spoiled signatures" 'AssertionError' verify_by_module
module=$P11_MODULE
expect_ok "wrong PIN, second login, logout, session counts" login
