#!/bin/sh
# What the server does in a second, with accounts and sessions in its database: lists, and uploads
# with their confirms; plain HTTP on loopback, as behind a proxy.  server.sh BUILD-DIR [SECONDS]
set -eu
build=$1 seconds=${2:-10} connections=64
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/ct-bench.XXXXXX")
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT

# start FOLDER: the server on it; its address is $api
start() {
    rm -f "$work/ready"
    "$build/bin/codeteleport-server" -c "$work/conf" --data "$1" --listen 127.0.0.1:0 \
        --objects 127.0.0.1:0 --ready-file "$work/ready" >"$work/log" 2>&1 &
    server=$!
    until [ -s "$work/ready" ]; do
        kill -0 $server
        sleep 0.05
    done
    api=$(sed -n 's/^api=//p' "$work/ready")
}

stop() {
    kill "$server"
    wait "$server" || true
    server=
}

# seed FOLDER SESSIONS: a database with so many of 1,000 users; tokens in $work/tokens
seed() {
    "$build/bin/codeteleport-server" -c "$work/conf" --data "$1" user list >/dev/null 2>&1
    python3 "$here/seed_server.py" "$1/server.db" "$2" >"$work/tokens"
}

# cpu_ms: what the server has used so far
cpu_ms() { awk -v hz="$(getconf CLK_TCK)" '{ printf("%d", ($14 + $15) * 1000 / hz) }' "/proc/$server/stat"; }
kb() { awk -v what="$1:" '$1 == what { print $2 }' "/proc/$server/status"; }
load() { "$build/bench/load" "$1" "$api" "$work/tokens" "$2" "$3"; }

# costs list|push: CPU ms of the server for each, alone
costs() {
    before=$(cpu_ms)
    load "$1" 1 3 >"$work/out"
    after=$(cpu_ms)
    awk -v ms=$((after - before)) '{ for (i = 1; i < NF; i++) if ($i == "n") n = $(i + 1)
        printf("%6.2f ms CPU   p50 %s ms", ms / n, $4) }' "$work/out"
}

printf 'tls = "off"; log = "warn"; versions_per_session = 20; max_bytes_per_user = "100 GB";\n' >"$work/conf"
for n in 1000 10000 100000; do
    seed "$work/$n" $n
    start "$work/$n"
    printf 'one more session among %6d (upload, PUT, confirm): %s\n' $n "$(costs push)"
    printf 'a list of %3d sessions among %6d:                  %s\n' $((n / 1000)) $n \
        "$(costs list)"
    [ $n = 100000 ] || stop
done
echo "100,000 sessions of 1,000 users, $connections connections, $(nproc) cores for server and load"
printf '  list of 100       %s\n' "$(load list $connections "$seconds")"
printf '  upload + confirm  %s\n' "$(load push $connections "$seconds")"
printf '  memory            %s kB now, %s kB at most\n' "$(kb VmRSS)" "$(kb VmHWM)"
stop
