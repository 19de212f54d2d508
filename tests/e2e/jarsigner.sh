#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# jarsigner signs a jar through SunPKCS11 and the module, with RSA and with P-256; jarsigner -verify -strict accepts it
# against a trust store that holds only the root, and no longer after the content was changed.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
sandbox_up
javac -d classes "$e2e/data/Hello.java"
jar --create --file hello.jar --main-class Hello -C classes .
keytool -importcert -noprompt -alias root -file "$P11_CA" -keystore trust.p12 -storetype PKCS12 -storepass changeit >/dev/null 2>&1

sign_jar()
{
    printf 'name = Chancery\nlibrary = %s\nslotListIndex = 0\n' "$module" >sunpkcs11.cfg
    cp hello.jar signed.jar
    timeout 120 jarsigner -keystore NONE -storetype PKCS11 -providerClass sun.security.pkcs11.SunPKCS11 \
        -providerArg sunpkcs11.cfg -storepass "$P11_PIN" -sigalg "$algorithm" signed.jar "$key"
}

verify_jar()
{
    timeout 120 jarsigner -verify -strict -keystore trust.p12 -storepass changeit signed.jar
}

for row in "$P11_RSA SHA256withRSA" "$P11_EC SHA256withECDSA"; do
    read -r key algorithm <<<"$row"
    signing_case "jarsigner $key" sign_jar verify_jar 'SecurityException|cannot verify|not verified|jar is unsigned|Exception'

    module=$P11_MODULE
    sign_jar >/dev/null
    echo "not what was signed" >classes/Hello.class
    jar --update --file signed.jar -C classes Hello.class
    expect_refused "jarsigner $key: changed content is found" 'SecurityException|digest error' verify_jar
    rm -r classes
    javac -d classes "$e2e/data/Hello.java"
done
