#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# chancery doctor: finds nothing where all is well, and where one thing is wrong names it and says what to do.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
sandbox_up
good=$CHANCERY_CONF
# The server loses nothing by being asked often; a wrong answer is to come soon.
sed -i '/^\[server\]/a timeout_ms = 5000' "$good"

doctor()
{
    timeout 60 "$chancery" doctor --config "$conf" --passphrase-file "$passphrase" "$@"
}

# variant SED-EXPRESSION: a configuration beside the good one, so that relative paths hold.
variant()
{
    conf=$(dirname "$good")/variant.conf
    sed "$1" "$good" >"$conf"
}

conf=$good passphrase=$sandbox/passphrase
expect_ok "all is well" doctor
[ "$(grep -c '^ok ' out)" -eq 10 ] || { cat out; fail "ten checks are expected to be ok"; }
grep -q "^ok  *version  *the server is chanceryd $("$chancery" version | cut -d' ' -f2), started 20" out || { cat out; fail "the server's version and start"; }
expect_ok "all is well, as JSON" doctor --json --key "$P11_EC"
[ "$(jq -r .check out | paste -sd,)" = "configuration,files,server,clock,credential,version,keys,certificates,signature,verification" ] || { cat out; fail "the checks and their order"; }
admin key create demo picky-rsa --type rsa2048 --hash sha384 --mechanism rsa_pss >/dev/null
admin key create demo picky-ed --type ed25519 >/dev/null
expect_ok "a key that allows PSS with SHA-384 alone" doctor --key demo-picky-rsa
expect_ok "an Ed25519 key" doctor --key demo-picky-ed
before=$(audit_json | grep -c '"type":"signature.outcome"')
expect_ok "no signature is made when none is asked for" doctor --no-signature
grep -q '^skipped  signature' out || { cat out; fail "the signature is told to be skipped"; }
[ "$(audit_json | grep -c '"type":"signature.outcome"')" -eq "$before" ] || fail "a signature was made all the same"
pass "and none is on record"

conf=$work/nowhere.conf
expect_refused "no configuration" 'FAILED +configuration .*nowhere.conf' doctor
variant 's/^url/uri/'
expect_refused "an unknown key of the configuration, with its line" 'FAILED +configuration .*variant.conf:[0-9]+: unknown key uri' doctor
variant ''
chmod 666 "$conf"
expect_refused "a configuration that others can write" 'FAILED +configuration .*variant.conf' doctor
rm -f "$conf"

key=$(sed -n 's/^key = //p' "$good")
chmod 644 "$(dirname "$good")/$key" 2>/dev/null || chmod 644 "$key"
conf=$good
expect_refused "a private key that others can read" 'FAILED +files ' doctor
grep -q 'chmod 600' out || { cat out; fail "the advice names chmod"; }
chmod 600 "$(dirname "$good")/$key" 2>/dev/null || chmod 600 "$key"

variant 's,^url = .*,url = https://127.0.0.1:9,'
expect_refused "no server" 'FAILED +server .*127.0.0.1:9' doctor
grep -q '^skipped  keys' out || { cat out; fail "what needs the server is skipped"; }
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj /CN=other -days 2 -out "$(dirname "$good")/other.pem" 2>/dev/null
variant 's,^ca = .*,ca = other.pem,'
expect_refused "a server that is not trusted" 'FAILED +server ' doctor
grep -q 'ca must hold the root' out || { cat out; fail "the advice names [server] ca"; }

conf=$good
echo wrong >"$work/wrong"
chmod 600 "$work/wrong"
passphrase=$work/wrong
expect_refused "a wrong passphrase" 'FAILED +credential .*passphrase is wrong' doctor
passphrase=$sandbox/passphrase
libfaketime=$(find /usr/lib -name libfaketime.so.1 | head -n 1)
doctor_at()
{
    LD_PRELOAD=$libfaketime FAKETIME=$when timeout 60 "$chancery" doctor --config "$conf" --passphrase-file "$passphrase"
}
when='+10 minutes'
expect_refused "a clock ten minutes ahead" 'FAILED +clock .* (59[0-9]|60[0-9]) s ahead of the server' doctor_at
when='-1 day'
expect_refused "a clock so wrong that the server's certificate is not valid" 'FAILED +server .*not yet valid' doctor_at
grep -q "machine's clock" out || { cat out; fail "the advice names the clock"; }

admin account disable demo-signer >/dev/null
expect_refused "a disabled account" 'FAILED +credential ' doctor
grep -q 'account show' out || { cat out; fail "the advice names the administrator's command"; }
admin account enable demo-signer >/dev/null
expect_refused "a key that is not to be used" 'FAILED +signature .*no-such' doctor --key demo-no-such
admin key disable "$P11_EC" --reason "for a test" >/dev/null
expect_refused "a disabled key" 'FAILED +signature ' doctor --key "$P11_EC"
admin signer remove demo demo-signer >/dev/null
expect_refused "no key at all" 'FAILED +keys ' doctor
grep -q 'signer add' out || { cat out; fail "the advice names the command that adds a signer"; }
pass "doctor"
