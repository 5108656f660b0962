#!/usr/bin/env bats
# What the real Claude Code leaves, in a folder below a git root, in a linked work tree, with a fork, a
# team and moved to another folder, is on another machine after a pull of everything, or on a list with its reason.

load lib
load pull_lib
load claude_lib

setup() {
    two_machines
    conf 'quiet = 0.3; turn_quiet = 0.1; distance = 0; longest_wait = 5; device_name = "alice"; profile = true;'
    start_claude claude-new
}

teardown() {
    [ -z "${EXTRA_PIDS:-}" ] || kill $EXTRA_PIDS 2>/dev/null || true
    end_home
}

# repository FOLDER
repository() {
    git init -q "$1"
    git -C "$1" -c user.name=a -c user.email=a@example.org commit -q --allow-empty -m x
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

# trusts FOLDER: as if somebody had said so
trusts() {
    jq --arg p "$1" '.projects[$p] = {hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true}' \
        "$HOME/.claude.json" >"$T/trusted"
    cp "$T/trusted" "$HOME/.claude.json"
}

# moves: the session ID begins in $P, and is moved to $1 by its own command
moves() {
    claude -p --session-id "$ID" "hello from one"
    trusts "$1"
    types "" "/cd $1" "${1##*/}" "\r" Moved ""
    P=$1
    types "" "WRITE $1/a.txt from-there" from-there "\r" FROM-THERE ""
}

# has_mate: the agent has written what its mate said
has_mate() { grep -qs '"assistant"' "$CLAUDE_CONFIG_DIR"/projects/*/"$ID"/subagents/agent-*mate*.jsonl; }

# gets_mate: the session ID starts a mate, and is left when that has answered
gets_mate() {
    in_claude env CLAUDE_CODE_EXPERIMENTAL_AGENT_TEAMS=1 python3 "$CT_SRC/tests/e2e/tools/typist.py" -w 160 \
        permissions "" "" "MATE mate hello-mate" hello-mate "\r" "@$T/answered" "" "" "/exit" Exit "\r" -- \
        "$CLAUDE" --dangerously-skip-permissions --resume "$ID" >>"$T/screen" 2>&1 3>&- &
    within has_mate
    touch "$T/answered"
    wait $! || true # it asks whether the mate may be left, or does not
}

@test "every file of one data folder is in the other, or has its reason to stay" {
    local root=$HOME/src/mono one=$HOME/src/one two=$HOME/src/two a=$HOME b f id memory
    mkdir -p "$root/app"
    repository "$root"
    repository "$one"
    repository "$two"
    git -C "$root" worktree add -q -b wt "$HOME/src/wt"
    ID=$(new_id)
    P=$one
    moves "$two"
    [ "$(here "$ID")" = "$CLAUDE_CONFIG_DIR/projects/$(encoded "$two")/$ID.jsonl" ] # it was the agent that moved it
    id=$(new_id)
    P=$root/app
    claude -p --session-id "$id" "hello from below"
    claude -p --resume "$id" --fork-session "and on"
    trusts "$root"
    trusts "$P"
    ID=$id gets_mate
    P=$HOME/src/wt
    claude -p "hello from the work tree"
    memory=$CLAUDE_CONFIG_DIR/projects/$(encoded "$root")/memory
    [ -d "$memory" ] # it was the agent that made it, for both folders
    for f in "$memory" "$CLAUDE_CONFIG_DIR/projects/"{"$(encoded "$one")","$(encoded "$two")"}/memory \
        "$CLAUDE_CONFIG_DIR/agent-memory/reviewer"; do
        mkdir -p "$f"
        echo "- learnt in $f" >"$f/MEMORY.md"
    done
    push
    machine bob
    b=$HOME
    ctctl pull --all >/dev/null
    (cd "$a/.claude" && find . -type f -printf '%P\n') >"$T/files"
    [ "$(grep -c 'projects/.*jsonl' "$T/files")" -ge 4 ]
    while read -r f; do
        [ -e "$b/.claude/${f//$(encoded "$a")/$(encoded "$b")}" ] || named "$f" >/dev/null || echo "$f"
    done <"$T/files" >"$T/missing"
    [ ! -s "$T/missing" ] || {
        cat "$T/missing"
        return 1
    }
    # and the agent goes on with it in the place that is printed
    P=$HOME/src/two
    mkdir -p "$P"
    ctctl pull "$ID" | grep -q "cd $P && claude --resume $ID"
    claude -p --resume "$ID" "and on with bob"
    asked | grep -q "hello from one"
    machine alice
}
