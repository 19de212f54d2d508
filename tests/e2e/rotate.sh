#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Rotation and renewal under a program that signs all the time: none of its signatures fails, and each verifies with the public key
# before or the one after. Without a grace, the handle from before is refused, and nothing else.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
sandbox_up
sed -i '/^\[cache\]/a keys_max_age_ms = 100' "$CHANCERY_CONF"
grep -q keys_max_age_ms "$CHANCERY_CONF" || printf '[cache]\nkeys_max_age_ms = 100\n' >>"$CHANCERY_CONF"
admin key create demo turn --type rsa2048 >/dev/null

loop=""
stop_own()
{
    [ -z "$loop" ] || kill "$loop" 2>/dev/null || true
}

public_key()
{
    admin certificate demo-turn --leaf | openssl x509 -pubkey -noout >"$1"
}

# until_signed N: N signatures more have been made.
until_signed()
{
    local goal end=$((SECONDS + 60))
    goal=$(($(grep -cE ' (held|found)$' loop.out) + $1))
    until [ "$(grep -cE ' (held|found)$' loop.out)" -ge "$goal" ]; do
        kill -0 "$loop" 2>/dev/null || { cat loop.out loop.err >&2; fail "the program has stopped"; }
        [ $SECONDS -lt $end ] || fail "the program does not sign any more"
        sleep 0.1
    done
}

loop_start()
{
    rm -rf made && mkdir made
    # Debian's own interpreter: PyKCS11 is installed for it.
    MODULE=$module timeout 300 /usr/bin/python3 "$e2e/data/rotate.py" demo-turn made >loop.out 2>loop.err &
    loop=$!
    until_signed 4
}

loop_stop()
{
    local status=0
    : >made/stop
    wait "$loop" || status=$?
    loop=""
    [ $status -eq 0 ] || { cat loop.err >&2; fail "the program failed"; }
}

# Every signature by one of the public keys given; each of these has made some.
verify()
{
    local number how key used
    : >used
    while read -r number how; do
        case $how in refused*) continue ;; esac
        used=""
        for key in "$@"; do
            if openssl dgst -sha256 -verify "$key" -signature "made/$number.sig" "made/$number" >/dev/null 2>&1; then used=$key; fi
        done
        [ -n "$used" ] || { echo "Verification failure: signature $number, $how"; return 1; }
        echo "$how $used" >>used
    done <loop.out
    for key in "$@"; do
        grep -q " $key\$" used || { echo "no signature is by $key"; return 1; }
    done
}

rotate_and_renew()
{
    loop_start
    public_key before.pem
    admin key renew demo-turn >/dev/null
    until_signed 10
    admin key rotate demo-turn --grace-hours 1 >/dev/null
    until_signed 30
    public_key after.pem
    admin key renew demo-turn --days 30 >/dev/null
    until_signed 10
    loop_stop
}

module=$P11_MODULE
expect_ok "a program signs through a renewal, a rotation and a renewal" rotate_and_renew
expect_ok "every signature verifies with the key before or the one after" verify before.pem after.pem
grep -q '^held before.pem$' used || fail "the held handle did not sign with the version before"
tail -n 4 used | grep -q '^held before.pem$' || fail "the held handle did not keep its version"
tail -n 4 used | grep -q '^found after.pem$' || fail "a search did not find the new version"
pass "the handle from before keeps its version, a search finds the new one ($(wc -l <used) signatures)"
[ "$(admin key versions demo-turn --json | jq -s '[.[].state] | join(" ")' -r)" = "current grace" ] || fail "versions"
[ "$(admin key versions demo-turn --json | jq -s '.[1].replaced_certificates | length')" = 1 ] || fail "certificates before"

export SPOIL_MODULE=$P11_MODULE
module=$spoil
expect_ok "the same through the spoiler" rotate_and_renew
expect_refused "a spoiled signature is found" 'Verification failure' verify before.pem after.pem

module=$P11_MODULE
abrupt()
{
    loop_start
    public_key before.pem
    : >made/may-fail
    admin key rotate demo-turn >/dev/null
    until_signed 30
    public_key after.pem
    loop_stop
}
expect_ok "a rotation without a grace" abrupt
expect_ok "every signature verifies" verify before.pem after.pem
[ "$(grep -c refused-held loop.out)" = 1 ] || fail "the handle from before was not refused"
# a search may have answered from the listing before, for as long as that is kept: 100 ms here
[ "$(grep -c refused-found loop.out)" -le 10 ] || fail "searches go on finding the version before"
pass "the handle from before is refused"
