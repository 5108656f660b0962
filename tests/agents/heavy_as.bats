#!/usr/bin/env bats
# ctctl pull --as: the words of a session become one of another agent, and the real agents, from npm, go on with it.

load ../e2e/lib
load ../e2e/pull_lib

setup() {
    local set npm
    export CT_NPM=${CT_NPM:-$CT_BUILD/npm}
    for set in codex claude-new; do
        npm=$(sh "$CT_SRC/tests/npm.sh" "$set") || {
            [ $? -ne 77 ] || skip "$npm"
            echo "$npm"
            return 1
        }
    done
    CODEX=$(find "$CT_NPM/codex/node_modules" -path '*bin/codex' -type f | head -n 1)
    CLAUDE=$(find "$CT_NPM/claude-new/node_modules" -name claude -type f -size +1M | head -n 1)
    chmod +x "$CODEX" "$CLAUDE" 2>/dev/null || true
    "$CODEX" --version >/dev/null 2>&1 || skip "the pinned Codex does not run here"
    "$CLAUDE" --version >/dev/null 2>&1 || skip "the pinned Claude Code does not run here"
    T=$(mktemp -d "${TMPDIR:-/tmp}/ct.XXXXXX")
    export NO_COLOR=1 LC_ALL=C.UTF-8 TZ=UTC
    python3 "$CT_SRC/tests/e2e/tools/model_standin.py" "$T/asked" "$T/standin" 3>&- &
    EXTRA_PIDS="${EXTRA_PIDS:-} $!"
    within test -s "$T/standin"
    machine alice
    printf 'agents = "auto";\n' >>"$XDG_CONFIG_HOME/codeteleport/codeteleportd.conf"
    mkdir -p "$HOME/.codex"
    printf 'model = "gpt-5"\nmodel_provider = "standin"\n[model_providers.standin]\nname = "standin"\nbase_url = "%s"\nwire_api = "responses"\nenv_key = "STANDIN_KEY"\n[analytics]\nenabled = false\n' \
        "http://127.0.0.1:$(cat "$T/standin")/v1" >"$HOME/.codex/config.toml"
    P=$(project src/web.app)
}

teardown() {
    kill $EXTRA_PIDS 2>/dev/null || true
    end_home
}

codex() {
    (cd "$P" && env -i HOME="$HOME" PATH=/usr/bin:/bin LANG=C.UTF-8 STANDIN_KEY=x \
        timeout "$LIMIT_S" "$CODEX" exec --skip-git-repo-check "$@" </dev/null) >>"$T/codex.log" 2>&1
}

claude() {
    (cd "$P" && env -i HOME="$HOME" PATH=/usr/bin:/bin LANG=C.UTF-8 SHELL=/bin/bash \
        ANTHROPIC_BASE_URL="http://127.0.0.1:$(cat "$T/standin")" ANTHROPIC_API_KEY=sk-ant-test-000 \
        DISABLE_TELEMETRY=1 DISABLE_ERROR_REPORTING=1 DISABLE_AUTOUPDATER=1 \
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 timeout "$LIMIT_S" "$CLAUDE" "$@" </dev/null) >>"$T/claude.log" 2>&1
}

# as AGENT ID: the session as one of that agent; prints the new id
as() {
    ctctl --json pull "$2" --as "$1" --target-dir "$P" >"$T/said"
    jq -er .sessionId "$T/said"
}

@test "the words of a session of Claude Code go on in Codex, and from there in Claude Code again" {
    claude -p "the first question"
    first=$(basename "$(find "$CLAUDE_CONFIG_DIR/projects" -name '*.jsonl')" .jsonl)
    second=$(as codex "$first")
    [ "$(jq -r .command "$T/said")" = "cd $P && codex resume $second" ]
    : >"$T/asked"
    codex resume "$second" "the second question"
    grep "the first question" "$T/asked" | grep "was begun in Claude Code, as session $first" | grep -q "the second question"

    third=$(as claude-code "$second")
    : >"$T/asked"
    claude --resume "$third" -p "the third question"
    grep "the first question" "$T/asked" | grep "the second question" | grep "The model has answered" | grep -q "the third question"
    [ "$(find "$CLAUDE_CONFIG_DIR/projects" -name '*.jsonl' | wc -l)" = 2 ]

    # A word that no agent bears; nothing to go on with.
    run ctctl pull "$first" --as nobody
    [ "$status" -eq 64 ] || [ "$status" -eq 2 ]
    [[ $output == *"--as wants the name of an agent"*codex* ]]
}
