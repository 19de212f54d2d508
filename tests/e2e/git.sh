#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# git signs commits and tags with a token's key held by ssh-agent (gpg.format=ssh) and verifies them against a list of
# allowed signers made from the server's certificates; a commit that was changed afterwards is found.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
sandbox_up
printf '#!/bin/sh\ncat "%s/passphrase"\n' "$sandbox" >askpass
chmod 0700 askpass
export SSH_ASKPASS=$work/askpass SSH_ASKPASS_REQUIRE=force SPOIL_MODULE=$P11_MODULE
export HOME=$work/home GIT_CONFIG_NOSYSTEM=1 XDG_CONFIG_HOME=$work/home/.config
mkdir -m 0700 home

agents=()
stop_own()
{
    local pid
    for pid in "${agents[@]}"; do
        kill "$pid" 2>/dev/null || true
    done
}

agent_start()
{
    eval "$(ssh-agent -P "$1" -s)" >/dev/null
    agents+=("$SSH_AGENT_PID")
    expect_ok "ssh-add -s $(basename "$1")" ssh-add -s "$1"
}
agent_start "$spoil"
socket_of_spoiler=$SSH_AUTH_SOCK
agent_start "$P11_MODULE"
socket_of_module=$SSH_AUTH_SOCK

repository()
{
    timeout 60 git -C repository "$@"
}

git init -q -b main repository
repository config user.name "A Signer"
repository config user.email signer@example.org
repository config gpg.format ssh
repository config gpg.ssh.allowedSignersFile "$work/allowed"

choose_agent()
{
    SSH_AUTH_SOCK=$socket_of_module
    [ "$module" = "$P11_MODULE" ] || SSH_AUTH_SOCK=$socket_of_spoiler
}

sign_commit()
{
    choose_agent
    date +%N >>repository/file
    repository add file
    repository commit -q -S -m "A change"
}

verify_commit()
{
    repository verify-commit HEAD
}

sign_tag()
{
    choose_agent
    repository tag -f -s -m "A release" v1
}

verify_tag()
{
    repository verify-tag v1
}

# The same commit, its signature with it, with another message.
change_commit()
{
    repository cat-file commit HEAD | sed 's/^A change$/Another change/' >changed.txt
    repository update-ref HEAD "$(repository hash-object -t commit -w --stdin <changed.txt)"
    [ "$(repository log -1 --format=%s)" = "Another change" ]
}

ssh-keygen -q -t ed25519 -N '' -f other
for key in "$P11_RSA" "$P11_EC"; do
    admin certificate "$key" --leaf | openssl x509 -pubkey -noout >public.pem
    ssh-keygen -i -m PKCS8 -f public.pem >"$key.pub"
    echo "signer@example.org namespaces=\"git\" $(cat "$key.pub")" >allowed
    repository config user.signingKey "$work/$key.pub"

    signing_case "git commit -S $key" sign_commit verify_commit 'incorrect signature|Could not verify signature'
    signing_case "git tag -s $key" sign_tag verify_tag 'incorrect signature|Could not verify signature'
    expect_ok "git commit -S $key once more" sign_commit
    expect_ok "and the commit is changed" change_commit
    expect_refused "git verify-commit $key finds the changed commit" 'incorrect signature|Could not verify signature' verify_commit
    expect_ok "git commit -S $key on top" sign_commit
    echo "other@example.org $(cat other.pub)" >allowed
    expect_refused "git verify-commit $key refuses a key that is not on the list" 'No principal matched' verify_commit
done
