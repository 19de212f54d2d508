#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# GnuTLS: p11tool shows the tokens, certtool signs a request, a message and a certificate, gnutls-serv answers TLS with a
# token's key; openssl verifies. The module is named with --provider: nothing of this machine's is registered or used.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
sandbox_up
head -c 5000 /dev/urandom >data.bin
printf 'cn = "A request"\n' >template
export GNUTLS_PIN=$P11_PIN
module=$P11_MODULE

uri()
{
    echo "pkcs11:token=$P11_TOKEN;object=$key;type=$1"
}

tool()
{
    timeout 60 p11tool --provider "$module" "$@"
}

cert()
{
    timeout 60 certtool --provider "$module" "$@"
}

tool --list-tokens >tokens.txt
[ "$(sed -n 's/^\tLabel: //p' tokens.txt)" = "$P11_TOKEN"$'\n'"$P11_ED_TOKEN" ] || { cat tokens.txt; fail "p11tool --list-tokens"; }
pass "p11tool --list-tokens shows both tokens and no other"

registered()
{
    mkdir -p home/.config/pkcs11/modules
    sed "s|/usr/lib/chancery/chancery-pkcs11.so|$P11_MODULE|" "$root/conf/chancery.module" >home/.config/pkcs11/modules/chancery.module
    HOME=$work/home XDG_CONFIG_HOME=$work/home/.config timeout 60 p11tool --list-tokens | grep -q "Label: $P11_TOKEN\$"
}
expect_ok "p11tool sees the token by conf/chancery.module in the user's p11-kit configuration" registered

tool --list-all "pkcs11:token=$P11_TOKEN" >all.txt
tool --list-privkeys --login "pkcs11:token=$P11_TOKEN" >private.txt
for type in rsa2048 rsa3072 rsa4096 p256 p384; do
    [ "$(grep -c "Label: demo-$type\$" all.txt)" -eq 2 ] || { cat all.txt; fail "before login p11tool does not show public key and certificate of demo-$type"; }
    [ "$(grep -c "Label: demo-$type\$" private.txt)" -eq 1 ] || { cat private.txt; fail "after login p11tool does not show the private key demo-$type"; }
done
grep -q 'type=private' all.txt && { cat all.txt; fail "a private key is shown before login"; }
[ "$(grep -c 'CKA_CERTIFICATE_CATEGORY=CA' all.txt)" -eq 2 ] || { cat all.txt; fail "the issuing CAs are not shown"; }
pass "p11tool lists public keys and certificates before login, private keys after"

export GNUTLS_PIN=not-the-passphrase
expect_refused "p11tool with a wrong PIN" 'PIN' tool --batch --list-privkeys --login "pkcs11:token=$P11_TOKEN"
export GNUTLS_PIN=$P11_PIN

show_info()
{
    tool --info "$(uri cert)" | grep -q "Label: $key"
}

# GnuTLS takes only issuers that the token calls trusted into --export-chain: CKA_TRUSTED is a security officer's word,
# and the module never says it.
export_certificates()
{
    tool --export "$(uri cert)" | openssl x509 -outform DER | cmp - leaf.der &&
        tool --export-chain "$(uri cert)" | openssl x509 -outform DER | cmp - leaf.der &&
        tool --export "pkcs11:token=$P11_TOKEN;object=Code%20Signing%20Root%20CA;type=cert" | openssl x509 -outform DER |
        cmp - <(openssl x509 -in "$P11_CA" -outform DER)
}

export_public_key()
{
    tool --export-pubkey --login "$(uri private)" | openssl pkey -pubin -outform DER | cmp - <(openssl pkey -pubin -in public.pem -outform DER)
}

self_test()
{
    tool --login --test-sign "$(uri private)"
}

sign_request()
{
    rm -f request.pem
    cert --generate-request --load-privkey "$(uri private)" --load-pubkey "$(uri public)" --hash sha256 \
        --template template --outfile request.pem
}

