#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# I4: after `chancery key disable`, and after a signer was removed, the very next signature is refused with a reason the user
# can read, and both refusals are on record; an unknown and a forbidden key answer alike.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
sandbox_up
head -c 1000 /dev/urandom >data.bin
id=$(cka_id "$P11_RSA")

tool_sign()
{
    timeout 60 pkcs11-tool --module "$P11_MODULE" --token-label "$P11_TOKEN" --login --pin "$P11_PIN" --sign \
        --mechanism SHA256-RSA-PKCS --id "$id" --input-file data.bin --output-file data.sig
}

count_refused() # reason
{
    audit_json | jq -s --arg reason "$1" '[.[] | select(.outcome == "refused" and .key == "demo-rsa3072"
        and .principal == "demo-signer" and (.reason | startswith($reason)))] | length'
}

expect_ok "a signer signs" signer sign --key "$P11_RSA" --output data.sig data.bin
expect_ok "pkcs11-tool signs" tool_sign

admin key disable "$P11_RSA" --reason "rotated out" >/dev/null
expect_refused "a disabled key refuses the command line, naming why" 'disabled' signer sign --key "$P11_RSA" --output data.sig data.bin
expect_refused "a disabled key refuses a tool" 'CKR_|error' tool_sign
admin key enable "$P11_RSA" >/dev/null
expect_ok "an enabled key signs again" signer sign --key "$P11_RSA" --output data.sig data.bin

# The module keeps its view of the keys for a while: what it still lists is judged by the server at use.
spki=$(curl -fsS --cacert "$CHANCERY_CA" -H "Authorization: Bearer $CHANCERY_ADMIN_TOKEN" "$CHANCERY_URL/v1/keys?project=demo" |
    jq -r '.items[] | select(.label == "rsa3072") | .id')
digest=$(openssl dgst -sha256 -binary data.bin | base64 -w0)
body="{\"mechanism\":\"rsa_pkcs1\",\"hash\":\"sha256\",\"digest\":\"$digest\"}"
admin key disable "$P11_RSA" --reason "rotated out" >/dev/null
admin user create outsider >/dev/null
outsider=$(admin apikey create outsider laptop --json | jq -r .api_key)
insider=$(admin user create insider --json >/dev/null && admin signer add demo insider >/dev/null && admin apikey create insider laptop --json | jq -r .api_key)

post() # api-key key-id → status and body without the request's id
{
    curl -sS --cacert "$CHANCERY_CA" -H "Authorization: Bearer $1" -H 'Content-Type: application/json' -d "$body" \
        -w '\n%{http_code}' "$CHANCERY_URL/v1/signing/keys/$2/signatures" | sed -E 's/"request_id":"[^"]*"/"request_id":""/'
}

answer=$(post "$insider" "$spki")
[[ $answer == *'"code":"key_disabled"'* && $answer == *403 ]] || fail "a disabled key answers key_disabled: $answer"
pass "a disabled key answers 403 key_disabled to its signer"
before=$(audit_json | jq -s '[.[] | select(.outcome == "refused" and (.reason | startswith("key_disabled")))] | length')
[ "$before" -ge 1 ] || fail "the refusal of a disabled key is not on record"
pass "the refusal of a disabled key is on record"
admin key enable "$P11_RSA" >/dev/null

forbidden=$(post "$outsider" "$spki")
unknown=$(post "$outsider" "key_aaaaaaaaaaaaaaaaaaaa")
[ "$forbidden" = "$unknown" ] || fail "an unknown and a forbidden key answer alike: '$forbidden' / '$unknown'"
[[ $forbidden == *'"code":"not_found"'* && $forbidden == *404 ]] || fail "both answer 404 not_found: $forbidden"
pass "an unknown and a forbidden key answer alike"

admin signer remove demo demo-signer >/dev/null
expect_refused "a removed signer is refused by the command line" 'not.found|no such|no right|no key' signer sign --key "$P11_RSA" --output data.sig data.bin
admin signer remove demo insider >/dev/null
answer=$(post "$insider" "$spki")
[[ $answer == *'"code":"not_found"'* && $answer == *404 ]] || fail "a removed signer is refused: $answer"
audit_json | jq -se '[.[] | select(.outcome == "refused" and .principal == "insider" and .key == "demo-rsa3072" and (.reason | startswith("not_found")))] | length == 1' >/dev/null ||
    { audit_json | tail -n 5; fail "the refusal of a removed signer is on record with the key's name"; }
pass "the refusal of a removed signer is on record"
audit_json | jq -se '([.[] | select(.type == "signature.intent")] | length) == ([.[] | select(.type == "signature.outcome" and .outcome == "success")] | length)' >/dev/null ||
    fail "a refusal reached the HSM: there are more intents than successes"
pass "no refusal reached the HSM"
expect_ok "the log verifies" admin audit verify
