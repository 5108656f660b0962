#!/usr/bin/env bats
# The way from the object store to this machine: broken, expired, damaged; stock servers; files.

load lib
load pull_lib

teardown() {
    end_home
}

# a_large_one: alice saves a session of some MB that does not compress
a_large_one() {
    ID=$(new_id)
    W=$(project src/p)
    session new "$CLAUDE_CONFIG_DIR" "$W" "$ID" 2
    local f=$(here "$ID")
    head -c 2200000 /dev/urandom | base64 -w 0 |
        sed 's/^/{"type":"queue-operation","content":"/; s/$/"}\n/' >>"$f"
    push
    SIZE=$(ctctl --json versions "$ID" | jq '.versions[0].sizeBytes')
    machine bob
    project src/p
}

gets() { proxied '.event == "request" and .side == "store" and .method == "GET"'; }

@test "a download that breaks off goes on where it ended, with a new URL when the old one expired" {
    two_machines start_server_behind_proxy
    a_large_one
    : >"$T/proxy.log"
    faults 'store GET * cut-down=300000 times=3' \
        'store GET * times=2 status=403 body=<Error><Code>ExpiredToken</Code></Error>'
    [ "$(pulled "$ID")" = installed ]
    [ "$(jq .receivedBytes "$T/pull.json")" = "$SIZE" ]
    [ "$(gets)" -ge 6 ]
    # The presigned URL is all that the store gets.
    [ "$(proxied '.event == "request" and .side == "store" and .authorization')" = 0 ]
    [ -z "$(find "$XDG_STATE_HOME" -name '*.part')" ]
    [ -z "$(find "$XDG_STATE_HOME" -type f | xargs grep -l X-Amz-Signature)" ]
}

@test "what arrived is there for the next try, even if ctctl was killed" {
    two_machines start_server_behind_proxy
    a_large_one
    faults 'store GET * drip-down=300000'
    ctctl pull "$ID" >"$T/out" 2>&1 3>&- &
    local pid=$!
    within sh -c "[ \"\$(find '$XDG_STATE_HOME' -name '*.part' -size +500k)\" ]"
    kill -KILL "$pid"
    wait "$pid" || true
    faults
    [ "$(pulled "$ID")" = installed ]
    [ "$(jq .receivedBytes "$T/pull.json")" -le $((SIZE - 500000)) ]
    # What is left of another object by that name does no harm.
    rm -r "$CLAUDE_CONFIG_DIR"
    head -c 5000 /dev/zero >"$(find "$XDG_STATE_HOME" -type d -name downloads)/$(
        ctctl --json versions "$ID" | jq -r '.versions[0].checksum' | cut -d: -f2).part"
    [ "$(pulled "$ID")" = installed ]
}

@test "a store that is away is 75, nothing at all is 1, nobody logged in is 77" {
    two_machines start_server_behind_proxy
    ID=$(new_id)
    session new "$CLAUDE_CONFIG_DIR" "$(project p)" "$ID" 1
    push
    machine bob
    project p
    faults 'store GET * status=503'
    run ctctl pull "$ID"
    echo "$output"
    [ "$status" -eq 75 ]
    faults
    run ctctl pull "$(new_id)"
    [ "$status" -eq 1 ]
    run ctctl pull "$ID" --version 7
    [ "$status" -eq 1 ]
    run ctctl pull "zz"
    [ "$status" -eq 1 ]
    rm "$CODETELEPORT_CONFIG_DIR/config.json"
    run ctctl pull "$ID"
    [ "$status" -eq 77 ]
    grep -q 'ctctl login' <<<"$output"
    [ ! -e "$CLAUDE_CONFIG_DIR/projects" ]
}

@test "an object that is damaged in the store is refused, and verify says so" {
    two_machines
    ID=$(new_id)
    session new "$CLAUDE_CONFIG_DIR" "$(project p)" "$ID" 2
    local other=$(new_id) third=$(new_id)
    session new "$CLAUDE_CONFIG_DIR" "$(project p)" "$other" 2
    session new "$CLAUDE_CONFIG_DIR" "$(project q)" "$third" 2
    push
    session add "$CLAUDE_CONFIG_DIR" "$other" "news"
    rm "$(here "$third")"
    local object=$(find "$T/server" -type f -path "*$ID*")
    [ -f "$object" ]
    chmod u+w "$object"
    printf 'X' | dd of="$object" bs=1 seek=100 conv=notrunc status=none
    tree >"$T/before"
    run ctctl verify "$ID"
    echo "$output"
    [ "$status" -eq 1 ]
    grep -q DAMAGED <<<"$output"
    run ctctl --json verify --all
    [ "$status" -eq 1 ]
    jq -e '.ok == 2 and .damaged == 1' <<<"$(grep '^{' <<<"$output")"
    [ "$(ctctl --json verify "$other" | jq -r .local)" = local-newer ]
    [ "$(ctctl --json verify "$third" | jq -r .local)" = not-here ]
    (ctctl --json verify --sample 1 2>/dev/null || true) | jq -e '.sessions | length == 1'
    tree | diff "$T/before" -
    machine bob
    project p
    run ctctl pull "$ID"
    [ "$status" -eq 1 ]
    grep -q 'damaged' <<<"$output"
    [ ! -e "$CLAUDE_CONFIG_DIR/projects" ]
}

