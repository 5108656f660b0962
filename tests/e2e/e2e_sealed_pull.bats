#!/usr/bin/env bats
# What is sealed comes home where the key is, and nowhere else, and never as anything but what it is.

load lib
load pull_lib

setup() {
    two_machines
    ID=$(new_id)
    W=$(project src/web.app)
    session new "$CLAUDE_CONFIG_DIR" "$W" "$ID" 2
}

teardown() {
    end_home
}

# the_key: alice has one
the_key() { KEY=$("$CT_BUILD/tests/bundle/sealone" --key); }

# bring_key: what alice has, bob has too
bring_key() {
    install -D -m 600 "$T/alice/home/alice/.codeteleport/keyring" "$CODETELEPORT_CONFIG_DIR/keyring"
}

# seal [GENERATION [ID]]: into $T/ID.GENERATION.sealed, with its .json
seal() {
    local generation=${1:-1} id=${2:-$ID}
    "$CT_BUILD/tests/bundle/packone" "$CLAUDE_CONFIG_DIR" "$id" "$T/$id.gz" --user-dir "$HOME" >"$T/$id.pack"
    "$CT_BUILD/tests/bundle/sealone" "$id" "$T/$id.gz" "$T/$id.$generation.sealed" "$generation" \
        "$(basename "$HOME")-laptop" "$HOME" <"$T/$id.pack" >"$T/$id.$generation.json"
    WIRE=$(jq -r .wireId "$T/$id.$generation.json")
}

# upload FILE JSON: as a new version of the session that JSON names
upload() {
    local body url version
    body=$(jq -c '{sessionId: .wireId, sourceMachine: "sealed", sourceCwd: "sealed",
        sourceUserDir: "sealed", sizeBytes, checksum, metadata}' "$2")
    api POST /sessions/upload -d "$body" >"$T/up.json"
    url=$(jq -r .uploadUrl "$T/up.json")
    version=$(jq -r .version "$T/up.json")
    curl -sS --fail --cacert "$CA" -X PUT -H 'Content-Type: application/gzip' \
        --data-binary "@$1" "$url"
    api POST "/sessions/$(jq -r .wireId "$2")/confirm" \
        -d "$(jq -c --argjson v "$version" '{version: $v, checksum}' "$2")" >/dev/null
}

# save [GENERATION [ID]]: sealed, into the cloud
save() {
    seal "$@"
    upload "$T/${2:-$ID}.${1:-1}.sealed" "$T/${2:-$ID}.${1:-1}.json"
}

# object WIRE VERSION: where the server has it
object() {
    find "$T/server" -type f -path "*$1*v$2*" | head -n 1
}

# damaged FILE OFFSET: with one bit of it changed, and the server believes that it is right
damaged() {
    python3 -S - "$1" "$2" <<'P'
import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(int(sys.argv[2]))
    b = f.read(1)
    f.seek(int(sys.argv[2]))
    f.write(bytes([b[0] ^ 1]))
P
    promise "$1"
}

# promise FILE: the server's books say what the file is
promise() {
    local sum=$(sha256sum "$1" | cut -d' ' -f1) size=$(stat -c %s "$1")
    books "UPDATE versions SET checksum = 'sha256:$sum', size_bytes = $size
        WHERE session_id = '$WIRE' AND version = ${2:-1}"
}

