#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Malformed input over the real socket gets its 4xx with a stable code, and nothing reaches the HSM.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
sandbox_up
auth="Authorization: Bearer $CHANCERY_ADMIN_TOKEN"
json='Content-Type: application/json'
admin user create tester >/dev/null
admin signer add demo tester >/dev/null
tester="Authorization: Bearer $(admin apikey create tester t --json | jq -r .api_key)"
key=$(curl -fsS --cacert "$CHANCERY_CA" -H "$tester" "$CHANCERY_URL/v1/signing/keys" | jq -r '.keys[] | select(.label == "rsa3072") | .id')
sign="/v1/signing/keys/$key/signatures"
intents_before=$(audit_json | jq -s '[.[] | select(.type == "signature.intent")] | length')

# want STATUS CODE WHAT curl-arguments… PATH
want()
{
    local status=$1 code=$2 what=$3 got
    shift 3
    got=$(curl -sS --max-time 30 --cacert "$CHANCERY_CA" -o answer.json -w '%{http_code} %{content_type}' "${@:1:$#-1}" "$CHANCERY_URL${*: -1}" 2>curl.err) || true
    [ "$got" = "$status application/problem+json" ] && [ "$(jq -r .code answer.json)" = "$code" ] && [ "$(jq -r .request_id answer.json)" != null ] ||
        { cat answer.json curl.err; fail "$what: wanted $status $code, got $got"; }
    pass "$what: $status $code"
}

digest() # bytes
{
    head -c "$1" /dev/zero | base64 -w0
}

deep=$(printf '[%.0s' $(seq 200))
want 400 invalid "broken JSON" -H "$tester" -H "$json" -d '{"mechanism":' "$sign"
want 400 invalid "trailing bytes" -H "$tester" -H "$json" -d '{} {}' "$sign"
want 400 invalid "deep nesting" -H "$tester" -H "$json" -d "$deep" "$sign"
want 400 invalid "no body" -H "$tester" -H "$json" -X POST "$sign"
want 400 invalid "an array for an object" -H "$tester" -H "$json" -d '[]' "$sign"
want 400 invalid "a number for a string" -H "$tester" -H "$json" -d '{"mechanism":1,"hash":"sha256","digest":"AA=="}' "$sign"
want 400 invalid "an unknown field" -H "$tester" -H "$json" -d "{\"mechanism\":\"rsa_pkcs1\",\"hash\":\"sha256\",\"digest\":\"$(digest 32)\",\"extra\":1}" "$sign"
want 400 invalid "a field twice" -H "$tester" -H "$json" -d "{\"mechanism\":\"rsa_pkcs1\",\"mechanism\":\"rsa_pkcs1\",\"hash\":\"sha256\",\"digest\":\"$(digest 32)\"}" "$sign"
want 400 invalid "bad base64" -H "$tester" -H "$json" -d '{"mechanism":"rsa_pkcs1","hash":"sha256","digest":"***"}' "$sign"
want 400 invalid "an unknown hash" -H "$tester" -H "$json" -d "{\"mechanism\":\"rsa_pkcs1\",\"hash\":\"md5\",\"digest\":\"$(digest 16)\"}" "$sign"
want 400 digest_malformed "a digest of the wrong length" -H "$tester" -H "$json" -d "{\"mechanism\":\"rsa_pkcs1\",\"hash\":\"sha256\",\"digest\":\"$(digest 31)\"}" "$sign"
want 403 mechanism_denied "a mechanism of another family" -H "$tester" -H "$json" -d "{\"mechanism\":\"ecdsa\",\"hash\":\"sha256\",\"digest\":\"$(digest 32)\"}" "$sign"
want 403 mechanism_denied "a hash the key does not allow" -H "$tester" -H "$json" -d "{\"mechanism\":\"rsa_pkcs1\",\"hash\":\"sha1\",\"digest\":\"$(digest 20)\"}" "$sign"
want 400 invalid "a short idempotency key" -H "$tester" -H "$json" -H 'Idempotency-Key: short' -d "{\"mechanism\":\"rsa_pkcs1\",\"hash\":\"sha256\",\"digest\":\"$(digest 32)\"}" "$sign"
want 415 unsupported_media "another content type" -H "$tester" -H 'Content-Type: text/plain' -d '{}' "$sign"
head -c 400000 /dev/zero | tr '\0' ' ' >big.json
want 413 too_large "an oversize body" -H "$tester" -H "$json" --data-binary @big.json "$sign"
want 405 method_not_allowed "another method" -H "$tester" -X DELETE "$sign"
want 404 not_found "an unknown path" -H "$tester" /v1/nothing
want 401 not_authenticated "no credential" -H "$json" -d '{}' "$sign"
want 401 not_authenticated "a wrong credential" -H "Authorization: Bearer chancery_x_y_z" -H "$json" -d '{}' "$sign"
want 400 invalid "an unknown query parameter" -H "$auth" '/v1/projects?colour=red'
want 400 invalid "a limit out of range" -H "$auth" '/v1/projects?limit=100000'
want 400 invalid "a name with control characters" -H "$auth" -H "$json" -d '{"name":"a\u0007b"}' /v1/projects
want 400 invalid "a name with capitals" -H "$auth" -H "$json" -d '{"name":"Demo"}' /v1/projects
want 409 conflict "a name that is taken" -H "$auth" -H "$json" -d '{"name":"demo"}' /v1/projects
want 400 invalid "an unknown key type" -H "$auth" -H "$json" -d '{"label":"x","type":"dsa1024"}' /v1/projects/demo/keys

