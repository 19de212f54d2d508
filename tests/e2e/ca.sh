#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The built-in CA as those who verify see it, by programs that know nothing of Chancery: openssl verify with CRLs, openssl
# ocsp by POST and GET, certtool, and Java's PKIX with revocation on. Before a revocation, after it, and for a certificate of
# a second CA and of one certified from outside.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
sandbox_up
javac -d classes "$e2e/data/Validate.java"

# fetch NAME: certificate and CRL of a CA, as PEM.
fetch()
{
    curl -fsS "$CHANCERY_PUBLIC_URL/ca/$1.cer" | openssl x509 -inform DER -out "$1.pem"
    curl -fsS "$CHANCERY_PUBLIC_URL/ca/$1.crl" | openssl crl -inform DER -out "$1.crl.pem"
}

# chain KEY FILE: the leaf in FILE.pem, its chain in FILE.chain.pem
chain()
{
    admin certificate "$1" --leaf >"$2.pem"
    admin certificate "$1" --chain >"$2.chain.pem"
}

# OpenSSL 3.0 has no purpose for code signing yet: then the extension is looked at.
purpose=any
known=$(openssl verify -purpose codesign -CAfile /dev/null /dev/null 2>&1 || true)
[[ $known == *"Invalid purpose"* ]] || purpose=codesign

verify_openssl() # LEAF CA
{
    fetch "$2"
    fetch root
    cat "$2.crl.pem" root.crl.pem >crls.pem
    openssl x509 -in "$1.pem" -noout -ext extendedKeyUsage | grep -q 'Code Signing' &&
        openssl verify -x509_strict -purpose $purpose -crl_check_all -CRLfile crls.pem -CAfile root.pem -untrusted "$2.pem" "$1.pem"
}

verify_certtool() # LEAF CA
{
    fetch "$2"
    certtool --verify --load-ca-certificate root.pem --load-crl "$2.crl.pem" --infile "$1.chain.pem" &&
        certtool --verify-crl --load-ca-certificate "$2.pem" --infile "$2.crl.pem"
}

verify_java() # LEAF ocsp|crl
{
    java -Dcom.sun.security.enableCRLDP=true -Dcom.sun.security.enableAIAcaIssuers=false -cp classes Validate root.pem "$1.chain.pem" "$2"
}

ocsp() # LEAF CA [options]
{
    local leaf=$1 ca=$2
    shift 2
    fetch "$ca"
    openssl ocsp "$@" -issuer "$ca.pem" -cert "$leaf.pem" -url "$CHANCERY_PUBLIC_URL/ocsp/$ca" -CAfile root.pem -verify_other "$ca.pem" >ocsp.out 2>&1
    cat ocsp.out
    grep -q 'Response verify OK' ocsp.out && ! grep -q 'no nonce' ocsp.out
}

ocsp_says() # STATUS LEAF CA [options]
{
    local expected=$1
    shift
    ocsp "$@" && grep -q "^$1.pem: $expected" ocsp.out
}

# The same by GET, percent-encoded, and with slashes as they are.
ocsp_get() # STATUS LEAF CA raw|encoded
{
    local text
    fetch "$3"
    openssl ocsp -issuer "$3.pem" -cert "$2.pem" -no_nonce -reqout question.der
    text=$(base64 -w0 question.der)
    [ "$4" = raw ] || text=$(printf '%s' "$text" | jq -sRr @uri)
    curl -fsS --path-as-is -o answer.der "$CHANCERY_PUBLIC_URL/ocsp/$3/$text"
    openssl ocsp -issuer "$3.pem" -cert "$2.pem" -respin answer.der -no_nonce -CAfile root.pem -verify_other "$3.pem" >ocsp.out 2>&1
    cat ocsp.out
    grep -q 'Response verify OK' ocsp.out && grep -q "^$2.pem: $1" ocsp.out
}

good() # LEAF CA
{
    expect_ok "$1: openssl verify with CRLs" verify_openssl "$1" "$2"
    expect_ok "$1: certtool --verify with CRLs" verify_certtool "$1" "$2"
    expect_ok "$1: openssl ocsp, SHA-1: good" ocsp_says good "$1" "$2"
    expect_ok "$1: openssl ocsp, SHA-256: good" ocsp_says good "$1" "$2" -sha256
    expect_ok "$1: OCSP by GET: good" ocsp_get good "$1" "$2" encoded
    expect_ok "$1: OCSP by GET with slashes: good" ocsp_get good "$1" "$2" raw
    expect_ok "$1: Java's PKIX with OCSP" verify_java "$1" ocsp
    expect_ok "$1: Java's PKIX with CRLs" verify_java "$1" crl
}

