#!/usr/bin/env bats
# Several machines went on with one session: pull takes what holds the most, and says by device and
# number what the others hold.

bats_require_minimum_version 1.5.0
load lib
load pull_lib

setup() {
    saved_by_alice
    ctctl pull "$ID"
    machine alice
}

teardown() {
    end_home
}

# said COMMAND...: all that it says, as one line in $T/said; its status
said() {
    local status=0
    "$@" >"$T/out" 2>&1 || status=$?
    tr '\n' ' ' <"$T/out" | tr -s ' ' >"$T/said"
    cat "$T/said"
    return $status
}

says() { grep -qF "$1" "$T/said" || {
    cat "$T/said"
    return 1
}; }

# goes_on NAME TEXT: a turn on that machine, uploaded
goes_on() {
    machine "$1"
    session add "$CLAUDE_CONFIG_DIR" "$ID" "$2"
    push
}

@test "what holds less never hides what holds more: pull takes the head that contains the current version" {
    cp "$(here "$ID")" "$T/alice.jsonl"
    goes_on bob "bob's work"
    machine alice
    echo '{"type":"last-prompt","lastPrompt":"x"}' >>"$T/alice.jsonl"
    stock_upload "$ID" "$W" "$T/alice.jsonl"
    [ "$(ctctl --json versions "$ID" | jq -c '[.currentVersion, (.heads | index(2) != null)]')" = "[3,true]" ]
    third carol
    project src/web.app
    [ "$(pulled "$ID")" = installed ]
    [ "$(jq .version "$T/pull.json")" = 2 ]
    grep -q "bob's work" "$(here "$ID")"
    # So does --update, and once it is here, nothing is said.
    machine alice
    [ "$(pulled --update | wc -l)" -ge 0 ]
    [ "$(jq -c '[.sessions[] | [.outcome, .version]]' "$T/pull.json")" = '[["updated",2]]' ]
    grep -q "bob's work" "$(here "$ID")"
    said ctctl pull "$ID"
    says "Already here: session ${ID:0:8}"
    ! grep -q "that this doesn't" "$T/said"
}

@test "what others hold is said by device and number, also of what is not installed" {
    goes_on bob "bob's work"
    goes_on alice "alice's work"
    session add "$CLAUDE_CONFIG_DIR" "$ID" "alice's second"
    push
    third carol
    project src/web.app
    # What is current here is bob's: his came first.
    said ctctl pull --dry-run "$ID"
    says "alice has 4 messages that this doesn't: ctctl pull ${ID:0:8} --version"
    [ ! -d "$CLAUDE_CONFIG_DIR/projects" ]
    said ctctl pull "$ID"
    says "alice has 4 messages that this doesn't"
    said ctctl pull "$ID"
    says "Nothing new in session"
    ! grep -q "Already here" "$T/said" || false
    ctctl --json pull "$ID" | jq -e '[.heads[] | select(.device == "alice") | .messagesLacking] | .[0] == 4'
    # Her own side lacks his two, and says so where it refuses.
    machine alice
    ! said ctctl pull "$ID" || false
    says "bob has 2 messages that this doesn't"
    said ctctl versions "$ID"
    says "this machine has 4 messages that the current one lacks"
    machine carol
    said ctctl versions "$ID"
    says "alice has 4 messages that the current one lacks: ctctl pull ${ID:0:8} --version 4"
    grep -qE '^ *4 +head .* alice +8 +3 ' "$T/out"
    said ctctl show "$ID"
    says "version 4 of alice, 8 messages, builds on 3; alice has 4 messages that the current one lacks"
}

