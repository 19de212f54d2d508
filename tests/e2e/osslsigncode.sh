#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# osslsigncode signs a real Windows executable through the engine and the module, with RSA and with P-256; it verifies
# against the root, and no longer after one byte was changed. No -pkcs11engine: with it Debian 12's osslsigncode 2.5 hands
# the engine a path for its name, and without it every version finds the engine by itself.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
sandbox_up
x86_64-w64-mingw32-gcc -O2 -s -o hello.exe "$e2e/data/hello.c"

sign_pe()
{
    rm -f signed.exe
    timeout 120 osslsigncode sign -pkcs11module "$module" -pass "$P11_PIN" -h sha256 \
        -key "pkcs11:token=$P11_TOKEN;object=$key;type=private" -certs chain.pem -in hello.exe -out signed.exe
}

verify_pe()
{
    timeout 120 osslsigncode verify -CAfile "$P11_CA" -in signed.exe
}

for key in "$P11_RSA" "$P11_EC"; do
    admin certificate "$key" --chain >chain.pem
    signing_case "osslsigncode $key" sign_pe verify_pe 'Signature verification: failed|bad signature|verification failed|failure'

    module=$P11_MODULE
    sign_pe >/dev/null
    flip_byte signed.exe 1024
    expect_refused "osslsigncode $key: one changed byte is found" 'MISMATCH|mismatch|failed' verify_pe
done
