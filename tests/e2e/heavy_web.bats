#!/usr/bin/env bats
# ctctl web in a real browser: Debian's chromium, driven by playwright-core from npm.

load lib
load pull_lib
load web_lib

setup_file() {
    CHROMIUM=$(command -v chromium || true)
    export CHROMIUM
    [ -z "$CHROMIUM" ] || NPM=$(sh "$CT_SRC/tests/npm.sh" browser) || WHY=$NPM
    export NPM WHY
}

setup() {
    [ -n "$CHROMIUM" ] || skip 'chromium is not installed'
    [ -z "${WHY:-}" ] || skip "$WHY"
    make_home
    W=$(project src/web.app)
    P=$CLAUDE_CONFIG_DIR/projects/$(encoded "$W")
    mkdir -p "$P"
}

teardown() {
    [ -z "${OTHER_PID:-}" ] || kill "$OTHER_PID" 2>/dev/null || true
    web_down
    [ -z "${T:-}" ] || end_home
}

# browse SCENE...: the browser finds nothing wrong in these; the pictures are kept in web-pictures of the
# build folder when all of it is run
browse() {
    web_up
    if [ -n "${CT_FULL:-}" ]; then
        SHOTS=$CT_BUILD/web-pictures
        mkdir -p "$SHOTS"
    fi
    run env HOME="$T" WEB_LINK="$LINK" WEB_PID="$WEB_PID" SESSIONS="${SESSIONS:-}" OTHER="${OTHER:-}" SHOTS="${SHOTS:-}" \
        CHROMIUM="$CHROMIUM" LIMIT_S="$LIMIT_S" timeout 500 node "$CT_SRC/tests/e2e/tools/browse.mjs" "$NPM" "$@"
    echo "$output"
    [ "$status" = 0 ]
    grep -qx done <<<"$output"
}

# other_server: a page of another port
other_server() {
    mkdir "$T/other"
    echo '<!doctype html><title>x</title><body>' >"$T/other/index.html"
    python3 -u -m http.server --bind 127.0.0.1 --directory "$T/other" 0 >"$T/other.log" 2>&1 3>&- &
    OTHER_PID=$!
    within grep -q 'port [0-9]' "$T/other.log"
    OTHER=http://127.0.0.1:$(sed -n 's/.*port \([0-9]*\).*/\1/p' "$T/other.log")
}

@test "twenty hostile transcripts run nothing, and another port's page gets nothing" {
    other_server
    SESSIONS=$(python3 -S "$CT_SRC/tests/e2e/tools/hostile_transcripts.py" "$P" "$W" "$OTHER")
    [ "$(grep -c . <<<"$SESSIONS")" -ge 20 ]
    start_daemon
    within has_listed "$(grep -c . <<<"$SESSIONS")"
    browse hostile tabs attack ended
    # Its own page and its picture in the tab; nothing that a transcript named.
    if grep -vE '"GET /(favicon.ico)? ' "$T/other.log" | grep '"GET /'; then false; fi
}

has_listed() { [ "$(ctctl list --json | jq length)" -ge "$1" ]; }

@test "the views are for everybody: axe finds nothing, light, dark, narrow, sealed" {
    start_server
    log_in
    ctctl key init --no-confirm >"$T/key" 2>&1
    cp "$CT_SRC"/tests/fixtures/claude-code-*/projects/-home-alice-src-web-app/*.jsonl "$P/"
    cp -R "$CT_SRC"/tests/fixtures/claude-code-*/projects/-home-alice-src-py-tool "$CLAUDE_CONFIG_DIR/projects/"
    ID=$(new_id)
    line 'why does the Parser loop?' >"$P/$ID.jsonl"
    start_daemon
    ctctl sync --wait
    line 'and now?' >>"$P/$ID.jsonl"
    SESSIONS="$(basename "$P"/29221bf7*.jsonl .jsonl) fixture"
    browse views buttons
}

@test "with nothing, it says what will come" {
    start_daemon
    browse empty
}

