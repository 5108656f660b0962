#!/usr/bin/env bats
# A server that is killed at any moment: what it confirmed is there, and gc and check find the rest.

load lib
load server_lib

setup() { server_home; }
teardown() {
    [ -z "${CLIENT_PID:-}" ] || kill "$CLIENT_PID" 2>/dev/null || true
    end_home
}

verb() { codeteleport-server --data "$T/server" "$@"; }
sql() { sqlite3 "$T/server/server.db" "$1"; }

# The day after tomorrow, for whatever waits for it.
time_passes() {
    sql 'UPDATE versions SET purge_ms = 1 WHERE purge_ms IS NOT NULL'
    find "$T/server/objects" -type f -exec touch -d '3 days ago' {} +
}

lines_are() { [ "$(wc -l <"$T/log")" -ge "$1" ]; }

@test "killed at any moment, it keeps what it confirmed, and gc leaves database and store alike" {
    stop_server
    printf 'versions_per_session = 3;\n' >"$XDG_CONFIG_HOME/codeteleport/server.conf"
    start_server
    account al@example.org
    : >"$T/log"
    python3 -S "$CT_SRC/tests/e2e/tools/crash_client.py" "$API" "$CA" "$TOKEN" "$T/log" "$T/stop" 3>&- &
    CLIENT_PID=$!
    local i session version sum
    for i in 1 2 3 4 5 6; do
        within lines_are $((i * 7))
        stop_server -KILL
        # Beside a server that is gone, both verbs do their work.
        run verb check --full
        [ "$status" -eq 0 ] || { echo "$output"; return 1; }
        start_server
    done
    touch "$T/stop"
    wait "$CLIENT_PID"
    CLIENT_PID=
    # The newest confirmed version of each session, unless a deletion was asked for after it.
    for session in s0 s1 s2 s3; do
        read -r version sum < <(awk -v s=$session '$2 == s { w = $1; v = $3; c = $4 }
            END { if (w == "confirmed") print v, c }' "$T/log") || continue
        json GET "/sessions/$session/download?version=$version" >/dev/null
        [ "$(jq -r .checksum "$T/answer")" = "$sum" ]
        object GET "$(jq -r .downloadUrl "$T/answer")"
        [ "sha256:$(sha256sum "$T/object" | cut -d' ' -f1)" = "$sum" ]
    done
    stop_server
    time_passes
    verb gc # what was only reserved, into the trash
    time_passes
    verb gc
    verb check --full | grep -q match
    [ "$(objects)" = "$(sql "SELECT count(*) FROM versions WHERE state = 'confirmed'")" ]
    [ "$(sql "SELECT count(*) FROM versions WHERE state <> 'confirmed'")" = 0 ]
    [ -z "$(find "$T/server/objects/tmp" -type f 2>/dev/null)" ]
}

@test "a reservation whose client died is gone in time, with its object or without" {
    account al@example.org
    bundle 1000
    push
    reserve
    store_says 200 '' put "$URL"
    reserve
    verb gc
    [ "$(objects)" = 2 ]
    [ "$(sql 'SELECT count(*) FROM versions')" = 3 ]
    time_passes
    expect 409 no_reservation confirm
    verb gc # into the trash: had the database been put back, it might be a version
    [ "$(objects)" = 2 ]
    time_passes
    verb gc
    [ "$(objects)" = 1 ]
    [ "$(sql 'SELECT count(*) FROM versions')" = 1 ]
    verb check --full | grep -q match
    push
    [ "$VERSION" = 4 ]
}

@test "a gc that was killed between object and row is finished by the next" {
    account al@example.org
    bundle 1000
    push
    push
    expect 200 '' json DELETE "/sessions/$ID/versions/1"
    # As the database is when the object has just been removed.
    sql "UPDATE versions SET state = 'purging', purge_ms = 1 WHERE version = 1"
    rm "$(find "$T/server/objects" -name '*.v1.tar.gz')"
    verb check | grep -q match
    verb gc
    [ "$(sql 'SELECT group_concat(version) FROM versions')" = 2 ]
}

@test "check tells objects that went missing, from the trash too, and those that a restored database forgot" {
    account al@example.org
    bundle 1000
    ID=kept push
    push
    verb backup "$T/copy.db"
    push
    expect 200 '' json DELETE "/sessions/$ID/versions/1"
    rm "$(find "$T/server/objects" -name "$ID.v1.tar.gz")"
    run verb check
    [ "$status" -eq 1 ]
    [[ $output == *"missing "*"$ID.v1.tar.gz"* ]]
    stop_server
    rm "$T"/server/server.db*
    cp "$T/copy.db" "$T/server/server.db"
    run verb check
    [[ $output == *"missing "*"$ID.v1.tar.gz"* && $output == *"unknown "*"$ID.v2.tar.gz"* ]]
    # Younger than any reservation: it may be somebody's upload.
    verb gc --orphans
    [ "$(objects)" = 2 ]
    time_passes
    # Nor does it go unless that is said.
    verb gc | grep -q '^1 objects of no version are left'
    verb gc --orphans --dry-run | grep -q 'and 1 objects of no version'
    [ "$(objects)" = 2 ]
    verb gc --orphans
    [ "$(objects)" = 1 ]
}

@test "after a database was put back, new versions do not touch the objects that it forgot" {
    account al@example.org
    bundle 1000
    push
    reserve
    local old=$URL
    verb backup "$T/copy.db"
    store_says 200 '' put "$old"
    expect 200 '' confirm
    push
    stop_server
    rm "$T"/server/server.db*
    cp "$T/copy.db" "$T/server/server.db"
    (cd "$T/server/objects" && find bundles -type f -exec sha256sum {} +) >"$T/before"
    start_server
    # What the backup knows as reserved was confirmed later: the keeper does not take it away.
    time_passes
    verb gc --orphans
    [ "$(objects)" = 2 ] # v3 is unknown, and that the verb removes
    (cd "$T/server/objects" && grep -v "v3.tar.gz" "$T/before" | sha256sum -c --quiet)
}

@test "a number whose place in the store is taken is never given out, and a foreign object is left" {
    account al@example.org
    bundle 1000
    push
    verb backup "$T/copy.db"
    push
    push
    stop_server
    rm "$T"/server/server.db*
    cp "$T/copy.db" "$T/server/server.db"
    start_server
    (cd "$T/server/objects" && find bundles -type f -exec sha256sum {} +) >"$T/before"
    bundle 2000
    push
    [ "$VERSION" -gt 100 ]
    [ "$(objects)" = 4 ]
    (cd "$T/server/objects" && sha256sum -c --quiet "$T/before")
    # One that comes between the reservation and the PUT.
    reserve
    local there
    there=$(dirname "$(find "$T/server/objects" -name "$ID.v1.tar.gz")")/$ID.v$VERSION.tar.gz
    echo foreign >"$there"
    store_says 412 PreconditionFailed put "$URL"
    expect 409 not_uploaded confirm
    push
    [ "$(cat "$there")" = foreign ]
    # It waits in the trash; what the database has forgotten check names, and gc has the last word.
    run verb check
    [[ $output == *"unknown "*"$ID.v2.tar.gz"* && $output != *"$(basename "$there")"* ]]
}

# real_bundle CWD: as bundle, of a tar that says where its session was
real_bundle() {
    mkdir -p "$T/tar"
    printf '{"sessionId":"%s","sourceCwd":"%s","sourceUserDir":"/home/al","agentId":"codex"}\n' \
        "$ID" "$1" >"$T/tar/meta.json"
    head -c "${2:-1000}" /dev/urandom >"$T/tar/session.jsonl"
    tar -C "$T/tar" -czf "$T/bundle" meta.json session.jsonl
    describe
}

lose_the_database() {
    stop_server
    rm "$T"/server/server.db*
    start_server
}

SEALED_ID=22222222-2222-8333-8444-555555555555

user_of() { sql "SELECT id FROM users WHERE email = '$1@example.org'"; }

@test "a database that was lost is made again from what lies in the store" {
    account bo@example.org
    bundle 1000
    push
    account al@example.org
    real_bundle /home/al/p
    push
    real_bundle /home/al/p 9000
    cp "$T/bundle" "$T/largest"
    push
    real_bundle /home/al/q
    push
    # One that lies: it is not sealed, and no such agent and folder could have come by an upload.
    ID=other
    printf '{"sessionId":"x","sourceCwd":"/a\\u001b[2J\\nb","sourceUserDir":"/\\n","agentId":"\\u001b%0400d","sealed":"AAAA"}\n' 0 \
        >"$T/tar/meta.json"
    tar -C "$T/tar" -czf "$T/bundle" meta.json session.jsonl
    describe
    push
    # A sealed one: what it is says its first bytes.
    ID=$SEALED_ID
    { printf 'CTS1\1\1\1\1' && head -c 3000 /dev/urandom; } >"$T/bundle"
    describe
    cp "$T/bundle" "$T/sealed"
    push '.sourceMachine = "sealed" | .metadata = {sealed: "AAAA"}'
    local al bo
    al=$(user_of al)
    bo=$(user_of bo)
    lose_the_database
    find "$T/server/objects" -type f -exec touch -d '3 days ago' {} +
    run verb gc --orphans
    [ "$status" -eq 1 ]
    verb adopt --dry-run >"$T/said"
    grep -q "^$al  5 versions  .*, of nobody" "$T/said"
    grep -q "^$bo  1 versions" "$T/said"
    # Nobody's word but the operator's says whose they are, and nobody's account is taken over.
    verb adopt "$al=al@example.org" | grep -q 'adopted 5 versions'
    run verb adopt "$bo=al@example.org"
    [ "$status" -eq 1 ]
    run verb adopt "../../etc/passwd=bo@example.org"
    [ "$status" -eq 1 ]
    printf '%s' "$PASSWORD" | verb user passwd al@example.org
    TOKEN= expect 200 '' json POST /auth/login -d "{\"email\":\"al@example.org\",\"password\":\"$PASSWORD\"}"
    JWT=$(jq -r .token "$T/answer")
    mint
    ID=11111111-2222-4333-8444-555555555555
    # The largest is offered beside the newest: nobody knows any more what is in what.
    [ "$(json GET /sessions | jq -c '[.sessions[] | [.id, .currentVersion, .versionCount, .sourceCwd, [.heads[].version]]] | sort')" = \
        "[[\"$ID\",3,3,\"/home/al/q\",[2]],[\"$SEALED_ID\",1,1,\"sealed\",[]],[\"other\",1,1,\"/\",[]]]" ]
    json GET /sessions | jq -e --arg id "$SEALED_ID" --arg head "$(head -c 48 "$T/sealed" | base64 -w 0)" \
        '.sessions[] | select(.id == $id) | .metadata == {sealed: $head} and .sourceMachine == "sealed" and .messages == null'
    [ "$(sql "SELECT DISTINCT agent FROM versions WHERE session_id = '$ID'")" = codex ]
    [ "$(sql "SELECT v.agent, d.cwd, d.user_dir, d.metadata FROM versions v JOIN descriptions d
        USING (user_id, session_id, version) WHERE session_id = 'other'")" = 'claude-code|/|/|' ]
    object GET "$(json GET "/sessions/$ID/download?version=2" | jq -r .downloadUrl)"
    cmp "$T/object" "$T/largest"
    bundle 100
    push '.baseVersions = [2, 3]'
    [ "$VERSION" = 4 ]
    [ "$(json GET "/sessions/$ID/versions" | jq -c '[.currentVersion, .heads]')" = '[4,[]]' ]
    run verb check --full
    [ "$(wc -l <<<"$output")" = 2 ]
    [[ $output == *"unknown bundles/$bo/"* ]]
    verb adopt "$bo=bo@example.org"
    verb check --full | grep -q match
    verb adopt | grep -q 'adopted 0 versions'
}

@test "what a database that was put back has forgotten is adopted beside what came since" {
    account al@example.org
    bundle 1000
    push '.label = "Budget" | .metadata = {names: {title: "Plans"}, summary: "Sums", messageCount: 7}'
    verb backup "$T/copy.db"
    push
    push
    stop_server
    rm "$T"/server/server.db*
    cp "$T/copy.db" "$T/server/server.db"
    start_server
    push '.baseVersions = [1]'
    local since=$VERSION
    [ "$since" -gt 100 ]
    verb adopt | grep -q 'adopted 2 versions'
    [ "$(json GET "/sessions/$ID/versions" | jq -c '[.currentVersion, .heads]')" = "[$since,[3]]" ]
    [ "$(listed)" = "$since 3 2 1" ]
    # What the session is called is known from the version before, how long it is is not.
    [ "$(sql "SELECT DISTINCT label, metadata FROM descriptions WHERE version IN (2, 3)")" = \
        'Budget|{"names":{"title":"Plans"},"summary":"Sums"}' ]
    verb check --full | grep -q match
}

@test "a start with a clock that jumped purges nothing" {
    account al@example.org
    bundle 1000
    push
    push
    expect 200 '' json DELETE "/sessions/$ID/versions/1"
    stop_server
    sql "UPDATE versions SET purge_ms = 1, left_ms = 1 WHERE state = 'trash';
         UPDATE clock SET seen_ms = seen_ms - 3 * 86400000"
    start_server
    within grep -q 'clock-jumped' "$T/server.log"
    moved_on() { [ "$(sql "SELECT seen_ms > (strftime('%s', 'now') - 60) * 1000 FROM clock")" = 1 ]; }
    within moved_on
    [ "$(objects)" = 2 ]
    # Whoever is sure says so; and the next start finds nothing odd.
    verb gc
    [ "$(objects)" = 1 ]
    : >"$T/server.log"
    stop_server
    start_server
    expect 200 '' json GET /auth/me
    ! grep -q clock-jumped "$T/server.log"
}
