#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# gpg with gnupg-pkcs11-scd: a token's RSA key becomes an OpenPGP key and signs; a gpg with a home of its own, which has
# only the exported public key, verifies. (gnupg-pkcs11-scd 0.10 shows RSA keys that have a certificate, and no others.)
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
sandbox_up
head -c 5000 /dev/urandom >data.bin

stop_own()
{
    local home
    for home in signer spoiler verifier; do
        [ ! -d "$home" ] || timeout 30 gpgconf --homedir "$work/$home" --kill all
    done
}

cat >pinentry <<EOF
#!/bin/sh
echo "OK ready"
while read -r command rest; do
    case \$command in
    GETPIN) echo "D $P11_PIN"; echo OK ;;
    BYE) echo OK; exit 0 ;;
    *) echo OK ;;
    esac
done
EOF
chmod 0700 pinentry

# home_make DIR MODULE
home_make()
{
    mkdir -m 0700 "$1"
    sed "s|/usr/lib/chancery/chancery-pkcs11.so|$2|" "$root/conf/gnupg-pkcs11-scd.conf" >"$1/gnupg-pkcs11-scd.conf"
    printf 'scdaemon-program /usr/bin/gnupg-pkcs11-scd\npinentry-program %s\n' "$work/pinentry" >"$1/gpg-agent.conf"
}
export SPOIL_MODULE=$P11_MODULE
home_make signer "$P11_MODULE"
home_make spoiler "$spoil"
mkdir -m 0700 verifier

in_home()
{
    local home=$1
    shift
    timeout 60 gpg --homedir "$work/$home" --batch --no-tty "$@"
}

card_status()
{
    timeout 60 gpg --homedir "$work/signer" --card-status
}
expect_ok "gpg --card-status sees a card" card_status
grep -q '^Application ID.*D2760001240111503131' out || { cat out; fail "gpg --card-status shows another card than gnupg-pkcs11-scd's"; }

# learn HOME: the agent keeps a stub of each key; prints the keygrip of the RSA key.
learn()
{
    timeout 60 gpg-connect-agent --homedir "$work/$1" 'LEARN --sendinfo' /bye >"learned.$1" 2>"learn.err"
    sed -n "s|^S KEY-FRIEDNLY \([0-9A-F]*\) .*CN=Sandbox ${P11_RSA#demo-} on .*|\1|p" "learned.$1"
}
keygrip=$(learn signer)
[ ${#keygrip} -eq 40 ] || { cat learned.signer learn.err; fail "the agent does not learn $P11_RSA"; }
[ "$(learn spoiler)" = "$keygrip" ] || { cat learned.spoiler learn.err; fail "through the spoiler the agent learns another key"; }
pass "gpg-agent learns the token's RSA keys"

# Menu 13 is "Existing key"; encryption is switched off, for the key does none.
make_openpgp_key()
{
    printf '%s\n' 13 "$keygrip" E Q 0 "A Signer" signer@example.org "" |
        timeout 60 gpg --homedir "$work/signer" --expert --full-generate-key --no-tty --command-fd 0 --status-fd 1
}
expect_ok "gpg makes an OpenPGP key of the token's" make_openpgp_key
in_home signer --export signer@example.org >openpgp.key 2>/dev/null
in_home spoiler --quiet --import openpgp.key
in_home verifier --quiet --import openpgp.key

sign_file()
{
    local home=signer
    [ "$module" = "$P11_MODULE" ] || home=spoiler
    rm -f data.bin.sig
    in_home "$home" --trust-model always --local-user signer@example.org --digest-algo "$hash" --output data.bin.sig --detach-sign data.bin
}

verify_file()
{
    in_home verifier --trust-model always --verify data.bin.sig data.bin
}

# gpg verifies what it was given before it lets it out: a spoiled signature does not become a file.
for hash in SHA256 SHA512; do
    module=$P11_MODULE
    expect_ok "gpg --detach-sign $hash" sign_file
    expect_ok "gpg --verify $hash" verify_file
    flip_byte data.bin.sig "$(($(stat -c %s data.bin.sig) - 1))"
    expect_refused "gpg --verify $hash finds a spoiled signature" 'BAD signature' verify_file
    module=$spoil
    expect_refused "gpg --detach-sign $hash finds that the module spoils" 'Bad signature' sign_file
done
module=$P11_MODULE
sign_file >gpg.out 2>&1 || { cat gpg.out; fail "gpg --detach-sign"; }
flip_byte data.bin 100
expect_refused "gpg --verify finds changed content" 'BAD signature' verify_file
