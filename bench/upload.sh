#!/bin/bash
# What an upload costs: from the end of the debounce to "confirmed" beside curl doing the same three
# requests; a first sync of many sessions beside restic and the compressor alone; memory with a long
# queue. All on loopback, on this machine's disk. upload.sh BUILD-DIR [SESSIONS MEGABYTES]
set -euo pipefail
CT_BUILD=$1 sessions=${2:-400} mb=${3:-300}
here=$(cd "$(dirname "$0")" && pwd)
CT_SRC=$(dirname "$here")
BATS_TEST_DIRNAME=$CT_SRC/tests/e2e
. "$CT_SRC/tests/e2e/lib.bash"
exec 3>&2 # as bats has it
LIMIT_S=600
make_home
trap end_home EXIT

now_ms() { date +%s%3N; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf("%.2f", b > 0 ? a / b : 0) }'; }
# said NAME OURS PEERS PEER: see HACKING.md, "Measuring"
said() {
    awk -v n="$1" -v a="$2" -v b="$3" -v p="$4" \
        'BEGIN { if (b > 0) printf("ratio name=%s value=%.3f peer=%s\n", n, a / b, p) }'
}
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# timed COMMAND...: "wall-seconds cpu-seconds" of it and its children
timed() {
    python3 - "$@" <<'PY'
import resource, subprocess, sys, time
t = time.monotonic()
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
u = resource.getrusage(resource.RUSAGE_CHILDREN)
print("%.2f %.2f" % (time.monotonic() - t, u.ru_utime + u.ru_stime))
PY
}

# million: a transcript of 1 MB at $1
million() {
    rm -rf "$T/corpus"
    python3 "$here/gen_corpus.py" "$T/corpus" --sessions 1 --mb 1 --projects 1 --seed "$RANDOM" >/dev/null
    mv "$(find "$T/corpus/projects" -maxdepth 2 -name '*.jsonl' | head -n 1)" "$1"
}

logged_at() { # WHAT SESSION: when the log says so, in ms of the day
    grep "$1 session=$2" "$T/daemon.log" | tail -n 1 | cut -d' ' -f1 | sed 's/.*T//' |
        awk -F'[:.]' '{ print (($1 * 60 + $2) * 60 + $3) * 1000 + $4 }'
}
is_confirmed() { grep -q "confirmed session=$1" "$T/daemon.log"; }

daemon_once() { # how long one session of 1 MB takes after its quiet time, when packing begins
    local id
    id=$(new_id)
    million "$T/transcript"
    mkdir -p "$CLAUDE_CONFIG_DIR/projects/-p"
    mv "$T/transcript" "$CLAUDE_CONFIG_DIR/projects/-p/$id.jsonl"
    within is_confirmed "$id"
    echo $(($(logged_at confirmed "$id") - $(logged_at bundling "$id")))
    fetch "$id" "$T/last.tar.gz"
}

curl_once() { # the same three requests for the same bytes
    local id size sum md5 began ended total=0
    id=$(new_id) size=$(stat -c %s "$T/last.tar.gz")
    sum=sha256:$(sha256sum "$T/last.tar.gz" | cut -d' ' -f1)
    md5=$(openssl dgst -md5 -binary "$T/last.tar.gz" | base64)
    jq -n --arg id "$id" --arg sum "$sum" --arg md5 "$md5" --argjson size "$size" \
        '{sessionId: $id, sourceMachine: "m", sourceCwd: "/p", sourceUserDir: "/", sizeBytes: $size,
          checksum: $sum, md5: $md5, metadata: {}}' >"$T/rq.json"
    began=$(now_ms)
    api POST /sessions/upload -d @"$T/rq.json" >"$T/answer.json"
    ended=$(now_ms) total=$((total + ended - began))
    jq -r '.uploadHeaders | to_entries[] | .key + ": " + .value' "$T/answer.json" >"$T/headers"
    local url version
    url=$(jq -r .uploadUrl "$T/answer.json") version=$(jq .version "$T/answer.json")
    began=$(now_ms)
    curl -sS --fail --cacert "$CA" -H 'Content-Type: application/gzip' -H 'Expect:' -H @"$T/headers" \
        -T "$T/last.tar.gz" "$url"
    ended=$(now_ms) total=$((total + ended - began))
    jq -n --arg sum "$sum" --argjson v "$version" '{version: $v, checksum: $sum}' >"$T/rq.json"
    began=$(now_ms)
    api POST "/sessions/$id/confirm" -d @"$T/rq.json" >/dev/null
    ended=$(now_ms) total=$((total + ended - began))
    echo "$total"
}

