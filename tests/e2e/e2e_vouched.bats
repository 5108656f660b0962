#!/usr/bin/env bats
# An id is anybody's to write: what a stranger's import brought under the ids of one's own session holds
# nothing of it, wherever it is asked what holds what. And what is made of a stranger's is one.

load lib
load pull_lib

teardown() {
    end_home
}

# the_key: this device and bob's seal
the_key() {
    "$CT_BUILD/tests/bundle/sealone" --key >/dev/null
    mkdir -p "$T/bob/home/bob/.codeteleport"
    install -m 600 "$CODETELEPORT_CONFIG_DIR/keyring" "$T/bob/home/bob/.codeteleport/keyring"
}

# beside: the folder of the session's own files
beside() { echo "$(dirname "$(here "$ID")")/$ID"; }

# a_lie KIND: alice's second version is in the cloud; bob, who has the first one, imports what bears the ids
# of the second with other words
a_lie() {
    local more=() base=$T/base.jsonl lie=$T/lie.jsonl
    machine alice
    ID=$(new_id)
    W=$(project src/web.app)
    session new "$CLAUDE_CONFIG_DIR" "$W" "$ID" 2
    push
    machine bob
    project src/web.app >/dev/null
    [ "$(pulled "$ID")" = installed ]
    cp "$(here "$ID")" "$base"
    machine alice
    session add "$CLAUDE_CONFIG_DIR" "$ID" "the truth"
    session side "$(beside)/subagents/agent-a1.jsonl" "the truth"
    echo "the truth, as it was" >"$(beside)/tool-results/r2.txt"
    push
    grep "the truth" "$(here "$ID")" | sed 's/the truth/a lie/g' >"$lie"
    case $1 in
        transcript) cat "$lie" >>"$base" ;;
        other) more=("session-subdir/codeteleport-other/0123456789abcdef0123456789abcdef.jsonl=$lie") ;;
        beside)
            cat "$lie" >>"$base"
            sed 's/the truth/a lie/g' "$(beside)/subagents/agent-a1.jsonl" >"$T/agent.jsonl"
            echo "a lie, which is longer than it was" >"$T/r2.txt"
            more=("session-subdir/subagents/agent-a1.jsonl=$T/agent.jsonl" "session-subdir/tool-results/r2.txt=$T/r2.txt")
            ;;
    esac
    machine bob
    session stock "$T/lie.gz" "$HOME/src/web.app" "$ID" "$base" "${more[@]}"
    ctctl import "$T/lie.gz" --target-dir "$HOME/src/web.app" >"$T/import.log" 2>&1
}

# is_whole: all that alice said is here, and is what Claude Code goes on with
is_whole() {
    [ "$(grep -c "the truth" "$(here "$ID")")" = 2 ]
    ! grep -q "a lie" "$(here "$ID")" || return 1
    grep -q "the truth" "$(beside)/subagents/agent-a1.jsonl"
    grep -qx "the truth, as it was" "$(beside)/tool-results/r2.txt"
}

# heads: the current version and the others that nobody builds on
heads() { ctctl --json versions "$ID" | jq -c '[.versions[] | select(.isHead) | .version] | sort'; }

# nothing_is_held: in every place, whatever a stranger says
nothing_is_held() {
    local kind
    for kind in transcript other beside; do
        a_lie "$kind"
        ctctl --json verify "$ID" | jq -e '.local | IN("cloud-newer", "diverged")'
        ctctl --json pull "$ID" --dry-run | jq -e '.outcome == "updated"'
        case $kind in
            transcript) ctctl --json pull --update | jq -e '.sessions[0].outcome == "updated"' ;;
            other) [ "$(pulled "$ID")" = updated ] ;;
            beside) [ "$(pulled "$ID" --force)" = updated ] ;;
        esac
        is_whole
        # What was told instead is still here too, and may be more than the cloud has.
        pulled "$ID" | grep -qx "already-here\|kept"
        # It is here now, so that what goes on from it says so.
        session add "$CLAUDE_CONFIG_DIR" "$ID" "bob goes on"
        push
        [ "$(heads)" = "[3]" ]

        # What is saved before anybody looked stands beside it, and a merge takes the truth of it.
        a_lie "$kind"
        session add "$CLAUDE_CONFIG_DIR" "$ID" "bob goes on"
        push
        [ "$(heads)" = "[2,3]" ]
        ctctl --json pull "$ID" --merge --yes | jq -e '.outcome == "merged"'
        is_whole
        grep -q "bob goes on" "$(here "$ID")"
        push
        # A file that is shorter than what was told keeps what was saved of that, until somebody looks.
        [ "$kind" != beside ] || {
            pulled "$ID"
            push
        }
        # In clear the version with what was told may stay a head, for its words count as the account's.
        [ "$(heads | jq 'map(select(. != 3)) | length')" = 1 ]
    done
}

