#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A server with two HSMs: keys of both sign through the module; one whose token is away leaves those of the other alone, and the
# server starts without it, too.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
sandbox_up

server_stop()
{
    "$root/scripts/sandbox" down "$sandbox"
}

server_start()
{
    "$root/scripts/sandbox" restart "$sandbox" >"$work/restarted"
}

ready_state()
{
    curl --silent --max-time 30 --cacert "$CHANCERY_CA" "$CHANCERY_URL/readyz" | jq -r .status
}

# One process opens a token: the second one is made while the server does not run.
server_stop
umask 077
echo second-user-pin >"$sandbox/server/second.pin"
SOFTHSM2_CONF=$sandbox/server/softhsm2.conf softhsm2-util --init-token --free --label release --so-pin second-officer-pin \
    --pin second-user-pin >"$work/token.out" || fail "no second token"
second_tokens=$(grep -lr release "$sandbox/server/tokens" | head -n 1 | xargs dirname)
cat >>"$sandbox/server/chanceryd.conf" <<EOF

[hsm.release]
uri = pkcs11:token=release;manufacturer=SoftHSM%20project?pin-source=file:second.pin
EOF
expect_ok "the configuration shows the section" "$CHANCERY_BUILD/server/app/chanceryd" --print-config --config "$sandbox/server"
grep -q '^\[hsm.release\]$' "$work/out" || fail "the section is not shown"
server_start
[ "$(admin hsm list --json | jq -rs '[.[] | .name + " " + .state] | join(", ")')" = "default available, release available" ] ||
    fail "hsm list"
pass "both HSMs are available"
admin key sources demo --json | jq -e '[.hsms[].name] == ["default", "release"] and ([.. | objects | has("token") or has("settings")] | any | not)' \
    >/dev/null || fail "key sources"
pass "what keys can be made in is told without the tokens"
expect_ok "one is shown with the limits of its mechanisms" admin hsm show --hsm release
grep -qE '^CKM_RSA_PKCS_KEY_PAIR_GEN +512 +16384' "$work/out" || { cat "$work/out" >&2; fail "no limits"; }

expect_ok "a key is made in the second HSM" admin key create demo second --type p256 --hsm release
[ "$(admin key show demo-second --json | jq -r .hsm_name)" = release ] || fail "the key is elsewhere"
expect_refused "an HSM that is not there is refused" 'has no HSM nowhere' admin key create demo third --type p256 --hsm nowhere

head -c 1000 /dev/urandom >data
sign_by() # key
{
    rm -f sig
    timeout 120 pkcs11-tool --module "$module" --token-label "$P11_TOKEN" --login --pin "$P11_PIN" --sign --id "$(cka_id "$1")" \
        --mechanism ECDSA-SHA256 --signature-format openssl --input-file data --output-file sig
}
verify_by() # key
{
    admin certificate "$1" --leaf | openssl x509 -pubkey -noout >key.pem
    openssl dgst -sha256 -verify key.pem -signature sig data
}
sign_first() { sign_by demo-p256; }
verify_first() { verify_by demo-p256; }
sign_second() { sign_by demo-second; }
verify_second() { verify_by demo-second; }

signing_case "a key in the first HSM" sign_first verify_first 'Verification failure'
signing_case "a key in the second HSM" sign_second verify_second 'Verification failure'

expect_ok "the key is rotated into the first HSM" admin key rotate demo-second --hsm default
signing_case "its new version" sign_second verify_second 'Verification failure'
[ "$(admin key versions demo-second --json | jq -rs '[.[].hsm_name] | join(" ")')" = "default release" ] || fail "versions"
expect_ok "a key that stays in the second HSM" admin key create demo stays --type p256 --hsm release
sign_stays() { sign_by demo-stays; }
verify_stays() { verify_by demo-stays; }

# ---- the second token is away when the server starts
server_stop
mv "$second_tokens" "$work/token-away"
server_start
[ "$(ready_state)" = degraded ] || fail "the server does not tell that an HSM is away"
module=$P11_MODULE
expect_ok "a key in the first HSM signs" sign_first
expect_ok "and verifies" verify_first
expect_refused "a key in the one that is away does not" 'CKR_' sign_stays
[ "$(admin key show demo-stays --json | jq -r .state)" = active ] || fail "a key of the HSM that is away has changed its state"
expect_refused "hsm test says so" 'release does not answer' admin hsm test --hsm release
expect_refused "nothing is said of its keys" 'release' admin hsm reconcile --hsm release

# SoftHSM sees a token only when it is started, and the other HSM works with the module.
server_stop
mv "$work/token-away" "$second_tokens"
server_start
[ "$(ready_state)" = ready ] || fail "the server is not ready"
signing_case "the key of the HSM that came back" sign_stays verify_stays 'Verification failure'

# ---- what is wrong in a section keeps the server from starting, with its place
server_stop
chmod 0644 "$sandbox/server/second.pin"
expect_refused "a PIN file that others may read is refused with file, line and section" \
    'chanceryd.conf:[0-9]+: \[hsm.release\]: .*second.pin' "$CHANCERY_BUILD/server/app/chanceryd" run --config "$sandbox/server"
chmod 0600 "$sandbox/server/second.pin"
echo "not-the-pin" >"$sandbox/server/second.pin"
expect_refused "a wrong PIN is refused with its place, and not repeated" 'chanceryd.conf:[0-9]+: \[hsm.release\]: .*refuses the user PIN' \
    "$CHANCERY_BUILD/server/app/chanceryd" run --config "$sandbox/server"
! grep -q not-the-pin "$work/out" || fail "the PIN is told"
