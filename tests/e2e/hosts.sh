#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The C host of tests/support/host against a real server: fork, threads, exit; and an openssl.cnf whose engine is this very
# module, which leads every program with OpenSSL back into us.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/lib-engine.sh
. "$(dirname "$0")/lib-engine.sh"
sandbox_up
head -c 1000 /dev/urandom >data.bin
host=$CHANCERY_BUILD/tests/support/host/p11host
export SPOIL_MODULE=$P11_MODULE

# Each case checks its signatures itself.
for name in sign fork-classic fork-safe fork-safe-operations fork-safe-threads started-programs threads initialize-at-once \
    exit-without-finalize exit-finalize-last exit-openssl-cleanup exit-while-signing broken-connection other-context; do
    expect_ok "host $name" "$host" "$name"
done
spoiled_host()
{
    P11_MODULE=$spoil timeout 60 "$host" sign
}
expect_refused "host sign: a spoiled signature is found" 'p11_verify' spoiled_host

# init = 1: the engine loads and initialises the module while OpenSSL reads its configuration, wherever that happens.
{
    engine_text "$P11_MODULE" "$P11_PIN"
    echo 'init = 1'
} >reentry.cnf
# The engine as the default for everything: OpenSSL would ask the token for the keys of our own TLS.
sed 's/^init = 1/default_algorithms = ALL\ninit = 1/' reentry.cnf >default.cnf

for conf in reentry.cnf default.cnf; do
    export OPENSSL_CONF=$PWD/$conf
    for name in sign fork-classic fork-safe exit-finalize-last exit-openssl-cleanup; do
        expect_ok "$conf: host $name" "$host" "$name"
    done
    expect_ok "$conf: openssl knows the engine" openssl engine -t pkcs11
    expect_ok "$conf: openssl signs" openssl dgst -sha256 -engine pkcs11 -keyform engine \
        -sign "pkcs11:token=$P11_TOKEN;object=$P11_EC;type=private" -out data.sig data.bin
    expect_ok "$conf: curl" curl -sS --max-time 60 --cacert "$CHANCERY_CA" "$CHANCERY_URL/livez"
    expect_ok "$conf: chancery" "$chancery" --config "$admin_conf" whoami
    unset OPENSSL_CONF
    admin certificate "$P11_EC" --leaf | openssl x509 -pubkey -noout >public.pem
    expect_ok "$conf: the signature verifies" openssl dgst -sha256 -verify public.pem -signature data.sig data.bin
done
