#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The records of a signature say who, what, when and whether; `chancery audit verify` accepts the log and finds a changed, a
# removed and a reordered record (I7), in an export and in the database itself.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
sandbox_up
head -c 1000 /dev/urandom >data.bin
id=$(cka_id "$P11_RSA")
timeout 60 pkcs11-tool --module "$P11_MODULE" --token-label "$P11_TOKEN" --login --pin "$P11_PIN" --sign \
    --mechanism SHA256-RSA-PKCS --id "$id" --input-file data.bin --output-file data.sig >/dev/null 2>&1 || fail "pkcs11-tool signs"
digest=$(openssl dgst -sha256 -r data.bin | cut -d' ' -f1)
signature=$(openssl dgst -sha256 -r data.sig | cut -d' ' -f1)

audit_json >log.jsonl
jq -se --arg digest "$digest" --arg signature "$signature" '
    (map(select(.type == "signature.intent" and .digest == $digest))) as $intents
    | (map(select(.type == "signature.outcome" and .digest == $digest))) as $outcomes
    | ($intents | length) == 1 and ($outcomes | length) == 1
    and ($intents[0] | .outcome == null and .signature_sha256 == null)
    and ($outcomes[0] | .outcome == "success" and .signature_sha256 == $signature and .intent == $intents[0].seq)
    and ([$intents[0], $outcomes[0]] | all(
        .key == "demo-rsa3072" and .version == 1 and .principal == "demo-signer" and .mechanism == "rsa_pkcs1" and .hash == "sha256"
        and .client.address == "127.0.0.1" and .client.program == "pkcs11-tool" and (.request_id | startswith("req_"))
        and (.time | test("^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}Z$"))))
    and $intents[0].request_id == $outcomes[0].request_id and $intents[0].seq < $outcomes[0].seq' log.jsonl >/dev/null ||
    { grep "$digest" log.jsonl; fail "intent and outcome say key, principal, time, mechanism, hash, digest, address, program, success"; }
pass "intent and outcome say key, principal, time, mechanism, hash, digest, address, program, success"
jq -se '[range(0; length)] as $i | [.[].seq] == ($i | map(. + 1))' log.jsonl >/dev/null || fail "the records are numbered without a gap"
pass "the records are numbered without a gap, oldest first"

usage=$(admin usage --project demo --json | jq -s '[.[] | if type == "array" then .[] elif has("items") then .items[] else . end | select(.label == "rsa3072") | .success] | add')
[ "$usage" -ge 1 ] || fail "the signature is counted"
pass "the signature is counted"
signed=$(admin overview --json | jq .signatures.success)
admin overview >overview
grep -qx "Signatures  *$signed made, [0-9]* refused, [0-9]* failed in 30 days, since 20[-0-9]*" overview && [ "$signed" -ge "$usage" ] ||
    { cat overview; fail "the overview tells the signatures"; }
grep -q '^Keys  *[0-9]* active, 0 disabled' overview && grep -q '^Certificates  *[0-9]* end within 60 days' overview ||
    { cat overview; fail "the overview tells keys and certificates"; }
[ "$(admin overview --json --expiring-within 3650 | jq .certificates.ending)" -ge 6 ] || fail "the overview counts certificates to any day"
pass "the overview counts keys, certificates and signatures"

# An independent check of the chain: the hash is over the line without its last member.
previous=$(printf '0%.0s' $(seq 64))
while IFS= read -r line; do
    [[ $line == *",\"record_hash\":\""????????????????????????????????????????????????????????????????'"}' ]] || fail "a line ends with its hash: $line"
    hash=${line: -66:64}
    [ "$(jq -r .previous <<<"$line")" = "$previous" ] || fail "a record names the hash of the one before"
    [ "$(printf '%s}' "${line%,\"record_hash\":*}" | sha256sum | cut -d' ' -f1)" = "$hash" ] || fail "a record's hash is that of its text"
    previous=$hash
done <log.jsonl
pass "sha256sum agrees with the chain of $(wc -l <log.jsonl) records"

expect_ok "the server's log verifies" admin audit verify
expect_ok "an export verifies offline" "$chancery" audit verify log.jsonl
lines=$(wc -l <log.jsonl)
middle=$((lines / 2))
sed "${middle}s/admin/nobody/; ${middle}s/success/Success/" log.jsonl >changed.jsonl
cmp -s log.jsonl changed.jsonl && fail "the test changed nothing"
expect_refused "a changed record is found" "$middle" "$chancery" audit verify changed.jsonl
sed "${middle}d" log.jsonl >removed.jsonl
expect_refused "a removed record is found" "$middle" "$chancery" audit verify removed.jsonl
sed "${middle}{h;d};$((middle + 1)){G}" log.jsonl >reordered.jsonl
[ "$(wc -l <reordered.jsonl)" -eq "$lines" ] || fail "the test lost a line"
expect_refused "a reordered record is found" "$middle" "$chancery" audit verify reordered.jsonl
printf 'not json\n' >>changed.jsonl
expect_refused "a line that is no record is found" '[0-9]' "$chancery" audit verify changed.jsonl

# The same in the database, behind the server's back.
"$root/scripts/sandbox" down "$sandbox"
cp "$SANDBOX_DB" clean.db
tamper() # what sql
{
    cp clean.db "$SANDBOX_DB"
    rm -f "$SANDBOX_DB-wal" "$SANDBOX_DB-shm"
    sqlite3 "$SANDBOX_DB" "PRAGMA foreign_keys=OFF; $2" >/dev/null
    "$root/scripts/sandbox" restart "$sandbox" >/dev/null
    expect_refused "in the database: $1 is found" "$middle" admin audit verify
    "$root/scripts/sandbox" down "$sandbox"
}
tamper "a changed record" "UPDATE record SET line = replace(line, '\"v\":1', '\"v\":2') WHERE seq = $middle"
tamper "a removed record" "DELETE FROM record WHERE seq = $middle"
tamper "a reordered record" "UPDATE record SET seq = -1 WHERE seq = $middle; UPDATE record SET seq = $middle WHERE seq = $middle + 1; UPDATE record SET seq = $middle + 1 WHERE seq = -1"
cp clean.db "$SANDBOX_DB"
rm -f "$SANDBOX_DB-wal" "$SANDBOX_DB-shm"
"$root/scripts/sandbox" restart "$sandbox" >/dev/null
expect_ok "the restored log verifies again" admin audit verify
