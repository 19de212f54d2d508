#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Keys whose certificates come from a CA elsewhere: by hand, by CMP (openssl's server) and by EST (tests/support/ca). Each then
# signs a Windows executable that osslsigncode verifies against that CA's root. A server killed in the middle of a job goes
# on with it afterwards, without a second certificate.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
test_ca=$root/tests/support/ca/test-ca
sandbox_up
x86_64-w64-mingw32-gcc -O2 -s -o hello.exe "$e2e/data/hello.c"
"$test_ca" create "$work/ca"
printf 'cmp-secret\n' >cmp.secret
printf 'secret\n' >est.secret
chmod 0600 cmp.secret est.secret

est=""
stop_own()
{
    [ -z "$est" ] || kill "$est" 2>/dev/null || true
}

sign_pe()
{
    rm -f signed.exe
    timeout 120 osslsigncode sign -pkcs11module "$module" -pass "$P11_PIN" -h sha256 \
        -key "pkcs11:token=$P11_TOKEN;object=demo-$key;type=private" -certs chain.pem -in hello.exe -out signed.exe
}

# osslsigncode ends with 255, which here is a time-out's.
refused_pe()
{
    sign_pe || return 1
}

verify_pe()
{
    timeout 120 osslsigncode verify -CAfile "$work/ca/root.pem" -in signed.exe
}

# signs KEY: with the chain as the module's token shows it.
signs()
{
    key=$1
    signer certificate "demo-$key" --chain >chain.pem
    [ "$(grep -c BEGIN chain.pem)" -eq 3 ] || fail "$key: the chain has not three certificates"
    openssl x509 -in chain.pem -noout -issuer | grep -q 'Test Issuing CA' || fail "$key: the certificate is not of the test's CA"
    signing_case "osslsigncode $key" sign_pe verify_pe 'Signature verification: failed|bad signature|verification failed|failure'
}

# job_of KEY STATE: waits until the key's job has this state.
job_of()
{
    local job state end=$((SECONDS + 60))
    job=$(admin key show "demo-$1" --json | jq -r .job)
    while :; do
        state=$(admin job show "$job" --json | jq -r .state)
        [ "$state" != "$2" ] || break
        [ $SECONDS -lt $end ] && [ "$state" != failed ] ||
            fail "$1: the job is $state, not $2: $(admin job show "$job" --json | jq -r .error)"
        sleep 0.2
    done
    echo "$job"
}

# ---- by hand
admin key create demo by-hand --type p256 --certificate manual --subject 'CN=by hand,O=Example' >/dev/null
admin key csr demo-by-hand --output by-hand.csr
expect_ok "manual: the CSR is signed by the key" openssl req -in by-hand.csr -verify -noout
"$test_ca" issue ca by-hand.csr by-hand.pem
"$test_ca" pkcs7 ca by-hand.p7b ca/root.pem by-hand.pem ca/issuing.pem
expect_refused "manual: a certificate of another key is refused" 'is of this key' admin key certificate set demo-by-hand ca/client.pem
expect_refused "manual: a certificate without its issuers is refused" 'issuer is unknown' admin key certificate set demo-by-hand by-hand.pem
expect_ok "manual: PKCS#7 in any order is taken" admin key certificate set demo-by-hand by-hand.p7b
signs by-hand

# ---- EST
"$root/tests/support/ca/est_server.py" ca >est.out 2>&1 &
est=$!
end=$((SECONDS + 30))
until [ -s ca/port ]; do
    [ $SECONDS -lt $end ] || { cat est.out >&2; fail "the EST server does not listen"; }
    sleep 0.1
done
admin connector create est est --set "url=https://127.0.0.1:$(cat ca/port)/.well-known/est" --set "tls_trust_file=$work/ca/root.pem" \
    --set username=est --set "password_file=$work/est.secret" >/dev/null
