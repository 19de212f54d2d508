#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# I4 through the module: a process that has the key's handle already is refused at its next signature once the key is
# disabled, once its signer is removed, and the module's log names the server's reason.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
sandbox_up
bench=$CHANCERY_BUILD/bench/bench-pkcs11

load() # seconds
{
    timeout 60 "$bench" --module "$P11_MODULE" --token "$P11_TOKEN" --pin "$P11_PIN" --key "$P11_EC" --mechanism ecdsa --threads 1 --seconds "$1"
}

refused_while_running() # what reason change…
{
    local what=$1 reason=$2 status=0
    shift 2
    : >"$sandbox/client/module.log"
    load 6 >load.out 2>&1 &
    local pid=$!
    sleep 2
    "$@" >/dev/null
    wait $pid || status=$?
    [ $status -ne 0 ] || { cat load.out; fail "$what: the running signer was not refused"; }
    pass "$what: the next signature is refused"
    grep -qF "$reason" "$sandbox/client/module.log" || { cat "$sandbox/client/module.log"; fail "$what: the module's log does not say $reason"; }
    pass "$what: the module's log names the reason"
    audit_json | jq -se --arg r "$reason" '[.[] | select(.outcome == "refused" and .key == "demo-p256" and .principal == "demo-signer" and (.reason | startswith($r)))] | length > 0' >/dev/null ||
        fail "$what: the refusal is not on record"
    pass "$what: the refusal is on record"
}

load 1 >/dev/null || fail "the load runs while all is well"
refused_while_running "key disabled" key_disabled admin key disable "$P11_EC" --reason "test"
admin key enable "$P11_EC" >/dev/null
load 1 >/dev/null || fail "the load runs again"
refused_while_running "signer removed" not_found admin signer remove demo demo-signer

# Nothing was signed after the change's own record.
audit_json | jq -se '
    (map(select(.type == "member.remove")) | .[0].seq) as $removed
    | [.[] | select(.type == "signature.intent" and .principal == "demo-signer" and .seq > $removed)] | length == 0' >/dev/null ||
    fail "an intent is later than the record of the removal"
pass "no intent is later than the record of the removal"
