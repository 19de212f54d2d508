#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# NSS with the module in a database of its own: certutil lists, requests and issues, pesign signs a Windows executable,
# selfserv speaks TLS. The module is added as FRIENDLY, for its certificates are shown before login.
# pesign takes a PIN from a terminal and from nowhere else: a second signer here has a plain key and needs none.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/lib-engine.sh
. "$(dirname "$0")/lib-engine.sh"
sandbox_up
echo "$P11_PIN" >pin
x86_64-w64-mingw32-gcc -O2 -s -o hello.exe "$e2e/data/hello.c"
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout subject.key -subj "/CN=A subject" -out subject.csr 2>/dev/null

# nss_db: a new database with the module in it, and the roots
nss_db()
{
    rm -rf db
    mkdir db
    timeout 60 certutil -N -d sql:db --empty-password
    timeout 60 modutil -force -dbdir sql:db -add chancery -libfile "$module" -mechanisms FRIENDLY
    timeout 60 certutil -A -d sql:db -n root -t CT,CT,CT -i "$P11_CA"
}

nss_list()
{
    nss_db
    timeout 60 certutil -L -d sql:db -h "$P11_TOKEN" >certificates.txt
    timeout 60 certutil -K -d sql:db -h "$P11_TOKEN" -f pin >keys.txt
    local type
    for type in rsa2048 rsa3072 rsa4096 p256 p384; do
        grep -q "^$P11_TOKEN:demo-$type  *u,u,u" certificates.txt || { cat certificates.txt; return 1; }
        grep -q "demo-$type\$" keys.txt || { cat keys.txt; return 1; }
    done
}

sign_request()
{
    rm -f request.pem
    nss_db
    timeout 60 certutil -R -d sql:db -h "$P11_TOKEN" -f pin -k "$P11_TOKEN:$key" -Z SHA256 "${options[@]}" -s "CN=A request" -a -o request.pem
}

# `openssl req -verify` of 3.0 exits 0 on a bad request: its words decide.
verify_request()
{
    openssl req -in request.pem -verify -noout >req.out 2>&1
    grep -q 'verify OK' req.out || { cat req.out; return 1; }
}

sign_certificate()
{
    rm -f subject.pem
    nss_db
    timeout 60 certutil -C -d sql:db -f pin -c "$P11_TOKEN:$key" -i subject.csr -a -m 4711 -v 1 -Z SHA256 -o subject.pem
}

# Piece by piece, as the key's own certificate is none of an authority.
verify_certificate()
{
    local signature
    signature=$(openssl asn1parse -in subject.pem | awk -F: '/d=1 .*BIT STRING/ { print $1 + 0 }')
    openssl asn1parse -in subject.pem -strparse 4 -noout -out tbs.der
    openssl asn1parse -in subject.pem -strparse "$signature" -noout -out tbs.sig
    openssl dgst -sha256 -verify public.pem -signature tbs.sig tbs.der
}

sign_pe()
{
    rm -f signed.exe
    nss_db
    CHANCERY_CONF=$work/plain/client.conf timeout 60 pesign -n db -t "$P11_TOKEN" -c "$key" -s -i hello.exe -o signed.exe </dev/null
}

verify_pe()
{
    verify_authenticode signed.exe
}

start_selfserv()
{
    nss_db
    port=$(free_port)
    local -a which=(-n "$P11_TOKEN:$key")
    [ "$key" = "$P11_RSA" ] || which=(-e "$P11_TOKEN:$key")
    serve_stop
    serve "$port" timeout 120 selfserv -d sql:db -f pin -p "$port" "${which[@]}" -V tls1.2:tls1.3 -H 1
}

client_handshakes()
{
    for _ in $(seq 5); do
        timeout 30 openssl s_client -connect "127.0.0.1:$port" -CAfile "$P11_CA" -purpose any -verify_return_error "$protocol" \
            </dev/null >client.out 2>&1 || { cat client.out; return 1; }
        grep -q 'Verify return code: 0 (ok)' client.out || { cat client.out; return 1; }
    done
}

mkdir -m 0700 plain
"$chancery" --config plain/client.conf login --no-passphrase --server "$CHANCERY_URL" --ca "$CHANCERY_CA" --account plain-signer >/dev/null
admin account create plain-signer --public-key plain/plain-signer.pub >/dev/null
admin signer add demo plain-signer >/dev/null

module=$P11_MODULE
expect_ok "certutil -L shows the certificates before login, certutil -K the keys after" nss_list
for key in "$P11_RSA" "$P11_EC"; do
    certificates
    options=()
    signing_case "certutil -R $key" sign_request verify_request 'verify failure'
    signing_case "certutil -C $key" sign_certificate verify_certificate 'Verification failure'
    for protocol in -tls1_2 -tls1_3; do
        signing_case "selfserv $key $protocol" start_selfserv client_handshakes 'bad signature|octet invalid|padding check|data too large'
    done
done

# pesign 0.112 signs with RSA alone.
key=$P11_RSA
certificates
options=(--pss)
signing_case "certutil -R --pss $key" sign_request verify_request 'verify failure'
signing_case "pesign $key" sign_pe verify_pe 'Signature verification: failed|failure'
