#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# I1, I2: kill -9 of the server under load loses no acknowledged signature's record; intents without an outcome become
# `unknown`; the log verifies. Three times over.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
sandbox_up
admin user create loader >/dev/null
admin signer add demo loader >/dev/null
api_key=$(admin apikey create loader load --json | jq -r .api_key)
key=$(curl -fsS --cacert "$CHANCERY_CA" -H "Authorization: Bearer $api_key" "$CHANCERY_URL/v1/signing/keys" | jq -r '.keys[] | select(.label == "p256") | .id')

# One client: keep-alive connection, one signature after the other, each answer on one line; ends when the server is gone.
client() # number
{
    local digest i
    for i in $(seq 400); do
        digest=$(printf '%s' "$round-$1-$i" | openssl dgst -sha256 -binary | base64 -w0)
        printf 'url = "%s/v1/signing/keys/%s/signatures"\ndata = "{\\"mechanism\\":\\"ecdsa\\",\\"hash\\":\\"sha256\\",\\"digest\\":\\"%s\\"}"\nheader = "Authorization: Bearer %s"\nheader = "Content-Type: application/json"\nwrite-out = "\\n"\n' \
            "$CHANCERY_URL" "$key" "$digest" "$api_key"
        [ "$i" -eq 400 ] || echo next
        # --next resets options, so the CA comes from the environment below.
    done >"load.$1.conf"
    sed -i "s|^url|cacert = \"$CHANCERY_CA\"\nsilent\nurl|" "load.$1.conf"
    timeout 60 curl --config "load.$1.conf" >>"answers.$round.$1" 2>/dev/null || true
}

total=0
for round in 1 2 3; do
    pids=()
    for n in 1 2 3 4; do
        client "$n" &
        pids+=($!)
    done
    for _ in $(seq 300); do # until answers are coming in
        [ "$(cat answers."$round".* 2>/dev/null | wc -l)" -ge 40 ] && break
        sleep 0.1
    done
    kill -KILL "$SANDBOX_SERVER_PID"
    wait "${pids[@]}"
    "$root/scripts/sandbox" restart "$sandbox" >"$work/env"
    # shellcheck disable=SC1091
    . "$work/env"
    cat answers."$round".* | grep '"outcome":' | jq -r 'select(.signature) | "\(.record.outcome) \(.signature)"' 2>/dev/null >acknowledged.txt
    acknowledged=$(wc -l <acknowledged.txt)
    [ "$acknowledged" -ge 40 ] || fail "the load got answers before the kill ($acknowledged)"
    [ "$acknowledged" -lt 1600 ] || fail "the kill came while the load was running"
    audit_json >log.jsonl
    jq -r 'select(.type == "signature.outcome" and .outcome == "success") | "\(.seq) \(.signature_sha256)"' log.jsonl | sort >recorded.txt
    while read -r seq signature; do
        echo "$seq $(base64 -d <<<"$signature" | sha256sum | cut -d' ' -f1)"
    done <acknowledged.txt | sort >wanted.txt
    lost=$(comm -23 wanted.txt recorded.txt)
    [ -z "$lost" ] || fail "acknowledged signatures without a record: $lost"
    jq -se '([.[] | select(.type == "signature.intent") | .seq] | sort) == ([.[] | select(.type == "signature.outcome" and .intent != null) | .intent] | sort)' log.jsonl >/dev/null ||
        fail "each intent has exactly one outcome after the restart"
    admin audit verify >/dev/null || fail "the log verifies after the kill"
    unknown=$(jq -s '[.[] | select(.outcome == "unknown")] | length' log.jsonl)
    pass "round $round: $acknowledged acknowledged signatures, all on record; $unknown unknown so far"
    total=$((total + acknowledged))
done
pass "$total acknowledged signatures over three kills, none lost"
