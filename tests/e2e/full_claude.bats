#!/usr/bin/env bats
# One session on several machines with the real Claude Code: what one adds on leaving hides nothing, and
# what two made of it becomes one tree that it goes on with.

load lib
load pull_lib
load claude_lib

setup() {
    two_machines
    ctctl key init --no-confirm
    ID=$(new_id)
    P=$(project src/web.app)
}

teardown() {
    [ -z "${EXTRA_PIDS:-}" ] || kill $EXTRA_PIDS 2>/dev/null || true
    end_home
}

# at NAME: on that machine, with the account's key
at() {
    [ -d "$T/$1" ] || third "$1"
    machine "$1"
    [ "$1" = alice ] || install -D -m 600 "$T/alice/home/alice/.codeteleport/keyring" "$CODETELEPORT_CONFIG_DIR/keyring"
    P=$(project src/web.app)
}

# begin SET: alice has a session with a file in it
begin() {
    start_claude "$1"
    claude -p --session-id "$ID" "COMMON one"
    types "" "WRITE $P/a.txt from-common" from-common "\r" FROM-COMMON ""
    [ "$(cat "$P/a.txt")" = from-common ]
    push
}

# stays_open: alice's Claude Code, until there is a file $T/leave
stays_open() {
    types "@$T/leave" "" 3>&- &
    OPEN_PID=$!
    EXTRA_PIDS="${EXTRA_PIDS:-} $OPEN_PID"
    within test -e "$T/leave.waits"
}

state_is() { ctctl --json show "$ID" | jq -e --arg s "$1" '.state == $s'; }

# story SET: alice's Claude Code stays open while bob pulls and goes on; then she leaves it without a word
story() {
    local size
    begin "$1"
    start_daemon
    stays_open
    ctctl sync --wait
    size=$(stat -c %s "$(here "$ID")")
    at bob
    ctctl pull "$ID"
    claude -p --resume "$ID" "bob's work"
    asked | grep -q "COMMON one"
    push
    # She can know in time, and nothing is changed under her hands.
    at alice
    within state_is behind
    ctctl pull --update
    ! grep -q "bob's work" "$(here "$ID")" || false
    touch "$T/leave"
    wait "$OPEN_PID"
    [ "$1" != claude-new ] || [ "$(stat -c %s "$(here "$ID")")" -gt "$size" ]
    ctctl sync --wait
    within state_is behind
    at carol
    ctctl pull "$ID"
    grep -q "bob's work" "$(here "$ID")"
    claude -p --resume "$ID" "carol asks"
    asked | grep -q "bob's work"
    at alice
    ctctl pull --update
    grep -q "bob's work" "$(here "$ID")"
    claude -p --resume "$ID" "alice asks"
    asked | grep -q "bob's work"
    within state_is synced
}

# rewinds: Claude Code goes back along the active branch, and restores the file that it wrote
rewinds() {
    types "" "/rewind" /rewind "\r" cancel "\x1b[A" "" "\x1b[A" "" "\r" Summarize "\r" permissions "\x15"
    [ "$(cat "$P/a.txt")" = from-common ]
}

# united SET: both go on apart; alice merges and goes on; bob gets all of it
united() {
    begin "$1"
    at bob
    ctctl pull "$ID"
    types "" "WRITE $P/a.txt from-bob" from-bob "\r" FROM-BOB ""
    push
    at alice
    types "" "WRITE $P/a.txt from-alice" from-alice "\r" FROM-ALICE ""
    push
    ctctl pull "$ID" --merge --yes
    grep -q from-bob "$(here "$ID")"
    # The branch that was worked on last goes on, and knows nothing of the other one.
    claude -p --resume "$ID" "AND NOW"
    asked >"$T/asked"
    grep -q from-common "$T/asked"
    grep -q from-alice "$T/asked"
    ! grep -q from-bob "$T/asked" || false
    [ "$1" != claude-new ] || rewinds
    push
    ctctl --json versions "$ID" | jq -e '.heads == []'
    # Nothing of it is gone, and the other machine goes forward.
    at bob
    [ "$(pulled "$ID")" = updated ]
    for words in from-common from-alice from-bob "AND NOW"; do grep -q "$words" "$(here "$ID")"; done
    claude -p --resume "$ID" "bob again"
    asked | grep -q from-common
}

@test "what Claude Code 2.1.332 adds on leaving hides nothing on three machines" { story claude-new; }

@test "what Claude Code 2.1.197 adds on leaving hides nothing on three machines" { story claude-old; }

@test "two branches of Claude Code 2.1.332 become one tree: the last one goes on, and rewinds" { united claude-new; }

@test "two branches of Claude Code 2.1.197 become one tree: the last one goes on" { united claude-old; }
