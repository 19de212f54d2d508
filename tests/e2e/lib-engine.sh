# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the tests with OpenSSL's engine (libp11) share. $module is the module under test, $key the label of the key.

# engine_text MODULE PIN: the configuration of the engine, up to its `init`.
engine_text()
{
    # shellcheck disable=SC2154  # engine: lib.sh
    cat <<END
openssl_conf = init
[init]
engines = engines
[engines]
pkcs11 = pkcs11
[pkcs11]
engine_id = pkcs11
dynamic_path = $engine
MODULE_PATH = $1
PIN = $2
END
}

# The engine through a configuration of its own, so that nothing of this machine's is used.
engine_conf()
{
    # shellcheck disable=SC2154  # module: signing_case
    {
        engine_text "$module" "$P11_PIN"
        printf 'init = 0\n[req]\ndistinguished_name = dn\nprompt = no\n[dn]\nCN = A request\n'
    } >openssl.cnf
}

uri()
{
    # shellcheck disable=SC2154  # key: the script
    echo "pkcs11:token=$P11_TOKEN;object=$key;type=private"
}

with_engine()
{
    engine_conf
    OPENSSL_CONF=$PWD/openssl.cnf timeout 60 openssl "$@"
}

# leaf.pem, issuers.pem and public.pem of $key
certificates()
{
    admin certificate "$key" --leaf >leaf.pem
    admin certificate "$key" --chain | awk '/BEGIN/ { n++ } n > 1' >issuers.pem
    openssl x509 -in leaf.pem -pubkey -noout >public.pem
}

# self_signed_ca: ca.pem, a root of its own for $key, signed by it through the engine.
self_signed_ca()
{
    with_engine req -new -x509 -engine pkcs11 -keyform engine -key "$(uri)" -sha256 -days 2 -subj "/CN=Root with a token's key" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign -out ca.pem
}

# tls_ca: tls-ca.pem, the root of the certificates that the tests' TLS ends show, with a key in a file.
tls_ca()
{
    openssl req -new -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout tls-ca.key -days 2 -subj "/CN=Root for TLS" \
        -addext basicConstraints=critical,CA:TRUE -out tls-ca.pem 2>tls-ca.err || { cat tls-ca.err; return 1; }
}

# tls_certificate FILE: for $key's public half (public.pem) and 127.0.0.1
tls_certificate()
{
    printf 'subjectAltName = IP:127.0.0.1\nextendedKeyUsage = serverAuth, clientAuth\n' >tls.ext
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout unused.key -subj "/CN=$key" 2>/dev/null |
        openssl x509 -req -force_pubkey public.pem -CA tls-ca.pem -CAkey tls-ca.key -CAcreateserial -days 2 -extfile tls.ext -out "$1" 2>/dev/null
}
