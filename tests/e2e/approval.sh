#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A key that needs two approvals, through the module as it is shipped: refused, asked for, approved by two of three, signed
# once; waiting for the decision; denied, expired, taken back; nobody approves his own request; broken glass.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
sandbox_up
id=$(cka_id "$P11_RSA")
log=$sandbox/client/module.log
rejected='CKR_FUNCTION_REJECTED|0x200' # pkcs11-tool has no name for it

# person NAME: a user with an API key and a configuration of his own, used as `as NAME …`.
person()
{
    admin user create "$1" >/dev/null
    admin apikey create "$1" laptop --output "$work/$1.key" >/dev/null
    sed -e "s|^api_key_file = .*|api_key_file = $work/$1.key|" -e "s|^ca = .*|ca = $CHANCERY_CA|" "$admin_conf" >"$work/$1.conf"
    chmod 0600 "$work/$1.conf"
}

as()
{
    local name=$1
    shift
    timeout 60 "$chancery" --config "$work/$name.conf" "$@"
}

for name in ann ben cat; do
    person $name
    admin signer add demo $name --role approver >/dev/null
done
person olga
admin owner add demo olga >/dev/null
admin signer add demo demo-signer --role approver >/dev/null
echo '{"approval":{"needed":2,"max_count":3,"max_hours":8}}' >policy.json
admin policy set policy.json --key "$P11_RSA" >/dev/null

file()
{
    head -c 1000 /dev/urandom >"$1"
}

# tool_sign FILE: by pkcs11-tool through the module.
tool_sign()
{
    timeout 100 pkcs11-tool --module "$P11_MODULE" --token-label "$P11_TOKEN" --login --pin "$P11_PIN" --sign \
        --mechanism SHA256-RSA-PKCS --id "$id" --input-file "$1" --output-file "$1.sig"
}

verified()
{
    timeout 60 "$chancery" --config "$CHANCERY_CONF" verify --key "$P11_RSA" --signature "$1.sig" "$1"
}

signer_approves()
{
    signer approve "$request"
}

log_says()
{
    grep -qE -- "$2" "$log" || { cat "$log"; fail "$1: the module's log does not say /$2/"; }
    pass "$1"
}

# the newest request of the signer, seen by an approver
newest()
{
    as ann approvals --json | head -n 1 | jq -r "$1"
}

configure() # lines of [approval]
{
    sed -i '/^\[approval\]/,$d' "$CHANCERY_CONF"
    printf '[approval]\n%s\n' "$@" >>"$CHANCERY_CONF"
    : >"$log"
}

# ---- never: the log says where to ask
configure "request = never"
file one
expect_refused "without an approval a signature is refused" "$rejected" tool_sign one
log_says "the module's log says where to ask" "approval_required.*$CHANCERY_URL/ui/approvals|$CHANCERY_URL/ui/approvals.*approval_required"
[ -z "$(as ann approvals --json)" ] || fail "nothing was asked for by itself"
pass "with request = never nothing is asked for"

# ---- auto: asked for once, approved by two of three, signed once
configure "request = auto" "reason = nightly build"
expect_refused "with request = auto it is still refused at first" "$rejected" tool_sign one
expect_refused "and again" "$rejected" tool_sign one
[ "$(as ann approvals --to-decide --json | wc -l)" = 1 ] || fail "one digest is asked for once"
pass "two tries of one file are one request, and an approver sees it"
request=$(newest .id)
log_says "the log names the request" "$CHANCERY_URL/ui/approvals/$request is pending"
[ "$(newest .reason)" = "nightly build" ] || fail "the reason is the configured one"
digest=$(sha256sum one | cut -d' ' -f1)
[ "$(as ann approval show "$request" --json | jq -r '.digests[0].hash + ":" + .digests[0].digest')" = "sha256:$digest" ] || fail "the request names exactly the file's digest"
pass "the request names exactly the file's digest"
expect_refused "the requester, an approver himself, cannot approve" 'own request' signer_approves
expect_ok "a first approver says yes" as ann approve "$request" --comment "build 7"
expect_refused "an approver says yes once" 'decided' as ann approve "$request"
expect_refused "one of two is not enough" "$rejected" tool_sign one
expect_ok "a second approver says yes" as cat approve "$request"
file other
expect_refused "another file is not covered" "$rejected" tool_sign other
expect_ok "the approved file is signed" tool_sign one
expect_ok "and its signature verifies" verified one
expect_refused "a second signature of it is refused" "$rejected" tool_sign one
[ "$(as ann approval show "$request" --json | jq -r .state)" = used ] || fail "the grant is used"
pass "the grant is used up"
audit_json | jq -se --arg r "$request" '[.[] | select(.type == "signature.outcome" and .outcome == "success" and .detail.approval == $r)] | length == 1' >/dev/null || fail "the signature's record names the approval"
pass "the signature's record names the approval"

# ---- waiting: the module asks, waits without timeout_ms, and signs
configure "request = auto" "wait_ms = 60000"
sed -i 's/^timeout_ms.*//; s/^\[server\]/[server]\ntimeout_ms = 3000/' "$CHANCERY_CONF"
file waited
tool_sign waited >waited.out 2>&1 &
waiter=$!
end=$((SECONDS + 30))
until request=$(as ann approvals --to-decide --json | jq -r 'select(.reason | startswith("asked for by pkcs11-tool")) | .id' | head -n 1) && [ -n "$request" ]; do
    [ $SECONDS -lt $end ] || fail "the waiting module's request is not seen"
    sleep 0.2
