#!/usr/bin/env bats
# Sessions go both ways between us and a stock client.  The real one is not in a registry that can be
# reached; stock_client.mjs does what it does, with the tar library that it uses.

load lib
load pull_lib

setup() {
    NPM=$(sh "$CT_SRC/tests/npm.sh" tar) || {
        [ $? -ne 77 ] || skip "$NPM"
        echo "$NPM"
        false
    }
    two_machines
    ID=$(new_id)
    W=$(project src/web)
    session new "$CLAUDE_CONFIG_DIR" "$W" "$ID" 3
}

teardown() {
    end_home
}

stock() {
    NODE_EXTRA_CA_CERTS=$CA node "$CT_SRC/tests/e2e/tools/stock_client.mjs" "$NPM" "$@"
}

token() { jq -r .token "$CODETELEPORT_CONFIG_DIR/config.json"; }

# What a stock client takes along and we don't take in.
add_env() {
    mkdir -p "$CLAUDE_CONFIG_DIR/session-env/$ID" "$CLAUDE_CONFIG_DIR/shell-snapshots"
    echo 'export SECRET=1' >"$CLAUDE_CONFIG_DIR/session-env/$ID/hook-0.sh"
    echo 'id' >"$CLAUDE_CONFIG_DIR/shell-snapshots/snapshot-bash-1.sh"
    echo 'mine' >"$W/notes.txt"
}

# came FROM-USER TO-USER: the session is here, moved, and nothing that is run
came() {
    # A stranger's plan gets another name.
    local slug='s/"slug":"[^"]*"/"slug":""/'
    talk "$T/source.jsonl" | sed "s|$T/$1/home/$1|$T/$2/home/$2|g; $slug" >"$T/moved"
    talk "$(here "$ID")" | sed "$slug" | cmp "$T/moved" -
    [ ! -e "$CLAUDE_CONFIG_DIR/session-env" ]
    [ ! -e "$CLAUDE_CONFIG_DIR/shell-snapshots" ]
    [ ! -e "$HOME/src/web/notes.txt" ]
}

@test "a stock client installs what the daemon pushed" {
    cp "$(here "$ID")" "$T/source.jsonl"
    push
    machine bob
    W=$(project src/web)
    [ "$(stock pull "$ID" "$CLAUDE_CONFIG_DIR" "$W" "$HOME" "$API" "$(token)")" = "$ID" ]
    came alice bob
    [ -n "$(find "$CLAUDE_CONFIG_DIR" -name 'r1.txt')" ]
}

@test "a stock client installs what was exported" {
    cp "$(here "$ID")" "$T/source.jsonl"
    push
    ctctl export "$ID" -o "$T/session.tgz"
    machine bob
    W=$(project src/web)
    [ "$(stock unpack "$T/session.tgz" "$CLAUDE_CONFIG_DIR" "$W" "$HOME")" = "$ID" ]
    came alice bob
}

@test "pull installs what a stock client pushed, without what would be run" {
    cp "$(here "$ID")" "$T/source.jsonl"
    add_env
    stock push "$CLAUDE_CONFIG_DIR" "$ID" "$W" "$HOME" "$API" "$(token)"
    machine bob
    W=$(project src/web)
    run ctctl pull "$ID" --target-dir "$W"
    echo "$output"
    [ "$status" -eq 0 ]
    grep -qxF "cd $(quoted "$W") && claude --resume $ID" <<<"$output"
    grep -qF "left out: $W/notes.txt" <<<"$output"
    came alice bob
    [ -n "$(find "$CLAUDE_CONFIG_DIR" -name 'r1.txt')" ]
}

@test "import installs a stock client's file, without what would be run" {
    cp "$(here "$ID")" "$T/source.jsonl"
    add_env
    stock pack "$CLAUDE_CONFIG_DIR" "$ID" "$W" "$HOME" "$T/stock.tgz"
    # The file is what such a client makes: not in the order that we write.
    [ "$(tar -tzf "$T/stock.tgz" | head -n 1)" != meta.json ]
    machine bob
    W=$(project src/web)
    run ctctl import "$T/stock.tgz" --target-dir "$W"
    echo "$output"
    [ "$status" -eq 0 ]
    came alice bob
    [ ! -e "$CLAUDE_CONFIG_DIR/projects/$(encoded "$W")/memory" ]
}
