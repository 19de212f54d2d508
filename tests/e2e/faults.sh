#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the module makes of a server that fails, stalls, lies or is another: a proxy between it and a real server breaks one
# thing a case (tests/support/faulty_proxy, tests/e2e/faults). `faults.sh PATTERN` runs the cases whose name matches.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
proxy_pid=
stop_proxy()
{
    [ -z "$proxy_pid" ] || kill "$proxy_pid" 2>/dev/null
    finish
}
trap stop_proxy EXIT
sandbox_up

"$CHANCERY_BUILD/tests/support/faulty_proxy/faulty-proxy" "${CHANCERY_URL##*:}" "$CHANCERY_CA" "$work/proxy-ca.pem" >"$work/proxy.ports" 2>"$work/proxy.err" &
proxy_pid=$!
for _ in $(seq 100); do
    [ -s "$work/proxy.ports" ] && break
    sleep 0.1
done
read -r port FAULT_CONTROL FAULT_TRAP <"$work/proxy.ports" || { cat "$work/proxy.err"; fail "the proxy does not start"; }

# The server answers for the proxy's address, too; the client knows that one only, and keeps nothing on disk.
sed -i "s|^public_url = .*|&, https://127.0.0.1:$port|" "$sandbox/server/chanceryd.conf"
grep -q "^public_url = .*:$port\$" "$sandbox/server/chanceryd.conf" || fail "chanceryd.conf has no public_url"
"$root/scripts/sandbox" down "$sandbox"
"$root/scripts/sandbox" restart "$sandbox" >/dev/null
client_conf() # name timeout_ms
{
    cat >"$sandbox/client/$1.conf" <<EOF
[server]
url = https://127.0.0.1:$port
ca = $work/proxy-ca.pem
timeout_ms = $2
[credential]
type = service_account
account = demo-signer
key = demo-signer.key
[token]
label = $P11_TOKEN
[log]
file = $work/module.log
level = warning
EOF
    chmod 0600 "$sandbox/client/$1.conf"
}
client_conf hasty 2000
client_conf patient 20000

export FAULT_CONTROL FAULT_TRAP FAULT_LOG=$work/module.log FAULT_CONF_HASTY=$sandbox/client/hasty.conf FAULT_CONF_PATIENT=$sandbox/client/patient.conf
export FAULT_AUDIT="'$chancery' --config '$admin_conf' audit list --json"
timeout 300 "$CHANCERY_BUILD/tests/e2e/faults/fault-host" "$@" || { cat "$work/proxy.err" >&2; fail "fault-host"; }
pass "every fault ends the call by its deadline, with its reason, and the next call works"
