#!/usr/bin/env bats
# What the real Claude Code leaves, in a folder below a git root, in a linked work tree and with a fork,
# is on another machine after a pull of everything, or on a list with its reason.

load lib
load pull_lib

setup() {
    local npm
    [ "$(uname -sm)" = "Linux x86_64" ] || skip "the agent that is pinned is one for Linux on x86_64"
    npm=$(sh "$CT_SRC/tests/npm.sh" claude-new) || skip "$npm"
    AGENT=$npm/node_modules/@anthropic-ai/claude-code-linux-x64/claude
    [ -x "$AGENT" ] || chmod +x "$AGENT"
    two_machines
    conf 'quiet = 0.3; turn_quiet = 0.1; distance = 0; longest_wait = 5; device_name = "alice"; profile = true;'
    python3 "$CT_SRC/tests/e2e/tools/model_standin.py" "$T/log" "$T/model" 3>&- &
    STANDIN=$!
    within test -s "$T/model"
}

teardown() {
    [ -z "${STANDIN:-}" ] || kill "$STANDIN" 2>/dev/null || true
    end_home
}

# agent FOLDER ARGUMENT...: one printed answer
agent() {
    local dir=$1
    shift
    (cd "$dir" && timeout 120 env -i HOME="$HOME" PATH=/usr/bin:/bin SHELL=/bin/bash LANG=C.UTF-8 IS_SANDBOX=1 \
        ANTHROPIC_BASE_URL="http://127.0.0.1:$(cat "$T/model")" \
        ANTHROPIC_API_KEY=sk-ant-test-000000000000000000000000 DISABLE_TELEMETRY=1 DISABLE_ERROR_REPORTING=1 \
        DISABLE_AUTOUPDATER=1 CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 "$AGENT" -p "$@" </dev/null) >>"$T/agent.log" 2>&1
}

# named FILE: the reason why it stays
named() {
    case $1 in
    settings*.json | plugins/*) echo configuration ;;
    backups/* | .claude.json* | session-env/* | sessions/*) echo "a secret, or of this machine" ;;
    shell-snapshots/* | *.lock | cache/* | debug/*) echo "made anew" ;;
    *) return 1 ;;
    esac
}

@test "every file of one data folder is in the other, or has its reason to stay" {
    local root=$HOME/src/mono a=$HOME b f id memory
    mkdir -p "$root/app"
    git init -q "$root"
    git -C "$root" -c user.name=a -c user.email=a@example.org commit -q --allow-empty -m x
    git -C "$root" worktree add -q -b wt "$HOME/src/wt"
    agent "$root/app" "hello from below"
    agent "$HOME/src/wt" "hello from the work tree"
    id=$(basename "$(find "$CLAUDE_CONFIG_DIR/projects/$(encoded "$root/app")" -name '*.jsonl')" .jsonl)
    agent "$root/app" --resume "$id" --fork-session "and on"
    memory=$CLAUDE_CONFIG_DIR/projects/$(encoded "$root")/memory
    [ -d "$memory" ] # it was the agent that made it, for both folders
    echo '- learnt' >"$memory/MEMORY.md"
    mkdir -p "$CLAUDE_CONFIG_DIR/agent-memory/reviewer"
    echo '- learnt too' >"$CLAUDE_CONFIG_DIR/agent-memory/reviewer/MEMORY.md"
    push
    machine bob
    b=$HOME
    ctctl pull --all >/dev/null
    (cd "$a/.claude" && find . -type f -printf '%P\n') >"$T/files"
    [ "$(grep -c 'projects/.*jsonl' "$T/files")" -ge 3 ]
    while read -r f; do
        [ -e "$b/.claude/${f//$(encoded "$a")/$(encoded "$b")}" ] || named "$f" >/dev/null || echo "$f"
    done <"$T/files" >"$T/missing"
    [ ! -s "$T/missing" ] || {
        cat "$T/missing"
        return 1
    }
    machine alice
}
