#!/usr/bin/env bats
# The daemon's manners: live sync, signals, credentials, trouble.

load lib

setup() {
    make_home
}

teardown() {
    end_home
}

logged_in() {
    start_server
    log_in
}

is_idle() { status_is .daemon.state idle && status_is .sessions.pending 0; }

@test "an appended line becomes a confirmed version by itself" {
    logged_in
    id=$(new_id) f=$(transcript "$id")
    line one >"$f"
    start_daemon
    within versions_are "$id" 1
    line two >>"$f"
    within versions_are "$id" 2
    bundle_equals "$id" "$f"
}

@test "two hundred lines in a burst become one version" {
    logged_in
    conf 'quiet = 1; turn_quiet = 0.1; distance = 0; longest_wait = 60;'
    id=$(new_id) f=$(transcript "$id")
    start_daemon
    for i in $(seq 200); do
        printf '{"type":"user","message":{"role":"user","content":"%d"}}\n' "$i" >>"$f"
    done
    within versions_are "$id" 1
    within is_idle
    versions_are "$id" 1
    bundle_equals "$id" "$f"
}

# at_once: how many sessions were bundled at the same time, at most
at_once() {
    awk '/ bundling session=/ { if (++n > most) most = n }
         / (bundled|unchanged) session=/ { n-- }
         END { print most }' "$T/once.log"
}

