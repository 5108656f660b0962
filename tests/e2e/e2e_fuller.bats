#!/usr/bin/env bats
# A bundle that waits may be all that is left of a session as it was: none is given up for less.

load lib

setup() {
    make_home
}

teardown() {
    end_home
}

# session LINES: a new session of so many; its id in ID, its transcript in F
session() {
    local i
    ID=$(new_id)
    F=$(transcript "$ID")
    for i in $(seq "$1"); do
        line "$i"
    done >"$T/transcript"
    mv "$T/transcript" "$F"
}

# rewrite FILE LINES: it is another and shorter one from now on
rewrite() {
    local i
    for i in $(seq "$2"); do
        line "other $i"
    done >"$T/rewritten"
    cat "$T/rewritten" >"$1"
}

# version_holds ID VERSION FILE: so is its transcript
version_holds() {
    fetch "$1" "$T/v.tar.gz" "$2"
    tar -xzOf "$T/v.tar.gz" session.jsonl | cmp - "$3"
}

# versions_of ID: [version, is it pinned] of each
versions_of() { ctctl --json versions "$1" | jq -c '[.versions[] | [.version, .pinned]]'; }

waits_for_fuller() { grep -q "session-rewritten session=$1 action=wait-for-upload" "$T/daemon.log"; }

refused_is() { [ "$(grep -c "upload-failed session=$1 .*final=yes" "$T/daemon.log")" = "$2" ]; }

@test "a full plan drops no bundle, also when there is less of its session by now" {
    local first second gone
    start_stock_server --sessions 1
    log_in
    conf 'concurrency = 1; quiet = 0.1; turn_quiet = 0.1; distance = 0; longest_wait = 5;'
    start_daemon
    session 1
    ctctl sync --wait
    ctctl pause
    session 1
    first=$ID
    within status_is '.queue | length' 1
    session 3
    second=$ID
    cp "$F" "$T/second"
    within status_is '.queue | length' 2
    rewrite "$F" 1
    within waits_for_fuller "$second"
    session 2
    gone=$ID
    cp "$F" "$T/gone"
    within status_is '.queue | length' 3
    kill -STOP "$SERVER_PID"
    ctctl resume
    within status_is '.uploads[0].sessionId' "$first"
    rm "$F" # and nobody has looked yet when the plan turns out to be full
    kill -CONT "$SERVER_PID"
    within status_is .sessions.limit 3
    status_is '.queue | length' 3
    # the plan was raised
    stop_server
    start_stock_server --sessions 20
    ctctl sync --wait
    within versions_are "$second" 2
    version_holds "$second" 1 "$T/second"
    within versions_are "$gone" 1
    version_holds "$gone" 1 "$T/gone"
    within versions_are "$first" 1
}

@test "content that is the newest version's again waits for a bundle with an attachment more" {
    start_server
    log_in
    start_daemon
    session 1
    ctctl sync --wait
    ctctl pause
    mkdir -p "${F%.jsonl}/tool-results"
    echo result >"${F%.jsonl}/tool-results/a.txt"
    within status_is '.queue[0].phase' ready
    rm "${F%.jsonl}/tool-results/a.txt"
    within waits_for_fuller "$ID"
    ctctl resume
    ctctl sync --wait
    [ "$(versions_of "$ID")" = '[[3,false],[2,true],[1,false]]' ]
    fetch "$ID" "$T/v.tar.gz" 2
    [ "$(tar -xzOf "$T/v.tar.gz" session-subdir/tool-results/a.txt)" = result ]
}

