#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# I6, I9: two servers on one store, and signers that know both. One server is killed with -9 while they sign: no call outlasts its
# deadline, the calls after it succeed, no signature is counted twice. The same through the PKCS#11 module, and with the other
# server after the first came back.
export SANDBOX_STORE=postgres SANDBOX_SERVERS=2
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
sandbox_up
readonly deadline_ms=15000 slack_ms=15000 loops=3
sed -i "s|^url = .*|servers = $CHANCERY_URL, $CHANCERY_URL_2\ntimeout_ms = $deadline_ms\nconnect_timeout_ms = 2000|" "$CHANCERY_CONF"
mkdir files

# Signs one file after the other until told to stop; each call is a line: file, exit, milliseconds.
sign_loop() # number
{
    local i begin status
    for i in $(seq 400); do
        [ ! -e stop ] || return 0
        echo "$1 $i $RANDOM" >"files/$1-$i"
        begin=$(date +%s%3N)
        status=0
        signer sign --key "$P11_EC" --raw --output "files/$1-$i.sig" "files/$1-$i" 2>"files/$1-$i.err" || status=$?
        echo "$1-$i $status $(($(date +%s%3N) - begin))" >>"calls.$1"
    done
}

calls_reach() # count
{
    local end=$((SECONDS + 120))
    until [ "$(cat calls.* 2>/dev/null | wc -l)" -ge "$1" ]; do
        [ $SECONDS -lt $end ] || fail "$1 calls within two minutes"
        sleep 0.1
    done
}

# kill_under_load PID-FILE SECONDS: the loops run, this server stands still for so long and dies, the loops go on.
kill_under_load()
{
    local n pids=()
    rm -f stop calls.*
    for n in $(seq $loops); do
        sign_loop "$(basename "$1" .pid)$n" &
        pids+=($!)
    done
    calls_reach 12
    kill -STOP "$(cat "$1")"
    sleep "$2"
    kill -KILL "$(cat "$1")"
    local before
    before=$(cat calls.* | wc -l)
    calls_reach $((before + 4 * loops))
    touch stop
    wait "${pids[@]}"
    cat calls.* >calls
    cat calls >>signed.all
}

judge_calls() # which server died
{
    local late failed
    late=$(awk -v most=$((deadline_ms + slack_ms)) '$3 > most' calls)
    [ -z "$late" ] || fail "calls beyond their deadline: $late"
    pass "$1: each of $(wc -l <calls) calls ended within its deadline ($(sort -k3 -n calls | tail -n 1 | cut -d' ' -f3) ms at most)"
    # What the dead server had begun and not finished is nobody's to repeat before it is back: that call may fail, and says so.
    failed=$(awk '$2 != 0 {print $1}' calls)
    for file in $failed; do
        grep -q 'https://127.0.0.1:' "files/$file.err" || { cat "files/$file.err" >&2; fail "the failure of $file names a server"; }
    done
    [ "$(wc -w <<<"$failed")" -le $loops ] || { cat calls >&2; fail "at most the calls under way failed: $failed"; }
    pass "$1: $(awk '$2 == 0' calls | wc -l) signed, $(wc -w <<<"$failed") of $loops under way failed"
}

# Each file signed has one intent and one success on record; no digest has two.
judge_records()
{
    admin audit list --json | jq -c 'select(.key == "demo-p256")' >log.jsonl
    jq -r 'select(.type == "signature.outcome" and .outcome == "success") | "\(.digest) \(.signature_sha256)"' log.jsonl | sort >recorded.txt
    [ -z "$(cut -d' ' -f1 recorded.txt | uniq -d)" ] || fail "no digest was signed twice"
    [ -z "$(jq -r 'select(.type == "signature.intent") | .digest' log.jsonl | sort | uniq -d)" ] || fail "no digest has two intents"
    awk '$2 == 0 {print $1}' signed.all | while read -r file; do
        echo "$(sha256sum <"files/$file" | cut -d' ' -f1) $(sha256sum <"files/$file.sig" | cut -d' ' -f1)"
    done | sort >wanted.txt
    [ "$(wc -l <wanted.txt)" -ge 20 ] || fail "enough was signed ($(wc -l <wanted.txt))"
    [ -z "$(comm -23 wanted.txt recorded.txt)" ] || { comm -23 wanted.txt recorded.txt >&2; fail "each signature is on record"; }
    pass "$(wc -l <wanted.txt) signatures, each on record once"
    expect_ok "the log verifies" admin audit verify
}

kill_under_load "$sandbox/server.pid" 0
judge_calls "first server killed"
expect_ok "a new process signs while the first server is away" signer sign --key "$P11_RSA" --output away.sig files/server1-1
module_sign()
{
    pkcs11-tool --module "$P11_MODULE" --token-label "$P11_TOKEN" --login --pin "$P11_PIN" --sign --mechanism SHA256-RSA-PKCS \
        --id "$rsa_id" --input-file files/server1-2 --output-file module.sig
}
"$root/scripts/sandbox" restart "$sandbox" >/dev/null
rsa_id=$(cka_id "$P11_RSA")
judge_records

sed -i "s|^servers = .*|servers = $CHANCERY_URL_2, $CHANCERY_URL|" "$CHANCERY_CONF" # new processes begin with the first of the list
kill_under_load "$sandbox/server2.pid" 1
judge_calls "second server killed"
expect_ok "pkcs11-tool signs with one server" module_sign
kill -KILL "$(cat "$sandbox/server.pid")"
expect_refused "with no server left the failure names both" "$CHANCERY_URL_2.*$CHANCERY_URL" signer sign --key "$P11_RSA" --output none.sig files/server1-1
"$root/scripts/sandbox" restart "$sandbox" >/dev/null
expect_ok "and signs again when they are back" module_sign
judge_records
