# The real Claude Code, from npm, on the machines of pull_lib.bash, against a stand-in on this machine.

# start_claude SET: one of tests/npm.sh
start_claude() {
    local npm
    npm=$(sh "$CT_SRC/tests/npm.sh" "$1") || {
        [ $? -ne 77 ] || skip "$npm"
        echo "$npm"
        return 1
    }
    CLAUDE=$(find "$npm/node_modules/@anthropic-ai" -name claude -type f | head -n 1)
    "$CLAUDE" --version >/dev/null || skip "Claude Code does not run here"
    python3 -S "$CT_SRC/tests/e2e/tools/messages_standin.py" "$T/standin" "$T/asked.jsonl" >>"$T/standin.log" 2>&1 3>&- &
    EXTRA_PIDS="${EXTRA_PIDS:-} $!"
    within test -s "$T/standin"
}

# in_claude PROGRAM...: run it in the project $P as Claude Code's surroundings
in_claude() {
    [ -e "$HOME/.claude.json" ] || jq -n --arg p "$P" '{hasCompletedOnboarding: true, theme: "dark",
        bypassPermissionsModeAccepted: true, customApiKeyResponses: {approved: ["sk-ant-test-000"], rejected: []},
        projects: {($p): {hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true}}}' >"$HOME/.claude.json"
    (cd "$P" && env -i HOME="$HOME" PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 TERM=xterm-256color \
        ANTHROPIC_BASE_URL="$(cat "$T/standin")" ANTHROPIC_API_KEY=sk-ant-test-000 DISABLE_TELEMETRY=1 \
        DISABLE_ERROR_REPORTING=1 DISABLE_AUTOUPDATER=1 CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 IS_SANDBOX=1 \
        "$@")
}

# claude ARGUMENTS: without a terminal
claude() { in_claude timeout "$LIMIT_S" "$CLAUDE" --dangerously-skip-permissions "$@" </dev/null; }

# types [SEEN TYPED]...: resume the session on a terminal, type, and leave it
types() {
    in_claude python3 -S "$CT_SRC/tests/e2e/tools/typist.py" -w 120 permissions "" "$@" "" "/exit" Exit "\r" -- \
        "$CLAUDE" --dangerously-skip-permissions --resume "$ID" >>"$T/screen" 2>&1
}

# asked: the texts of the last conversation that the stand-in was sent
asked() { tail -n 1 "$T/asked.jsonl" | jq -r '.[]'; }
