#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# opensc's pkcs11-spy between the programs and the module: in a normal run no call fails, but for what a program provokes by
# itself. Each such exception stands here, exactly.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/lib-engine.sh
. "$(dirname "$0")/lib-engine.sh"
sandbox_up
head -c 5000 /dev/urandom >data.bin
javac -d classes "$e2e/data/Hello.java"
jar --create --file hello.jar --main-class Hello -C classes .
spy=$(find /usr/lib -name pkcs11-spy.so | head -n 1)
[ -n "$spy" ] || fail "pkcs11-spy was not found: scripts/deps install test"
export PKCS11SPY=$P11_MODULE PKCS11SPY_OUTPUT=$work/trace GNUTLS_PIN=$P11_PIN

# clean NAME COMMAND…: runs it with the spy; the calls that fail must be those on standard input, and those only.
clean()
{
    local what=$1
    shift
    rm -f trace
    expect_ok "$what runs" "$@" </dev/null
    /usr/bin/python3 "$e2e/data/spy.py" trace >seen.txt || { cat seen.txt; fail "$what: there is no whole trace"; }
    sed -n '$p' seen.txt >total.txt
    sed '$d' seen.txt | LC_ALL=C sort >errors.txt
    LC_ALL=C sort expected.txt | diff - errors.txt >difference.txt ||
        { cat difference.txt; fail "$what: other calls fail than expected (< expected, > seen)"; }
    pass "$what: $(cat total.txt), no unexpected error"
}

tool()
{
    timeout 60 pkcs11-tool --module "$spy" --token-label "$P11_TOKEN" --login --pin "$P11_PIN" "$@"
}

list_objects()
{
    tool -O
}

sign_tool()
{
    tool --sign --mechanism "$mechanism" --id "$(cka_id "$key")" --input-file data.bin --output-file data.sig
}

# OpenSC's own CKA_OPENSC_NON_REPUDIATION, which it reads of each private key.
echo 'C_GetAttributeValue CKR_ATTRIBUTE_TYPE_INVALID CKO_PRIVATE_KEY CKA_?(0xcf534301)' >expected.txt
clean "pkcs11-tool -O" list_objects
: >expected.txt
while read -r key mechanism; do
    clean "pkcs11-tool --sign $mechanism" sign_tool
done <<EOF
$P11_RSA SHA256-RSA-PKCS
$P11_RSA SHA256-RSA-PKCS-PSS
$P11_EC ECDSA-SHA256
EOF

sign_engine()
{
    {
        engine_text "$spy" "$P11_PIN"
        echo 'init = 0'
    } >openssl.cnf
    OPENSSL_CONF=$PWD/openssl.cnf timeout 60 openssl dgst -engine pkcs11 -keyform engine \
        -sign "pkcs11:token=$P11_TOKEN;object=$key;type=private" -sha256 -out data.sig data.bin
}
for key in "$P11_RSA" "$P11_EC"; do
    clean "openssl dgst by the engine, $key" sign_engine
done

sign_jar()
{
    printf 'name = Chancery\nlibrary = %s\nslotListIndex = 0\n' "$spy" >sunpkcs11.cfg
    cp hello.jar signed.jar
    timeout 120 jarsigner -keystore NONE -storetype PKCS11 -providerClass sun.security.pkcs11.SunPKCS11 \
        -providerArg sunpkcs11.cfg -storepass "$P11_PIN" signed.jar "$key"
}
for key in "$P11_RSA" "$P11_EC"; do
    clean "jarsigner $key" sign_jar
done

list_keytool()
{
    timeout 120 keytool -list -keystore NONE -storetype PKCS11 -providerClass sun.security.pkcs11.SunPKCS11 \
        -providerArg sunpkcs11.cfg -storepass "$P11_PIN"
}
clean "keytool -list" list_keytool

list_ssh()
{
    timeout 60 ssh-keygen -D "$spy"
}
clean "ssh-keygen -D" list_ssh

list_gnutls()
{
    timeout 60 p11tool --provider "$spy" "$@"
}
clean "p11tool --list-tokens" list_gnutls --list-tokens

# p11tool asks each object for what only the other classes have, one attribute at a time; and private keys for CKA_VALUE,
# which an EC key keeps to itself and an RSA key has not. The first profile is asked for CKA_ID before it told its class.
{
    for attribute in ALWAYS_AUTHENTICATE CERTIFICATE_CATEGORY EXTRACTABLE ID NEVER_EXTRACTABLE SENSITIVE TRUSTED UNWRAP VALUE WRAP; do
        echo "C_GetAttributeValue CKR_ATTRIBUTE_TYPE_INVALID CKO_PROFILE CKA_$attribute"
    done
    echo "C_GetAttributeValue CKR_ATTRIBUTE_TYPE_INVALID an-object CKA_ID"
    for attribute in ALWAYS_AUTHENTICATE EXTRACTABLE NEVER_EXTRACTABLE SENSITIVE UNWRAP; do
        echo "C_GetAttributeValue CKR_ATTRIBUTE_TYPE_INVALID CKO_CERTIFICATE CKA_$attribute"
        echo "C_GetAttributeValue CKR_ATTRIBUTE_TYPE_INVALID CKO_PUBLIC_KEY CKA_$attribute"
    done
    echo "C_GetAttributeValue CKR_ATTRIBUTE_TYPE_INVALID CKO_CERTIFICATE CKA_WRAP"
    echo "C_GetAttributeValue CKR_ATTRIBUTE_TYPE_INVALID CKO_PUBLIC_KEY CKA_CERTIFICATE_CATEGORY"
    echo "C_GetAttributeValue CKR_ATTRIBUTE_TYPE_INVALID CKO_PUBLIC_KEY CKA_VALUE"
} >public.txt
cp public.txt expected.txt
clean "p11tool --list-all before login" list_gnutls --list-all "pkcs11:token=$P11_TOKEN"
{
    cat public.txt
    for attribute in CERTIFICATE_CATEGORY TRUSTED VALUE WRAP; do
        echo "C_GetAttributeValue CKR_ATTRIBUTE_TYPE_INVALID CKO_PRIVATE_KEY CKA_$attribute"
    done
    echo "C_GetAttributeValue CKR_ATTRIBUTE_SENSITIVE CKO_PRIVATE_KEY CKA_VALUE"
} >expected.txt
clean "p11tool --list-all after login" list_gnutls --login --list-all "pkcs11:token=$P11_TOKEN"
: >expected.txt

# The test of the test: a wrong PIN is seen, with its code.
wrong_pin()
{
    ! timeout 60 pkcs11-tool --module "$spy" --token-label "$P11_TOKEN" --login --pin not-the-passphrase -O
}
echo 'C_Login CKR_PIN_INCORRECT' >expected.txt
clean "pkcs11-tool with a wrong PIN" wrong_pin
