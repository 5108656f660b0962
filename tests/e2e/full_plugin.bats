#!/usr/bin/env bats
# The plugin in the real Claude Code: a turn is saved as it ends, what is wrong is said, and nothing of
# it stays behind.

load lib
load pull_lib
load claude_lib

setup() {
    two_machines
    ID=$(new_id)
    P=$(project src/web.app)
}

teardown() {
    [ -z "${EXTRA_PIDS:-}" ] || kill $EXTRA_PIDS 2>/dev/null || true
    end_home
}

# plugged ARGUMENTS: Claude Code where ctctl is in PATH
plugged() {
    in_claude timeout "$LIMIT_S" env PATH="$(dirname "$CLAUDE"):$CT_BUILD/bin:$PATH" XDG_RUNTIME_DIR="$XDG_RUNTIME_DIR" \
        XDG_STATE_HOME="$XDG_STATE_HOME" XDG_CONFIG_HOME="$XDG_CONFIG_HOME" XDG_DATA_HOME="$XDG_DATA_HOME" "$@" </dev/null
}

# sitting SET
sitting() {
    start_claude "$1"
    plugged ctctl plugin install >"$T/install" 2>&1
    grep -q '"statusLine"' "$T/install"
    plugged claude plugin validate "$XDG_DATA_HOME/codeteleport/claude-plugin/codeteleport"
    plugged claude plugin validate "$XDG_DATA_HOME/codeteleport/claude-plugin"
    # Nothing but the plugin would have it saved within an hour.
    conf 'quiet = 3600; turn_quiet = 0.1; longest_wait = 3600; distance = 0;'
    start_daemon
    plugged claude --dangerously-skip-permissions -p --session-id "$ID" "first words"
    within sh -c "ctctl --json show $ID | jq -e '.version >= 1 and .state == \"synced\"'"
    # Without a daemon it says so, and is not in the way.
    stop_daemon
    plugged claude --dangerously-skip-permissions -p --resume "$ID" --output-format stream-json --verbose "more" \
        >"$T/stream"
    tail -n 1 "$T/stream" | jq -e '.subtype == "success"'
    echo "{\"session_id\":\"$ID\",\"hook_event_name\":\"SessionStart\"}" | ctctl plugin hook |
        jq -e '.systemMessage | test("daemon is not running")'
    # Claude can find it.
    plugged claude mcp list 2>&1 | grep -q 'codeteleport.*ctctl mcp'
    plugged ctctl plugin uninstall
    [ ! -e "$XDG_DATA_HOME/codeteleport/claude-plugin" ]
    ! plugged claude plugin list | grep -q codeteleport || false
    ! grep -q codeteleport "$CLAUDE_CONFIG_DIR/settings.json"
}

@test "the plugin in the newest Claude Code" { sitting claude-new; }

@test "the plugin in Claude Code 2.1.197" { sitting claude-old; }