expect_ok "est: the connector's test passes" admin connector test est
admin key create demo by-est --type rsa3072 --certificate est --subject 'CN=by EST,O=Example' >/dev/null
job_of by-est "done" >/dev/null
pass "est: the certificate was fetched"
signs by-est
admin key renew demo-by-est >/dev/null
job_of by-est "done" >/dev/null
grep -q simplereenroll ca/requests || fail "est: the renewal was not a re-enrolment"
pass "est: the certificate was renewed"

# ---- from one source to another, in one step
admin key create demo by-move --type p256 --subject 'CN=by move,O=Example' >/dev/null
admin key rotate demo-by-move --connector est >/dev/null
job=$(job_of by-move "done")
signs by-move
openssl x509 -in chain.pem -noout -subject | grep -q 'by move' || fail "est: the rotated key has another subject"
admin job list | grep "^$job " | grep -q ' demo:by-move ' || fail "the list of jobs does not name the key"
admin key renew demo-by-move --connector builtin >/dev/null
[ "$(admin key certificate demo-by-move --json | jq -r .ca)" = issuing ] || fail "builtin: the renewed certificate is not the built-in CA's"
pass "a rotation and a renewal move a key to another CA and back"

# Killed while the CA lets it wait.
echo wait >ca/mode
admin key create demo by-kill --type p256 --certificate est --subject 'CN=by kill' >/dev/null
job=$(job_of by-kill waiting)
issued=$(wc -l <ca/issued)
kill -9 "$SANDBOX_SERVER_PID"
echo normal >ca/mode
"$root/scripts/sandbox" restart "$sandbox" >/dev/null
admin job retry "$job" >/dev/null 2>&1 || true # its time may have come by itself
job_of by-kill "done" >/dev/null
[ "$(wc -l <ca/issued)" -eq $((issued + 1)) ] || fail "est: not one certificate was issued for the job that was cut off"
pass "est: a job goes on after kill -9, without a second certificate"

# ---- CMP: openssl's server gives one certificate, which is made from the key's own request.
port=$(free_port)
admin connector create cmp cmp --set "url=http://127.0.0.1:$port/pkix/" --set "secret_file=$work/cmp.secret" \
    --set reference=chancery >/dev/null
admin key create demo by-cmp --type p256 --certificate cmp --subject 'CN=by CMP,O=Example' >/dev/null
admin key csr demo-by-cmp --output by-cmp.csr
"$test_ca" issue ca by-cmp.csr by-cmp.pem
openssl cmp -port "$port" -srv_ref chancery -srv_secret pass:cmp-secret -srv_trusted ca/root.pem -rsp_cert by-cmp.pem \
    -rsp_extracerts ca/issuing.pem -rsp_capubs ca/root.pem >cmp.out 2>&1 </dev/null &
served=$!
end=$((SECONDS + 30))
until grep -q ACCEPT cmp.out; do
    [ $SECONDS -lt $end ] || { cat cmp.out >&2; fail "openssl's CMP server does not listen"; }
    sleep 0.1
done
job=$(admin key show demo-by-cmp --json | jq -r .job)
admin job retry "$job" >/dev/null 2>&1 || true
job_of by-cmp "done" >/dev/null
pass "cmp: the certificate was fetched"
signs by-cmp

# ---- revoked: its CA is asked by a job; the next signature is refused at once
job=$(admin key revoke demo-by-cmp 1 --reason key_compromise --json | jq -r .job)
admin key certificate demo-by-cmp --json | jq -e '.revoked != null and .connector == "cmp"' >/dev/null ||
    fail "cmp: the certificate is not marked as revoked"
key=by-cmp
signer certificate demo-by-cmp --chain >chain.pem
expect_refused "cmp: a revoked certificate signs no more" 'Key function not permitted' refused_pe
[ "$(job_of by-cmp "done")" = "$job" ] || fail "cmp: the key does not name the job that revokes"
pass "cmp: its CA was asked to revoke it"

expect_ok "the log is intact" admin audit verify
audit_json | jq -e -s 'map(select(.type == "key.certificate" and .outcome == "success")) | length >= 5' >/dev/null ||
    fail "the certificates are not on record"
pass "each certificate is on record"