# books SQL: what a server that means ill would have in its database
books() { python3 -S -c 'import sqlite3, sys
d = sqlite3.connect(sys.argv[1], timeout=30)
d.execute(sys.argv[2])
d.commit()' "$T/server/server.db" "$1"; }

# refused STATUS WORDS COMMAND...: says so, and nothing in the data folder changes
refused() {
    local status_wanted=$1 words=$2
    shift 2
    tree >"$T/before"
    run "$@"
    echo "$output"
    [ "$status" -eq "$status_wanted" ]
    grep -qF -- "$words" <<<"$(tr '\n' ' ' <<<"$output" | tr -s ' ')"
    tree | diff "$T/before" -
}

MISSING="not on this device; bring it here with: ctctl key import"

@test "what the daemon sealed comes home whole where the key is, goes on there, and comes back" {
    the_key
    push
    [ "$(ctctl --json list --cloud | jq -r '.sessions[0].sourceCwd')" = sealed ]
    machine bob
    bring_key
    B=$(project src/web.app)
    run ctctl pull "${ID:0:8}"
    echo "$output"
    [ "$status" -eq 0 ]
    grep -qxF "cd $(quoted "$B") && claude --resume $ID" <<<"$output"
    sed "s|$T/bob/home/bob|$T/alice/home/alice|g" "$(here "$ID")" | head -n -1 |
        cmp - "$(find "$T/alice" -name "$ID.jsonl")"
    tail -n 1 "$(here "$ID")" | jq -e '.type == "permission-mode" and .permissionMode == "default"'
    # What is one's own is taken whole, memory too, and is safe already.
    [ -n "$(find "$CLAUDE_CONFIG_DIR" -name MEMORY.md)" ]
    push
    [ "$(versions "$ID")" = 1 ]
    session add "$CLAUDE_CONFIG_DIR" "$ID" "from bob"
    push
    [ "$(versions "$ID")" = 2 ]
    machine alice
    ctctl --json pull --update | jq -e '.sessions[0].outcome == "updated"'
    grep -q "from bob" "$(here "$ID")"
    # People read what it is inside, whatever they call it.
    ctctl list --cloud --project web.app --machine bob | grep -q "^${ID:0:8}.*yes"
    ctctl versions "$(ctctl --json list --cloud | jq -r '.sessions[0].id')" | grep -q "state 2, key ${KEY:0:8}"
    ctctl --json list --cloud | jq -e --arg id "$ID" '.sessions[0].opened.sessionId == $id'
    ctctl verify "$ID" | grep -q "sealed  ok, the same as here"
    ctctl --json verify --sample 5 | jq -e '.checked == 1 and .of == 1 and .ok == 1'
}

@test "without the key every verb says so, and how to get it, and touches nothing" {
    the_key
    save
    machine bob
    project src/web.app
    run ctctl list --cloud
    [ "$status" -eq 0 ]
    grep -q "^${WIRE:0:8}  sealed, key ${KEY:0:8} not on this device .*no key" <<<"$output"
    ctctl --json list --cloud 2>/dev/null |
        jq -e --arg k "$KEY" '.sessions[0].sealed | .keyId == $k and .reason == "no_key"'
    cd "$T" # whose name may have a space
    for words in "pull $WIRE" "pull ${WIRE:0:7}" "pull $ID" "pull --all" "pull --update" \
        "verify $WIRE" "verify --all" "export $WIRE -o x" "show $WIRE"; do
        refused 1 "sealed, key $KEY $MISSING" ctctl $words
    done
    [ ! -e "$T/x" ]
    ctctl versions "$WIRE" 2>&1 | grep -q "sealed, key ${KEY:0:8} not on this device"
    # Another key is of no use.
    "$CT_BUILD/tests/bundle/sealone" --key
    refused 1 "sealed, key $KEY $MISSING" ctctl pull "$WIRE"
    # Nobody needs a key to throw something away.
    ctctl delete --yes "$WIRE"
    [ "$(ctctl --json list --cloud | jq .total)" = 0 ]
}

@test "an object that was changed, cut, swapped or replaced installs nothing" {
    local other=$(new_id) good
    the_key
    session new "$CLAUDE_CONFIG_DIR" "$W" "$other" 1
    save 1 "$other"
    OTHER_OBJECT=$(object "$WIRE" 1)
    save
    OBJECT=$(object "$WIRE" 1)
    good=$T/good
    cp "$OBJECT" "$good"
    machine bob
    bring_key
    project src/web.app
    for offset in 4 24 48 72 110 -1; do
        cp "$good" "$OBJECT"
        [ "$offset" != -1 ] || offset=$(($(stat -c %s "$good") - 1))
        damaged "$OBJECT" "$offset"
        refused 1 "ctctl:" ctctl pull "$ID"
    done
    for size in 20 104 16504; do
        head -c "$size" "$good" >"$OBJECT"
        promise "$OBJECT"
        refused 1 "ctctl:" ctctl pull "$ID"
    done
    cp "$OTHER_OBJECT" "$OBJECT"
    promise "$OBJECT"
    refused 1 "another bundle" ctctl pull "$ID"
    refused 1 "another bundle" ctctl verify "$ID"
    refused 1 "another bundle" ctctl export "$ID" -o "$T/x"
    [ ! -e "$T/x" ]
    cp "$T/$ID.gz" "$OBJECT"
    promise "$OBJECT"
    refused 1 "hands out something that is not" ctctl pull "$ID"
    # The description of another session, with its bundle.
    cp "$OTHER_OBJECT" "$OBJECT"
    promise "$OBJECT"
    books "UPDATE descriptions SET metadata = (SELECT metadata FROM descriptions
        WHERE session_id = '$(jq -r .wireId "$T/$other.1.json")') WHERE session_id = '$WIRE'"
    refused 1 "is another's" ctctl pull "$ID"
    [ ! -d "$CLAUDE_CONFIG_DIR/projects" ]
}

