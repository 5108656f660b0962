#!/usr/bin/env bats
# Devices, and versions that stand side by side, as clients meet them: the real server, with curl.

bats_require_minimum_version 1.5.0
load lib
load server_lib

setup() { server_home; }
teardown() { end_home; }

# device ID NAME: a token of the same account, for the machine that calls itself ID
device() {
    TOKEN=$JWT
    expect 201 '' json POST /auth/token -d "{\"name\":\"$2\",\"deviceId\":\"$1\"}"
    TOKEN=$(jq -r .token "$T/answer")
}

# two_devices: a session with version 1 by lap, on which lap's and box's build, each without the other
two_devices() {
    account al@example.org
    device lap-00000001 lap
    LAP=$TOKEN
    device box-00000001 box
    BOX=$TOKEN
    TOKEN=$LAP
    bundle 1000
    push '.baseVersions = []'
    bundle 1001
    push '.baseVersions = [1]'
    TOKEN=$BOX
    bundle 1002
    cp "$T/bundle" "$T/box"
    push '.baseVersions = [1]'
}

@test "a new log-in of one machine is the same device, and no machine needs one" {
    account al@example.org
    device lap-00000001 lap
    local id
    id=$(jq -r .device.id "$T/answer")
    device lap-00000001 laptop
    jq -e --arg id "$id" '.device == {id: $id, name: "laptop"}' "$T/answer"
    bundle 1000
    push
    [ "$(json GET /devices | jq -c '[.devices[] | [.id, .name, .sessionCount, .current]]')" = \
        "[[\"$id\",\"laptop\",1,true]]" ]
    TOKEN=$JWT
    for bad in '"short"' '"has a space"' 7 "\"$(printf 'x%.0s' {1..65})\"" '"../../etc"'; do
        expect 422 invalid json POST /auth/token -d "{\"name\":\"x\",\"deviceId\":$bad}"
    done
    mint
    jq -e '.device == null' "$T/answer"
}

@test "the log-in of ctctl names the machine, the second one too" {
    log_in
    [ "$(ctctl --json devices | jq '.devices | length')" = 1 ]
    [ "$(stat -c %a "$XDG_STATE_HOME"/codeteleport/*/device)" = 600 ]
    printf 'correct horse battery' | ctctl login --email me@example.org --password-stdin --api-url "$API"
    [ "$(ctctl --json devices | jq -c '[.devices[] | .current]')" = '[true]' ]
}

@test "what went on in two places stands side by side until one holds the other" {
    two_devices
    jq -e '.version == 3 and .currentVersion == 2 and ([.heads[].version] == [3])' "$T/answer"
    TOKEN=$LAP
    [ "$(json GET "/sessions/$ID/versions" | jq -c \
        '[.currentVersion, .heads, [.versions[] | [.version, .isHead, .thisDevice, .device.name, .messages, .baseVersions]]]')" = \
        '[2,[3],[[3,true,false,"box",2,[1]],[2,true,true,"lap",2,[1]],[1,false,true,"lap",2,[]]]]' ]
    [ "$(json GET /sessions | jq -c '.sessions[0] | [.currentVersion, .thisDevice, .device.name,
        [.heads[] | [.version, .device.name, .messages, .metadata]]]')" = \
        '[2,true,"lap",[[3,"box",2,{"messageCount":2}]]]' ]
    object GET "$(json GET "/sessions/$ID/download?version=3" | jq -r .downloadUrl)"
    cmp "$T/object" "$T/box"
    [ "$(json GET "/sessions/$ID/download" | jq .version)" = 2 ]
    bundle 2000
    reserve '.baseVersions = [2]'
    jq -e '.features == ["heads","base-checksums","profile"] and .currentVersion == 2 and ([.heads[].version] == [3])
        and .elsewhereVersion == 3' "$T/answer"
    reserve '.baseVersions = [2, 3]'
    jq -e '.heads == [] and .elsewhereVersion == null' "$T/answer"
    store_says 200 '' put "$URL"
    expect 200 '' confirm
    jq -e '.currentVersion == 5 and .heads == []' "$T/answer"
    expect 200 '' json GET /auth/me
    jq -e '.features == ["heads","base-checksums","profile"]' "$T/answer"
}

@test "a head ends by deletion, and a reservation by the word of who made it" {
    two_devices
    TOKEN=$LAP
    bundle 2000
    reserve '.baseVersions = [2]'
    TOKEN=$BOX expect 404 not_found json DELETE "/sessions/$ID/versions/$VERSION"
    expect 200 '' json DELETE "/sessions/$ID/versions/$VERSION"
    expect 409 no_reservation confirm
    expect 200 '' json DELETE "/sessions/$ID/versions/3"
    [ "$(json GET "/sessions/$ID/versions" | jq -c '[.currentVersion, .heads]')" = '[2,[]]' ]
    expect 200 '' json POST "/sessions/$ID/undelete" -d '{"version":3}'
    [ "$(json GET "/sessions/$ID/versions" | jq -c '[.currentVersion, .heads]')" = '[2,[3]]' ]
}

