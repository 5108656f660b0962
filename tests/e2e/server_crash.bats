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
    python3 "$CT_SRC/tests/e2e/tools/crash_client.py" "$API" "$CA" "$TOKEN" "$T/log" "$T/stop" 3>&- &
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
    verb gc
    [ "$(objects)" = 2 ]
    time_passes
    verb gc
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
    verb gc
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