@test "a server that goes back in time is told from one that has nothing new" {
    the_key
    save 1
    session add "$CLAUDE_CONFIG_DIR" "$ID" "second"
    save 2
    machine bob
    bring_key
    project src/web.app
    [ "$(pulled "$ID")" = installed ]
    [ "$(pulled "$ID")" = already-here ]
    books "UPDATE versions SET state = 'dropped', is_head = 0 WHERE session_id = '$WIRE' AND version = 2"
    books "UPDATE sessions SET current_version = 1 WHERE session_id = '$WIRE'"
    refused 1 "gone back in time: it hands out state 1" ctctl pull "$ID"
    ctctl list --cloud 2>/dev/null | grep -q "ROLLED BACK"
    ctctl list --cloud 2>&1 >/dev/null | tr '\n' ' ' | grep -q "has gone back in time"
    ctctl --json list --cloud 2>/dev/null | jq -e '.sessions[0].opened | .generation == 1 and .seenGeneration == 2'
    # An older bundle under the newest description is none either.
    books "UPDATE descriptions SET metadata = (SELECT metadata FROM descriptions
        WHERE session_id = '$WIRE' AND version = 2) WHERE session_id = '$WIRE' AND version = 1"
    refused 1 "hands out state 1" ctctl pull "$ID"
    # What somebody asks for by its number is another matter.
    books "UPDATE descriptions SET metadata = '$(jq -c .metadata "$T/$ID.1.json")'
        WHERE session_id = '$WIRE' AND version = 1"
    [ "$(pulled "$ID" --version 1)" = kept ]
    # On a device that never saw more there is nothing to see.
    rm -r "$XDG_STATE_HOME"
    [ "$(pulled "$ID")" = kept ]
}

@test "the newest version that somebody deletes himself is no journey into the past" {
    the_key
    save 1
    session add "$CLAUDE_CONFIG_DIR" "$ID" "second"
    save 2
    ctctl --json versions "$ID" | jq -e '[.versions[].opened.generation] == [2, 1]'
    ctctl delete --yes "$ID" --version 2
    run ctctl list --cloud
    [ "$status" -eq 0 ]
    [ "$(wc -l <<<"$output")" = 2 ]
    ctctl verify "$ID"
}

@test "require takes nothing that is not sealed, neither from the cloud nor from a file" {
    push
    ctctl export "$ID" -o "$T/clear.gz"
    machine bob
    project src/web.app
    conf 'encryption = "require";'
    refused 1 '--plain means it all the same' ctctl pull "$ID"
    refused 1 'encryption = "require"' ctctl pull --plain "$ID"
    ctctl --json pull --all 2>/dev/null | jq -e '.leftInClear == 1 and .sessions == []'
    refused 1 'encryption = "require"' ctctl import "$T/clear.gz"
    ctctl verify --plain "$ID"
    machine alice
    the_key
    save
    machine bob
    bring_key
    [ "$(pulled "$ID")" = installed ]
    jq -e .sealed "$T/pull.json"
    refused 1 'encryption = "require"' ctctl pull --plain "$ID"
}

# clear_again TEXT: what a device without the key, or whoever runs the server, puts there in clear
clear_again() {
    local body url version
    session add "$CLAUDE_CONFIG_DIR" "$ID" "$1"
    "$CT_BUILD/tests/bundle/packone" "$CLAUDE_CONFIG_DIR" "$ID" "$T/clear.gz" --user-dir "$HOME" >/dev/null
    body=$(jq -nc --arg id "$ID" --arg cwd "$W" --arg home "$HOME" --arg sum \
        "sha256:$(sha256sum "$T/clear.gz" | cut -d' ' -f1)" --argjson size "$(stat -c %s "$T/clear.gz")" \
        '{sessionId: $id, sourceMachine: "alice-laptop", sourceCwd: $cwd, sourceUserDir: $home,
          sizeBytes: $size, checksum: $sum}')
    api POST /sessions/upload -d "$body" >"$T/up.json"
    version=$(jq -r .version "$T/up.json")
    url=$(jq -r .uploadUrl "$T/up.json")
    curl -sS --fail --cacert "$CA" -X PUT -H 'Content-Type: application/gzip' \
        --data-binary "@$T/clear.gz" "$url"
    api POST "/sessions/$ID/confirm" -d "$(jq -nc --argjson v "$version" --argjson b "$body" \
        '{version: $v, checksum: $b.checksum}')" >/dev/null
}

