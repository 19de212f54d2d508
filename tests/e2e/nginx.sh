#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# nginx with two workers and its TLS key on the token, through libp11's engine. The workers fork after the key was found, and
# nginx hands on only what `env` names; without that, the module finds its configuration at a standard place.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/lib-engine.sh
. "$(dirname "$0")/lib-engine.sh"
sandbox_up
nginx=$(PATH=$PATH:/usr/sbin command -v nginx)
nginx_pid=
trap '[ -z "$nginx_pid" ] || kill "$nginx_pid" 2>/dev/null; finish' EXIT
port=$((20000 + RANDOM % 12000))
mkdir -p logs home/.config/chancery
admin certificate "$P11_EC" --chain >server.pem
cp -p "$sandbox"/client/* home/.config/chancery/

engine_text "$P11_MODULE" "$P11_PIN" >openssl.cnf

# nginx_conf ENV-LINES: two workers, each of which names itself.
nginx_conf()
{
    cat >nginx.conf <<EOF
$1
env OPENSSL_CONF;
daemon off;
master_process on;
worker_processes 2;
user $(id -un);
pid $PWD/nginx.pid;
error_log $PWD/logs/error.log notice;
events { worker_connections 64; accept_mutex off; }
http {
    access_log off;
    client_body_temp_path $PWD/logs/body; proxy_temp_path $PWD/logs/proxy; fastcgi_temp_path $PWD/logs/fastcgi;
    uwsgi_temp_path $PWD/logs/uwsgi; scgi_temp_path $PWD/logs/scgi;
    server {
        listen 127.0.0.1:$port ssl reuseport;
        ssl_protocols TLSv1.3;
        ssl_session_tickets off;
        ssl_certificate $PWD/server.pem;
        ssl_certificate_key "engine:pkcs11:pkcs11:token=$P11_TOKEN;object=$P11_EC;type=private;pin-value=$P11_PIN";
        location / { return 200 "\$pid\n"; }
    }
}
EOF
}

# One handshake, one signature: who answered.
request()
{
    curl -sS --max-time 60 --cacert "$P11_CA" --connect-to "::127.0.0.1:$port" -k "https://signing.example/"
}

wait_ready()
{
    local end=$((SECONDS + 60))
    until request >/dev/null 2>&1; do
        kill -0 "$nginx_pid" 2>/dev/null || { cat logs/error.log nginx.out >&2; fail "nginx has ended"; }
        [ $SECONDS -lt $end ] || { tail -n 20 logs/error.log >&2; fail "nginx does not answer"; }
        sleep 0.2
    done
}

start()
{
    rm -f logs/error.log
    "$@" "$nginx" -p "$PWD" -c "$PWD/nginx.conf" >nginx.out 2>&1 &
    nginx_pid=$!
    wait_ready
}

stop()
{
    local end=$((SECONDS + 60))
    kill "$nginx_pid"
    while kill -0 "$nginx_pid" 2>/dev/null; do
        [ $SECONDS -lt $end ] || fail "nginx does not stop"
        sleep 0.1
    done
    wait "$nginx_pid" || fail "nginx ended with status $?"
    nginx_pid=
}

# Until both workers have answered.
both_workers_answer()
{
    local end=$((SECONDS + 100))
    : >workers
    until [ "$(sort -u workers | wc -l)" -ge 2 ]; do
        [ $SECONDS -lt $end ] || { echo "only one worker answered"; return 1; }
        request >>workers || return 1
    done
}

# The certificate that was shown belongs to the key that signed: openssl's own handshake checks it.
certificate_is_the_tokens()
{
    openssl s_client -connect "127.0.0.1:$port" -CAfile "$P11_CA" </dev/null >s_client.out 2>&1 || return 1
    openssl x509 -in s_client.out -outform DER | cmp - <(openssl x509 -in server.pem -outform DER)
}

reload_gives_new_workers()
{
    local old end=$((SECONDS + 100))
    sort -u workers >old
    kill -HUP "$nginx_pid"
    while :; do
        both_workers_answer || return 1
        old=$(sort -u workers | comm -12 - old | wc -l)
        [ "$old" -gt 0 ] || return 0
        [ $SECONDS -lt $end ] || { echo "the old workers still answer"; return 1; }
    done
}

no_worker_crashed()
{
    ! grep -E 'exited on signal|\[(emerg|alert|crit)\]' logs/error.log
}

run_through()
{
    expect_ok "$1: both workers sign" both_workers_answer
    expect_ok "$1: the handshake is by the token's key" certificate_is_the_tokens
    expect_ok "$1: reload gives workers that sign" reload_gives_new_workers
    expect_ok "$1: no worker has crashed" no_worker_crashed
}

nginx_conf "env CHANCERY_CONF;"
start env OPENSSL_CONF="$PWD/openssl.cnf"
run_through "env CHANCERY_CONF"
stop

nginx_conf "env HOME;"
start env -u CHANCERY_CONF HOME="$PWD/home" OPENSSL_CONF="$PWD/openssl.cnf"
run_through "a configuration at its standard place"
stop

# The test of the test.
nginx_conf "env CHANCERY_CONF; env SPOIL_MODULE;"
sed -i "s|^MODULE_PATH = .*|MODULE_PATH = $spoil|" openssl.cnf
SPOIL_MODULE=$P11_MODULE OPENSSL_CONF=$PWD/openssl.cnf "$nginx" -p "$PWD" -c "$PWD/nginx.conf" >nginx.out 2>&1 &
nginx_pid=$!
end=$((SECONDS + 60))
until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
    [ $SECONDS -lt $end ] || fail "nginx does not listen"
    sleep 0.1
done
expect_refused "a spoiled handshake is found" 'curl: \((35|56)\)' request
stop