@test "a stock server's versions say the checksum, and its sessions come home" {
    two_machines start_stock_server
    ID=$(new_id)
    session new "$CLAUDE_CONFIG_DIR" "$(project src/p)" "$ID" 2
    push
    machine bob
    project src/p
    [ "$(pulled "$ID")" = installed ]
    ! grep '^object .* auth=yes' "$T/server.log" || false
    codeteleportd --once
    [ "$(ctctl --json versions "$ID" | jq '.versions | length')" = 1 ]
}

@test "export and import are the same through a file, without server, account and daemon" {
    two_machines
    ID=$(new_id)
    session new "$CLAUDE_CONFIG_DIR" "$(project src/p)" "$ID" 2
    # Not in the cloud yet: from this machine.
    ctctl export "${ID:0:8}" -o "$T/local.tar.gz"
    push
    ctctl --json export "$ID" -o "$T/b.tar.gz" >"$T/export.json"
    [ "$(jq -r .from "$T/export.json")" = cloud ]
    [ "sha256:$(jq -r .sha256 "$T/export.json")" = \
        "$(ctctl --json versions "$ID" | jq -r '.versions[0].checksum')" ]
    [ "$(sha256sum <"$T/b.tar.gz" | cut -d' ' -f1)" = "$(jq -r .sha256 "$T/export.json")" ]
    [ "$(stat -c %a "$T/b.tar.gz")" = 600 ]
    cmp "$T/b.tar.gz" "$T/local.tar.gz"
    ctctl export "$ID" -o - | cmp - "$T/b.tar.gz"
    run ctctl export "$ID" -o "$T/b.tar.gz"
    [ "$status" -eq 1 ]
    ctctl export "$ID" -o "$T/b.tar.gz" --force
    stop_server
    machine bob
    rm "$CODETELEPORT_CONFIG_DIR/config.json"
    local p=$(project src/p)
    run ctctl import "$T/b.tar.gz"
    echo "$output"
    [ "$status" -eq 0 ]
    grep -qxF "cd $(quoted "$p") && claude --resume $ID" <<<"$output"
    sed "s|$T/bob/home/bob|$T/alice/home/alice|g; s|\"slug\":\"ct-[0-9a-f]*|\"slug\":\"calm-${ID:0:8}|" \
        "$(here "$ID")" | talk | cmp - <(talk "$T"/alice/home/alice/.claude/projects/*/"$ID.jsonl")
    # What Claude Code reads as instructions comes only when asked for.
    [ ! -e "$CLAUDE_CONFIG_DIR/projects/$(encoded "$p")/memory" ]
    ctctl import - --with-memory <"$T/b.tar.gz"
    [ -e "$CLAUDE_CONFIG_DIR/projects/$(encoded "$p")/memory/MEMORY.md" ]
    [ -z "$(find "$XDG_STATE_HOME" -name '*.part')" ]
    run ctctl import <(cat "$T/b.tar.gz")
    grep -q "^Already here" <<<"$output"
    run ctctl import <(head -c 500 "$T/b.tar.gz")
    [ "$status" -eq 1 ]
    run ctctl import "$T"
    [ "$status" -eq 1 ]
    [ -z "$(find "$XDG_STATE_HOME" -name '*.part')" ]
    run ctctl import "$T/nowhere.tar.gz"
    [ "$status" -eq 1 ]
    head -c 500 "$T/b.tar.gz" >"$T/cut.tar.gz"
    run ctctl import "$T/cut.tar.gz" --as-copy
    [ "$status" -eq 1 ]
    # Whatever a file from somewhere replaces is kept, also if it goes on where this one ends.
    machine alice
    session add "$CLAUDE_CONFIG_DIR" "$ID" again
    ctctl export "$ID" --local -o "$T/again.tar.gz"
    machine bob
    cp "$(here "$ID")" "$T/mine.jsonl"
    ctctl --json import "$T/again.tar.gz" >"$T/import.json"
    cmp "$CLAUDE_CONFIG_DIR/$(jq -r .backup "$T/import.json")/projects/$(encoded "$p")/$ID.jsonl" "$T/mine.jsonl"
}

@test "everything comes to a new machine, home to home, in the order of its times" {
    two_machines
    local a=$(new_id) b=$(new_id) c=$(new_id) out
    mkdir -p "$T/srv/work"
    session new "$CLAUDE_CONFIG_DIR" "$(project src/one)" "$b" 5
    session new "$CLAUDE_CONFIG_DIR" "$(project src/one)" "$a" 9
    session new "$CLAUDE_CONFIG_DIR" "$T/srv/work" "$c" 2
    push
    machine bob
    mkdir -p "$HOME/job/work"
    [ "$(ctctl --json pull --all --dry-run | jq '.sessions | length')" = 3 ]
    [ ! -e "$CLAUDE_CONFIG_DIR/projects" ]
    ctctl --json pull --all --map "$T/srv=$HOME/job" >"$T/all.json"
    jq -e '[.sessions[].outcome] == ["installed", "installed", "installed"]' "$T/all.json"
    [ "$(jq -r '.absentFolders[]' "$T/all.json")" = "$HOME/src/one" ]
    [ "$(here "$a")" = "$CLAUDE_CONFIG_DIR/projects/$(encoded "$HOME/src/one")/$a.jsonl" ]
    [ "$(here "$c")" = "$CLAUDE_CONFIG_DIR/projects/$(encoded "$HOME/job/work")/$c.jsonl" ]
    # As the picker shows them, by mtime: c is the oldest, a the newest.
    [ "$(ls -t "$(here "$a")" "$(here "$b")" "$(here "$c")")" = \
        "$(here "$a")
$(here "$b")
$(here "$c")" ]
    run ctctl pull --all
    echo "$output"
    grep -q '0 installed, 0 updated, 3 already here, 0 kept, 0 failed' <<<"$output"
    # One that went on there, one that went on at both ends, one that went on here.
    machine alice
    session add "$CLAUDE_CONFIG_DIR" "$a" "there"
    session add "$CLAUDE_CONFIG_DIR" "$b" "there"
    push
    session new "$CLAUDE_CONFIG_DIR" "$(project src/new)" "$(new_id)" 1
    push
    machine bob
    session add "$CLAUDE_CONFIG_DIR" "$b" "here"
    run ctctl --json pull --update
    [ "$status" -eq 0 ]
    out=$(grep '^{' <<<"$output")
    [ "$(jq -r --arg id "$a" '.sessions[] | select(.sessionId == $id).outcome' <<<"$out")" = updated ]
    case $(jq -r --arg id "$b" '.sessions[] | select(.sessionId == $id).outcome' <<<"$out") in
    diverged) ;;
    *) false ;;
    esac
    [ "$(jq '.sessions | length' <<<"$out")" = 2 ]
    # A record of the very millisecond of the newest one here is news all the same.
    machine alice
    grep '"type":"user"' "$(here "$a")" | tail -n 1 | sed 's/"uuid":"[^"]*"/"uuid":"'"$(new_id)"'"/' >>"$(here "$a")"
    push
    machine bob
    [ "$(ctctl --json pull --update | jq -r --arg id "$a" '.sessions[] | select(.sessionId == $id).outcome')" = updated ]
    ctctl --json pull --update --dry-run >"$T/all.json" || true
    ! grep -q "$a" "$T/all.json" || false
    [ "$(ctctl --json pull --all --project new | jq -r '[.sessions[].outcome] | join(" ")')" = installed ]
}

@test "without an ID a terminal that can't draw has a list to choose from, this project's sessions first" {
    command -v script >/dev/null || skip "script is not here"
    two_machines
    local a=$(new_id) b=$(new_id)
    session new "$CLAUDE_CONFIG_DIR" "$(project src/one)" "$a" 1
    push
    session new "$CLAUDE_CONFIG_DIR" "$(project src/two)" "$b" 1
    push
    machine bob
    project src/two
    cd "$(project src/one)"
    run ctctl pull
    [ "$status" -eq 64 ]
    # The newest comes first elsewhere; here this project's does.
    printf '1\n' | TERM=dumb script -qec 'ctctl pull' "$T/typed" >/dev/null
    here "$a"
    printf 'nonsense\ntwo\n1\n' | TERM=dumb script -qec 'ctctl pull' "$T/typed" >/dev/null
    here "$b"
    grep -q 'nothing matches' "$T/typed"
}