start_server
log_in

echo "One session of 1 MB, from the end of its quiet time to confirmed (median of 7, ms)"
conf 'quiet = 3; turn_quiet = 3; distance = 0;'
start_daemon
for _ in 1 2 3 4 5 6 7; do
    daemon_once >>"$T/daemon.ms"
    curl_once >>"$T/curl.ms"
done
stop_daemon
ours=$(median <"$T/daemon.ms") theirs=$(median <"$T/curl.ms")
echo "  codeteleportd  $ours   (snapshot, compression, digests and fsync among it)"
echo "  curl, 3 calls  $theirs   codeteleportd takes $(ratio "$ours" "$theirs") times that"
said upload.confirmed "$ours" "$theirs" curl

# The daemon's worker is nice; its peers have to be, too.
echo "First sync of $sessions sessions, $mb MB (wall s, CPU s)"
rm -rf "$CLAUDE_CONFIG_DIR"
python3 "$here/gen_corpus.py" "$CLAUDE_CONFIG_DIR" --sessions "$sessions" --mb "$mb" >/dev/null
cat "$CLAUDE_CONFIG_DIR"/projects/*/*.jsonl >"$T/all"
sleep 2.2 # a file that changed a moment ago is read twice
read -r wall cpu <<<"$(timed codeteleportd --once)"
echo "  codeteleportd --once    $wall $cpu"
if command -v libdeflate-gzip >/dev/null; then
    read -r z_wall z_cpu <<<"$(timed nice -n 10 libdeflate-gzip -6 -k "$T/all")"
    echo "  libdeflate-gzip -6      $z_wall $z_cpu   codeteleportd takes $(ratio "$wall" "$z_wall") times that, $(ratio "$cpu" "$z_cpu") of its CPU"
    said sync.wall "$wall" "$z_wall" libdeflate-gzip
    said sync.cpu "$cpu" "$z_cpu" libdeflate-gzip
fi
if command -v restic >/dev/null; then
    export RESTIC_PASSWORD=bench RESTIC_REPOSITORY=$T/restic RESTIC_CACHE_DIR=$T/restic.cache
    restic init >/dev/null
    read -r r_wall r_cpu <<<"$(timed nice -n 10 restic backup -q "$CLAUDE_CONFIG_DIR")"
    echo "  restic backup to a folder $r_wall $r_cpu   codeteleportd takes $(ratio "$wall" "$r_wall") times that, $(ratio "$cpu" "$r_cpu") of its CPU"
    said sync.wall "$wall" "$r_wall" restic
    said sync.cpu "$cpu" "$r_cpu" restic
fi

echo "Memory with 1,000 sessions in the queue, server stopped"
rm -rf "$CLAUDE_CONFIG_DIR" "$XDG_STATE_HOME"
mkdir -p "$CLAUDE_CONFIG_DIR"
conf 'quiet = 0.5; turn_quiet = 0.5; distance = 0;'
start_daemon
within status_is .daemon.state idle
stop_server
python3 "$here/gen_corpus.py" "$CLAUDE_CONFIG_DIR" --sessions 1000 --mb 100 >/dev/null
SERVER_PID=
bundled() { [ "$(status .totals.bundles)" -ge 1000 ]; }
within bundled
sleep 25 # it gives memory back some time after its work
awk '/^Private_Dirty/ { printf("  Private_Dirty  %.1f MB (aim: 16)\n", $2 / 1024) }' "/proc/$DAEMON_PID/smaps_rollup"
