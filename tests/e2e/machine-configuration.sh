#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One configuration for the machine: /etc/chancery/client.conf is found by programs that have neither CHANCERY_CONF nor HOME,
# as a daemon or nginx has it. The machine's own /etc is left alone: each program runs in a mount namespace in which a copy
# stands in its place.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
if [ "$(id -u)" -eq 0 ]; then namespace=(unshare -m); else namespace=(unshare -r -m); fi
"${namespace[@]}" true 2>"$work/unshare.err" ||
    fail "a mount namespace is needed, and this machine permits none: $(cat "$work/unshare.err")"
[ ! -e /etc/chancery/client.conf ] || fail "this machine has /etc/chancery/client.conf; run the test where there is none"
sandbox_up
mkdir etc empty home
cp -a /etc/. etc/ 2>/dev/null || true # what may not be read is not needed
head -c 5000 /dev/urandom >data.bin
admin certificate "$P11_EC" --leaf | openssl x509 -pubkey -noout >public.pem

# with_etc COMMAND…: without HOME, CHANCERY_CONF or anything else in the environment.
with_etc()
{
    # shellcheck disable=SC2016  # expanded inside
    timeout 60 "${namespace[@]}" sh -c 'mount --bind "$1" /etc && shift && exec "$@"' sh "$work/etc" \
        env -i PATH="$PATH" "$@"
}

tool()
{
    with_etc pkcs11-tool --module "$P11_MODULE" --token-label "$P11_TOKEN" "$@"
}

sign()
{
    rm -f data.sig
    tool --login --pin "$P11_PIN" --sign --mechanism ECDSA-SHA256 --signature-format openssl --id "$(cka_id "$P11_EC")" \
        --input-file data.bin --output-file data.sig && openssl dgst -sha256 -verify public.pem -signature data.sig data.bin
}

expect_refused "without the file there is no slot" '^No slots' with_etc pkcs11-tool --module "$P11_MODULE" -L
expect_refused "and chancery names the file it looked for" '/etc/chancery/client\.conf' with_etc "$chancery" whoami

install -d -m 0755 etc/chancery
cp -a "$sandbox/client/." etc/chancery/
sed -i "s|^ca = .*|ca = $CHANCERY_CA|; /^\[log\]/,\$d" etc/chancery/client.conf
chmod 0755 etc/chancery
expect_ok "pkcs11-tool signs with the machine's configuration, without HOME" sign
expect_ok "chancery finds it" with_etc "$chancery" whoami --passphrase-file "$sandbox/passphrase"
expect_ok "a HOME without a configuration changes nothing" with_etc env HOME="$work/empty" pkcs11-tool --module "$P11_MODULE" -L
grep -q "$P11_ED_TOKEN" out || { cat out; fail "a token is missing"; }

# A person's own configuration comes before the machine's, and the variable before both.
mkdir -p home/.config/chancery
sed 's|^label = .*||; $ a [token]\nlabel = personal' etc/chancery/client.conf | sed "s|^key = |key = /etc/chancery/|" >home/.config/chancery/client.conf
expect_ok "a personal configuration goes before the machine's" \
    with_etc env HOME="$work/home" pkcs11-tool --module "$P11_MODULE" -L
grep -q 'token label *: personal' out || { cat out; fail "the personal configuration was not used"; }
sed 's|^label = personal|label = named|' home/.config/chancery/client.conf >named.conf
chmod 0600 named.conf
expect_ok "CHANCERY_CONF goes before both" \
    with_etc env HOME="$work/home" CHANCERY_CONF="$work/named.conf" pkcs11-tool --module "$P11_MODULE" -L
grep -q 'token label *: named' out || { cat out; fail "CHANCERY_CONF was not used"; }

chmod 0666 etc/chancery/client.conf
expect_refused "a machine's configuration that others may write is not used" 'CKR_GENERAL_ERROR' with_etc pkcs11-tool --module "$P11_MODULE" -L