@test "where there is a key, what is in clear comes by its id with --plain only, without memory" {
    the_key
    save
    machine bob
    bring_key
    project src/web.app
    [ "$(pulled "$ID")" = installed ]
    rm -rf "$CLAUDE_CONFIG_DIR/projects"
    machine alice
    clear_again "in clear"
    machine bob
    # The sealed one is what every verb means, although what is in clear has more.
    [ "$(pulled "$ID")" = installed ]
    jq -e .sealed "$T/pull.json"
    ! grep -q "in clear" "$(here "$ID")" || false
    ctctl --json pull --update 2>"$T/err" | jq -e '.leftInClear == 1 and .failed == 0 and .sessions == []'
    grep -q "ctctl list --clear" "$T/err"
    ctctl --json pull --all 2>/dev/null | jq -e '.leftInClear == 1'
    ! grep -q "in clear" "$(here "$ID")" || false
    [ "$(versions "$ID")" = 1 ]
    ctctl list --clear 2>"$T/err" | grep -q "^${ID:0:8}"
    tr '\n' ' ' <"$T/err" | grep -q "ctctl seal ID"
    ctctl --json list --clear | jq -e --arg id "$ID" '.total == 1 and .sessions[0].id == $id'
    # In so many words it comes, as a stranger's.
    rm -rf "$CLAUDE_CONFIG_DIR/projects"
    [ "$(pulled "$ID" --plain)" = installed ]
    jq -e '.sealed == false' "$T/pull.json"
    [ -z "$(find "$CLAUDE_CONFIG_DIR" -name MEMORY.md)" ]
    # And is not safe for that: it goes up sealed.
    push
    [ "$(versions "$ID")" = 2 ]
    [ "$(ctctl --json versions --plain "$ID" | jq '.versions | length')" = 1 ]
    ctctl --json verify --all | jq -e '.of == 2 and .ok == 2'
    # What is in clear goes alone, or with the rest.
    ctctl delete --yes --plain "$ID"
    [ "$(ctctl --json list --cloud | jq .total)" = 1 ]
    ctctl undelete "$ID"
    [ "$(ctctl --json list --cloud | jq .total)" = 2 ]
    ctctl delete --yes "$ID"
    [ "$(ctctl --json list --cloud | jq .total)" = 0 ]
}

@test "what is there in clear only is refused by every verb that was not told --plain" {
    machine alice
    clear_again "in clear"
    machine bob
    project src/web.app
    the_key
    cd "$T"
    for words in "pull $ID" "pull ${ID:0:8}" "verify $ID" "export $ID -o x" "versions $ID" \
        "delete --yes $ID"; do
        refused 1 "--plain means it all the same" ctctl $words
    done
    [ ! -e "$T/x" ]
    ctctl show "$ID" | grep -q "^In clear"
    # A server that hands out in clear what it listed as sealed gains nothing by it.
    machine alice
    the_key
    save
    WIRE=$(jq -r .wireId "$T/$ID.1.json")
    install -D -m 600 "$T/alice/home/alice/.codeteleport/keyring" "$T/bob/home/bob/.codeteleport/keyring"
    machine bob
    books "UPDATE descriptions SET metadata = '{}' WHERE session_id = '$WIRE'"
    refused 1 "--plain means it all the same" ctctl pull "$ID"
    run ctctl pull --all
    [ ! -d "$CLAUDE_CONFIG_DIR/projects" ]
}

@test "a device that has seen that the account is sealed takes nothing in clear, key or no key" {
    the_key
    save
    machine alice
    clear_again "in clear"
    machine bob
    project src/web.app
    refused 1 "--plain means it all the same" ctctl pull "$ID"
    ctctl --json pull --all 2>/dev/null | jq -e '.leftInClear == 1 and .locked == 1'
    [ ! -d "$CLAUDE_CONFIG_DIR/projects" ]
}

# trust ID: who vouches for what was pulled last
trust() { jq -r .origin "$T/pull.json"; }