# `openssl req -verify` of 3.0 exits 0 on a bad request: its words decide.
verify_request()
{
    timeout 60 openssl req -in request.pem -verify -noout >req.out 2>&1
    grep -q 'verify OK' req.out || { cat req.out; return 1; }
}

sign_message()
{
    rm -f message.pem
    cert --p7-sign --load-privkey "$(uri private)" --load-certificate chain.pem --infile data.bin --outfile message.pem --hash "$hash"
}

verify_message()
{
    timeout 60 openssl cms -verify -purpose any -CAfile "$P11_CA" -inform PEM -in message.pem -binary -out message.out &&
        cmp message.out data.bin
}

sign_certificate()
{
    rm -f certificate.pem
    cert --generate-certificate --load-request request.pem --load-ca-privkey "$(uri private)" --load-ca-certificate leaf.pem \
        --hash sha256 --template template --outfile certificate.pem
}

# The key's certificate is no CA's: the signature is looked at, and nothing else.
verify_certificate()
{
    openssl asn1parse -in certificate.pem -strparse 4 -noout -out tbs.der
    openssl asn1parse -in certificate.pem | awk -F: '/BIT STRING/ { offset = $1 } END { print offset + 0 }' >offset
    openssl asn1parse -in certificate.pem -strparse "$(cat offset)" -noout -out certificate.sig
    timeout 60 openssl dgst -sha256 -verify public.pem -signature certificate.sig tbs.der
}

run_server()
{
    timeout 60 gnutls-serv --provider "$module" -p "$port" --http --disable-client-cert \
        --x509keyfile "$(uri private)" --x509certfile "$(uri cert)"
}

# The handshake holds a signature with the key; openssl checks it whatever it thinks of the certificate.
connect()
{
    printf 'GET / HTTP/1.0\r\n\r\n' | timeout 60 openssl s_client -connect "127.0.0.1:$port" -brief -ign_eof "$@" >s_client.out 2>&1
    cat s_client.out
    grep -q '^HTTP/1.0 200 OK' s_client.out
}

tls_1_2()
{
    connect -tls1_2
}

tls_1_3()
{
    connect -tls1_3
}

for key in "$P11_RSA" "$P11_EC"; do
    admin certificate "$key" --chain >chain.pem
    admin certificate "$key" --leaf >leaf.pem
    openssl x509 -in leaf.pem -outform DER -out leaf.der
    openssl x509 -in leaf.pem -pubkey -noout >public.pem
    expect_ok "p11tool --info $key" show_info
    expect_ok "p11tool --export and --export-chain $key" export_certificates
    expect_ok "p11tool --export-pubkey $key" export_public_key
    expect_ok "p11tool --test-sign $key" self_test
    export SPOIL_MODULE=$P11_MODULE
    module=$spoil
    expect_refused "p11tool --test-sign $key through the spoiler" 'verif|failed|error' self_test
    module=$P11_MODULE

    signing_case "certtool --generate-request $key" sign_request verify_request 'verify failure'
    for hash in sha256 sha512; do
        signing_case "certtool --p7-sign $hash $key" sign_message verify_message 'Verification failure|verification failure'
    done
    sign_request >certtool.out 2>&1 || { cat certtool.out; fail "certtool --generate-request $key"; }
    signing_case "certtool --generate-certificate $key" sign_certificate verify_certificate 'Verification failure'

    port=$(free_port)
    serve "$port" gnutls-serv --provider "$module" -p "$port" --http --disable-client-cert \
        --x509keyfile "$(uri private)" --x509certfile "$(uri cert)"
    expect_ok "gnutls-serv $key: TLS 1.2" tls_1_2
    expect_ok "gnutls-serv $key: TLS 1.3" tls_1_3
    serve_stop
    # GnuTLS tries the key when it loads it: with spoiled signatures there is no server to be asked.
    module=$spoil
    expect_refused "gnutls-serv $key: a spoiled signature is found" 'key do not match' run_server
    module=$P11_MODULE
done
