#!/usr/bin/env bats
# An installation that is killed leaves the old state or the new one, and the next one mends all.

load lib
load pull_lib

# Where something becomes visible; CT_ALL_KILLS: also all that leads there.
CALLS=renameat2,renameat,linkat
[ -z "${CT_ALL_KILLS:-}" ] ||
    CALLS=mkdirat,mkdir,renameat2,renameat,rename,linkat,unlinkat,unlink,utimensat,fsync,flock,ftruncate,write

setup() {
    command -v strace >/dev/null || skip "strace is not here"
    strace -o /dev/null -e inject=getpid:signal=0 true 2>/dev/null || strace -o /dev/null true 2>/dev/null ||
        skip "strace may not trace here"
    T=$(mktemp -d "${TMPDIR:-/tmp}/ct.XXXXXX")
    export NO_COLOR=1 LC_ALL=C.UTF-8 TZ=UTC
    machine alice
    ID=$(new_id)
    W=$(project src/web.app)
    session new "$CLAUDE_CONFIG_DIR" "$W" "$ID" 2
    ctctl export "$ID" --local -o "$T/1.tar.gz"
    machine bob
    B=$(project src/web.app)
    # Another session, so that there is something to lose.
    session new "$CLAUDE_CONFIG_DIR" "$B" "$(new_id)" 2
    cp -r "$CLAUDE_CONFIG_DIR" "$T/start"
}

teardown() {
    end_home
}

kills() { # OPTION...: with the bundle $T/b.tar.gz, or $BUNDLE
    run python3 -S "$CT_SRC/tests/e2e/kill_install.py" "$(command -v ctctl)" "${BUNDLE:-$T/b.tar.gz}" "$B" "$ID" \
        "$T/start" "$T" "$CALLS" "$@"
    echo "$output"
    [ "$status" -eq 0 ]
}

# installed: what $T/start becomes when the first bundle is imported
installed() {
    ctctl import "$T/1.tar.gz" "$@"
    rm -rf "$T/start"
    cp -r "$CLAUDE_CONFIG_DIR" "$T/start"
}

# goes_elsewhere: bob's folder is to be another from here on
goes_elsewhere() {
    mkdir "$HOME/elsewhere"
    B=$HOME/elsewhere
}

# tells_paths: of a stranger's records and those here nothing but paths may differ, and a path ends at a
# space there (agents/body.h)
tells_paths() {
    case $T in
    *' '*) skip "the scratch folder's name has a space: words that hold it are told apart" ;;
    esac
}

alice_goes_on() {
    machine alice
    session add "$CLAUDE_CONFIG_DIR" "$ID" "alice again"
    echo two >"$CLAUDE_CONFIG_DIR/file-history/$ID/74f89b15ace58fc9@v2"
    echo changed >"$CLAUDE_CONFIG_DIR/tasks/$ID/1.json"
    ctctl export "$ID" --local -o "$T/b.tar.gz"
    machine bob
}

@test "killed while it installs a new session" {
    cp "$T/1.tar.gz" "$T/b.tar.gz"
    kills --with-memory
}

@test "killed while it updates a session" {
    installed
    alice_goes_on
    kills
}

@test "killed while it replaces another one by force" {
    installed
    session add "$CLAUDE_CONFIG_DIR" "$ID" "bob's own way"
    rm -rf "$T/start"
    cp -r "$CLAUDE_CONFIG_DIR" "$T/start"
    alice_goes_on
    kills --force
}

@test "killed while it moves a session to another project folder" {
    tells_paths
    installed
    alice_goes_on
    goes_elsewhere
    kills
}

@test "killed while it moves a session that has nothing new" {
    installed
    cp "$T/1.tar.gz" "$T/b.tar.gz"
    goes_elsewhere
    kills
}

@test "killed while it moves a session to where a folder of it was left" {
    tells_paths
    installed
    alice_goes_on
    goes_elsewhere
    local left=$T/start/projects/$(encoded "$HOME/elsewhere")/$ID/subagents
    mkdir -p "$left"
    head -c 20 "$T"/start/projects/*/"$ID"/subagents/agent-a1.jsonl >"$left/agent-a1.jsonl"
    line "only here" >"$left/agent-a9.jsonl"
    kills
}

@test "what is written to the old transcript in the last moment goes on in the new one" {
    installed
    alice_goes_on
    # The rename of the transcript takes a second; it is the last one of them.
    ASAN_OPTIONS=detect_leaks=0 strace -f $(stays_dumpable ctctl) -o "$T/trace" -e trace=prctl,renameat \
        -e inject=renameat:delay_enter=1500000 \
        ctctl import "$T/b.tar.gz" >"$T/out" 2>&1 3>&- &
    local pid=$! f=$(here "$ID")
    exec 7>>"$f"
    within grep -q 'renameat(.*"session.jsonl"' "$T/trace"
    line "in the last moment" >&7
    exec 7>&-
    wait "$pid"
    tail -n 1 "$(here "$ID")" | grep -q "in the last moment"
    grep -q "alice again" "$(here "$ID")"
}

@test "killed, or out of room, while what belongs to no session comes home" {
    local d machine
    rm -rf "$T/alice" "$T/bob" "$T/start"
    start_server
    for machine in alice bob; do
        machine $machine
        conf "device_name = \"$machine\"; profile = true;"
        mkdir -p "$CODETELEPORT_CONFIG_DIR"
        [ $machine = alice ] || install -m 600 "$T/alice/home/alice/.codeteleport/keyring" "$CODETELEPORT_CONFIG_DIR/"
        log_in
        for d in agent-memory/reviewer "projects/$(encoded "$HOME/lone")/memory"; do
            mkdir -p "$CLAUDE_CONFIG_DIR/$d"
            seq -f "- $machine learnt in $d %.0f" 2000 >"$CLAUDE_CONFIG_DIR/$d/MEMORY.md"
        done
        printf '{"display":"%s","pastedContents":{},"timestamp":1,"project":"/p"}\n' "$machine" >"$CLAUDE_CONFIG_DIR/history.jsonl"
        [ $machine = bob ] || {
            "$CT_BUILD/tests/bundle/sealone" --key >/dev/null
            mkdir -p "$CLAUDE_CONFIG_DIR/tasks/release"
            echo '{"subject":"named"}' >"$CLAUDE_CONFIG_DIR/tasks/release/1.json"
            push
        }
    done
    cp -r "$CLAUDE_CONFIG_DIR" "$T/start"
    ID=none B=
    BUNDLE=profile CALLS=$CALLS,write=ENOSPC${CT_ALL_KILLS:+,renameat2=ENOSPC,renameat=ENOSPC,mkdirat=ENOSPC,fsync=EIO}
    kills
    [ "$(grep -c 'learnt in' "$T/data/projects/$(encoded "$HOME/lone")/memory/MEMORY.md")" = 4000 ]
}
