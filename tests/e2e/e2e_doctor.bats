#!/usr/bin/env bats
# ctctl doctor finds what is wrong, and says how to mend it.

load lib

setup() {
    make_home
}

teardown() {
    end_home
}

with_server() {
    start_server
    log_in
}

# examine: the findings go to $T/findings, the exit status to $status
examine() {
    status=0
    ctctl --json doctor >"$T/findings" 2>/dev/null || status=$?
    jq -e 'type == "array" and (map(has("check") and has("ok") and has("detail") and has("cure")) | all)' \
        "$T/findings"
}

# found CHECK VERDICT [TEXT]: with TEXT in its detail or its cure
found() {
    local is
    is=$(jq -r --arg c "$1" '.[] | select(.check == $c) | .verdict' "$T/findings")
    [ "$is" = "$2" ] || {
        echo "$1 is '$is', not '$2'"
        jq -c . "$T/findings"
        return 1
    }
    [ $# -lt 3 ] || jq -r --arg c "$1" '.[] | select(.check == $c) | .detail + " " + .cure' \
        "$T/findings" | grep -qF -- "$3" || {
        echo "$1 does not say '$3'"
        jq -c . "$T/findings"
        return 1
    }
}

@test "where all is well the exit status is 0, and nothing is left behind" {
    local id
    with_server
    id=$(new_id)
    line hello >"$(transcript "$id")"
    start_daemon
    ctctl sync --wait
    examine
    [ "$status" -eq 0 ]
    [ "$(jq 'map(select(.ok | not)) | length' "$T/findings")" = 0 ]
    found upload ok
    found download ok
    examine # a second time finds the first one's traces, if there are any
    [ "$status" -eq 0 ]
    found upload ok
    [ "$(ctctl --json list --cloud | jq -c '[.sessions[].id]')" = "[\"$id\"]" ]
    [ "$(api GET /billing/usage | jq .sessions.used)" = 1 ]
    versions_are "$id" 1
    # the text says the same
    run ctctl doctor
    [ "$status" -eq 0 ]
    grep -q 'Nothing to mend' <<<"$output"
}

@test "before the first login the cure is to log in, and what needs a server is not guessed" {
    examine
    [ "$status" -eq 1 ]
    found credentials bad 'ctctl login'
    found daemon bad 'codeteleportd'
    found TLS skipped
    found upload skipped
}

@test "credentials that others can read are named, with the command that mends it" {
    with_server
    chmod 644 "$CODETELEPORT_CONFIG_DIR/config.json"
    examine
    [ "$status" -eq 1 ]
    found credentials bad 'chmod 600'
    found log-in skipped
}

@test "a fault in the configuration is told with file and line" {
    conf 'quiet = "soon";'
    examine
    [ "$status" -eq 1 ]
    found configuration bad 'codeteleportd.conf:1'
    found 'data folder' skipped
}

@test "a folder that Claude Code uses in this shell and the daemon does not watch is found" {
    with_server
    start_daemon
    CLAUDE_CONFIG_DIR=$HOME/other examine
    [ "$status" -eq 1 ]
    found 'watched folder' bad "roots = [ \"$HOME/other\" ]"
    # status says it too, and of no other shell
    CLAUDE_CONFIG_DIR=$HOME/other ctctl 2>&1 >/dev/null | tr '\n' ' ' | grep -q 'does not watch it'
    [ -z "$(ctctl 2>&1 >/dev/null)" ]
}

@test "what nobody knows is counted by its folder and named, in doctor, status and show" {
    with_server
    start_daemon
    local id
    id=$(new_id)
    line "hello" >"$(transcript "$id")"
    ctctl sync --wait
    examine
    found inventory ok 'every name'
    ! ctctl status | grep -q 'Not saved' || false
    mkdir -p "$CLAUDE_CONFIG_DIR/jobs/0a1b2c3d" "$CLAUDE_CONFIG_DIR/debug"
    touch "$CLAUDE_CONFIG_DIR/jobs/0a1b2c3d/state.json" "$CLAUDE_CONFIG_DIR/jobs/0a1b2c3d/log" \
        "$CLAUDE_CONFIG_DIR/debug/x"
    touch "$(dirname "$(transcript "$id")")/$id.precompact.json"
    examine
    found inventory note 'not saved: 2 files in jobs/, 1 in projects/'
    COLUMNS=200 ctctl status | tr -s ' \n' ' ' | grep -q 'Not saved 2 files in jobs/, 1 in projects/.*unknown to this version'
    [ "$(status '.notSaved[0] | "\(.folder) \(.files)"')" = "jobs 2" ]
    ctctl show "$id" | tr -s ' \n' ' ' | grep -q 'Not saved 1 file in projects/'
}

@test "Claude Code's clean-up is read from its settings" {
    echo '{"cleanupPeriodDays": 0}' >"$CLAUDE_CONFIG_DIR/settings.json"
    examine
    found clean-up bad 'cleanupPeriodDays'
    echo '{"cleanupPeriodDays": 3}' >"$CLAUDE_CONFIG_DIR/settings.json"
    examine
    found clean-up note 'after 3 days'
    echo '{"cleanupPeriodDays": 365}' >"$CLAUDE_CONFIG_DIR/settings.json"
    examine
    found clean-up ok '365 days'
    [ "$(cat "$CLAUDE_CONFIG_DIR/settings.json")" = '{"cleanupPeriodDays": 365}' ]
}

@test "a data folder that is no folder is named" {
    rmdir "$CLAUDE_CONFIG_DIR"
    touch "$CLAUDE_CONFIG_DIR"
    examine
    found 'data folder' bad 'not a folder'
}

@test "a certificate that nobody vouches for, a token that was revoked, and a server that is gone" {
    with_server
    CODETELEPORT_CA_FILE= examine
    found TLS bad 'ca_file = '
    found log-in skipped
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
        -subj /CN=stranger -keyout "$T/stranger.key" -out "$T/stranger.pem" 2>/dev/null
    CODETELEPORT_CA_FILE=$T/stranger.pem examine
    found TLS bad 'see that ca_file names'
    api DELETE "/auth/tokens/$(api GET /auth/tokens | jq -r '.tokens[0].id')"
    examine
    found TLS ok
    found log-in bad 'ctctl login'
    stop_server
    examine
    found TLS bad
    [ "$status" -eq 1 ]
}

@test "an object store that does not answer is found, although the API does" {
    with_server
    stop_server
    printf 'public_objects_url = "https://127.0.0.1:1";\n' >"$T/server.conf"
    codeteleport-server -c "$T/server.conf" --data "$T/server" --listen "127.0.0.1:$API_PORT" \
        --objects "127.0.0.1:$OBJECTS_PORT" >>"$T/server.log" 2>&1 3>&- &
    SERVER_PID=$!
    within api GET /auth/me
    examine
    found log-in ok
    found upload bad 'https://127.0.0.1:1'
}

@test "a clock that is off is measured against the server's" {
    mkdir "$T/wrong"
    cat >"$T/wrong/server.py" <<'PY'
import http.server, sys
class H(http.server.BaseHTTPRequestHandler):
    def date_time_string(self, timestamp=None): return "Mon, 01 Jan 2024 00:00:00 GMT"
    def log_message(self, *a): pass
    def do_GET(self):
        self.send_response(401); self.send_header("Content-Length", "2"); self.end_headers()
        self.wfile.write(b"{}")
s = http.server.HTTPServer(("127.0.0.1", 0), H)
open(sys.argv[1], "w").write(str(s.server_port))
s.serve_forever()
PY
    python3 "$T/wrong/server.py" "$T/port" >"$T/wrong.log" 2>&1 3>&- &
    SERVER_PID=$!
    within test -s "$T/port"
    conf 'allow_plain_http = true;'
    mkdir -p -m 700 "$CODETELEPORT_CONFIG_DIR"
    (umask 077 && printf '{"token":"ctk_live_x","apiUrl":"http://127.0.0.1:%s/v1","deviceName":"d"}' \
        "$(cat "$T/port")" >"$CODETELEPORT_CONFIG_DIR/config.json")
    examine
    found clock bad 'timedatectl'
    found clock bad 'ahead of'
}

@test "a server that is not ours is left as it was, and a full plan is not touched" {
    start_stock_server --sessions 1
    log_in
    examine
    found upload ok
    [ "$(ctctl --json list --cloud | jq .total)" = 0 ]
    line hello >"$(transcript "$(new_id)")"
    start_daemon
    ctctl sync --wait
    examine
    found upload note 'plan'
    found download ok
    [ "$(ctctl --json list --cloud | jq .total)" = 1 ]
}