@test "a second worker bundles beside the first, each session once, and not where something is excluded" {
    logged_in
    conf 'workers = "two";'
    for _ in $(seq 12); do
        id=$(new_id)
        line "$(head -c 300000 /dev/urandom | base64 -w 0)" >"$(transcript "$id")"
    done
    codeteleportd --once -v >"$T/once.log" 2>&1
    [ "$(at_once)" = 2 ]
    [ "$(grep -c ' bundled session=' "$T/once.log")" = 12 ]
    versions_are "$id" 1
    bundle_equals "$id" "$(transcript "$id")"

    conf 'workers = "two"; exclude = [ "/elsewhere" ];'
    for f in "$CLAUDE_CONFIG_DIR"/projects/*/*.jsonl; do
        line more >>"$f"
    done
    codeteleportd --once -v >"$T/once.log" 2>&1
    [ "$(at_once)" = 1 ]
    versions_are "$id" 2
}

@test "two workers never have the same session, also if it grows and is asked for meanwhile" {
    logged_in
    conf 'workers = "two"; quiet = 0.1; turn_quiet = 0.1; distance = 0;'
    id=$(new_id) f=$(transcript "$id")
    line "$(head -c 30000000 /dev/urandom | base64 -w 0)" >"$f"
    start_daemon
    within grep -q "bundling session=$id" "$T/daemon.log"
    line more >>"$f"
    ctctl sync --wait "$id"
    [ -z "$(grep record-failed "$T/daemon.log")" ]
    bundle_equals "$id" "$f"
}

@test "touching a file makes no version, nor does a restart" {
    logged_in
    id=$(new_id) f=$(transcript "$id")
    line one >"$f"
    start_daemon
    ctctl sync --wait
    versions_are "$id" 1
    touch "$f"
    ctctl sync --wait
    stop_daemon
    start_daemon
    ctctl sync --wait
    [ "$(status .totals.bundles)" = 0 ]
    versions_are "$id" 1
}

@test "sync --wait returns when all that was written before it is confirmed" {
    logged_in
    conf 'quiet = 60; longest_wait = 600; distance = 60;'
    id=$(new_id) f=$(transcript "$id")
    start_daemon
    for i in $(seq "${CT_SYNC_ROUNDS:-20}"); do
        line "$i" >>"$f"
        ctctl sync --wait
        [ "$(ctctl --json show "$id" | jq -r .state)" = synced ]
    done
    bundle_equals "$id" "$f"
    versions_are "$id" "${CT_SYNC_ROUNDS:-20}"
}

@test "not logged in: it watches, says so, and goes on by itself once credentials appear" {
    start_server
    id=$(new_id) f=$(transcript "$id")
    line one >"$f"
    start_daemon
    status_is .daemon.state auth_required
    [[ $(ctctl status) == *"ctctl login"* ]]
    run ctctl sync --wait
    [ "$status" -eq 77 ]
    log_in
    within versions_are "$id" 1
    within is_idle
}

@test "credentials that others can read are refused with the command that mends them" {
    logged_in
    chmod 644 "$CODETELEPORT_CONFIG_DIR/config.json"
    start_daemon
    status_is .daemon.state auth_required
    [[ $(status .daemon.stateReason) == *"chmod 600"* ]]
    chmod 600 "$CODETELEPORT_CONFIG_DIR/config.json"
    within is_idle
}

@test "another account gets nothing until somebody says so on a terminal" {
    logged_in
    id=$(new_id) f=$(transcript "$id")
    line one >"$f"
    start_daemon
    ctctl sync --wait
    cp "$CODETELEPORT_CONFIG_DIR/config.json" "$T/first.json"
    log_in other@example.org </dev/null
    within status_is .daemon.state account_changed
    line two >>"$f"
    run ctctl sync --wait
    [ "$status" -eq 77 ]
    [ "$(api GET /sessions | jq .total)" = 0 ]
    cp "$T/first.json" "$CODETELEPORT_CONFIG_DIR/config.json"
    within versions_are "$id" 2
}

@test "a server that is down is waited for, and a session is safe when it is back" {
    logged_in
    start_daemon
    within is_idle
    stop_server
    id=$(new_id) f=$(transcript "$id")
    line one >"$f"
    within status_is .daemon.state offline
    status_is .server.reachable false
    run ctctl sync --wait --timeout 1
    [ "$status" -eq 75 ]
    start_server
    ctctl sync --wait
    versions_are "$id" 1
}

# Whatever the back-off was, and without a terminal: it says why, and ends when the server is back.
@test "who waits for a server that is away is told why and until when, and soon is done" {
    logged_in
    start_daemon
    within is_idle
    stop_server
    id=$(new_id) f=$(transcript "$id")
    line one >"$f"
    within status_is .daemon.state offline
    within eval '[ "$(status ".queue[0].attempts")" -gt 3 ]'
    run ctctl sync --wait --timeout 3
    [ "$status" -eq 75 ]
    [[ $output == *"not all is saved after 3 s: "*"127.0.0.1"* ]]
    ctctl sync --wait >"$T/out" 2>"$T/err" 3>&- &
    waiting=$!
    within grep -qE '^Waiting(, next try in [1-5] s|, trying now|): .*127.0.0.1' "$T/err"
    [ "$(wc -l <"$T/err")" -le 3 ]
    start_server
    wait "$waiting"
    grep -q '^Saved 1 session' "$T/out"
    versions_are "$id" 1
}

@test "a server with another certificate is not believed" {
    logged_in
    stop_server
    rm "$T"/server/*.pem "$T"/server/*.key
    cp "$CA" "$T/old-ca.pem" 2>/dev/null || true
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
        -subj /CN=stranger -keyout "$T/stranger.key" -out "$T/stranger.pem" 2>/dev/null
    export CODETELEPORT_CA_FILE=$T/stranger.pem
    start_server
    CODETELEPORT_CA_FILE=$T/stranger.pem start_daemon -c <(printf 'ca_file = "%s";' "$T/stranger.pem")
    within status_is .daemon.state degraded
    [[ $(status .daemon.stateReason) == *certificate*"ca_file names"* ]]
    [[ $(status .daemon.stateReason) != *"set ca_file"* ]]
    [[ $(status .daemon.cure) == *"ctctl sync"* ]]
    line hello >"$(transcript "$(new_id)")"
    within eval 'ctctl status | grep -q "NOT SAFE: the only session waits until this is mended"'
    run ctctl status
    [[ $output != *[Oo]ffline* ]]
}

@test "a page of HTML is not taken for an answer" {
    logged_in
    port=$(python3 -S - "$T" <<'PY' 3>&-
import http.server, os, sys, threading
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Type", "text/html"); self.end_headers()
        self.wfile.write(b"<html>hotel wifi</html>")
    do_POST = do_GET
    def log_message(self, *a): pass
s = http.server.HTTPServer(("127.0.0.1", 0), H)
if os.fork():
    print(s.server_address[1], flush=True); os._exit(0)
os.close(1)
open(sys.argv[1] + "/html.pid", "w").write(str(os.getpid()))
threading.Timer(120, lambda: os._exit(0)).start()
s.serve_forever()
PY
)
    conf 'allow_plain_http = true; quiet = 0.3;'
    jq --arg u "http://127.0.0.1:$port/v1" '.apiUrl = $u' "$CODETELEPORT_CONFIG_DIR/config.json" \
        >"$T/c.json"
    cat "$T/c.json" >"$CODETELEPORT_CONFIG_DIR/config.json"
    start_daemon
    within status_is .daemon.state offline
    reason=$(status .daemon.stateReason)
    echo "$reason"
    [[ $reason == *"not a CodeTeleport server"* ]]
    kill "$(cat "$T/html.pid")"
}

@test "plain http is refused except to loopback with the option" {
    logged_in
    jq '.apiUrl = "http://127.0.0.1:1/v1"' "$CODETELEPORT_CONFIG_DIR/config.json" >"$T/c.json"
    cat "$T/c.json" >"$CODETELEPORT_CONFIG_DIR/config.json"
    start_daemon
    [[ $(status .daemon.stateReason) == *allow_plain_http* ]]
    stop_daemon
    jq '.apiUrl = "http://192.0.2.1/v1"' "$CODETELEPORT_CONFIG_DIR/config.json" >"$T/c.json"
    cat "$T/c.json" >"$CODETELEPORT_CONFIG_DIR/config.json"
    conf 'allow_plain_http = true;'
    start_daemon
    [[ $(status .daemon.stateReason) == *"use https"* ]]
}

@test "a second instance says so and exits 1" {
    start_daemon
    run codeteleportd
    [ "$status" -eq 1 ]
    [[ $output == *"another codeteleportd"* ]]
    status_is .daemon.pid "$DAEMON_PID"
}

@test "signals: HUP reloads, USR1 dumps, TERM stops with 0" {
    start_daemon
    conf 'quiet = 0.2; log = "info";'
    kill -HUP "$DAEMON_PID"
    within grep -q reloaded "$T/daemon.log"
    conf 'quite = 1;'
    kill -HUP "$DAEMON_PID"
    within grep -q "did you mean 'quiet'" "$T/daemon.log"
    kill -USR1 "$DAEMON_PID"
    within grep -q 'dump status=' "$T/daemon.log"
    kill -TERM "$DAEMON_PID"
    wait "$DAEMON_PID"
    DAEMON_PID=
    conf ''
    run ctctl status
    [ "$status" -eq 69 ]
}

@test "a typo in the configuration is named with file, line and the key that it resembles" {
    conf $'quiet = 1;\nrescn = 5;'
    run codeteleportd -t
    [ "$status" -eq 78 ]
    [[ $output == *"codeteleportd.conf:2: unknown key 'rescn'; did you mean 'rescan'?"* ]]
    conf 'quiet = '
    run codeteleportd -t
    [ "$status" -eq 78 ]
    [[ $output == *"codeteleportd.conf:"*"syntax error"* ]]
    conf 'quiet = 1;'
    codeteleportd -t
}

@test "--once without credentials exits 77, with the server away 75" {
    line one >"$(transcript "$(new_id)")"
    run codeteleportd --once
    [ "$status" -eq 77 ]
    logged_in
    stop_server
    run codeteleportd --once
    [ "$status" -eq 75 ]
}

@test "a data folder that is missing shows, and is watched once it appears" {
    logged_in
    rmdir "$CLAUDE_CONFIG_DIR"
    start_daemon
    within status_is .daemon.state degraded
    [[ $(status '.problems[0].what') == *"not there"* ]]
    id=$(new_id) f=$(transcript "$id")
    line one >"$f"
    within versions_are "$id" 1
    within is_idle
}

@test "a session that vanishes here stays in the cloud and shows as archived" {
    logged_in
    id=$(new_id) f=$(transcript "$id")
    line one >"$f"
    start_daemon
    ctctl sync --wait
    rm "$f"
    within status_is .sessions.archived 1
    versions_are "$id" 1
    [ "$(ctctl --json list | jq -r '.[0].state')" = archived ]
}

@test "a transcript that shrank is a new version, marked, and the fuller one stays" {
    logged_in
    id=$(new_id) f=$(transcript "$id")
    line one >"$f"
    line two >>"$f"
    start_daemon
    ctctl sync --wait
    line other >"$f"
    ctctl sync --wait
    versions_are "$id" 2
    [ "$(ctctl --json show "$id" | jq .rewritten)" = true ]
    fetch "$id" "$T/old.tar.gz" 1
    [ "$(tar -xzOf "$T/old.tar.gz" session.jsonl | wc -l)" = 2 ]
}

@test "kill -9 at any moment loses nothing and uploads nothing twice" {
    logged_in
    id=$(new_id) f=$(transcript "$id")
    for i in $(seq "${CT_KILL_ROUNDS:-15}"); do
        line "$i" >>"$f"
        start_daemon
        # a different moment in each round
        python3 -S -c "import time; time.sleep($i * 0.037 % 0.9)"
        kill -9 "$DAEMON_PID"
        wait "$DAEMON_PID" || true
    done
    start_daemon
    ctctl sync --wait
    bundle_equals "$id" "$f"
    checksums=$(ctctl --json versions "$id" | jq -r '.versions[].checksum')
    [ "$(uniq <<<"$checksums" | wc -l)" = "$(wc -l <<<"$checksums")" ]
    [ -z "$(find "$XDG_STATE_HOME" -path '*/spool/*')" ]
}

@test "delete removes from the cloud, and the session comes back only when asked for by name" {
    logged_in
    id=$(new_id) f=$(transcript "$id")
    line one >"$f"
    start_daemon
    ctctl sync --wait
    ctctl delete "$id" --yes
    [ "$(api GET /sessions | jq .total)" = 0 ]
    line two >>"$f"
    ctctl sync --wait
    [ "$(api GET /sessions | jq .total)" = 0 ]
    [ "$(ctctl --json list | jq -r '.[0].state')" = excluded ]
    ctctl sync "$id" --wait
    [ "$(api GET /sessions | jq .total)" = 1 ]
    bundle_equals "$id" "$f"
}

@test "a store on this machine reads 'this machine only', never safe" {
    logged_in
    id=$(new_id) f=$(transcript "$id")
    line one >"$f"
    start_daemon
    ctctl sync --wait
    status_is .server.isLoopback true
    run ctctl status
    [[ $output == *"this machine only"* ]]
    [[ $output != *"are safe"* ]]
    [ "$(ctctl --json list | jq -r '.[0].place')" = "this machine only" ]
}

# short STATUS LINE: what `status --check` and `status --line` answer; neither says more
short() {
    local rc=0
    [ -z "$(ctctl status --check 2>&1 || true)" ] || return 1
    ctctl status --check || rc=$?
    [ "$rc" = "$1" ] && [ "$(ctctl status --line 2>&1)" = "ct: $2" ]
}

@test "what only asks the daemon is done by a program of few libraries, and it becomes ctctl for the rest" {
    needs_linux
    local libraries
    libraries=$(LD_TRACE_LOADED_OBJECTS=1 ctctl | grep -oE 'lib[a-z0-9-]*\.so' | sort -u)
    [ -z "$(grep -vxE 'lib(c|m|dl|pthread|z|json-c|config|crypto|utf8proc|sqlite3|asan|ubsan|gcc_s|clang_rt.*)\.so' <<<"$libraries")" ]
    # without the other
    logged_in
    start_daemon
    mkdir -p "$T/alone/bin"
    cp "$(command -v ctctl)" "$T/alone/bin"
    for verb in 'status --line' status '--json status' 'status --json' list 'list --json' pause resume 'sync --json'; do
        run "$T/alone/bin/ctctl" $verb
        [[ $status = [01] && $output != *libexec* ]] || { echo "$verb: $status"; return 1; }
    done
    [ "$(ctctl --version)" = "$("$CT_BUILD/libexec/codeteleport/ctctl" --version)" ]
    # by a link from elsewhere too
    ln -s "$(command -v ctctl)" "$T/ct"
    "$T/ct" --help | grep -q '^usage: ctctl'
    run "$T/ct" show
    [ "$status" -eq 64 ]
}

@test "status --check and --line say it in short: on its way, here only, excluded, without a daemon" {
    logged_in
    start_daemon
    within short 0 'nothing to save'
    ctctl pause
    id=$(new_id) f=$(transcript "$id")
    line one >"$f"
    within short 75 '1 waiting'
    ctctl resume
    within short 1 'this machine only'
    ctctl exclude "$id"
    within short 0 'nothing to save'
    ctctl status | grep -q '  Sessions  1: 0 on this machine only, 1 excluded$'
    ctctl list | grep -q ' excluded '
    run ctctl status --check --line
    [ "$status" -eq 64 ]
    stop_daemon
    run ctctl status --check
    [ "$status" -eq 69 ] && [ -z "$output" ]
    run ctctl status --line
    [ "$status" -eq 69 ] && [ "$output" = 'ct: NOT SAFE' ]
}

@test "pause holds uploads back, an explicit sync goes all the same, resume goes on" {
    logged_in
    id=$(new_id) f=$(transcript "$id")
    start_daemon
    ctctl pause
    status_is .daemon.state paused
    line one >"$f"
    within status_is '.queue | length' 1
    run ctctl --json versions "$id"
    [ "$status" -eq 1 ]
    ctctl sync --wait
    versions_are "$id" 1
    line two >>"$f"
    within status_is '.queue | length' 1
    ctctl resume
    within versions_are "$id" 2
}

@test "no token, password or presigned URL in the logs" {
    logged_in
    id=$(new_id) f=$(transcript "$id")
    line sesame-open >"$f"
    start_daemon
    ctctl sync --wait
    ctctl --json list >/dev/null
    token=$(jq -r .token "$CODETELEPORT_CONFIG_DIR/config.json")
    ! grep -rF -e "$token" -e 'X-Amz-Signature' -e 'correct horse' -e sesame-open \
        "$T"/*.log "$XDG_STATE_HOME" --include='*.log' --include='*.json' || false
    ! strings -n 8 "$XDG_STATE_HOME"/codeteleport/*/accounts/*/state.db* 2>/dev/null |
        grep -F -e "$token" -e X-Amz-Signature
}