@test "whose a session was sticks: an import on one machine is a stranger's on the other" {
    local other=$(new_id) copy
    push
    ctctl export "$ID" -o "$T/file.gz"
    machine bob
    project src/web.app
    session new "$CLAUDE_CONFIG_DIR" "$HOME/src/web.app" "$other" 2
    the_key
    cp "$CODETELEPORT_CONFIG_DIR/keyring" "$T/keyring"
    ctctl --json import "$T/file.gz" --target-dir "$HOME/src/web.app" | jq -e '.origin == "stranger"'
    copy=$(ctctl --json import "$T/file.gz" --target-dir "$HOME/src/web.app" --as-copy | jq -r .sessionId)
    # The state is lost before any description has said it.
    rm -rf "$XDG_STATE_HOME"
    push
    machine alice
    rm -rf "$CLAUDE_CONFIG_DIR/projects"
    install -D -m 600 "$T/keyring" "$CODETELEPORT_CONFIG_DIR/keyring"
    project src/web.app
    [ "$(pulled "$ID")" = installed ]
    [ "$(trust)" = stranger ]
    [ "$(pulled "$copy")" = installed ]
    [ "$(trust)" = stranger ]
    # bob's own stays bob's own
    [ "$(pulled "$other")" = installed ]
    [ "$(trust)" = own ]
    # It goes on here, and is none the better for it, on whatever machine.
    session add "$CLAUDE_CONFIG_DIR" "$ID" "from alice"
    session add "$CLAUDE_CONFIG_DIR" "$other" "from alice"
    push
    ctctl --json versions "$ID" | jq -e '[.versions[].opened.origin] | unique == ["stranger"]'
    ctctl --json versions "$other" | jq -e '[.versions[].opened.origin] | unique == [null]'
    # Nor by a lost state.
    rm -rf "$XDG_STATE_HOME"
    push
    session add "$CLAUDE_CONFIG_DIR" "$ID" "again"
    push
    ctctl --json versions "$ID" | jq -e '[.versions[].opened.origin] | unique == ["stranger"]'
    # Nor is a copy of what was put aside.
    session add "$CLAUDE_CONFIG_DIR" "$ID" "and again"
    ctctl pull "$ID" --force
    copy=$(ctctl --json backups restore "$ID" --as-copy | jq -r .sessionId)
    [ "$copy" != "$ID" ]
    push
    ctctl --json versions "$copy" | jq -e '[.versions[].opened.origin] | unique == ["stranger"]'
    # A sealed file doesn't say whose it was.
    ctctl export "$other" --sealed -o "$T/own.sealed"
    rm -rf "$CLAUDE_CONFIG_DIR/projects"
    ctctl --json import "$T/own.sealed" | jq -e '.origin == "stranger" and .sealed'
}

@test "what came in clear before there was a key is no more than the account's when it is sealed" {
    push
    machine bob
    project src/web.app
    [ "$(pulled "$ID")" = installed ]
    [ "$(trust)" = account ]
    the_key
    push
    ctctl --json versions "$ID" | jq -e '[.versions[].opened.origin] == ["account"]'
    cp "$CODETELEPORT_CONFIG_DIR/keyring" "$T/keyring"
    # alice wrote it, and knows the checksum of what she uploaded herself
    machine alice
    install -D -m 600 "$T/keyring" "$CODETELEPORT_CONFIG_DIR/keyring"
    push
    ctctl --json versions "$ID" | jq -e '.versions[0].opened.origin == null'
}

@test "export writes what opens anywhere, or what stays sealed, and import takes both" {
    the_key
    save
    ctctl export "$ID" -o "$T/clear.gz" 2>&1 | tr '\n' ' ' | grep -q "in clear: whoever has the file"
    cmp "$T/clear.gz" "$T/$ID.gz"
    ctctl export "$ID" --sealed -o "$T/sealed"
    cmp "$T/sealed" "$T/$ID.1.sealed"
    ctctl export "$ID" -o - 2>/dev/null | cmp - "$T/$ID.gz"
    [ -z "$(find "$XDG_STATE_HOME" -name '*.part')" ]
    machine bob
    project src/web.app
    refused 1 "$MISSING" ctctl import "$T/sealed"
    ctctl import "$T/clear.gz" 2>&1 | grep -q "left out: memory"
    rm -r "$CLAUDE_CONFIG_DIR/projects"
    bring_key
    # Whose it was is not in the file.
    ctctl import - <"$T/sealed"
    [ -z "$(find "$CLAUDE_CONFIG_DIR" -name MEMORY.md)" ]
    ctctl import --with-memory "$T/sealed"
    [ -n "$(find "$CLAUDE_CONFIG_DIR" -name MEMORY.md)" ]
    printf x >>"$T/sealed"
    refused 1 damaged ctctl import --force "$T/sealed" || refused 1 opened ctctl import --force "$T/sealed"
}

@test "the MCP server opens what is sealed, also with a key that came later, and never shows one" {
    the_key
    save
    machine bob
    project src/web.app
    mkfifo "$T/in"
    ctctl mcp --all-projects <"$T/in" >"$T/out" 2>"$T/mcp.log" &
    exec 7>"$T/in"
    ask() {
        printf '{"jsonrpc":"2.0","id":%s,"method":"tools/call","params":{"name":"%s","arguments":%s}}\n' \
            "$1" "$2" "$3" >&7
        within grep -q "\"id\":$1[,}]" "$T/out"
        grep "\"id\":$1[,}]" "$T/out"
    }
    printf '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18"}}\n' >&7
    ask 2 teleport_list '{}' | grep -q "sealed, key ${KEY:0:8} not on this device"
    ask 3 teleport_pull "{\"sessionId\":\"$WIRE\"}" | grep -q "$MISSING"
    bring_key
    ask 4 teleport_list '{}' | grep -q "${ID:0:8}  [^ ]*turn 0"
    ask 5 teleport_versions "{\"sessionId\":\"${ID:0:8}\"}" | grep -q "Versions of session $ID"
    ask 6 teleport_pull "{\"sessionId\":\"$ID\"}" | grep -q "Session installed"
    exec 7>&-
    here "$ID"
    ! grep -qi ctkey "$T/out" "$T/mcp.log"
}

