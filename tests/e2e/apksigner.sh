#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# apksigner signs a minimal Android package through SunPKCS11 and the module, with RSA and with P-256, by schemes 2 and 3;
# apksigner verify finds the signer, and no longer after one byte was changed. A spoiled signature never gets that far:
# apksigner checks each one with the certificate itself. The manifest says nothing, so the least version of Android is given.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
sandbox_up
export SPOIL_MODULE=$P11_MODULE
# apksigner makes the provider by reflection; Java 17 lets it only when told so.
export JDK_JAVA_OPTIONS=--add-exports=jdk.crypto.cryptoki/sun.security.pkcs11=ALL-UNNAMED
mkdir package
echo '<manifest package="org.example.hello"/>' >package/AndroidManifest.xml
head -c 10000 /dev/urandom >package/classes.dex
jar --create --no-manifest --no-compress --file hello.apk -C package AndroidManifest.xml -C package classes.dex

sign_apk()
{
    rm -f signed.apk
    printf 'name = Chancery\nlibrary = %s\nslotListIndex = 0\n' "$module" >sunpkcs11.cfg
    timeout 120 apksigner sign --min-sdk-version 24 --ks NONE --ks-type PKCS11 --provider-class sun.security.pkcs11.SunPKCS11 \
        --provider-arg sunpkcs11.cfg --ks-pass "pass:$P11_PIN" --ks-key-alias "$key" --in hello.apk --out signed.apk
}

verify_apk()
{
    timeout 120 apksigner verify --min-sdk-version 24 --verbose --print-certs signed.apk >verify.out 2>&1 || { cat verify.out; return 1; }
    grep -q 'Scheme v2.*: true' verify.out && grep -q 'Scheme v3.*: true' verify.out &&
        grep -q "certificate SHA-256 digest: $(openssl x509 -in leaf.pem -outform DER | sha256sum | cut -d' ' -f1)" verify.out ||
        { cat verify.out; return 1; }
}

for key in "$P11_RSA" "$P11_EC"; do
    admin certificate "$key" --leaf >leaf.pem
    module=$spoil
    expect_refused "apksigner $key: a spoiled signature is found" 'Failed to verify generated' sign_apk
    module=$P11_MODULE
    expect_ok "apksigner $key: signs" sign_apk
    expect_ok "apksigner $key: verifies" verify_apk
    flip_byte signed.apk 1024
    expect_refused "apksigner $key: one changed byte is found" 'DOES NOT VERIFY' verify_apk
done
