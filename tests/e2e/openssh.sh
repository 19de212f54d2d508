#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# OpenSSH: ssh-keygen -D lists, -Y signs, -s certifies; ssh-agent holds the token's keys; and a login to an sshd of the
# test's own, with a token key and with a certificate that a token key has signed. What verifies (ssh-keygen, sshd) knows
# the public keys from the server's certificates, not from the module.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
sandbox_up
head -c 5000 /dev/urandom >data.bin
# The PIN of this module only: ssh-keygen asks for it in other words than ssh-agent.
printf '#!/bin/sh\necho "$*" >>"%s/asked"\ncat "%s"\n' "$work" "$work/pin" >askpass
chmod 0700 askpass
echo "$P11_PIN" >pin
export SSH_ASKPASS=$work/askpass SSH_ASKPASS_REQUIRE=force HOME=$work/home
mkdir -m 0700 home

public_of()
{
    admin certificate "$1" --leaf | openssl x509 -pubkey -noout >public.pem
    ssh-keygen -i -m PKCS8 -f public.pem
}

for key in "$P11_RSA" "$P11_EC"; do
    public_of "$key" >"$key.pub"
done
ssh-keygen -q -t ed25519 -N '' -f user

# ---- lists

listed()
{
    timeout 60 ssh-keygen -D "$P11_MODULE" </dev/null >listed.txt 2>listed.err || { cat listed.err; return 1; }
    local type
    for type in rsa2048 rsa3072 rsa4096 p256 p384; do
        grep -q " demo-$type\$" listed.txt || { cat listed.txt; return 1; }
    done
    for key in "$P11_RSA" "$P11_EC"; do
        [ "$(grep " $key\$" listed.txt | cut -d' ' -f1,2)" = "$(cat "$key.pub")" ] || { cat listed.txt; return 1; }
    done
}
expect_ok "ssh-keygen -D lists the public keys before login" listed
[ ! -e asked ] || fail "ssh-keygen -D asked for a PIN to show what is public"
pass "ssh-keygen -D asks for no PIN"

# ---- the agent

agent_start()
{
    eval "$(ssh-agent -P "$P11_MODULE,$spoil" -s)" >/dev/null
    agents+=("$SSH_AGENT_PID")
}

stop_own()
{
    local pid
    for pid in "${agents[@]}"; do
        kill "$pid" 2>/dev/null || true
    done
}
agents=()

agent_lists()
{
    ssh-add -L >agent.txt
    grep -qF "$(cat "$P11_RSA.pub")" agent.txt && grep -qF "$(cat "$P11_EC.pub")" agent.txt
}

agent_start
echo "not the passphrase" >pin
expect_refused "ssh-add -s with a wrong PIN" 'Could not add card' timeout 60 ssh-add -s "$P11_MODULE"
echo "$P11_PIN" >pin
expect_ok "ssh-add -s adds the token" ssh-add -s "$P11_MODULE"
expect_ok "ssh-add -L shows its keys" agent_lists
expect_ok "ssh-add -T signs with the P-256 key" ssh-add -T "$P11_EC.pub"
# With an RSA key this program of 9.2 asks for SHA-1, which the key does not allow.
expect_refused "ssh-add -T cannot have SHA-1 from the RSA key" 'agent refused operation' ssh-add -T "$P11_RSA.pub"
grep -q 'does not allow the hash sha1' "$sandbox/client/module.log" || fail "the module's log does not say why it refused"
pass "and the log says why"
expect_ok "ssh-add -e removes the token" ssh-add -e "$P11_MODULE"
expect_refused "and its keys are gone" 'no identities' ssh-add -L
expect_refused "ssh-agent without the module on its list refuses it" 'Could not add card' \
    ssh-agent -P /nowhere/module.so ssh-add -s "$P11_MODULE"

# ssh-agent starts one helper for a module, so that one that spoils needs an agent of its own.
socket_of_module=$SSH_AUTH_SOCK
export SPOIL_MODULE=$P11_MODULE
agent_start
socket_of_spoiler=$SSH_AUTH_SOCK
with_module()
{
    if [ "$module" = "$spoil" ]; then SSH_AUTH_SOCK=$socket_of_spoiler "$@"; else SSH_AUTH_SOCK=$socket_of_module "$@"; fi
}
for module in "$P11_MODULE" "$spoil"; do
    expect_ok "ssh-add -s $(basename "$module")" with_module ssh-add -s "$module"