@test "doctor looks at the keys and at what they open, and tells the server no name" {
    the_key
    save
    finding() { ctctl --json doctor | jq -r --arg c "$1" '.[] | select(.check == $c) | .verdict + " " + .detail'; }
    [[ $(finding keyring) == "ok 1 key from "*"${KEY:0:8} seals"* ]]
    [ "$(finding sealed)" = "ok all 1 sealed sessions in the cloud open here" ]
    [[ $(finding upload) == ok* ]]
    [ "$(python3 -S -c 'import sqlite3, sys
d = sqlite3.connect(sys.argv[1])
print([r[0] for r in d.execute("SELECT DISTINCT cwd FROM descriptions")])' "$T/server/server.db")" = "['sealed']" ]
    chmod 644 "$CODETELEPORT_CONFIG_DIR/keyring"
    [[ $(finding keyring) == bad* ]]
    rm "$CODETELEPORT_CONFIG_DIR/keyring"
    [[ $(finding keyring) == note* ]]
    [[ $(finding sealed) == "bad 1 of 1 sealed"*"$KEY"* ]]
    conf 'key_command = "exit 3";'
    [[ $(finding keyring) == bad* ]]
}

# as_thief COMMAND...: with the old key only
as_thief() { CODETELEPORT_CONFIG_DIR=$T/thief "$@"; }

@test "after a compromised rotation the old key vouches for what it had sealed, and for nothing else" {
    local other=$(new_id) object
    the_key
    save 1
    mkdir -p "$T/thief"
    cp -r "$CODETELEPORT_CONFIG_DIR/." "$T/thief"
    run ctctl key rotate --compromised
    [ "$status" -eq 64 ]
    # somebody looks, and says no
    python3 -S "$CT_SRC/tests/e2e/tools/typist.py" "all of it yours?" 'n\n' -- ctctl key rotate --compromised \
        >"$T/screen" || true
    grep -q "${ID:0:8}" "$T/screen"
    [ ! -e "$CODETELEPORT_CONFIG_DIR/retired" ]
    ctctl --json key rotate --compromised --no-confirm >"$T/out"
    [ "$(stat -c %a "$CODETELEPORT_CONFIG_DIR/retired")" = 600 ]
    ctctl key status | grep -q "retired: somebody else may have it"
    cp "$CODETELEPORT_CONFIG_DIR/retired" "$T/retired"
    # What there was is one's own as before.
    rm -rf "$T/keep" && cp -r "$CLAUDE_CONFIG_DIR" "$T/keep"
    rm -rf "$CLAUDE_CONFIG_DIR/projects"
    [ "$(pulled "$ID")" = installed ]
    [ "$(jq -r .origin "$T/pull.json")" = own ]
    rm -rf "$CLAUDE_CONFIG_DIR" && mv "$T/keep" "$CLAUDE_CONFIG_DIR"
    # A thief with the old key, and the server on his side: a session of his, and a later one of mine.
    session new "$CLAUDE_CONFIG_DIR" "$W" "$other" 2
    as_thief save 1 "$other"
    as_thief save 2
    rm -rf "$CLAUDE_CONFIG_DIR/projects"
    for id in "$other" "$ID"; do
        refused 1 "somebody else may have" ctctl pull "$id"
    done
    ctctl --json pull --all 2>/dev/null | jq -e '.leftInClear == 2 and .sessions == []'
    ctctl --json list --cloud 2>/dev/null | jq -e '[.sessions[].opened | .retired, .origin] == [true, "stranger", true, "stranger"]'
    [ "$(pulled "$other" --plain)" = installed ]
    [ "$(jq -r .origin "$T/pull.json")" = stranger ]
    # The old version is still there by its number, and is one's own.
    [ "$(pulled "$ID" --plain --version 1)" = installed ]
    [ "$(jq -r .origin "$T/pull.json")" = own ]
    # The description that was there, with a bundle that was not.
    object=$(object "$WIRE" 1)
    cp "$T/$ID.2.sealed" "$object"
    promise "$object" 1
    rm -rf "$CLAUDE_CONFIG_DIR/projects"
    run ctctl --json pull "$ID" --plain --version 1
    [ "$status" -ne 0 ] || [[ "$output" == *'"origin":"stranger"'* ]]
    [ -z "$(find "$CLAUDE_CONFIG_DIR" -name MEMORY.md)" ]
    # The daemon takes no notice of what he wrote either.
    start_daemon
    within status_is '.problems | map(select(.what == "sealed sessions")) | length' 1
    status '.problems[].why' | grep -q "after that was retired"
    stop_daemon
}

@test "the list of retired keys comes to another device, and a damaged one vouches for nothing" {
    the_key
    save 1
    machine bob
    bring_key
    project src/web.app
    machine alice
    ctctl --json key rotate --compromised --no-confirm >"$T/out"
    ctctl key export >"$T/texts"
    ctctl key export --retired >"$T/retired"
    machine bob
    # the list without the key is nobody's
    run ctctl key import - <"$T/retired"
    [ "$status" -ne 0 ]
    [ ! -e "$CODETELEPORT_CONFIG_DIR/retired" ]
    cat "$T/texts" "$T/retired" | ctctl key import -
    cmp "$T/retired" "$CODETELEPORT_CONFIG_DIR/retired"
    ctctl key import - <"$T/retired" # once more changes nothing
    cmp "$T/retired" "$CODETELEPORT_CONFIG_DIR/retired"
    [ "$(pulled "$ID")" = installed ]
    [ "$(jq -r .origin "$T/pull.json")" = own ]
    for change in 's/^has ./has 0/' '/^mac/d' 's/^mac ..../mac 0000/' '$d'; do
        sed "$change" "$T/retired" >"$CODETELEPORT_CONFIG_DIR/retired"
        ctctl --json list --cloud | jq -e '.sessions[0].opened.retired == true'
        run ctctl key import - <"$CODETELEPORT_CONFIG_DIR/retired"
        [ "$status" -ne 0 ]
    done
    # of a key that nobody has here it says nothing
    sed 's/^under ..../under 0000/' "$T/retired" >"$CODETELEPORT_CONFIG_DIR/retired"
    ctctl --json list --cloud | jq -e '.sessions[0].opened.retired == null'
    # A device with the key and without the list is told that there is one, by what the key seals next.
    rm "$CODETELEPORT_CONFIG_DIR/retired"
    machine alice
    session add "$CLAUDE_CONFIG_DIR" "$ID" "after it"
    push
    machine bob
    start_daemon
    within status_is '[.problems[] | select(.what | test("list of a retired key"))] | length' 1
    status '.problems[].cure' | grep -q 'key export --retired'
    ctctl key import - <"$T/retired"
    within status_is '[.problems[] | select(.what | test("list of a retired key"))] | length' 0
}

@test "a server that calls another machine's version this one's own hides nothing by it" {
    the_key
    push
    machine bob
    bring_key
    project src/web.app
    [ "$(pulled "$ID")" = installed ]
    push
    session add "$CLAUDE_CONFIG_DIR" "$ID" "from bob"
    push
    machine alice
    books "UPDATE versions SET device_id = (SELECT device_id FROM versions WHERE version = 1)
        WHERE version = 2"
    books "UPDATE versions SET token_id = (SELECT token_id FROM versions WHERE version = 1)
        WHERE version = 2"
    ctctl --json list --cloud | jq -e '.sessions[0].thisDevice == true'
    start_daemon
    ctctl sync --wait
    within status_is .sessions.behind 1
    ctctl --json pull --update | jq -e '.sessions[0].outcome == "updated"'
    # Nor is it believed that this device has deleted what it has not.
    books "UPDATE sessions SET deleted_ms = 1, current_version = 0"
    books "DELETE FROM versions"
    session add "$CLAUDE_CONFIG_DIR" "$ID" "more"
    run ctctl sync --wait
    [ "$status" -eq 1 ]
    within eval '[ "$(ctctl --json show "$ID" | jq -r .state)" = deleted ]'
    stop_daemon
}

@test "a stranger's that is merged with one's own is a stranger's, and says so wherever it goes" {
    the_key
    push
    ctctl export "$ID" -o "$T/file.gz"
    machine bob
    bring_key
    project src/web.app
    ctctl --json import "$T/file.gz" --target-dir "$HOME/src/web.app" | jq -e '.origin == "stranger"'
    session add "$CLAUDE_CONFIG_DIR" "$ID" "from a stranger"
    push
    machine alice
    session add "$CLAUDE_CONFIG_DIR" "$ID" "from alice"
    push
    ctctl --json versions "$ID" | jq -e '[.versions[].opened.origin] | unique == [null, "stranger"]'
    run ctctl --json pull --merge --yes "$ID"
    echo "$output"
    [ "$status" -eq 0 ]
    grep -q "from a stranger" "$(here "$ID")"
    grep -q "from alice" "$(here "$ID")"
    push
    ctctl --json versions "$ID" | jq -e '.versions[0].opened.origin == "stranger"'
}

@test "what a server plants beside one's own session is not sealed unless somebody names it" {
    the_key
    push
    cp -r "$CLAUDE_CONFIG_DIR/projects" "$T/kept"
    clear_again "planted"
    rm -rf "$CLAUDE_CONFIG_DIR/projects"
    cp -r "$T/kept" "$CLAUDE_CONFIG_DIR/projects"
    start_daemon
    ctctl sync --wait
    run ctctl --json seal --all --yes
    echo "$output"
    [ "$status" -eq 1 ]
    jq -e '.left == 1 and .sealed == 0 and .sessions[0].sealedVersions == 0' <<<"$output"
    ctctl --json versions "$ID" | jq -e '[.versions[].opened.origin] | unique == [null]'
    ctctl pull --update
    ! grep -q planted "$(here "$ID")" || false
    # Who names it has it sealed, and it is a stranger's all the same.
    ctctl --json seal "$ID" --yes | jq -e '.sealed == 1'
    ctctl --json versions "$ID" | jq -e '[.versions[].opened.origin] | unique == [null, "stranger"]'
    [ "$(ctctl --json list --clear | jq .total)" = 0 ]
    # It contains all that is one's own, and is not put above it by itself.
    ctctl --json pull --update | jq -e '[.sessions[] | select(.origin != "own")] == []'
    run ctctl pull "$ID"; echo "$output"; [ "$status" -eq 0 ]
    ! grep -q planted "$(here "$ID")" || false
    stop_daemon
}

@test "after the server's database was lost, what is sealed comes home by its bundle and gets its title back" {
    the_key
    push
    session add "$CLAUDE_CONFIG_DIR" "$ID" "second"
    push
    WIRE=$(ctctl --json list --cloud | jq -r '.sessions[0].id')
    local user
    user=$(sqlite3 "$T/server/server.db" "SELECT id FROM users")
    stop_server
    rm "$T"/server/server.db*
    start_server
    codeteleport-server --data "$T/server" adopt "$user=me@example.org"
    printf 'correct horse battery' | codeteleport-server --data "$T/server" user passwd me@example.org
    third bob
    refused 1 "$MISSING" ctctl pull "$WIRE"
    bring_key
    B=$(project src/web.app)
    ctctl list --cloud 2>"$T/err" | grep -q "^${WIRE:0:8}  sealed, the title is in the bundle only .* yes"
    tr '\n' ' ' <"$T/err" | grep -q "lost with the server's database; ctctl pull brings it"
    ctctl --json doctor | jq -e '.[] | select(.check == "sealed") | .verdict != "bad" and (.detail | contains("lost"))'
    ctctl verify --all
    ctctl --json pull --all | jq -e '.sessions[0].outcome == "installed"'
    grep -q second "$(here "$ID")"
    # Who vouched for it is lost, so nobody does.
    [ -z "$(find "$CLAUDE_CONFIG_DIR" -name MEMORY.md)" ]
    for id in "$ID" "$WIRE" "${WIRE:0:7}"; do
        [ "$(pulled "$id")" = already-here ]
        [ "$(jq -r .origin "$T/pull.json")" = stranger ]
    done
    # An older state is none of the newest, whatever the server calls it, and another session none of this one.
    rm -rf "$CLAUDE_CONFIG_DIR/projects"
    cp "$(object "$WIRE" 2)" "$T/newest"
    cp "$(object "$WIRE" 1)" "$(object "$WIRE" 2)"
    promise "$(object "$WIRE" 2)" 2
    refused 1 "gone back in time: it hands out state 1" ctctl pull "$ID"
    machine alice
    local wire=$WIRE other=$(new_id)
    session new "$CLAUDE_CONFIG_DIR" "$W" "$other" 1
    seal 1 "$other"
    WIRE=$wire
    cp "$T/$other.1.sealed" "$(object "$WIRE" 2)"
    promise "$(object "$WIRE" 2)" 2
    machine bob
    refused 1 "another session's bundle" ctctl verify "$ID"
    cp "$T/newest" "$(object "$WIRE" 2)"
    promise "$(object "$WIRE" 2)" 2
    # Whoever has it and the key saves it anew, on what is there, and all is as before.
    machine alice
    third alice
    push
    push
    ctctl --json list --cloud | jq -e --arg id "$ID" '.sessions[] | select(.opened.sessionId == $id) |
        .currentVersion == 3 and .heads == [] and .opened.sourceMachine == "alice"'
    machine bob
    [ "$(pulled "$ID")" = installed ]
    [ "$(jq -r .origin "$T/pull.json")" = own ]
}
