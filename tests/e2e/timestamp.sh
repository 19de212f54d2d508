#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The timestamp authority with openssl ts and curl: tokens on both listeners, what is refused and how, serial numbers over
# a kill -9, a certificate of an outside CA, and a second server that relays to the first behind a dead one.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
sandbox_up
echo "what is timestamped" >data

# post URL QUERY REPLY [CURL OPTION…]: prints status and content type.
post()
{
    local url=$1 query=$2 reply=$3
    shift 3
    curl -sS --max-time 60 -H 'Content-Type: application/timestamp-query' "$@" --data-binary "@$query" -o "$reply" \
        -w '%{http_code} %{content_type}\n' "$url"
}

# stamp URL [OPTION…]: a query with a nonce, and its answer in reply.tsr
stamp()
{
    local url=$1
    shift
    openssl ts -query -data data "$@" -cert -out query.tsq 2>/dev/null
    post "$url" query.tsq reply.tsr --cacert "$CHANCERY_CA" >status
    [ "$(cat status)" = "200 application/timestamp-reply" ] || { cat status >&2; return 1; }
}

verify()
{
    openssl ts -verify -queryfile query.tsq -in reply.tsr -CAfile "${ca:-$P11_CA}" &&
        openssl ts -verify -data data -in reply.tsr -CAfile "${ca:-$P11_CA}"
}

reply_text()
{
    openssl ts -reply -in reply.tsr -text 2>/dev/null
}

# refused WHAT FAILURE TEXT URL QUERY
refused()
{
    post "$4" "$5" reply.tsr >status
    reply_text >text || true
    if grep -q 'Status: Rejected' text && grep -q "Failure info: .*$2" text && grep -q -- "$3" text; then
        pass "$1"
    else
        cat status text >&2
        fail "$1"
    fi
}

# ---- tokens

for hash in sha256 sha384 sha512; do
    for url in "$CHANCERY_TSA_URL" "$CHANCERY_URL/tsa"; do
        expect_ok "${url%%:*}: $hash is stamped" stamp "$url" "-$hash"
        expect_ok "${url%%:*}: $hash verifies" verify
    done
done
reply_text >text
for line in 'Status: Granted' 'Accuracy: 0x01 seconds' 'Ordering: no' 'Nonce: 0x' 'Policy OID: 2.25.'; do
    grep -q "$line" text || fail "the token does not say: $line"
done
pass "the token has status, accuracy, nonce and policy, and no ordering"
echo "something else" >data
expect_refused "other data do not verify" 'message imprint mismatch|Verification: FAILED' verify
echo "what is timestamped" >data
expect_ok "a rotated RSA key" admin tsa rotate --type rsa3072
expect_ok "rsa3072: stamps" stamp "$CHANCERY_TSA_URL" -sha256
expect_ok "rsa3072: verifies" verify

# ---- what is refused

openssl ts -query -data data -sha1 -out bad.tsq 2>/dev/null
refused "SHA-1 is a bad algorithm" 'unrecognized or unsupported algorithm' 'none of SHA-256' "$CHANCERY_TSA_URL" bad.tsq
openssl ts -query -data data -sha256 -tspolicy 1.2.3.4 -out bad.tsq 2>/dev/null
refused "another policy is not accepted" 'policy is not supported' 'policy of the query' "$CHANCERY_TSA_URL" bad.tsq
echo "no query" >bad.tsq
refused "what is no query has a bad format" 'data submitted has the wrong format' 'not a DER' "$CHANCERY_TSA_URL" bad.tsq
[ "$(curl -sS --max-time 60 -o body -w '%{http_code}' -H 'Content-Type: text/plain' --data-binary @query.tsq "$CHANCERY_TSA_URL")" = 415 ] ||
    fail "another content type is 415"
pass "another content type is 415"
head -c 65537 /dev/zero >large
case "$(post "$CHANCERY_TSA_URL" large body)" in 413*) pass "a query of more than 64 KiB is 413" ;; *) fail "413 was expected" ;; esac
[ "$(curl -sS --max-time 60 -o body -w '%{http_code}' "$CHANCERY_TSA_URL")" = 405 ] || fail "GET is 405"
pass "GET is 405"
expect_ok "the authority is disabled" admin tsa disable "under repair"
refused "a disabled authority refuses" 'system failure' 'disabled' "$CHANCERY_TSA_URL" query.tsq
expect_ok "the authority is enabled" admin tsa enable
expect_ok "and stamps again" stamp "$CHANCERY_TSA_URL" -sha256

# ---- serial numbers

