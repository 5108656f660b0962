#!/usr/bin/env bats
# One story: no version that holds less hides one that holds more, whatever the server is and
# whatever happened to it.

load lib
load pull_lib

teardown() {
    end_home
}

# pair [SERVER]: alice's session of two turns, pulled by bob
pair() {
    two_machines "$@"
    ID=$(new_id)
    W=$(project src/web.app)
    session new "$CLAUDE_CONFIG_DIR" "$W" "$ID" 2
    install -D -m 600 /dev/null "$CLAUDE_CONFIG_DIR/file-history/$ID/0123456789abcdef@v1"
    echo "before it was edited" >"$CLAUDE_CONFIG_DIR/file-history/$ID/0123456789abcdef@v1"
    push
    machine bob
    project src/web.app >/dev/null
    ctctl pull "$ID"
    push
}

# turn MACHINE WORDS: one more of them, saved
turn() {
    machine "$1"
    session add "$CLAUDE_CONFIG_DIR" "$ID" "$2"
    push
}

# item FILTER: of this machine's own list
item() { ctctl --json show "$ID" | jq -e "$1"; }

# state STATE: this machine's, by its own daemon
state() {
    local rc=0
    start_daemon
    ctctl sync --wait >/dev/null || rc=$?
    ctctl --json show "$ID" >"$T/show.json" && [ "$(jq -r .state "$T/show.json")" = "$1" ] || rc=1
    [ "$rc" = 0 ] || cat "$T/show.json"
    stop_daemon
    return "$rc"
}

numbers() { ctctl --json versions "$ID" | jq -c '[.versions[].version] | sort'; }
current() { ctctl --json versions "$ID" | jq .currentVersion; }

# offered WORDS: somewhere among current version and heads, and in the fullest that pull takes or
# names
offered() {
    local v
    for v in $(current) $(ctctl --json versions "$ID" | jq -r '.heads[]?'); do
        fetch "$ID" "$T/offered.tgz" "$v"
        tar -xzOf "$T/offered.tgz" session.jsonl | grep -q "$1" && return
    done
    echo "nobody is offered: $1"
    ctctl versions "$ID"
    return 1
}

# back_up, put_back: the server's folder as it was
back_up() {
    stop_server
    rm -rf "$T/backup"
    cp -a "$T/server" "$T/backup"
    start_server
}

put_back() {
    stop_server
    rm -rf "$T/server"
    cp -a "$T/backup" "$T/server"
    start_server
}

sealed() {
    "$CT_BUILD/tests/bundle/sealone" --key >/dev/null
}

# sealed_by_both: a session of alice's in a sealed account, which bob has pulled; this is bob's machine
sealed_by_both() {
    two_machines
    sealed
    ID=$(new_id)
    W=$(project src/web.app)
    session new "$CLAUDE_CONFIG_DIR" "$W" "$ID" 2
    push
    machine bob
    install -D -m 600 "$T/alice/home/alice/.codeteleport/keyring" "$CODETELEPORT_CONFIG_DIR/keyring"
    project src/web.app
    ctctl pull "$ID"
    push
}

# ---- behind

# leaves: without a word; the agent adds what it always does, and writes its file history anew
leaves() {
    local f=$CLAUDE_CONFIG_DIR/file-history/$ID/0123456789abcdef@v1
    session quiet "$CLAUDE_CONFIG_DIR" "$ID"
    cp "$f" "$f.new"
    mv "$f.new" "$f"
    push
}

@test "a machine that is behind and has no news uploads nothing, and is behind" {
    pair
    turn bob "bob's turn"
    machine alice
    leaves
    [ "$(numbers)" = '[1,2]' ]
    [ "$(current)" = 2 ]
    state behind
    jq -e '.elsewhereVersion == 2' "$T/show.json"
    # Nothing is kept of what was reserved, and pull --update brings what is missing.
    ctctl pull --update
    grep -q "bob's turn" "$(here "$ID")"
    # So it is with what was pulled.
    turn alice "alice's turn"
    machine bob
    ctctl pull --update
    push
    turn alice "alice once more"
    machine bob
    leaves
    [ "$(numbers)" = '[1,2,4,5]' ]
    state behind
}