@test "a stranger's words under one's own ids hold nothing of what one's account has" {
    two_machines
    nothing_is_held
}

@test "nor of what is sealed; and nobody's words take the place of one's own by themselves" {
    two_machines
    the_key
    nothing_is_held
    # What is a stranger's on bob's machine makes nothing of alice's one unasked.
    machine alice
    cp "$(here "$ID")" "$T/own.jsonl"
    run ctctl pull --update
    grep -q "is a stranger's, and what is here is your own" <<<"$(tr '\n' ' ' <<<"$output" | tr -s ' ')"
    cmp "$T/own.jsonl" "$(here "$ID")"
    # A stranger's version of all that is here, with other words and one more turn.
    ID=$(new_id)
    session new "$CLAUDE_CONFIG_DIR" "$W" "$ID" 3
    cp "$(here "$ID")" "$T/own.jsonl"
    session add "$CLAUDE_CONFIG_DIR" "$ID" "one more"
    sed 's/turn 1/a lie/' "$(here "$ID")" >"$T/lie.jsonl"
    cp "$T/own.jsonl" "$(here "$ID")"
    session stock "$T/lie.gz" "$W" "$ID" "$T/lie.jsonl"
    run ctctl import "$T/lie.gz" --target-dir "$W"
    echo "$output"
    [ "$status" -ne 0 ]
    grep -q "has gone on here and elsewhere" <<<"$output"
    cmp "$T/own.jsonl" "$(here "$ID")"
    session stock "$T/truth.gz" "$W" "$ID" "$T/own.jsonl"
    ctctl --json import "$T/truth.gz" --target-dir "$W" | jq -e '.outcome == "already-here"'
    # Nor those of a session that is a stranger's already: what goes on from it comes, the lie does not.
    session add "$CLAUDE_CONFIG_DIR" "$ID" "a turn"
    session stock "$T/on.gz" "$W" "$ID" "$(here "$ID")"
    cp "$T/own.jsonl" "$(here "$ID")"
    ctctl --json import "$T/on.gz" --target-dir "$W" | jq -e '.outcome == "updated"'
    run ctctl import "$T/lie.gz" --target-dir "$W"
    [ "$status" -ne 0 ]
    ! grep -q "a lie" "$(here "$ID")" || false
}

@test "a fork of a stranger's session is a stranger's, on whatever machine it is made" {
    local fork
    two_machines
    the_key
    ID=$(new_id)
    W=$(project src/web.app)
    session new "$CLAUDE_CONFIG_DIR" "$W" "$ID" 2
    session stock "$T/file.gz" "$W" "$ID" "$(here "$ID")"
    rm -rf "$CLAUDE_CONFIG_DIR"
    mkdir -m 700 "$CLAUDE_CONFIG_DIR"
    ctctl import "$T/file.gz" --target-dir "$W"
    for m in alice bob; do
        machine "$m"
        project src/web.app
        [ "$m" = alice ] || pulled "$ID"
        fork=$(new_id)
        sed "s/$ID/$fork/g" "$(here "$ID")" >"$(dirname "$(here "$ID")")/$fork.jsonl"
        # The session that it was made of is gone, and so is what the state said.
        [ "$m" = alice ] || rm -rf "$XDG_STATE_HOME" "$(here "$ID")"
        push
        ctctl --json versions "$fork" | jq -e '[.versions[].opened.origin] == ["stranger"]'
    done
    # One's own is not.
    fork=$(new_id)
    session new "$CLAUDE_CONFIG_DIR" "$(project src/other)" "$fork" 2
    push
    ctctl --json versions "$fork" | jq -e '[.versions[].opened.origin] == [null]'
}