fetch root
chain "$P11_RSA" rsa
good rsa issuing

# a second CA, RSA
expect_ok "a CA is made" admin ca create release --subject "CN=Release CA,O=Sandbox,C=DE" --type rsa3072 --policy 1.3.6.1.4.1.99999.1
expect_ok "a key of that CA" admin key create demo released --type p384 --ca release --subject "CN=Released,O=Sandbox,L=Berlin,C=DE"
chain demo-released released
good released release
admin key certificate demo-released --json >said.json
[ "$(jq '.findings | length' said.json)" = 0 ] || { cat said.json; fail "findings on a certificate that lacks nothing"; }
pass "a certificate that has everything has no findings"

# revocation
expect_ok "a revocation" admin key revoke "$P11_RSA" 1 --reason key_compromise --invalid-since 2026-01-01T00:00:00Z
expect_refused "openssl verify: revoked" 'certificate revoked' verify_openssl rsa issuing
expect_refused "certtool: revoked" 'revoked' verify_certtool rsa issuing
expect_ok "openssl ocsp: revoked" ocsp_says revoked rsa issuing
grep -q 'Reason: keyCompromise' ocsp.out || fail "the OCSP answer has no reason"
expect_ok "OCSP by GET: revoked" ocsp_get revoked rsa issuing encoded
expect_refused "Java with OCSP: revoked" '^refused: REVOKED' verify_java rsa ocsp
expect_refused "Java with CRLs: revoked" '^refused: REVOKED' verify_java rsa crl
openssl crl -in issuing.crl.pem -noout -text >crl.txt
grep -q 'Key Compromise' crl.txt && grep -q 'Invalidity Date' crl.txt || { cat crl.txt; fail "the CRL's entry"; }
pass "the CRL has reason and invalidity date"
good released release

# what was never issued, and another CA's
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout other.key -out other.pem -subj /CN=Other 2>/dev/null
ocsp_unknown()
{
    openssl ocsp -issuer issuing.pem -serial 0x1234567890 -url "$CHANCERY_PUBLIC_URL/ocsp/issuing" -CAfile root.pem -verify_other issuing.pem 2>&1 | grep -q '^0x1234567890: unknown'
}
ocsp_foreign()
{
    openssl ocsp -issuer other.pem -serial 1 -url "$CHANCERY_PUBLIC_URL/ocsp/issuing" -CAfile root.pem
}
expect_ok "openssl ocsp: unknown" ocsp_unknown
expect_refused "openssl ocsp: another issuer" 'unauthorized' ocsp_foreign

# a CA certified from outside
outside()
{
    admin ca create outside --external --subject "CN=Certified Outside,O=Sandbox" >/dev/null &&
        admin ca csr outside >outside.csr &&
        openssl req -in outside.csr -verify -noout &&
        printf 'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\nextendedKeyUsage=codeSigning\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n' >outside.ext &&
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout root2.key -out root2.pem -subj "/CN=Outside Root" -days 3650 \
            -addext keyUsage=critical,keyCertSign,cRLSign &&
        openssl x509 -req -in outside.csr -CA root2.pem -CAkey root2.key -days 365 -extfile outside.ext -out outside-ca.pem &&
        cat root2.pem outside-ca.pem >bundle.pem &&
        admin ca certificate outside bundle.pem
}
expect_ok "a CA certified from outside" outside
expect_ok "a key of that CA" admin key create demo outer --type rsa3072 --ca outside
chain demo-outer outer
verify_outside()
{
    fetch outside
    openssl verify -x509_strict -crl_check -CRLfile outside.crl.pem -CAfile root2.pem -untrusted outside.pem outer.pem
}
expect_ok "openssl verify with the outside root" verify_outside

# by hand
status_of()
{
    curl -sS -o /dev/null -w '%{http_code}' "$@"
}
[ "$(status_of -H 'Content-Type: application/json' --data-binary @question.der "$CHANCERY_PUBLIC_URL/ocsp/issuing")" = 415 ] || fail "wrong content type"
[ "$(head -c 5000 /dev/zero | status_of -H 'Content-Type: application/ocsp-request' --data-binary @- "$CHANCERY_PUBLIC_URL/ocsp/issuing")" = 413 ] || fail "oversize"
[ "$(status_of -H "Authorization: Bearer $CHANCERY_ADMIN_TOKEN" "$CHANCERY_PUBLIC_URL/v1/whoami")" = 404 ] || fail "the public listener has an API"
pass "wrong content type is 415, oversize 413, and there is no API"
