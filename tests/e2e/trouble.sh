#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What has made programs hang or crash with other modules: a wrong PIN (OpenSSL's clean-up finalises at exit), a server that
# is away (libp11 waits for ever when C_OpenSession fails), an exit without C_Finalize, an environment without variables, no
# configuration at all. Each program must end by itself, by no signal, and say what is wrong.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/lib-engine.sh
. "$(dirname "$0")/lib-engine.sh"
sandbox_up
head -c 5000 /dev/urandom >data.bin
javac -d classes "$e2e/data/Hello.java"
jar --create --file hello.jar --main-class Hello -C classes .
admin certificate "$P11_RSA" --leaf | openssl x509 -pubkey -noout >public.pem

tool()
{
    pkcs11-tool --module "$P11_MODULE" "$@"
}

sign_engine()
{
    {
        engine_text "$P11_MODULE" "$pin"
        echo 'init = 0'
    } >openssl.cnf
    rm -f data.sig
    OPENSSL_CONF=$PWD/openssl.cnf timeout 60 openssl dgst -engine pkcs11 -keyform engine \
        -sign "pkcs11:token=$P11_TOKEN;object=$P11_RSA;type=private" -sha256 -out data.sig data.bin
}

sign_jar()
{
    printf 'name = Chancery\nlibrary = %s\nslotListIndex = 0\n' "$P11_MODULE" >sunpkcs11.cfg
    cp hello.jar signed.jar
    timeout 60 jarsigner -keystore NONE -storetype PKCS11 -providerClass sun.security.pkcs11.SunPKCS11 \
        -providerArg sunpkcs11.cfg -storepass "$pin" signed.jar "$P11_RSA"
}

sign_tool()
{
    timeout 60 pkcs11-tool --module "$P11_MODULE" --token-label "$P11_TOKEN" --login --pin "$pin" --sign \
        --mechanism SHA256-RSA-PKCS --id "$id" --input-file data.bin --output-file "${1:-data.sig}"
}
id=$(cka_id "$P11_RSA")

# ---- a wrong PIN

pin=not-the-passphrase
for _ in 1 2 3; do
    expect_refused "openssl's engine ends after a wrong PIN" 'Login failed|PIN|Could not find|unable to load' sign_engine
done
expect_refused "jarsigner ends after a wrong PIN" 'load failed|CKR_PIN_INCORRECT' sign_jar
expect_refused "pkcs11-tool ends after a wrong PIN" 'CKR_PIN_INCORRECT' sign_tool
pin=$P11_PIN
expect_ok "openssl's engine signs with the right one" sign_engine

# ---- an exit with everything open, and one in the middle of signing

leave()
{
    /usr/bin/python3 - "$1" <<'EOF'
import os, sys, threading, time
import PyKCS11
lib = PyKCS11.PyKCS11Lib()
lib.load(os.environ["P11_MODULE"])
def sign_on(session, key):
    while True:
        session.sign(key, b"data", PyKCS11.Mechanism(PyKCS11.CKM_ECDSA_SHA256, None))
sessions = [lib.openSession(0) for _ in range(4)]
sessions[0].login(os.environ["P11_PIN"])
key = sessions[0].findObjects([(PyKCS11.CKA_CLASS, PyKCS11.CKO_PRIVATE_KEY), (PyKCS11.CKA_LABEL, os.environ["P11_EC"])])[0]
if sys.argv[1] == "signing":
    for session in sessions:
        threading.Thread(target=sign_on, args=(session, key), daemon=True).start()
    time.sleep(0.5)
print("leaving")
sys.stdout.flush()
os._exit(0) if sys.argv[1] == "at once" else sys.exit(0)
EOF
}
for how in "at once" "in order" signing; do
    expect_ok "a program exits without C_Finalize: $how" leave "$how"
done

# ---- many programs at once, one configuration

many()
{
    local pids=() n
    for n in $(seq 8); do
        sign_tool "many.$n" >"many.$n.out" 2>&1 &
        pids+=($!)
    done
    for n in $(seq 8); do
        wait "${pids[n - 1]}" || { cat "many.$n.out"; return 1; }
        openssl dgst -sha256 -verify public.pem -signature "many.$n" data.bin || return 1
    done
}
expect_ok "eight programs sign at once" many

# ---- one token's label is no beginning of the other's: pkcs11-tool takes the first that begins so

expect_ok "pkcs11-tool finds the first token by its label" tool --token-label "$P11_TOKEN" -M
grep -q EDDSA out && { cat out; fail "the label $P11_TOKEN finds the Edwards token"; }
expect_ok "pkcs11-tool finds the second token by its label" tool --token-label "$P11_ED_TOKEN" -M
grep -q EDDSA out || { cat out; fail "the label $P11_ED_TOKEN finds another token"; }

# ---- nothing in the environment: the configuration stands in a file at a standard place

mkdir -p home/.config/chancery
cp -a "$sandbox/client/." home/.config/chancery/
sed -i "s|^ca = .*|ca = $CHANCERY_CA|" home/.config/chancery/client.conf
expect_ok "a program without CHANCERY_CONF finds ~/.config/chancery/client.conf" \
    env -i PATH="$PATH" HOME="$work/home" pkcs11-tool --module "$P11_MODULE" --token-label "$P11_TOKEN" --login --pin "$P11_PIN" -O
grep -q 'Private Key Object' out || { cat out; fail "it does not see the private keys"; }
mkdir empty
if [ ! -e /etc/chancery/client.conf ]; then
    expect_refused "without any configuration there is no slot, and nothing crashes" '^No slots' env -i PATH="$PATH" HOME="$work/empty" pkcs11-tool --module "$P11_MODULE" -L
fi

# ---- the server is away

"$root/scripts/sandbox" down "$sandbox"
sed -i '/^\[server\]/a timeout_ms = 3000' "$CHANCERY_CONF" # each call tries until then
expect_ok "pkcs11-tool -L shows the tokens while the server is away" tool -L
grep -q "$P11_ED_TOKEN" out || { cat out; fail "a token is missing"; }
expect_ok "pkcs11-tool -O shows what is public while the server is away" tool --token-label "$P11_TOKEN" -O
grep -q "label: *$P11_RSA\$" out || { cat out; fail "$P11_RSA is missing"; }
expect_refused "openssl's engine ends while the server is away" '.' sign_engine
expect_refused "jarsigner ends while the server is away" '.' sign_jar
expect_refused "pkcs11-tool ends while the server is away" 'CKR_' sign_tool
grep -q 'connect' "$sandbox/client/module.log" || { cat "$sandbox/client/module.log"; fail "the module's log does not say that the server is away"; }
pass "the module's log says why"

"$root/scripts/sandbox" restart "$sandbox" >"$work/env"
sed -i '/^timeout_ms = 3000$/d' "$CHANCERY_CONF"
expect_ok "openssl's engine signs when it is back" sign_engine
expect_ok "and openssl verifies it" openssl dgst -sha256 -verify public.pem -signature data.sig data.bin
