#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# TLS with the token's keys through the engine: openssl s_server, stunnel, and curl with a client's key. The other end
# verifies chain and signature, and refuses the handshake when the signature was spoiled. TLS 1.2 and 1.3; RSA and P-256.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/lib-engine.sh
. "$(dirname "$0")/lib-engine.sh"
sandbox_up
tls_ca

start_s_server()
{
    engine_conf
    port=$(free_port)
    serve_stop
    OPENSSL_CONF=$PWD/openssl.cnf serve "$port" timeout 120 openssl s_server -engine pkcs11 -keyform engine -key "$(uri)" \
        -cert server.pem -accept "127.0.0.1:$port" -www
}

# Ten handshakes: each is a signature.
client_handshakes()
{
    for _ in $(seq 10); do
        # shellcheck disable=SC2086  # $protocol is several options
        timeout 30 openssl s_client -connect "127.0.0.1:$port" -CAfile tls-ca.pem -verify_return_error -verify_ip 127.0.0.1 $protocol \
            </dev/null >client.out 2>&1 || { cat client.out; return 1; }
        grep -q 'Verify return code: 0 (ok)' client.out || { cat client.out; return 1; }
    done
}

curl_get()
{
    timeout 30 curl -sS --cacert tls-ca.pem "https://127.0.0.1:$port/" -o page.html && grep -q 'Ciphers supported' page.html
}

# stunnel's engine is told by its own configuration, not by OpenSSL's.
start_stunnel()
{
    port=$(free_port)
    cat >stunnel.conf <<END
foreground = yes
pid =
engine = pkcs11
engineCtrl = MODULE_PATH:$module
engineCtrl = PIN:$P11_PIN
[hello]
accept = 127.0.0.1:$port
exec = /bin/echo
execArgs = echo hello
cert = server.pem
key = $(uri)
engineId = pkcs11
END
    serve_stop
    serve "$port" timeout 120 stunnel stunnel.conf
}

# A server that asks for a certificate of the client and ends the handshake without one.
start_asking_server()
{
    port=$(free_port)
    serve_stop
    serve "$port" timeout 120 openssl s_server -key server.key -cert plain.pem -CAfile tls-ca.pem -Verify 1 -verify_return_error \
        -accept "127.0.0.1:$port" -www
}

curl_with_client_key()
{
    engine_conf
    OPENSSL_CONF=$PWD/openssl.cnf timeout 30 curl -sS --cacert tls-ca.pem --engine pkcs11 --key-type ENG --key "$(uri)" \
        --cert client.pem "https://127.0.0.1:$port/" -o page.html && grep -q "Subject: CN *= *$key" page.html
}

openssl ecparam -genkey -name prime256v1 -noout -out server.key
openssl pkey -in server.key -pubout -out public.pem
key=plain tls_certificate plain.pem

bad='bad signature|octet invalid|padding check|data too large'
for key in "$P11_RSA" "$P11_EC"; do
    certificates
    tls_certificate server.pem
    cp server.pem client.pem
    protocols=(-tls1_2 -tls1_3)
    [ "$key" = "$P11_EC" ] || protocols+=('-tls1_2 -sigalgs RSA+SHA256') # PKCS#1 v1.5 instead of PSS
    for protocol in "${protocols[@]}"; do
        signing_case "s_server $key $protocol" start_s_server client_handshakes "$bad"
    done
    signing_case "s_server $key, curl" start_s_server curl_get "$bad"
    signing_case "stunnel $key" start_stunnel client_handshakes "$bad"

    start_asking_server
    module=$P11_MODULE
    expect_ok "curl with the client's key $key: is let in" curl_with_client_key
    module=$spoil
    expect_refused "curl with the client's key $key: a spoiled signature is not" 'alert|reset' curl_with_client_key
done