done
sleep 4 # longer than timeout_ms
expect_ok "the first yes" as ann approve "$request"
kill -0 $waiter || { cat waited.out; fail "the module did not wait"; }
expect_ok "the second yes" as ben approve "$request"
wait $waiter || { cat waited.out; fail "the module signs when its request is approved"; }
expect_ok "what was waited for is signed, beyond timeout_ms" verified waited

file denied
tool_sign denied >denied.out 2>&1 &
waiter=$!
end=$((SECONDS + 30))
until request=$(as ann approvals --to-decide --json | head -n 1 | jq -r .id) && [ -n "$request" ] && [ "$(as ann approval show "$request" --json | jq -r '.digests[0].digest')" = "$(sha256sum denied | cut -d' ' -f1)" ]; do
    [ $SECONDS -lt $end ] || fail "the request to be denied is not seen"
    sleep 0.2
done
expect_ok "a no" as ben deny "$request" --comment "not this one"
! wait $waiter || fail "a denied signature is refused"
pass "a no ends the wait, and the signature is refused"
log_says "the log says that it was denied" "$request is denied"

configure "request = auto" "wait_ms = 700"
file undecided
expect_refused "a wait ends at wait_ms" "$rejected" tool_sign undecided
log_says "the log says that nobody decided" 'still waits for a decision'

# ---- by count, through the command line
configure "request = never"
ask()
{
    signer request "$P11_RSA" --reason "release" --json "$@" | jq -r .id
}
request=$(ask --count 3 --hours 1)
expect_refused "an undecided request is waited for in vain" 'still waits' signer wait "$request" --timeout 1
as ann approve "$request" >/dev/null
as cat approve "$request" >/dev/null
expect_ok "wait ends with 0 when it is approved" signer wait "$request" --timeout 10
file a
file b
file c
expect_ok "the first of three" tool_sign a
expect_ok "and its signature verifies" verified a
tool_sign_spoiled()
{
    local real=$P11_MODULE
    SPOIL_MODULE=$real P11_MODULE=$spoil tool_sign "$1"
}
expect_ok "the second of three, spoiled on its way" tool_sign_spoiled b
expect_refused "a spoiled signature is found" 'does not verify|bad_signature' verified b
expect_ok "the third of three" tool_sign b
expect_refused "the fourth of three is refused" "$rejected" tool_sign c
expect_refused "more than policy allows cannot be asked for" 'at most 3' signer request "$P11_RSA" --count 4 --reason more
expect_refused "longer than policy allows neither" 'at most 8' signer request "$P11_RSA" --count 1 --hours 9 --reason more

request=$(ask --count 1)
as ben deny "$request" >/dev/null
expect_refused "wait ends with 1 when it is denied" 'is denied' signer wait "$request" --timeout 10

request=$(ask --digest "sha256:$(sha256sum c | cut -d' ' -f1)")
as ann approve "$request" >/dev/null
as cat approve "$request" >/dev/null
as ben approval revoke "$request" >/dev/null
expect_refused "a revoked grant signs nothing" "$rejected" tool_sign c

# ---- an hour later: the server's clock is what counts, so its store is turned back
request=$(ask --count 1 --hours 1)
as ann approve "$request" >/dev/null
as cat approve "$request" >/dev/null
python3 - "$SANDBOX_DB" "$request" <<'PY'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=20)
db.execute("UPDATE approval_grant SET not_before_ms = not_before_ms - 3600000, not_after_ms = not_after_ms - 3600000 WHERE request_id = ?", (sys.argv[2],))
db.commit()
PY
expect_refused "an hour later the grant has ended" "$rejected" tool_sign c
[ "$(as ann approval show "$request" --json | jq -r .state)" = expired ] || fail "the request is expired"
pass "the request is expired"

# ---- broken glass
request=$(ask --count 1 --break-glass)
expect_refused "an approver does not open broken glass" 'administrators and owners' as ann approve "$request"
expect_ok "an administrator does" admin approve "$request" --comment "incident 7"
expect_refused "one person is not two" 'decided' admin approve "$request"
expect_refused "with one it is refused" "$rejected" tool_sign c
expect_ok "an owner is the second" as olga approve "$request"
expect_ok "it signs" tool_sign c
expect_ok "and the signature verifies" verified c
[ "$(admin approvals --break-glass --json | wc -l)" = 1 ] || fail "broken glass is listed apart"
pass "broken glass is listed apart"
[ "$(audit_json | jq -s '[.[] | select(.type == "approval.break_glass" and (.detail.warning | startswith("BREAK GLASS")))] | length')" = 3 ] || fail "each step of broken glass is loud in the log"
pass "each step of broken glass is loud in the audit log"
grep -q "BREAK GLASS" "$sandbox/server.out" "$sandbox"/server/*.log 2>/dev/null || fail "the server's log warns of broken glass"
pass "the server's log warns of broken glass"
expect_ok "the log verifies" admin audit verify
