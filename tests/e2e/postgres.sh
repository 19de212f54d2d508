#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two servers on one PostgreSQL store share one log: both sign at the same time, the chain has no gap, a right taken away on
# one is gone on the other, and a kill -9 of one loses nothing it acknowledged.
export SANDBOX_STORE=postgres SANDBOX_SERVERS=2
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
sandbox_up
head -c 1000 /dev/urandom >data.bin
sed "s|^url = .*|url = $CHANCERY_URL_2|" "$CHANCERY_CONF" >"$(dirname "$CHANCERY_CONF")/second.conf"
chmod 0600 "$(dirname "$CHANCERY_CONF")/second.conf"
second_conf=$(dirname "$CHANCERY_CONF")/second.conf

second()
{
    timeout 60 "$chancery" --config "$second_conf" "$@" --passphrase-file "$sandbox/passphrase"
}

load() # configuration output
{
    CHANCERY_CONF=$1 timeout 60 "$CHANCERY_BUILD/bench/bench-pkcs11" --module "$P11_MODULE" --token "$P11_TOKEN" --pin "$P11_PIN" \
        --key "$P11_EC" --mechanism ecdsa --threads 4 --seconds 3 --json >"$2"
}

expect_ok "the first server signs" signer sign --key "$P11_RSA" --output first.sig data.bin
expect_ok "the second server signs" second sign --key "$P11_RSA" --output second.sig data.bin
load "$CHANCERY_CONF" first.json &
pids=($!)
load "$second_conf" second.json &
pids+=($!)
for pid in "${pids[@]}"; do
    wait "$pid" || { cat first.json second.json; fail "both servers sign under load"; }
done
audit_json >log.jsonl
signed=$(jq -s 'map(.signatures) | add' first.json second.json)
[ "$signed" -ge 20 ] || fail "the load signed ($signed)"
recorded=$(jq -s '[.[] | select(.type == "signature.outcome" and .key == "demo-p256" and .outcome == "success")] | length' log.jsonl)
[ "$recorded" -ge "$signed" ] || fail "each of $signed signatures is on record ($recorded)"
pass "$signed signatures through two servers, each on record"
jq -se '[.[].seq] == ([range(0; length)] | map(. + 1))' log.jsonl >/dev/null || fail "one log without a gap"
pass "one log without a gap"
expect_ok "the shared log verifies" admin audit verify
usage=$(admin usage --project demo --json | jq -s '[.[] | if has("items") then .items[] else . end | select(.label == "p256") | .success] | add')
[ "$usage" -eq "$recorded" ] || fail "the counter agrees with the records ($usage, $recorded)"
pass "the counter agrees with the records"

admin key disable "$P11_RSA" --reason test >/dev/null
expect_refused "a key disabled on the first server is refused by the second" 'disabled' second sign --key "$P11_RSA" --output second.sig data.bin
admin key enable "$P11_RSA" >/dev/null

kill -KILL "$SANDBOX_SERVER_PID"
expect_ok "the second server goes on after a kill of the first" second sign --key "$P11_EC" --output second.sig data.bin
"$root/scripts/sandbox" restart "$sandbox" >/dev/null
expect_ok "the log verifies after the restart" admin audit verify
