#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# pkcs11-tool lists the tokens' objects and signs with every signing mechanism that is listed; openssl verifies.
# A mechanism whose hash the key's policy leaves out (SHA-1, SHA-224) is signed with a key that allows it.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
sandbox_up
head -c 5000 /dev/urandom >data.bin
admin key create demo old-rsa --type rsa2048 --hash sha1 --hash sha224 --hash sha256 --hash sha384 --hash sha512 >/dev/null
admin key create demo old-ec --type p521 --hash sha1 --hash sha224 --hash sha256 --hash sha384 --hash sha512 >/dev/null

tool()
{
    timeout 60 pkcs11-tool --module "$module" "$@"
}

module=$P11_MODULE
tool --token-label "$P11_TOKEN" --login --pin "$P11_PIN" -O >objects.txt 2>objects.err || { cat objects.err; fail "pkcs11-tool -O"; }
for type in rsa2048 rsa3072 rsa4096 p256 p384; do
    [ "$(grep -c "label: *demo-$type\$" objects.txt)" -eq 3 ] || { cat objects.txt; fail "demo-$type is not listed as private key, public key and certificate"; }
done
pass "pkcs11-tool -O lists private key, public key and certificate of each key"

# mechanism → openssl's way to verify; the input is the data, its digest, or a DigestInfo
prepare()
{
    local hash
    case $mechanism in
    *SHA1* | *SHA-1*) hash=sha1 ;; *SHA224*) hash=sha224 ;; *SHA384*) hash=sha384 ;; *SHA512*) hash=sha512 ;;
    *) hash=sha256 ;;
    esac
    md=$hash input=data.bin extra=() verify_extra=()
    case $mechanism in
    RSA-PKCS | RSA-PKCS-PSS | ECDSA) openssl dgst "-$hash" -binary data.bin >digest.bin; input=digest.bin ;;
    esac
    case $mechanism in
    RSA-PKCS) { printf '\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20'; cat digest.bin; } >info.bin; input=info.bin ;;
    RSA-PKCS-PSS) extra=(--hash-algorithm SHA256 --mgf MGF1-SHA256 --salt-len 32) ;;
    esac
    case $mechanism in
    *PSS*) verify_extra=(-sigopt rsa_padding_mode:pss) ;;
    *ECDSA*) extra+=(--signature-format openssl) ;;
    esac
}

sign_tool()
{
    rm -f data.sig
    tool --token-label "$token" --login --pin "$P11_PIN" --sign --mechanism "$mechanism" --id "$id" "${extra[@]}" \
        --input-file "$input" --output-file data.sig
}

verify_tool()
{
    if [ "$mechanism" = EDDSA ]; then
        openssl pkeyutl -verify -pubin -inkey public.pem -rawin -in data.bin -sigfile data.sig
    else
        openssl dgst "-$md" -verify public.pem -signature data.sig "${verify_extra[@]}" data.bin
    fi
}

count=0
for token in "$P11_TOKEN" "$P11_ED_TOKEN"; do
    tool --token-label "$token" -M >mechanisms.txt 2>/dev/null
    mapfile -t mechanisms < <(sed -n 's/^ *\([A-Za-z0-9-]*\),.* sign.*/\1/p' mechanisms.txt)
    for mechanism in "${mechanisms[@]}"; do
        case $mechanism in
        *RSA*) key=demo-old-rsa ;;
        *ECDSA*) key=demo-old-ec ;;
        EDDSA) key=$P11_ED ;;
        *) fail "the token lists $mechanism, and this test knows no way to check it" ;;
        esac
        [ "$token" = "$P11_ED_TOKEN" ] && [ "$mechanism" != EDDSA ] && continue
        id=$(cka_id "$key")
        admin certificate "$key" --leaf | openssl x509 -pubkey -noout >public.pem
        prepare
        signing_case "pkcs11-tool $mechanism" sign_tool verify_tool 'Verification [Ff]ailure'
        count=$((count + 1))
    done
done
[ $count -ge 18 ] || { cat mechanisms.txt; fail "only $count signing mechanisms were listed"; }
pass "$count mechanisms signed and verified"
