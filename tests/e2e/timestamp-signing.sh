#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# osslsigncode -ts and jarsigner -tsa with the server's authority. Verified 400 days later (libfaketime), when the signing
# certificate has expired: a timestamped signature is still valid, one without a timestamp is not.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
sandbox_up
later='+400 days'

# ---- a Windows executable

x86_64-w64-mingw32-gcc -O2 -s -o hello.exe "$e2e/data/hello.c"
admin certificate "$P11_RSA" --chain >chain.pem
# CRLs of today have expired by then; newer versions fetch them by themselves.
crl_option=$(osslsigncode verify --help 2>&1 | grep -o -- '-ignore-crl' | head -n 1 || true)

sign_pe() # name [-ts URL]
{
    local out=$1
    shift
    rm -f "$out"
    timeout 120 osslsigncode sign -pkcs11module "$P11_MODULE" -pass "$P11_PIN" -h sha256 "$@" \
        -key "pkcs11:token=$P11_TOKEN;object=$P11_RSA;type=private" -certs chain.pem -in hello.exe -out "$out"
}

verify_pe() # name [COMMAND…]
{
    local in=$1
    shift
    # shellcheck disable=SC2086
    timeout 120 "$@" osslsigncode verify $crl_option -CAfile "$P11_CA" -TSA-CAfile "$P11_CA" -in "$in"
}

expect_ok "osslsigncode signs with a timestamp" sign_pe stamped.exe -ts "$CHANCERY_TSA_URL"
expect_ok "osslsigncode signs without" sign_pe plain.exe
expect_ok "osslsigncode: the timestamped one verifies" verify_pe stamped.exe env
grep -q 'Timestamp Server Signature verification: ok' "$work/out" || { cat "$work/out" >&2; fail "osslsigncode saw no timestamp"; }
expect_ok "osslsigncode: the plain one verifies" verify_pe plain.exe env
expect_ok "osslsigncode: the timestamped one verifies after expiry" verify_pe stamped.exe faketime "$later"
expect_refused "osslsigncode: the plain one does not" 'certificate has expired' verify_pe plain.exe faketime "$later"

# ---- a jar

javac -d classes "$e2e/data/Hello.java"
jar --create --file hello.jar --main-class Hello -C classes .
keytool -importcert -noprompt -alias root -file "$P11_CA" -keystore trust.p12 -storetype PKCS12 -storepass changeit >/dev/null 2>&1
printf 'name = Chancery\nlibrary = %s\nslotListIndex = 0\n' "$P11_MODULE" >sunpkcs11.cfg

sign_jar() # name [-tsa URL]
{
    local out=$1
    shift
    cp hello.jar "$out"
    timeout 120 jarsigner "$@" -keystore NONE -storetype PKCS11 -providerClass sun.security.pkcs11.SunPKCS11 \
        -providerArg sunpkcs11.cfg -storepass "$P11_PIN" -sigalg SHA256withRSA "$out" "$P11_RSA"
}

verify_jar() # name [COMMAND…]
{
    local in=$1
    shift
    FAKETIME_DONT_FAKE_MONOTONIC=1 timeout 120 "$@" jarsigner -verify -strict -keystore trust.p12 -storepass changeit "$in"
}

for digest in SHA-256 SHA-512; do
    expect_ok "jarsigner signs with a timestamp ($digest)" sign_jar stamped.jar -tsa "$CHANCERY_TSA_URL" -tsadigestalg "$digest"
    expect_ok "jarsigner: the timestamped one verifies ($digest)" verify_jar stamped.jar env
done
expect_ok "jarsigner signs without" sign_jar plain.jar
expect_ok "jarsigner: the plain one verifies" verify_jar plain.jar env
expect_ok "jarsigner: the timestamped one verifies after expiry" verify_jar stamped.jar faketime "$later"
expect_refused "jarsigner: the plain one does not" 'signer certificate has expired' verify_jar plain.jar faketime "$later"

sign_over_tls()
{
    keytool -importcert -noprompt -alias tls -file "$CHANCERY_CA" -keystore tls.p12 -storetype PKCS12 -storepass changeit >/dev/null 2>&1
    sign_jar tls.jar -J-Djavax.net.ssl.trustStore=tls.p12 -J-Djavax.net.ssl.trustStorePassword=changeit -tsa "$CHANCERY_URL/tsa"
}
expect_ok "jarsigner takes a timestamp over TLS" sign_over_tls
expect_ok "jarsigner: that one verifies after expiry" verify_jar tls.jar faketime "$later"