# ---- assertions (RFC 7523), made by openssl
openssl genpkey -algorithm ed25519 -out robot.key 2>/dev/null
openssl pkey -in robot.key -pubout -out robot.pub
admin account create robot --public-key robot.pub >/dev/null
aud=$CHANCERY_URL/v1/oauth/token
now=$(date +%s)
good=$(assertion robot robot.key EdDSA "$aud" "$now" $((now + 60)) jti-0123456789abcdef)
curl -fsS --cacert "$CHANCERY_CA" -d "$(token_form "$good")" "$aud" >token.json || fail "a good assertion gets a token"
jq -e '.token_type == "Bearer" and .expires_in == 600 and (.access_token | length > 20)' token.json >/dev/null || fail "a token is described"
pass "a good assertion gets a token"
want 401 not_authenticated "a replayed assertion" -d "$(token_form "$good")" /v1/oauth/token
want 401 not_authenticated "an expired assertion" -d "$(token_form "$(assertion robot robot.key EdDSA "$aud" $((now - 600)) $((now - 400)) jti-1123456789abcdef)")" /v1/oauth/token
want 401 not_authenticated "an assertion from the future" -d "$(token_form "$(assertion robot robot.key EdDSA "$aud" $((now + 600)) $((now + 700)) jti-2123456789abcdef)")" /v1/oauth/token
want 401 not_authenticated "an assertion that lives too long" -d "$(token_form "$(assertion robot robot.key EdDSA "$aud" "$now" $((now + 301)) jti-3123456789abcdef)")" /v1/oauth/token
want 401 not_authenticated "a wrong audience" -d "$(token_form "$(assertion robot robot.key EdDSA https://elsewhere.example/v1/oauth/token_form "$now" $((now + 60)) jti-4123456789abcdef)")" /v1/oauth/token
want 401 not_authenticated "alg none" -d "$(token_form "$(assertion robot robot.key none "$aud" "$now" $((now + 60)) jti-5123456789abcdef)")" /v1/oauth/token
want 401 not_authenticated "another alg than the registered key's" -d "$(token_form "$(assertion robot robot.key HS256 "$aud" "$now" $((now + 60)) jti-6123456789abcdef)")" /v1/oauth/token
want 401 not_authenticated "no assertion at all" -d "$(token_form nonsense)" /v1/oauth/token
want 400 invalid "an unknown grant type" -d 'grant_type=password&assertion=x' /v1/oauth/token
want 415 unsupported_media "JSON at the token endpoint" -H "$json" -d '{}' /v1/oauth/token

intents_after=$(audit_json | jq -s '[.[] | select(.type == "signature.intent")] | length')
[ "$intents_before" = "$intents_after" ] || fail "malformed input reached the HSM ($intents_before intents before, $intents_after after)"
pass "nothing of this reached the HSM"
expect_ok "the server is well" admin whoami