@test "a version whose subagent had said more is kept, and not amended" {
    local sub todo
    # only what is asked for: a slow machine would send the beginnings too
    conf 'amend = true; quiet = 300; turn_quiet = 300; distance = 0; longest_wait = 600;'
    start_server
    log_in
    start_daemon
    session 1
    sub=${F%.jsonl}/subagents/agent-x.jsonl todo=$CLAUDE_CONFIG_DIR/todos/$ID-agent-$ID.json
    mkdir -p "${sub%/*}" "${todo%/*}"
    rewrite "$sub" 6
    echo '[{"content":"this and that","status":"in_progress"}]' >"$todo"
    ctctl sync --wait
    # what only grows is one version
    line more >>"$F"
    ctctl sync --wait
    [ "$(versions_of "$ID")" = '[[2,false]]' ]
    # a list that is written anew is not kept beyond rotation, and not given up at once either
    echo '[]' >"$todo"
    ctctl sync --wait
    [ "$(versions_of "$ID")" = '[[3,false],[2,false]]' ]
    rewrite "$sub" 1
    ctctl sync --wait
    [ "$(versions_of "$ID")" = '[[4,false],[3,true],[2,false]]' ]
    fetch "$ID" "$T/v.tar.gz" 3
    [ "$(tar -xzOf "$T/v.tar.gz" session-subdir/subagents/agent-x.jsonl | wc -l)" = 6 ]
}

@test "amend gives up nothing: memory, a plan, prompts or a subagent written anew leave the old version" {
    local memory plan sub
    conf 'amend = true; quiet = 300; turn_quiet = 300; distance = 0; longest_wait = 600;'
    start_server
    log_in
    start_daemon
    session 1
    memory=$(dirname "$F")/memory/MEMORY.md plan=$CLAUDE_CONFIG_DIR/plans/calm-fox.md
    sub=${F%.jsonl}/subagents/agent-x.jsonl
    line hello | sed 's/"type":"user"/&,"slug":"calm-fox"/' >>"$F"
    mkdir -p "${memory%/*}" "${plan%/*}" "${sub%/*}"
    echo '- learnt' >"$memory"
    echo 'a plan' >"$plan"
    rewrite "$sub" 2
    printf '{"display":"%s","sessionId":"%s","project":"/home/al/p"}\n' one "$ID" two "$ID" \
        >"$CLAUDE_CONFIG_DIR/history.jsonl"
    ctctl sync --wait
    # all of them grow: the version before goes
    echo '- and more' >>"$memory"
    echo 'and more' >>"$plan"
    line more >>"$sub"
    ctctl sync --wait
    [ "$(versions_of "$ID")" = '[[2,false]]' ]
    # each of them becomes something else, none gets shorter but what is emptied
    echo '- forgotten all, and learnt a lot of other things' >"$memory"
    ctctl sync --wait "$ID"
    sed 's/more/less/' "$sub" >"$T/sub" && cat "$T/sub" >"$sub"
    ctctl sync --wait "$ID"
    : >"$plan"
    ctctl sync --wait "$ID"
    : >"$CLAUDE_CONFIG_DIR/history.jsonl"
    line again >>"$F"
    ctctl sync --wait "$ID"
    [ "$(versions_of "$ID" | jq -c 'map(.[0])')" = '[6,5,4,3,2]' ]
    fetch "$ID" "$T/v.tar.gz" 2
    [ "$(tar -xzOf "$T/v.tar.gz" memory/MEMORY.md | head -n 1)" = '- learnt' ]
    [ "$(tar -xzOf "$T/v.tar.gz" plans/calm-fox.md | head -n 1)" = 'a plan' ]
    [ "$(tar -xzOf "$T/v.tar.gz" history.jsonl | wc -l)" = 2 ]
}

@test "a fuller bundle that was refused is tried again whenever its session changes" {
    local refusal='status=413 body={"error":"too_large","message":"That is too much."}'
    start_server_behind_proxy
    log_in
    start_daemon
    # refused, and then there is less
    faults "api POST */sessions/upload times=1 $refusal"
    session 3
    cp "$F" "$T/fuller"
    within refused_is "$ID" 1
    rewrite "$F" 1
    within versions_are "$ID" 2
    version_holds "$ID" 1 "$T/fuller"
    bundle_equals "$ID" "$F"
    # there is less, and then it is refused, twice
    ctctl pause
    faults "api POST */sessions/upload $refusal"
    session 3
    cp "$F" "$T/fuller"
    within status_is '.queue[0].phase' ready
    rewrite "$F" 1
    within waits_for_fuller "$ID"
    ctctl resume
    within refused_is "$ID" 1
    line on >>"$F"
    within refused_is "$ID" 2
    faults
    line "and on" >>"$F"
    within versions_are "$ID" 2
    version_holds "$ID" 1 "$T/fuller"
    bundle_equals "$ID" "$F"
}