@test "what a pin keeps is said by pull and by versions" {
    machine bob
    goes_on bob "bob's long work"
    # Somebody cut the transcript short, and went on.
    head -n 2 "$(here "$ID")" >"$T/short"
    cat "$T/short" >"$(here "$ID")"
    session add "$CLAUDE_CONFIG_DIR" "$ID" "from here"
    push
    ctctl --json versions "$ID" | jq -e '[.versions[] | select(.pinned) | .version] | index(2) != null'
    third carol
    project src/web.app
    said ctctl pull "$ID"
    says "version 2, of bob, is kept, for it holds more than what came after it; 4 messages that this doesn't: ctctl pull ${ID:0:8} --version 2"
    said ctctl versions "$ID"
    says "version 2, of bob, is kept, for it holds more than what came after it; 4 messages that the current one lacks"
    grep -qE '^ *2 +fuller .*bob' "$T/out"
    said ctctl show "$ID"
    says "is kept, for it holds more"
}

@test "a head that can't be looked into is there by name, and stops nothing" {
    goes_on bob "bob's work"
    goes_on alice "alice's work"
    chmod u+w "$T"/server/objects/bundles/*/"$ID.v3.tar.gz"
    printf x | dd of="$(ls "$T"/server/objects/bundles/*/"$ID.v3.tar.gz")" bs=1 seek=100 conv=notrunc
    third carol
    project src/web.app
    said ctctl pull "$ID"
    says "version 3, of alice, is there too and can't be looked into: version 3 is damaged"
    grep -q "bob's work" "$(here "$ID")"
}

# In clear only a list of records and members comes home; what the first machine has of them is more.
@test "an update takes from here what both have, and the fuller version goes up again" {
    local n
    jq -c 'if .type == "user" then .toolUseResult = {stdout: "of the tool"} else . end' \
        "$(here "$ID")" >"$T/full"
    cat "$T/full" >"$(here "$ID")"
    push
    n=$(grep -c "of the tool" "$(here "$ID")")
    machine bob
    ctctl pull --update
    ! grep -q "of the tool" "$(here "$ID")" || false
    goes_on bob "bob's work"
    machine alice
    ctctl pull --update
    grep -q "bob's work" "$(here "$ID")"
    [ "$(grep -c "of the tool" "$(here "$ID")")" = "$n" ]
    start_daemon
    ctctl sync --wait
    ctctl export "$ID" --version "$(ctctl --json versions "$ID" | jq .currentVersion)" -o "$T/now.tgz"
    tar -xOf "$T/now.tgz" session.jsonl >"$T/now.jsonl"
    grep -q "bob's work" "$T/now.jsonl"
    [ "$(grep -c "of the tool" "$T/now.jsonl")" = "$n" ]
    # What bob makes of it lacks that again, though it is united with what only he has: hers is kept.
    stop_daemon
    v=$(ctctl --json versions "$ID" | jq .currentVersion)
    machine bob
    jq -c 'if .type == "user" then .toolUseResult = {stdout: "of bob"} else . end' "$(here "$ID")" >"$T/full"
    cat "$T/full" >"$(here "$ID")"
    ctctl pull --update
    grep -q "of bob" "$(here "$ID")"
    goes_on bob "bob's second"
    ctctl --json versions "$ID" | jq -e --argjson v "$v" '[.versions[] | select(.pinned) | .version] | contains([$v])'
}

@test "conversation that may not come home is kept, whatever comes after it" {
    printf '{"type":"turn-v9","uuid":"%s","sessionId":"%s","text":"of a newer agent"}\n' \
        "$(new_id)" "$ID" >>"$(here "$ID")"
    push
    machine bob
    ctctl pull --update
    ! grep -q "of a newer agent" "$(here "$ID")" || false
    push # the daemon looks at what was pulled, and then at what was made of it
    goes_on bob "bob's work"
    goes_on bob "bob's second"
    ctctl --json versions "$ID" | jq -e '[.versions[] | select(.pinned) | .version] == [2]'
    third carol
    project src/web.app
    said ctctl pull "$ID"
    says "version 2, of alice, is kept, for it"
}

