#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What pkcs11-tool says of the module and tests of it by itself: -I, -L, -T, -M, -O, --verify, --test, --test-threads,
# --test-fork.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
sandbox_up
head -c 5000 /dev/urandom >data.bin
head -c 5000 /dev/urandom >other.bin
module=$P11_MODULE
export SPOIL_MODULE=$P11_MODULE

tool()
{
    timeout 60 pkcs11-tool --module "$module" "$@"
}

# shows FILE PATTERN: says what is missing.
shows()
{
    grep -qE -- "$2" "$1" || { cat "$1"; fail "pkcs11-tool does not show /$2/"; }
}

tool -I >info.txt 2>info.err || { cat info.err; fail "pkcs11-tool -I"; }
shows info.txt '^Manufacturer +Chancery$'
for option in -L -T; do
    tool $option >slots.txt 2>slots.err || { cat slots.err; fail "pkcs11-tool $option"; }
    [ "$(sed -n 's/^ *token label *: //p' slots.txt | tr '\n' ' ')" = "$P11_TOKEN $P11_ED_TOKEN " ] ||
        { cat slots.txt; fail "pkcs11-tool $option does not show exactly the two tokens"; }
    shows slots.txt '^ *token flags *: login required, rng, token initialized, PIN initialized$'
    shows slots.txt "^Slot 0 \(0x0\): $CHANCERY_URL"
done
pass "pkcs11-tool -I, -L and -T show the module and both tokens"

tool -M --token-label "$P11_TOKEN" >mechanisms.txt 2>/dev/null
for row in 'RSA-PKCS, keySize=.2048,4096., hw, sign, verify' 'SHA256-RSA-PKCS-PSS, .* sign, verify' 'ECDSA, keySize=.256,521., hw, sign, verify' 'SHA256, digest'; do
    shows mechanisms.txt "^ *$row"
done
tool -M --token-label "$P11_ED_TOKEN" >mechanisms.txt 2>/dev/null
shows mechanisms.txt '^ *EDDSA, .* sign'
pass "pkcs11-tool -M shows the mechanisms"

tool -O --token-label "$P11_TOKEN" >before.txt 2>before.err || { cat before.err; fail "pkcs11-tool -O before login"; }
grep -qi error before.err && { cat before.err; fail "pkcs11-tool -O complains"; }
shows before.txt '^Public Key Object; EC'
grep -q 'Private Key Object' before.txt && { cat before.txt; fail "a private key is shown before login"; }
tool -O --login --pin "$P11_PIN" --token-label "$P11_TOKEN" >after.txt 2>/dev/null
[ "$(grep -c '^Private Key Object' after.txt)" -eq 5 ] || { cat after.txt; fail "pkcs11-tool -O does not show five private keys after login"; }
[ "$(grep -c 'Access: *sensitive, always sensitive, never extractable, local' after.txt)" -eq 5 ] || { cat after.txt; fail "a private key is not shown as it is in the HSM"; }
pass "pkcs11-tool -O shows public keys before login, private keys after"

expect_refused "pkcs11-tool with a wrong PIN" 'CKR_PIN_INCORRECT' tool --login --pin not-the-passphrase --token-label "$P11_TOKEN" -O

# ---- --verify: `Invalid signature` comes with exit 0, so its words decide

sign()
{
    tool --token-label "$P11_TOKEN" --login --pin "$P11_PIN" --sign --mechanism "$mechanism" --id "$(cka_id "$key")" \
        --input-file data.bin --output-file data.sig
}

verify()
{
    timeout 60 pkcs11-tool --module "$P11_MODULE" --token-label "$P11_TOKEN" --verify --mechanism "$mechanism" \
        --id "$(cka_id "$key")" --input-file "${1:-data.bin}" --signature-file data.sig >verify.out 2>&1
    cat verify.out
    grep -q '^Signature is valid' verify.out
}

verify_other()
{
    verify other.bin
}

while read -r key mechanism; do
    signing_case "pkcs11-tool --verify $mechanism" sign verify 'Invalid signature'
    sign >sign.out 2>&1 || { cat sign.out; fail "pkcs11-tool --sign $mechanism"; }
    expect_refused "pkcs11-tool --verify $mechanism finds other content" 'Invalid signature' verify_other
done <<EOF
$P11_RSA SHA256-RSA-PKCS
$P11_RSA SHA512-RSA-PKCS-PSS
$P11_EC ECDSA-SHA256
EOF

# ---- --test: it signs a SHA-1 DigestInfo with every RSA key, so it gets an account whose one key allows that

admin project create tests >/dev/null
admin key create tests rsa --type rsa2048 --hash sha1 --hash sha256 --hash sha384 --hash sha512 >/dev/null
mkdir -m 0700 tester
enrol()
{
    "$chancery" --config tester/client.conf login --passphrase-file "$sandbox/passphrase" "$@"
}
enrol --server "$CHANCERY_URL" --ca "$CHANCERY_CA" --account tester >enrol.out
admin account create tester --public-key tester/tester.pub >/dev/null
admin signer add tests tester >/dev/null
enrol >>enrol.out

self_test()
{
    CHANCERY_CONF=$work/tester/client.conf tool --login --pin "$P11_PIN" --token-label "$P11_TOKEN" --test >test.out 2>&1
    local status=$?
    cat test.out
    grep -q '^No errors' test.out && [ $status -eq 0 ]
}

# The keys' mechanisms carry CKF_HW as the HSM says of itself: without it this test would skip all signatures.
expect_ok "pkcs11-tool --test" self_test
for mechanism in RSA-PKCS SHA1-RSA-PKCS SHA256-RSA-PKCS; do
    shows out "^ *$mechanism: OK"
done
shows out 'all 4 digest functions seem to work'
pass "pkcs11-tool --test signed with RSA-PKCS, SHA1-RSA-PKCS and SHA256-RSA-PKCS"
module=$spoil
expect_refused "pkcs11-tool --test finds spoiled signatures" 'errors' self_test
module=$P11_MODULE

# ---- several threads in C_Initialize at once (SoftHSM crashes there), and a forked child

# The program itself lists the objects meanwhile: it would wait 30 seconds for threads that are not done before it is. By the slot's
# index: it compares labels in a buffer that its threads, which show tokens meanwhile, write to as well.
threads()
{
    tool -O --login --pin "$P11_PIN" --slot-index 0 --test-threads ILGISLT0 --test-threads INGISLT0T1 --test-threads INSLSLGIT1 --test-threads ILSLT0T1 >threads.out 2>&1
    local status=$?
    cat threads.out
    grep -q 'all threads have ended with CKR_OK' threads.out && [ $status -eq 0 ]
}
for round in $(seq 10); do
    expect_ok "pkcs11-tool --test-threads, round $round" threads
done
[ "$(grep -c 'C_Initialize.*returned CKR_OK' out)" -le 1 ] || { cat out; fail "several threads were told that they initialised"; }

fork_test()
{
    tool --test-fork >fork.out 2>&1
    local status=$?
    cat fork.out
    ! grep -q 'exited with status' fork.out && [ $status -eq 0 ]
}
expect_ok "pkcs11-tool --test-fork" fork_test