@test "a stock client's upload becomes current and hides nothing" {
    two_devices
    mint
    bundle 3000
    push
    [ "$(json GET "/sessions/$ID/versions" | jq -c '[.currentVersion, .heads]')" = '[4,[3,2]]' ]
    bundle 3001
    push
    [ "$(json GET "/sessions/$ID/versions" | jq -c '[.currentVersion, .heads]')" = '[5,[3,2]]' ]
}

# Whoever has a token and no key: what is in clear holds nothing of what is sealed, whatever it names.
@test "what is in clear stands beside what is sealed under the same id, with bases and without" {
    account al@example.org
    bundle 1000
    push '.metadata = {sealed: "AAAA"} | .baseVersions = []'
    bundle 1001
    push '.baseVersions = [1]'
    bundle 1002
    push
    [ "$(json GET "/sessions/$ID/versions" | jq -c '[.currentVersion, .heads]')" = '[1,[3,2]]' ]
    bundle 1003
    push '.metadata = {sealed: "BBBB"} | .baseVersions = [1]'
    [ "$(json GET "/sessions/$ID/versions" | jq -c '[.currentVersion, .heads]')" = '[4,[3,2]]' ]
}

@test "bases are numbers of versions, and few" {
    account al@example.org
    bundle 1000
    for bad in '{}' '"1"' '1' '[0]' '[-1]' '["1"]' '[1.5]' '[null]' "[$(seq -s, 1 65)]" \
        '[{}]' '[{"version":1}]' "[{\"checksum\":\"$SUM\"}]" '[{"version":1,"checksum":"x"}]' \
        "[{\"version\":0,\"checksum\":\"$SUM\"}]"; do
        expect 422 invalid json POST /sessions/upload -d "$(upload_body ".baseVersions = $bad")"
    done
    reserve '.baseVersions = [1, 2, 999999999999]'
    push '.baseVersions = [{version: 1, checksum: .checksum}, 2]'
    # What counted is told as numbers.
    [ "$(json GET "/sessions/$ID/versions" | jq -c '.versions[0].baseVersions')" = '[1]' ]
}

@test "who has a cursor is told what changed, or in no words that nothing did" {
    two_devices
    local cursor
    cursor=$(json GET /sessions | jq -r .cursor)
    : >"$T/answer"
    json GET "/sessions?since=$cursor"
    [ "$(cat "$T/status")" = 304 ]
    [ ! -s "$T/answer" ]
    TOKEN=$LAP
    expect 200 '' json DELETE "/sessions/$ID"
    expect 200 '' json GET "/sessions?since=$cursor"
    jq -e --arg id "$ID" '.sessions == [] and .total == 0 and .more == false and
        (.deleted | length == 1) and .deleted[0].id == $id and .deleted[0].deletedBy.name == "lap" and
        (.deleted[0].deletedAt | test("^20"))' "$T/answer"
    json GET "/sessions?since=$(jq -r .cursor "$T/answer")"
    [ "$(cat "$T/status")" = 304 ]
    expect 200 '' json GET "/sessions?since=9000000000000000"
    jq -e .reset "$T/answer"
    expect 422 invalid json GET '/sessions?since=x'
}

@test "a database from before there were heads has each device's newest as one" {
    account al@example.org
    bundle 1000
    push
    bundle 1001
    push
    mint
    bundle 1002
    push
    local first=$TOKEN
    [ "$(listed)" = "3 2 1" ]
    stop_server
    python3 -S "$CT_SRC/tests/e2e/tools/schema.py" "$CT_SRC/server/ledger/ledger_schema.c" ledger_schema server 5 \
        "$T/old.db" "$T/server/server.db"
    rm "$T/server/server.db"*
    mv "$T/old.db" "$T/server/server.db"
    chmod 600 "$T/server/server.db"
    start_server
    TOKEN=$first
    [ "$(json GET "/sessions/$ID/versions" | jq -c '[.currentVersion, .heads,
        [.versions[] | [.version, .thisDevice, .metadata.messageCount, .baseVersions]]]')" = \
        '[3,[2],[[3,true,2,null],[2,false,2,null],[1,false,2,null]]]' ]
    bundle 1003
    push '.baseVersions = [2, 3]'
    [ "$(json GET "/sessions/$ID/versions" | jq -c '[.currentVersion, .heads]')" = '[4,[]]' ]
}