# looked_in: somebody opens it and leaves, and that is saved, for nobody else has more
looked_in() {
    session quiet "$CLAUDE_CONFIG_DIR" "$ID"
    push
    [ "$(current)" = 2 ]
}

# goes_on_after: the other one says something, who has seen nothing of that; nobody went apart
goes_on_after() {
    looked_in
    turn alice "alice's turn"
    state synced
    machine bob
    state behind
    ctctl pull "$ID"
    grep -q "alice's turn" "$(here "$ID")"
    push
    state synced
}

@test "who only looked in has not gone apart from who goes on" {
    pair
    goes_on_after
}

@test "... nor in a sealed account" {
    sealed_by_both
    goes_on_after
}

@test "with news it goes up, and both say that they went apart" {
    pair
    turn bob "bob's turn"
    machine alice
    session quiet "$CLAUDE_CONFIG_DIR" "$ID"
    push
    turn alice "alice's turn"
    offered "bob's turn"
    offered "alice's turn"
    state diverged
    machine bob
    state diverged
    # A quiet record changes nothing of that, and is not worth a version.
    session quiet "$CLAUDE_CONFIG_DIR" "$ID"
    before=$(numbers)
    push
    [ "$(numbers)" = "$before" ]
    state diverged
}

@test "what went apart is one of the problems, with device, version and what to type" {
    pair
    turn bob "bob's turn"
    turn alice "alice's turn"
    start_daemon
    ctctl sync --wait
    ctctl --json status >"$T/status.json"
    jq -e '.sessions.diverged == 1' "$T/status.json"
    jq -e '[.problems[] | select(.what | test("went on here and on another machine"))] |
        length == 1 and (.[0].why | test("version 2") and test("bob")) and
        (.[0].cure | test("ctctl pull .* --merge"))' "$T/status.json"
    ctctl >"$T/screen"
    ! head -n 1 "$T/screen" | grep -qE '(safe|saved).*\.$' || false
    head -n 1 "$T/screen" | grep -q 'two places'
    run ctctl status --check
    [ "$status" = 1 ]
    ctctl sync --wait 2>&1 | grep -q 'two places'
    # Both commands do what is said of them.
    cure=$(jq -r '.problems[].cure | select(test("--merge"))' "$T/status.json")
    [[ $cure == *": ctctl pull ${ID:0:8} --version 2 --force" ]]
    ${cure##*: }
    grep -q "bob's turn" "$(here "$ID")"
    offered "alice's turn"
    ctctl pull "$ID" --version 3 --merge --yes
    ctctl sync --wait
    ctctl --json show "$ID" | jq -e '.state == "synced"'
}

@test "in a sealed account it is the same" {
    sealed_by_both
    turn bob "bob's turn"
    machine alice
    session quiet "$CLAUDE_CONFIG_DIR" "$ID"
    push
    state behind
    turn alice "alice's turn"
    state diverged
    [ "$(ctctl --json versions "$ID" | jq '.versions | length')" = 3 ]
    # Whose it is and what it holds the server can't tell, but its description can.
    turn bob "bob's next"
    machine alice
    start_daemon
    session add "$CLAUDE_CONFIG_DIR" "$ID" "alice's next"
    ctctl sync --wait
    within item '.reason | test("\\(bob, [0-9]+ messages\\)")'
}

# ---- what is here already

# beside: the numbers of the heads beside the current version, without what is only pinned
beside() { ctctl --json versions "$ID" | jq -c '[.versions[] | select(.pinned) | .version] as $p | .heads - $p'; }

# is_pinned NUMBER: that version
is_pinned() { ctctl --json versions "$ID" | jq -e "[.versions[] | select(.pinned) | .version] | index($1) != null"; }

# with_keys: this machine has alice's, if she has any
with_keys() {
    [ ! -e "$T/alice/home/alice/.codeteleport/keyring" ] ||
        install -D -m 600 "$T/alice/home/alice/.codeteleport/keyring" "$CODETELEPORT_CONFIG_DIR/keyring"
}

# ends_in_one: three machines have the session, bob has files beside it that the others lack, and
# then everybody only pulls what is newer
ends_in_one() {
    ID=$(new_id)
    W=$(project src/web.app)
    session new "$CLAUDE_CONFIG_DIR" "$W" "$ID" 2
    push
    third carol
    project src/web.app
    with_keys
    ctctl pull "$ID"
    machine bob
    project src/web.app
    with_keys
    ctctl pull "$ID"
    mkdir -p "$(dirname "$(here "$ID")")/memory" "$(dirname "$(here "$ID")")/$ID/tool-results"
    echo "bob remembers" >"$(dirname "$(here "$ID")")/memory/MEMORY.md"
    echo "bob's result" >"$(dirname "$(here "$ID")")/$ID/tool-results/bob.txt"
    push
    # What one had merged is news for the next, once.
    for m in alice carol bob alice carol; do
        machine "$m"
        ctctl pull --update
        push
    done
    for m in alice bob carol; do
        machine "$m"
        state synced
        grep -q "bob's result" "$(dirname "$(here "$ID")")/$ID/tool-results/bob.txt"
        ctctl --json pull --update | jq -e '.sessions == [] and .alreadyHere == 1'
    done
    [ "$(beside)" = '[]' ]
}

@test "machines that only pull what is newer are all safe at the end, and nothing is left to fetch" {
    two_machines
    ends_in_one
}

@test "sealed, machines that only pull what is newer are all safe at the end too" {
    two_machines
    sealed
    ends_in_one
}

downloads() { grep -c "route=/v1/sessions/:id/download" "$T/server.log"; }

@test "pull --update names what went on in two places, fetches it once, and that is no failure" {
    pair
    turn bob "bob's turn"
    turn alice "alice's turn"
    for m in alice bob; do
        machine "$m"
        ctctl pull --update >"$T/said" 2>&1
        tr '\n' ' ' <"$T/said" | tr -s ' ' | grep -q "each without the other.* ctctl pull ${ID:0:8} --merge"
        before=$(downloads)
        ctctl pull --update 2>&1 | grep -q "1 in two places"
        ctctl --json pull --update | jq -e '.diverged == 1 and .failed == 0 and .sessions[0].outcome == "diverged"'
        [ "$(downloads)" = "$before" ]
    done
    # Whatever comes of it is looked at again.
    turn alice "alice's next"
    machine bob
    ctctl --json pull --update | jq -e '.diverged == 1'
    ctctl pull "$ID" --merge --yes
    ctctl --json pull --update | jq -e '.diverged == 0'
}

@test "one machine holds what stands beside its own version: a pull finds out, and both are one again" {
    pair
    turn bob "bob's turn"
    turn alice "alice's turn"
    state diverged
    cp "$(T=$T machine bob; here "$ID")" "$T/bobs"
    python3 -S - "$T/bobs" "$(here "$ID")" <<'PY'
import sys
have = open(sys.argv[2]).read()
open(sys.argv[2], "a").write("".join(l for l in open(sys.argv[1]) if l not in have and "bob's turn" in l))
PY
    ctctl pull "$ID"
    push
    state synced
    [ "$(beside)" = '[]' ]
    machine bob
    state behind
    ctctl pull --update
    state synced
}

@test "who went on from less is apart, as a pull finds out, and nobody's timer fails for it" {
    pair
    turn bob "bob's turn"
    machine alice
    ctctl pull --update
    push
    head -n -2 "$(here "$ID")" >"$T/cut"
    cat "$T/cut" >"$(here "$ID")"
    turn alice "alice's, without bob's"
    machine bob
    start_daemon
    ctctl sync --wait
    ctctl pull --update 2>&1 | tr '\n' ' ' | tr -s ' ' | grep -q "pull ${ID:0:8} --merge"
    item '.state == "diverged"'
    stop_daemon
    state diverged
    ctctl pull "$ID" --merge --yes
    push
    state synced
}

# ---- bundles that wait

# waits N: it was bundled N times, and nothing went out
waits() { [ "$(grep -c "bundled session=$ID" "$T/daemon.log")" -ge "$1" ]; }

# pauses: nothing goes out from this machine until keeps_waiting
pauses() {
    machine "$1"
    start_daemon
    ctctl pause
    stop_daemon
}

# keeps_waiting [N]: N bundles wait already; two turns, each in a bundle of its own; then they go out
keeps_waiting() {
    : >"$T/daemon.log"
    start_daemon
    within waits "${1:-0}"
    session add "$CLAUDE_CONFIG_DIR" "$ID" "first of two"
    within waits $((${1:-0} + 1))
    session add "$CLAUDE_CONFIG_DIR" "$ID" "second of two"
    within waits $((${1:-0} + 2))
    ctctl resume
    ctctl sync --wait
    stop_daemon
    state synced
    [ "$(beside)" = '[]' ]
}

@test "what a pull brought is contained in a bundle that takes another's place in the queue" {
    pair
    turn bob "bob's turn"
    pauses alice
    ctctl pull "$ID"
    keeps_waiting
}

@test "what was merged is contained in a bundle that takes another's place in the queue" {
    pair
    turn bob "bob's turn"
    turn alice "alice's turn"
    pauses alice
    ctctl pull "$ID" --merge --yes
    keeps_waiting 1
    [ "$(ctctl --json versions "$ID" | jq -c '.versions[0] | [.version, (.baseVersions | sort)]')" = '[4,[2,3]]' ]
}

# ---- a server that is not ours

kept() { ls "$XDG_STATE_HOME"/codeteleport/*/accounts/*/kept/; }

@test "a stock server: a machine that is behind and has no news uploads nothing" {
    pair start_stock_server
    turn bob "bob's turn"
    machine alice
    session quiet "$CLAUDE_CONFIG_DIR" "$ID"
    push
    [ "$(current)" = 2 ]
    state behind
    ! kept
}

@test "a stock server: with news, what it would hide is kept here first" {
    pair start_stock_server
    turn bob "bob's turn"
    turn alice "alice's turn"
    [ "$(kept)" = "$ID.v2.tar.gz" ]
    tar -xzOf "$XDG_STATE_HOME"/codeteleport/*/accounts/*/kept/"$ID.v2.tar.gz" session.jsonl |
        grep -q "bob's turn"
    state diverged
    # It can be had, as status says.
    start_daemon
    ctctl --json status | jq -e '.problems[].cure | select(test("ctctl import"))'
    stop_daemon
    ctctl import "$XDG_STATE_HOME"/codeteleport/*/accounts/*/kept/"$ID.v2.tar.gz" --as-copy
    grep -rq "bob's turn" "$CLAUDE_CONFIG_DIR/projects"
    # One's own next version hides nothing.
    turn alice "alice's next"
    [ "$(kept)" = "$ID.v2.tar.gz" ]
    # Nobody told the other whether his is in what came after it, and he hears no more than that.
    machine bob
    start_daemon
    ctctl sync --wait
    item '.reason | test("server does not say")'
    ! ctctl pull "$ID" || false
    within item '.state == "diverged"'
    stop_daemon
}

@test "a stock server: what was merged is not apart from that, nor is it kept here" {
    pair start_stock_server
    turn bob "bob's turn"
    turn alice "alice's turn"
    machine bob
    ctctl pull "$ID" --merge --yes
    push
    state synced
    [ -z "$(find "$XDG_STATE_HOME" -name "$ID.v3.tar.gz")" ]
    # Also what the server hands out by its number only.
    turn alice "alice's next"
    turn bob "bob's next"
    state diverged
    machine alice
    ctctl pull "$ID"  --merge --yes
    push
    state synced
    ctctl pull "$ID"
    for words in "bob's turn" "bob's next" "alice's next"; do grep -q "$words" "$(here "$ID")"; done
}

# ---- a server that has lost something

@test "a server that was put back from a backup gives numbers anew, and they hide nothing" {
    pair
    back_up
    turn alice "alice's second"
    turn alice "alice's third"
    put_back
    turn bob "bob's second"
    turn bob "bob's third"
    turn alice "alice's fourth"
    offered "alice's fourth"
    offered "alice's second"
    offered "bob's third"
}

@test "a version that a restored server lost waits again and is saved anew" {
    pair
    back_up
    turn alice "alice's second"
    put_back
    machine alice
    state synced
    offered "alice's second"
}

@test "a session that a restored server lost is saved anew" {
    two_machines
    back_up
    ID=$(new_id)
    W=$(project src/web.app)
    session new "$CLAUDE_CONFIG_DIR" "$W" "$ID" 2
    push
    put_back
    push
    [ "$(numbers)" = '[1]' ]
    state synced
}

@test "a version of one's own that was deleted is saved anew" {
    pair
    turn bob "bob's turn"
    ctctl delete "$ID" --version 2 --yes
    state synced
    offered "bob's turn"
}

@test "a server that was put back while no daemon ran and has higher numbers since: what it lost is saved anew" {
    pair
    back_up
    turn alice "alice's second"
    turn alice "alice's third"
    for i in 1 2 3 4 5 6 7 8 9; do
        session new "$CLAUDE_CONFIG_DIR" "$(project src/other)" "$(new_id)" 1
    done
    push
    push # and what it says then is what the server had
    put_back
    for words in second third fourth; do
        turn bob "bob's $words"
    done
    machine alice
    state diverged
    offered "alice's third"
    offered "bob's fourth"
}

# What a pull installed is noted beside the books too; that note outlives what it speaks of.
@test "the books are lost, and what was pulled is at no server that was put back: it is saved anew" {
    pair
    back_up
    turn alice "alice's turn"
    machine bob
    ctctl pull "$ID"
    push
    state synced
    put_back
    find "$XDG_STATE_HOME" -name 'state.db*' -delete
    push
    offered "alice's turn"
    state synced
}

# lost_and_asked FAULT...: as above, and the server's answers are broken so; bob's daemon has found out
# once they are whole, and called nothing safe before
lost_and_asked() {
    find "$XDG_STATE_HOME" -name 'state.db*' -delete
    faults "$@"
    start_daemon
    ctctl sync --wait >/dev/null &
    sync=$!
    within proxied_more '.method == "GET" and (.path | endswith("/sessions"))' 1
    within item '.state == "pending" and (.reason | test("is being asked"))'
    kill -0 "$sync"
    faults
    wait "$sync"
    stop_daemon
    offered "alice's turn"
    state synced
}

@test "... nor is it called safe while nobody can be asked" {
    pair start_server_behind_proxy
    back_up
    turn alice "alice's turn"
    machine bob
    ctctl pull "$ID"
    push
    cp -a "$M" "$T/bob.then"
    for fault in "api GET */sessions status=500" "api GET */sessions status=503" \
        "api GET */sessions reset"; do
        put_back
        rm -rf "$M"
        cp -a "$T/bob.then" "$M"
        : >"$T/proxy.log"
        lost_and_asked "$fault"
    done
}

@test "both have what a server that was put back has lost: they are safe, and neither is apart" {
    pair
    back_up
    turn bob "bob's second"
    machine alice
    ctctl pull --update
    push
    put_back
    turn bob "bob's third"
    machine alice
    state behind
    ctctl pull --update
    state synced
    [ "$(beside)" = '[]' ]
}

@test "a machine whose books were lost is behind what holds all of it, and claims nothing that this was built on" {
    two_machines
    ID=$(new_id)
    session new "$CLAUDE_CONFIG_DIR" "$(project src/web.app)" "$ID" 2
    rm -r "$CLAUDE_CONFIG_DIR/tasks" # it names this home
    push
    machine bob
    project src/web.app
    ctctl pull "$ID"
    local aside
    aside=$(echo "$CLAUDE_CONFIG_DIR"/projects/*)/$ID/subagents/agent-1.jsonl
    echo '{"type":"user","uuid":"'"$(new_id)"'","message":{"role":"user","content":"aside"}}' \
        >"$aside"
    turn bob "bob's second"
    rm "$aside"
    turn bob "bob's third"
    is_pinned 2
    machine alice
    echo '{"type":"mode","mode":"normal","sessionId":"'"$ID"'"}' >>"$(here "$ID")"
    rm "$XDG_STATE_HOME"/codeteleport/*/accounts/*/state.db
    state behind
    jq -e '.version == 3' "$T/show.json"
    turn alice "alice's second"
    is_pinned 2
    offered "bob's third"
}

@test "what a pull brought and a server that was put back has lost is saved by whoever has it, with news or without" {
    pair
    turn alice "alice's second"
    back_up
    turn bob "bob's second"
    machine alice
    ctctl pull "$ID" --version 3 --force
    put_back
    session quiet "$CLAUDE_CONFIG_DIR" "$ID"
    push
    offered "bob's second"
    offered "alice's second"
}

@test "a machine without news is behind only as long as what keeps it safe is there" {
    pair
    turn alice "alice's second"
    turn bob "bob's second"
    machine alice
    start_daemon
    ctctl sync --wait
    # Somebody deletes it by its number, and the daemon has not heard of it when it uploads.
    api DELETE "/sessions/$ID/versions/2"
    session quiet "$CLAUDE_CONFIG_DIR" "$ID"
    ctctl sync "$ID"
    again() { offered "alice's second"; }
    within again
    stop_daemon
}

@test "what a transcript lost before it was merged is in none of the versions that are named" {
    pair
    turn bob "bob's second"
    turn alice "alice's second"
    local f
    f=$(here "$ID")
    grep -v "alice's second" "$f" >"$f.new"
    mv "$f.new" "$f"
    session add "$CLAUDE_CONFIG_DIR" "$ID" "alice's third"
    ctctl pull "$ID" --merge --yes
    push
    offered "alice's second"
    offered "alice's third"
    offered "bob's second"
}

@test "what a pull put in the place of a session contains nothing of that, whatever else is lost meanwhile" {
    pair
    turn alice "alice's second"
    turn bob "bob's second"
    ctctl delete "$ID" --version 2 --yes
    machine alice
    ctctl pull "$ID" --version 3 --force
    turn bob "bob's third"
    machine alice
    ctctl pull "$ID"
    session add "$CLAUDE_CONFIG_DIR" "$ID" "alice's third"
    stop_server
    start_daemon
    within waits 1
    start_server
    ctctl sync --wait || true
    stop_daemon
    push
    ctctl undelete "$ID" --version 2
    offered "alice's second"
    offered "alice's third"
}

@test "versions that are deleted by number: the newest is saved anew at once, the only one stays deleted" {
    pair
    turn alice "alice's second"
    start_daemon
    ctctl sync --wait
    ctctl delete "$ID" --version 2 --yes
    ctctl sync --wait "$ID"
    [ "$(ctctl --json versions "$ID" | jq .currentVersion)" -gt 2 ]
    OTHER=$(new_id)
    session new "$CLAUDE_CONFIG_DIR" "$(project src/other)" "$OTHER" 1
    ctctl sync --wait
    ctctl delete "$OTHER" --version 1 --yes
    ctctl --json show "$OTHER" | jq -e '.state == "excluded"'
}

# ---- knowing in time

is_behind_now() { ctctl --json show "$ID" | jq -e '.state == "behind" and .elsewhereVersion == 2'; }

# asked: how often the server was asked for its list
asked() { grep -cE 'GET /v1/sessions(\?| )|route=/v1/sessions ' "$T/server.log"; }

knows_in_time() {
    pair "$@"
    machine alice
    start_daemon
    ctctl sync --wait
    DAEMON_OF_ALICE=$DAEMON_PID
    turn bob "bob's turn"
    machine alice
    # Who looks again and again asks once in ten seconds.
    within is_behind_now
    before=$(asked)
    ctctl list --local >/dev/null
    ctctl >/dev/null
    ctctl list --local >/dev/null
    # (the line of the last answer may have come after it)
    [ "$(asked)" -le "$((before + 1))" ]
    DAEMON_PID=$DAEMON_OF_ALICE
}

@test "whoever looks is told within seconds that another machine went on" {
    knows_in_time
    # Offline it is not in the way.
    stop_server
    ctctl --json list --local | jq -e '.[0].state == "behind"'
}

@test "a stock server: whoever looks is told within seconds too" {
    knows_in_time start_stock_server
}

@test "a session that another machine deleted is seen by whoever looks" {
    pair
    machine alice
    start_daemon
    ctctl sync --wait
    DAEMON_OF_ALICE=$DAEMON_PID
    machine bob
    ctctl delete "$ID" --yes
    machine alice
    DAEMON_PID=$DAEMON_OF_ALICE
    is_deleted() { ctctl --json show "$ID" | jq -e '.state == "deleted"'; }
    within is_deleted
}

# ---- keys

# stored: how many sessions the server has
stored() { sqlite3 "$T/server/server.db" 'SELECT count(*) FROM sessions WHERE current_version > 0'; }

@test "a machine whose keys open nothing of a sealed account uploads nothing, until it has the first one" {
    two_machines start_server_behind_proxy
    sealed
    ID=$(new_id)
    W=$(project src/web.app)
    session new "$CLAUDE_CONFIG_DIR" "$W" "$ID" 2
    push
    machine bob
    sealed
    OTHER=$(new_id)
    session new "$CLAUDE_CONFIG_DIR" "$(project src/other)" "$OTHER" 1
    faults "api GET */sessions delay=2" # it has bundled by then
    start_daemon
    is_held() { ctctl --json status | jq -e '.encryption.state == "no_key" and .sessions.synced == 0'; }
    within is_held
    faults
    run ctctl sync --wait
    [ "$status" != 0 ]
    [ "$(stored)" = 1 ]
    install -m 600 "$T/alice/home/alice/.codeteleport/keyring" "$CODETELEPORT_CONFIG_DIR/keyring"
    ctctl sync --wait
    [ "$(stored)" = 2 ]
}

# ---- a stock client, and a deletion, between machines of ours

@test "a stock upload among three machines hides nothing, and all of it becomes one" {
    pair
    turn bob "bob's turn"
    third carol
    W=$(project src/web.app)
    ctctl pull "$ID" --version 1
    session add "$CLAUDE_CONFIG_DIR" "$ID" "stock words"
    stock_upload "$ID" "$W" "$(here "$ID")"
    [ "$(ctctl --json versions "$ID" | jq -c '[.currentVersion, .heads]')" = '[3,[2]]' ]
    turn alice "alice's turn"
    for words in "bob's turn" "stock words" "alice's turn"; do offered "$words"; done
    ctctl pull "$ID" --version 2 --merge --yes
    ctctl pull "$ID" --version 3 --merge --yes
    push
    machine bob
    ctctl pull "$ID"
    for words in "bob's turn" "stock words" "alice's turn"; do grep -q "$words" "$(here "$ID")"; done
    [ "$(ctctl --json versions "$ID" | jq -c '[.versions[] | select(.pinned | not) | select(.isHead) | .version] | length')" = 1 ]
}

@test "a head that is deleted in a sealed account is no step back, and comes back as one" {
    sealed_by_both
    turn bob "bob's turn"
    turn alice "alice's turn"
    [ "$(ctctl --json versions "$ID" | jq -c '[.currentVersion, .heads]')" = '[2,[3]]' ]
    machine bob
    ctctl delete "$ID" --version 3 --yes
    state synced
    ctctl pull "$ID"
    ctctl undelete "$ID" --version 3
    [ "$(ctctl --json versions "$ID" | jq -c '[.currentVersion, .heads]')" = '[2,[3]]' ]
    ctctl pull "$ID" --merge --yes
    grep -q "alice's turn" "$(here "$ID")"
}
