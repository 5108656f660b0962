#!/bin/bash
# tests/e2e/soak.sh [MINUTES [SEED]]: sessions grow while the network fails in random ways and daemon and
# server are killed at random moments. In the end all has to be safe. From the build folder, or with
# CT_BUILD set. TAP, for it is a test, too: a minute long, with CT_FULL ten.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -euo pipefail
minutes=${1:-${CT_SOAK_MINUTES:-${CT_FULL:+10}}}
minutes=${minutes:-1}
seed=${2:-$RANDOM}
BATS_TEST_DIRNAME=$(cd "$(dirname "$0")" && pwd)
CT_BUILD=${CT_BUILD:-$PWD}
. "$BATS_TEST_DIRNAME/lib.bash"
exec 3>&2 # as bats has it

soak() { python3 "$CT_SRC/tests/e2e/soak.py" "$@"; }

finish() {
    kill "${WRITER:-}" 2>/dev/null || true
    end_home
}

echo "1..5"
RANDOM=$seed
make_home
trap finish EXIT
amend=$([ $((seed % 2)) = 0 ] && echo true || echo false)
conf "quiet = 0.3; turn_quiet = 0.1; distance = 0; longest_wait = 5; amend = $amend;"
echo "# $minutes minutes, seed $seed, amend = $amend"
daemon_kills=0 server_kills=0 failed=0

# check NAME COMMAND...: one line of TAP
check() {
    local name=$1
    shift
    if "$@" >"$T/out" 2>&1; then
        echo "ok $name"
    else
        failed=1
        echo "not ok $name"
    fi
    sed 's/^/# /' "$T/out"
}

kill_something() {
    case $((RANDOM % 3)) in
    0 | 1)
        stop_daemon -KILL
        daemon_kills=$((daemon_kills + 1))
        start_daemon
        ;;
    2)
        stop_server -KILL
        server_kills=$((server_kills + 1))
        start_server
        ;;
    esac
}

start_server_behind_proxy
stop_server
echo 'versions_per_session = 10000;' >>"$XDG_CONFIG_HOME/codeteleport/server.conf"
start_server
log_in
start_daemon
python3 "$CT_SRC/tests/e2e/soak.py" write "$CLAUDE_CONFIG_DIR" "$seed" >"$T/written" &
WRITER=$!

until=$((SECONDS + minutes * 60)) n=0
while [ $SECONDS -lt $until ]; do
    n=$((n + 1))
    soak faults $((seed * 1000 + n)) >"$T/faults.new"
    mv "$T/faults.new" "$T/faults"
    sleep "$((RANDOM % 3)).$((RANDOM % 10))"
    [ $((RANDOM % 3)) != 0 ] || kill_something
done
kill "$WRITER"
wait "$WRITER" || true
faults
alive
began=$SECONDS
check "1 everything gets through once the network is well" ctctl sync --wait --timeout 300
settled=$((SECONDS - began))
check "2 each session's last complete line is in its newest version; all versions are whole, none twice" \
    soak verify "$CLAUDE_CONFIG_DIR" "$API" "$CA" "$(jq -r .token "$CODETELEPORT_CONFIG_DIR/config.json")"
stop_daemon
stop_server
check "3 the spool is empty" test -z "$(find "$XDG_STATE_HOME" -path '*/spool/*' -type f)"
check "4 the daemon's books are sound" test "$(for f in "$XDG_STATE_HOME"/codeteleport/*/accounts/*/state.db; do
    sqlite3 "$f" 'PRAGMA integrity_check'
done)" = ok
check "5 the server's books and objects agree" codeteleport-server --data "$T/server" check
echo "# written: $(cat "$T/written")"
echo "# killed: daemon $daemon_kills times, server $server_kills times; settled in $settled s"
echo "# faults met: $(jq -r 'select(.fault != null) | .fault' "$T/proxy.log" | awk '{print $1, $2, $4}' |
    sed 's/=.*//' | sort | uniq -c | sort -rn | awk '{printf "%s %s %s %s, ", $1, $2, $3, $4}')"
echo "# upload-failed: $(grep -c upload-failed "$T/daemon.log" || true)," \
    "confirmed: $(grep -c 'confirmed session' "$T/daemon.log" || true)"
exit $failed