done

# ---- ssh-keygen -Y

sign_agent()
{
    rm -f data.bin.sig
    with_module ssh-keygen -Y sign -f "$key.pub" -n file data.bin
}

verify_file()
{
    echo "signer@example.org $(cat "$key.pub")" >allowed
    ssh-keygen -Y verify -f allowed -I signer@example.org -n file -s data.bin.sig <data.bin || return 1 # it says 255
}

# ---- ssh-keygen -s

certify()
{
    rm -f user-cert.pub
    timeout 60 ssh-keygen "${how[@]}" -s "$key.pub" -I "a user" -n "$(id -un)" -V -5m:+1h user.pub
}

certify_direct()
{
    how=(-D "$module")
    certify
}

certify_agent()
{
    how=(-U)
    with_module certify
}

# Reading a certificate verifies the signature of the CA.
verify_certificate()
{
    ssh-keygen -L -f user-cert.pub >certificate.txt || { cat certificate.txt; return 1; }
    grep -q "Signing CA: .* $(ssh-keygen -l -f "$key.pub" | cut -d' ' -f2) " certificate.txt
}

# ---- logins to an sshd of our own

sshd_start()
{
    port=$(free_port)
    [ "$(id -u)" -ne 0 ] || install -d -m 0755 /run/sshd # Debian's sshd insists; its own unit makes it
    ssh-keygen -q -t ed25519 -N '' -f host-key
    : >authorized
    : >user-ca.pub
    cat >sshd_config <<EOC
Port $port
ListenAddress 127.0.0.1
HostKey $work/host-key
PidFile none
AuthorizedKeysFile $work/authorized
TrustedUserCAKeys $work/user-ca.pub
AuthenticationMethods publickey
PermitRootLogin yes
StrictModes no
UsePAM no
ForceCommand echo logged in
EOC
    serve "$port" /usr/sbin/sshd -D -e -f sshd_config
    echo "[127.0.0.1]:$port $(cat host-key.pub)" >known
}

ssh_in()
{
    timeout 60 ssh -F "${config:-none}" -p "$port" -o UserKnownHostsFile="$work/known" -o StrictHostKeyChecking=yes \
        -o PreferredAuthentications=publickey "$@" 127.0.0.1 >ssh.out 2>&1
    cat ssh.out
    grep -q '^logged in' ssh.out
}

login_direct()
{
    cp "$key.pub" authorized
    sed "s|^Host .*|Host 127.0.0.1|; s|/usr/lib/chancery/chancery-pkcs11.so|$module|" "$root/conf/ssh_config" >ssh_config
    config=ssh_config ssh_in -o IdentitiesOnly=yes -o IdentityFile="$work/$key.pub" -o IdentityAgent=none
}

login_agent()
{
    cp "$key.pub" authorized
    with_module ssh_in -o IdentitiesOnly=yes -o IdentityFile="$work/$key.pub"
}

# The user's own key, and the certificate that the token's key gave it.
login_certificate()
{
    : >authorized
    cp "$key.pub" user-ca.pub
    ssh_in -o IdentitiesOnly=yes -o IdentityFile="$work/user" -o CertificateFile="$work/user-cert.pub" -o IdentityAgent=none
}

sshd_start
for key in "$P11_RSA" "$P11_EC"; do
    signing_case "ssh-keygen -Y sign by the agent, $key" sign_agent verify_file 'incorrect signature|Could not verify'
    signing_case "ssh-keygen -U -s by the agent, $key" certify_agent verify_certificate 'invalid|not a.*key|incorrect|signature'
    signing_case "ssh-keygen -D -s, $key" certify_direct verify_certificate 'invalid|not a.*key|incorrect|signature'
    module=$P11_MODULE
    certify_direct >certify.out 2>&1 || { cat certify.out; fail "ssh-keygen -D -s, $key"; }
    for way in direct agent; do
        module=$P11_MODULE
        expect_ok "ssh logs in, $way, $key" login_$way
        module=$spoil
        expect_refused "ssh is refused with a spoiled signature, $way, $key" 'Permission denied' login_$way
    done
    expect_ok "ssh logs in with a certificate signed by $key" login_certificate
    : >user-ca.pub
done