serials()
{
    for _ in $(seq 25); do
        stamp "$CHANCERY_TSA_URL" -sha256
        reply_text | sed -n 's/^Serial number: //p'
    done
}
serials >serials.before
kill -KILL "$SANDBOX_SERVER_PID"
"$root/scripts/sandbox" restart "$sandbox" >/dev/null
serials >serials.after
[ "$(sort -u serials.before serials.after | wc -l)" = 50 ] || fail "a serial number came twice after a kill -9"
[ "$(sort serials.before | tail -n 1)" \< "$(sort serials.after | head -n 1)" ] || fail "numbers begin again after a kill -9"
pass "no serial number comes twice, and none again after a kill -9"

# ---- a certificate of an outside CA

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout outside.key -out outside.pem -days 30 \
    -subj "/CN=Outside root" 2>/dev/null
outside_certificate() # extension
{
    echo "extendedKeyUsage=$1" >ext
    openssl x509 -req -in tsa.csr -CA outside.pem -CAkey outside.key -days 20 -extfile ext -out tsa.pem 2>/dev/null
    cat outside.pem tsa.pem >tsa-chain.pem
}
expect_ok "a key for an outside CA" admin tsa rotate --type p384 --issuer external
expect_ok "its request" admin tsa csr --output tsa.csr
expect_ok "the request is signed by its key" openssl req -in tsa.csr -verify -noout
outside_certificate timeStamping
expect_refused "a usage that is not critical is refused" 'not critical' admin tsa certificate tsa-chain.pem
outside_certificate critical,timeStamping
expect_refused "a chain without its root is refused" 'issuer.s certificate is missing' admin tsa certificate tsa.pem
expect_ok "the key before stamps" stamp "$CHANCERY_TSA_URL" -sha256
expect_ok "the key before verifies" verify
expect_ok "the outside certificate is taken" admin tsa certificate tsa-chain.pem
expect_ok "the outside certificate stamps" stamp "$CHANCERY_TSA_URL" -sha256
ca=outside.pem
expect_ok "its token verifies with the outside root" verify
expect_refused "and with no other" 'Verification: FAILED|verify error' openssl ts -verify -data data -in reply.tsr -CAfile "$P11_CA"
unset ca
expect_ok "back to the built-in CA" admin tsa rotate --type p256

# ---- a relay with one dead authority before the living one

relay=$work/relay
relay_port=$(free_port)
relay_public=$(free_port)
stop_own()
{
    [ -z "${relay_pid:-}" ] || kill "$relay_pid" 2>/dev/null
}
expect_ok "another server is made" "$CHANCERY_BUILD/server/app/chanceryd" init "$relay" --port "$relay_port" --name 127.0.0.1 \
    --public-http-port "$relay_public" --api-key-file relay.key
printf 'tsa_relay = http://127.0.0.1:%s/tsa, %s\ntsa_relay_ca = %s\ntsa_relay_interval_ms = 0\nlog_file = %s\n' \
    "$(free_port)" "$CHANCERY_TSA_URL" "$P11_CA" "$work/relay.log" >>"$relay/chanceryd.conf"
sed -i '/^log_file = -/d' "$relay/chanceryd.conf"
"$CHANCERY_BUILD/server/app/chanceryd" run --config "$relay" --port-file relay.port </dev/null >relay.out 2>&1 &
relay_pid=$!
end=$((SECONDS + 60))
until [ -s relay.port ]; do
    [ $SECONDS -lt $end ] && kill -0 "$relay_pid" 2>/dev/null || { cat relay.out relay.log >&2; fail "the relay does not start"; }
    sleep 0.1
done
for i in 1 2 3 4 5; do
    expect_ok "the relay hands on token $i" stamp "http://127.0.0.1:$relay_public/tsa" -sha384
    expect_ok "token $i verifies with the authority's root" verify
done
[ "$(grep -c 'timestamp.relay' relay.log)" = 3 ] || { cat relay.log >&2; fail "the dead authority was not left alone after three failures"; }
pass "the dead authority is left alone after three failures"
expect_ok "the authority is stopped" admin tsa disable "relay test"
refused "with no authority left the relay refuses" 'system failure' 'no outside authority granted a token' \
    "http://127.0.0.1:$relay_public/tsa" query.tsq
admin tsa show --json >show.json
# A kill -9 loses what was counted in the last minute.
[ "$(jq -r .state show.json)" = disabled ] && [ "$(jq .total.granted show.json)" -ge 25 ] || fail "chancery tsa show tells state and counts"
pass "chancery tsa show tells state and counts"
