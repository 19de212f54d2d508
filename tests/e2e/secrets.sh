#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# I3: the private keys are sensitive and never extractable, read from a copy of the token with pkcs11-tool directly.
# I8: no secret is in any log, nor in the store, at the most verbose level.
export SANDBOX_LOG_LEVEL=debug
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
sandbox_up
sed -i 's/^level = info/level = debug/' "$CHANCERY_CONF"
head -c 1000 /dev/urandom >data.bin
id=$(cka_id "$P11_RSA")

timeout 60 pkcs11-tool --module "$SOFTHSM2_MODULE" --token-label "$SANDBOX_HSM_TOKEN" --login --pin "$SANDBOX_HSM_PIN" -O --type privkey >keys.txt 2>/dev/null
private=$(grep -c 'Private Key Object' keys.txt)
[ "$private" -ge 8 ] || { cat keys.txt; fail "six signing keys and two CA keys are in the HSM, not $private"; }
safe=$(grep -c 'Access:.*sensitive, always sensitive, never extractable' keys.txt)
[ "$safe" -eq "$private" ] || { cat keys.txt; fail "each private key is sensitive, always sensitive, never extractable"; }
pass "each of $private private keys is sensitive, always sensitive and never extractable"
grep 'Usage:' keys.txt | grep -qvE 'Usage: *sign *$' && { cat keys.txt; fail "a private key may do more than sign"; }
pass "each private key may sign and nothing else"
expect_ok "signs at debug level" signer sign --key "$P11_RSA" --output data.sig data.bin
expect_ok "signs through the module at debug level" pkcs11-tool --module "$P11_MODULE" --token-label "$P11_TOKEN" --login --pin "$P11_PIN" \
    --sign --mechanism SHA256-RSA-PKCS --id "$id" --input-file data.bin --output-file data.sig
pkcs11-tool --module "$P11_MODULE" --token-label "$P11_TOKEN" --login --pin wrong-passphrase --list-objects >/dev/null 2>&1 && fail "a wrong PIN is refused"
curl -sS --cacert "$CHANCERY_CA" -H "Authorization: Bearer ${CHANCERY_ADMIN_TOKEN%?}x" "$CHANCERY_URL/v1/whoami" >/dev/null
token=$(admin apikey create admin second --json | jq -r .api_key)
[ ${#token} -gt 40 ] || fail "a second API key was made"

# An access token, by an assertion that the logs may not show either: both are taken and used.
now=$(date +%s)
jws=$(assertion demo-signer "$sandbox/client/demo-signer.key" EdDSA "$CHANCERY_URL/v1/oauth/token" "$now" $((now + 60)) jti-0123456789abcdef)
access=$(curl -fsS --cacert "$CHANCERY_CA" -d "$(token_form "$jws")" "$CHANCERY_URL/v1/oauth/token" | jq -r .access_token)
curl -fsS --cacert "$CHANCERY_CA" -H "Authorization: Bearer $access" "$CHANCERY_URL/v1/signing/keys" >/dev/null || fail "the access token works"

"$root/scripts/sandbox" down "$sandbox"
# What must be found nowhere, one a line: whole secrets and the secret part of each API key.
{
    echo "$P11_PIN"
    echo "$access"
    echo "$jws"
    echo wrong-passphrase
    echo "$SANDBOX_HSM_PIN"
    find "$sandbox/server" -name '*.pin' -exec cat {} +
    for key in "$CHANCERY_ADMIN_TOKEN" "$token"; do
        echo "$key"
        echo "$key" | tr '_' '\n' | awk 'length > 30'
    done
    sed -n '2p' "$sandbox/client/demo-signer.key"
    sed -n '2p' "$sandbox/server/server.key" 2>/dev/null
} | sort -u | sed '/^$/d' >secrets.txt
[ "$(wc -l <secrets.txt)" -ge 10 ] || { cat secrets.txt; fail "the secrets to look for were gathered"; }

mapfile -t places < <(find "$sandbox" -type f \( -name '*.log' -o -name '*.out' -o -name '*.db' -o -name '*.db-wal' -o -name '*.conf' \) -size +0)
find "$sandbox" -name '*.log' -o -name 'server.out' | grep -q . || fail "there is a log to search"
log_lines=$(cat "$sandbox/server.out" "$sandbox/client/module.log" | wc -l)
[ "$log_lines" -ge 20 ] || fail "the logs are verbose ($log_lines lines)"
if grep -aFnf secrets.txt "${places[@]}" >found.txt; then
    cat found.txt
    fail "a secret is in a log, a configuration or the store"
fi
pass "none of $(wc -l <secrets.txt) secrets is in ${#places[@]} logs, stores and configurations ($log_lines lines at debug level)"
# The search itself can find something.
echo "$P11_PIN" >>"$sandbox/server.out"
grep -aqFf secrets.txt "${places[@]}" || fail "the search finds a planted secret"
pass "a planted secret is found"
loose=$(find "$sandbox/server" "$sandbox/client" "$sandbox/admin.key" \( -name '*.pin' -o -name '*.key' \) -perm /077)
[ -z "$loose" ] || fail "files with secrets are private: $loose"
pass "files with secrets are private"