@test "a thousand sessions, and one of 100 MB" {
    [ -n "${CT_FULL:-}" ] || skip 'the long form: make check-full'
    python3 -S - "$P" "$W" <<'PY'
import json, os, sys, uuid
p, cwd = sys.argv[1:]
for i in range(1000):
    with open(f"{p}/{uuid.uuid4()}.jsonl", "w") as f:
        f.write(json.dumps({"type": "user", "uuid": str(uuid.uuid4()), "timestamp": "2026-03-04T05:06:07.000Z", "cwd": cwd,
                            "message": {"role": "user", "content": f"session {i} of a thousand"}}) + "\n")
PY
    ID=$(new_id)
    python3 -S - "$P/$ID.jsonl" "$W" <<'PY'
import json, random, sys, uuid
random.seed(1)
n = 0
with open(sys.argv[1], "w") as f:
    def put(kind, content):
        global n
        n += f.write(json.dumps({"type": kind, "uuid": str(uuid.uuid4()), "timestamp": "2026-03-04T05:06:07.000Z",
                                 "cwd": sys.argv[2], "message": {"role": kind, "content": content}}) + "\n")
    while n < 100 << 20:
        put("user", "please go on " * random.randrange(1, 30))
        put("assistant", [{"type": "text", "text": "words of an answer\n\n" * random.randrange(1, 60)}])
        put("assistant", [{"type": "tool_use", "id": "t", "name": "Bash", "input": {"command": "make check"}}])
        put("user", [{"type": "tool_result", "tool_use_id": "t", "content": "a line of output\n" * random.randrange(1, 900)}])
    put("user", "the very last words")
PY
    SESSIONS="$ID long"
    start_daemon
    within has_listed 1001
    browse thousand long
}

# ---- the dashboard of the server -------------------------------------------------------------------

# dashboard SCENE...: the browser finds nothing wrong in these; HOW_MANY sessions are there
dashboard() {
    if [ -n "${CT_FULL:-}" ]; then
        SHOTS=$CT_BUILD/web-pictures
        mkdir -p "$SHOTS"
    fi
    run env HOME="$T" HOST="${API%/v1}" EMAIL="${EMAIL:-me@example.org}" PASSWORD='correct horse battery' SESSIONS="${HOW_MANY:-0}" \
        OTHER="${OTHER:-}" SHOTS="${SHOTS:-}" CHROMIUM="$CHROMIUM" LIMIT_S="$LIMIT_S" \
        timeout 500 node "$CT_SRC/tests/e2e/tools/dashboard.mjs" "$NPM" "$@"
    echo "$output"
    [ "$status" = 0 ]
    grep -qx done <<<"$output"
}

# neighbour: a page of another port of the server's own host, by TLS, so that it is of the same site
neighbour() {
    mkdir "$T/other"
    echo '<!doctype html><title>x</title><body>' >"$T/other/index.html"
    python3 -u - "$T/other" "$T/server/server.pem" "$T/server/server.key" >"$T/other.log" 2>&1 3>&- <<'PY' &
import functools, http.server, ssl, sys
folder, cert, key = sys.argv[1:]
s = http.server.HTTPServer(("127.0.0.1", 0), functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder))
c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
c.load_cert_chain(cert, key)
s.socket = c.wrap_socket(s.socket, server_side=True)
print("port", s.server_port, flush=True)
s.serve_forever()
PY
    OTHER_PID=$!
    within grep -q 'port [0-9]' "$T/other.log"
    OTHER=https://127.0.0.1:$(sed -n 's/^port \([0-9]*\)$/\1/p' "$T/other.log")
}

@test "the dashboard: all views, sealed and in clear, two tabs, an end elsewhere, no network, other origins" {
    start_server
    log_in
    ID=$(new_id)
    line 'why does <img src=x onerror=alert(1)> loop?' >"$P/$ID.jsonl"
    start_daemon
    ctctl sync --wait
    ctctl rename "$ID" '<b>"bold"</b> and the rest'
    ctctl key init --no-confirm >"$T/key" 2>&1
    for _ in 1 2; do
        line 'nobody reads this there' >"$P/$(new_id).jsonl"
    done
    within ctctl sync --wait
    HOW_MANY=3
    neighbour
    dashboard views verbs tabs expired offline attack fixation
}

@test "the dashboard with nothing, and how an account ends there" {
    start_server
    log_in
    dashboard views end
}

@test "the dashboard with a thousand" {
    start_server
    log_in
    python3 -S "$CT_SRC/bench/seed_server.py" "$T/server/server.db" 1000 1 >"$T/tokens"
    sqlite3 "$T/server/server.db" "UPDATE users SET password = (SELECT password FROM users WHERE email = 'me@example.org') WHERE email = 'u0@example.org'"
    EMAIL=u0@example.org HOW_MANY=1000 dashboard many
}
