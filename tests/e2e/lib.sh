# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Shared by the end-to-end tests: one sandbox a script, brought down at exit; assertions that say what was expected.
# CHANCERY_BUILD names the build directory under test.
set -euo pipefail

e2e=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$e2e/../.." && pwd)
export CHANCERY_BUILD=${CHANCERY_BUILD:-$root/build/dev}
chancery=$CHANCERY_BUILD/cli/chancery
work=$(mktemp -d "${TMPDIR:-/tmp}/chancery-e2e.XXXXXX")
sandbox=$work/sandbox
[ "${SANDBOX_STORE:-sqlite}" = sqlite ] || chmod 0711 "$work" # the database runs as another user
# shellcheck disable=SC2034  # used by the scripts
engine=$(find /usr/lib -path '*/engines-3/pkcs11.so' | head -n 1)
spoil=$CHANCERY_BUILD/tests/support/spoil/spoil-pkcs11.so
failures=0

# A script that starts processes of its own defines stop_own, which ends them.
finish()
{
    local status=$?
    set +e
    serve_stop
    [ "$(type -t stop_own)" != function ] || stop_own
    [ -e "$sandbox/server/chanceryd.conf" ] && "$root/scripts/sandbox" down "$sandbox"
    if [ $status -ne 0 ] && [ -n "${E2E_KEEP:-}" ]; then
        echo "kept: $work" >&2
    else
        if [ $status -ne 0 ]; then
            tail -n 15 "$sandbox/server.out" "$sandbox/client/module.log" >&2 2>/dev/null
        fi
        rm -rf "$work"
    fi
    exit $status
}
trap finish EXIT

sandbox_up()
{
    echo "-- sandbox up"
    "$root/scripts/sandbox" up "$sandbox" >"$work/env"
    # shellcheck disable=SC1091
    . "$work/env"
    cd "$work"
    printf '[log]\nfile = module.log\nlevel = info\n' >>"$CHANCERY_CONF"
    admin_conf=$sandbox/admin.conf
}

admin()
{
    timeout 60 "$chancery" --config "$admin_conf" "$@"
}

# The CKA_ID of a key: pkcs11-tool --sign looks for keys by nothing else.
cka_id()
{
    admin key show "$1" --json | jq -r .cka_id
}

# The signer's own command line.
signer()
{
    timeout 60 "$chancery" --config "$CHANCERY_CONF" "$@" --passphrase-file "$sandbox/passphrase"
}

pass()
{
    echo "ok: $*"
}

fail()
{
    echo "FAILED: $*" >&2
    failures=$((failures + 1))
    exit 1
}

# A program gets two minutes; a shell function bounds its own programs.
bounded()
{
    if [ "$(type -t "$1")" = function ]; then
        "$@"
    else
        timeout 120 "$@"
    fi
}

# expect_ok WHAT COMMAND…: the command must succeed; its output is shown only when it does not.
expect_ok()
{
    local what=$1
    shift
    if bounded "$@" >"$work/out" 2>&1; then
        pass "$what"
    else
        local status=$?
        cat "$work/out" >&2
        fail "$what (exit $status: $*)"
    fi
}

# expect_refused WHAT PATTERN COMMAND…: the command must fail by itself (no signal, no time-out), saying PATTERN.
expect_refused()
{
    local what=$1 pattern=$2 status=0
    shift 2
    bounded "$@" >"$work/out" 2>&1 || status=$?
    if [ $status -eq 0 ] || [ $status -ge 124 ]; then
        cat "$work/out" >&2
        fail "$what: expected a refusal, got exit $status"
    fi
    grep -qE -- "$pattern" "$work/out" || { cat "$work/out" >&2; fail "$what: refused, but without saying /$pattern/"; }
    pass "$what"
}

# The test of a test: sign must succeed and verify must fail when each signature has one bit spoiled.
# signing_case NAME SIGN-FUNCTION VERIFY-FUNCTION VERIFIER'S-COMPLAINT
signing_case()
{
    export SPOIL_MODULE=$P11_MODULE
    # shellcheck disable=SC2034  # read by the functions given
    module=$P11_MODULE
    expect_ok "$1: signs" "$2"
    expect_ok "$1: verifies" "$3"
    module=$spoil
    expect_ok "$1: signs through the spoiler" "$2"
    expect_refused "$1: a spoiled signature is found" "$4" "$3"
    # shellcheck disable=SC2034
    module=$P11_MODULE
}

# verify_authenticode FILE: by osslsigncode. One that takes the entry's length for an invalid signature gets a copy (pe_entry.py).
verify_authenticode()
{
    local said status=0
    said=$(timeout 60 osslsigncode verify -CAfile "$P11_CA" -in "$1" 2>&1) || status=$?
    if [ $status -ne 0 ] && grep -q '^Invalid signature' <<<"$said"; then
        "$root/tests/support/pe_entry.py" "$1" "$1.entry" || return
        status=0
        said=$(timeout 60 osslsigncode verify -CAfile "$P11_CA" -in "$1.entry" 2>&1) || status=$?
    fi
    printf '%s\n' "$said"
    return $status
}

# ---- programs that listen, on a port of their own, stopped by pid

free_port()
{
    local port
    for _ in $(seq 100); do
        port=$((20000 + RANDOM % 12000)) # below the range the kernel picks outgoing ports from
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
    done
    fail "no free port was found"
}

# serve PORT COMMAND…: starts it and waits until it listens; its output is in served.out.
served=""
serve()
{
    local port=$1 end=$((SECONDS + 30))
    shift
    "$@" >"$work/served.out" 2>&1 </dev/null &
    served=$!
    until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
        kill -0 "$served" 2>/dev/null || { cat "$work/served.out" >&2; fail "$1 has stopped"; }
        [ $SECONDS -lt $end ] || { cat "$work/served.out" >&2; fail "$1 does not listen on port $port"; }
        sleep 0.1
    done
}

serve_stop()
{
    [ -n "$served" ] || return 0
    kill "$served" 2>/dev/null || true
    wait "$served" 2>/dev/null || true
    served=""
}

# flip_byte FILE OFFSET
flip_byte()
{
    local byte
    byte=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
    # shellcheck disable=SC2059
    printf "\\x$(printf %02x $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

audit_json()
{
    admin audit list --json
}

# ---- RFC 7523 by openssl, independent of our client

b64url()
{
    base64 -w0 | tr '+/' '-_' | tr -d '='
}

# assertion ACCOUNT KEY-FILE ALG AUDIENCE IAT EXP JTI: a compact JWS; Ed25519, whatever it says of itself.
assertion()
{
    local head payload
    head=$(printf '{"alg":"%s","typ":"JWT"}' "$3" | b64url)
    payload=$(printf '{"iss":"%s","sub":"%s","aud":"%s","iat":%s,"exp":%s,"jti":"%s"}' "$1" "$1" "$4" "$5" "$6" "$7" | b64url)
    printf '%s.%s' "$head" "$payload" >to-be-signed
    openssl pkeyutl -sign -inkey "$2" -passin "pass:$P11_PIN" -rawin -in to-be-signed -out jws.sig
    if [ "$3" = none ]; then
        printf '%s.%s.' "$head" "$payload"
    else
        printf '%s.%s.%s' "$head" "$payload" "$(b64url <jws.sig)"
    fi
}

# token_form ASSERTION: the body of a token request.
token_form()
{
    printf 'grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=%s' "$1"
}