# junk METADATA BASES FILE: what somebody with alice's token uploads under the session's wire id
junk() {
    local sum answer version wire
    machine alice
    wire=$(api GET /sessions | jq -r '.sessions[0].id')
    sum=sha256:$(sha256sum "$3" | cut -d' ' -f1)
    answer=$(api POST /sessions/upload -d "$(jq -nc --arg i "$wire" --arg s "$sum" --argjson n "$(stat -c %s "$3")" \
        --argjson m "$1" --argjson b "$2" '{sessionId: $i, sourceMachine: "alice", sourceCwd: "/x", sourceUserDir: "/x",
        sizeBytes: $n, checksum: $s, metadata: $m} + (if $b then {baseVersions: $b} else {} end)')")
    version=$(jq .version <<<"$answer")
    curl -sS --fail-with-body --cacert "$CA" -T "$3" -H 'Content-Type: application/gzip' "$(jq -r .uploadUrl <<<"$answer")"
    api POST "/sessions/$wire/confirm" -d "{\"version\":$version,\"checksum\":\"$sum\"}" >/dev/null
    JUNK=$version
}

# passed_over FOLDERS: a new machine gets version 2 all the same, by its id and by --all, and is told
passed_over() {
    machine bob
    rm -rf "$CLAUDE_CONFIG_DIR/projects"
    project src/web.app >/dev/null
    run -0 --separate-stderr ctctl pull "$ID"
    [[ $output == *"version 2 "* ]]
    grep -q "honest words" "$(here "$ID")"
    [[ $(tr '\n' ' ' <<<"$stderr") == *"version $JUNK, uploaded by "*"can't be opened and was passed over: "*"ctctl delete ${ID:0:8} --version $JUNK"* ]]
    rm -rf "$CLAUDE_CONFIG_DIR/projects"
    ctctl --json pull --all | jq -e --argjson n "$JUNK" '.sessions[0].unreadable[0].version == $n'
    grep -q "honest words" "$(here "$ID")"
}

# honest: alice's session of two versions, sealed if there is a key
honest() {
    ID=$(new_id)
    W=$(project src/web.app)
    session new "$CLAUDE_CONFIG_DIR" "$W" "$ID" 2
    push
    session add "$CLAUDE_CONFIG_DIR" "$ID" "honest words"
    push
    head -c 2000 /dev/urandom >"$T/random"
    fetch "$(api GET /sessions | jq -r '.sessions[0].id')" "$T/v2" 2
    head -c "$(($(stat -c %s "$T/v2") / 2))" "$T/v2" >"$T/cut"
}

@test "what a stolen token put above a session is passed over, and named" {
    end_home
    two_machines
    honest
    junk '{"messageCount": 999}' '[1, 2]' "$T/random"
    passed_over
    junk '{"messageCount": 999}' null "$T/cut"
    passed_over
}

@test "... in a sealed account, with a copied description, a broken one, or none" {
    end_home
    two_machines
    "$CT_BUILD/tests/bundle/sealone" --key >/dev/null
    honest
    mkdir -p "$T/bob/home/bob/.codeteleport"
    cp "$T/alice/home/alice/.codeteleport/keyring" "$T/bob/home/bob/.codeteleport/keyring"
    sealed=$(api GET /sessions | jq -c '.sessions[0].metadata')
    junk "$sealed" '[1, 2]' "$T/cut"
    passed_over
    machine alice
    start_daemon
    ctctl sync --wait
    within eval "ctctl --json show $ID | jq -e '.state == \"behind\"'"
    stop_daemon
    junk "$(jq -c '.sealed |= sub("....$"; "AAAA")' <<<"$sealed")" "[1, 2, $JUNK]" "$T/random"
    passed_over
    junk '{"messageCount": 999}' "[1, 2, $JUNK]" "$T/random"
    machine bob
    rm -rf "$CLAUDE_CONFIG_DIR/projects"
    ctctl pull "$ID"
    grep -q "honest words" "$(here "$ID")"
}
