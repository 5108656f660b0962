#!/usr/bin/env bats
# Encryption as the daemon does it: what leaves, what does not, and what happens when keys come and go.

load lib
load web_lib

setup() {
    make_home
}

teardown() {
    end_home
}

# where the keys are
KEYRING() { echo "$CODETELEPORT_CONFIG_DIR/keyring"; }

# key WORD...: the keyring has these keys from now on
key() { python3 -S "$CT_SRC/tests/bundle/make_keyring.py" "$(KEYRING)" "$@"; }

# not COMMAND...: unlike "!", it fails the test
not() { ! "$@"; }

sealing_is() { status_is .encryption.state "$1"; }

# of ID JQ-EXPRESSION: of what the daemon knows of the session
of() { ctctl --json show "$1" | jq -r "$2"; }

of_is() { [ "$(of "$1" "$2")" = "$3" ]; }

on_server() {
    sqlite3 "$T/server/server.db" "SELECT $1 FROM versions NATURAL JOIN descriptions WHERE state = 'confirmed' $2"
}

quick='quiet = 0.3; turn_quiet = 0.1; distance = 0; longest_wait = 5;'

# a session that can't be mistaken for anything else
DIR=/home/zwetschge/Quittenprojekt
NEEDLES=(Quittenprojekt zwetschge Holunderrechner Mirabellentitel claude-schlehe-9 messageCount
    2019-04-05T06:07 2019-04-05T09:10)

speak() {
    printf '{"type":"%s","uuid":"%s","timestamp":"%s","cwd":"%s","sessionId":"%s",%s}\n' "$1" \
        "$(new_id)" "$2" "$DIR" "$ID" "$3"
}

distinct_session() {
    ID=$(new_id)
    F=$(transcript "$ID" -home-zwetschge-Quittenprojekt)
    {
        speak user 2019-04-05T06:07:08.000Z \
            '"message":{"role":"user","content":"Mirabellentitel, please"}'
        speak assistant 2019-04-05T09:10:11.000Z '"message":{"role":"assistant",'"\
"'"model":"claude-schlehe-9","content":[{"type":"text","text":"yes"}]}'
    } >"$F"
}

# captured NEEDLE...: those that can be read in what went over the wire
captured() { python3 -S "$CT_SRC/tests/e2e/tools/capture_find.py" "$T/capture" "$@"; }

run_captured() {
    start_server_behind_proxy --capture "$T/capture"
    log_in
    distinct_session
    start_daemon
    ctctl sync --wait
    speak user 2019-04-05T09:10:12.000Z '"message":{"role":"user","content":"more"}' >>"$F"
    ctctl sync --wait
    of_is "$ID" .state synced
    ctctl --json list --cloud | jq -e --arg id "$ID" \
        '.sessions[] | select((.opened.sessionId // .id) == $id)'
    ctctl versions "$ID"
    ctctl verify "$ID"
    rm "$F"
    ctctl pull "$ID" --target-dir "$T"
    grep -rq Mirabellentitel "$CLAUDE_CONFIG_DIR/projects"
}

@test "with a key nothing of a session can be read on its way" {
    conf "$quick device_name = \"Holunderrechner\"; metadata = \"full\";"
    key one
    run_captured
    of_is "$ID" .sealed true
    [ "$(of "$ID" .version)" -ge 2 ]
    grep -rq '"sourceMachine":"sealed"' "$T/capture"
    [ -z "$(captured "$ID" "${NEEDLES[@]}")" ] || {
        captured "$ID" "${NEEDLES[@]}"
        false
    }
}

@test "without one all of it can, so the test before can fail" {
    conf "$quick device_name = \"Holunderrechner\"; metadata = \"full\"; encryption = \"off\";"
    key one
    run_captured
    of_is "$ID" .sealed false
    sealing_is off
    [ "$(captured "$ID" "${NEEDLES[@]}")" = "$(printf '%s\n' "$ID" "${NEEDLES[@]}")" ] || {
        captured "$ID" "${NEEDLES[@]}"
        false
    }
}

@test "where a key is required nothing leaves before there is one" {
    conf "$quick encryption = \"require\";"
    start_server
    log_in
    distinct_session
    start_daemon
    sealing_is no_key
    not ctctl sync --wait >"$T/out" 2>&1
    grep -q 'ctctl key init' "$T/out"
    status_is .daemon.state degraded
    [ -z "$(on_server version)" ]
    key one
    within of_is "$ID" .state synced
    [ "$(on_server "cwd || machine || user_dir")" = sealedsealedsealed ]
    sealing_is sealing
}

@test "a key that vanishes, or a keyring that others can read, lets nothing leave in clear" {
    start_server
    key one
    log_in
    distinct_session
    start_daemon
    ctctl sync --wait
    mv "$(KEYRING)" "$T/away"
    within sealing_is no_key
    line more >>"$F"
    not ctctl sync --wait
    status .encryption.cure | grep -q 'ctctl key import'
    stop_daemon
    start_daemon # the account is remembered as a sealed one
    sealing_is no_key
    of_is "$ID" .state pending
    chmod 644 "$T/away"
    mv "$T/away" "$(KEYRING)"
    within sealing_is broken
    [ "$(on_server 'count(*)' "AND cwd <> 'sealed'")" = 0 ]
    [ "$(on_server 'count(*)')" = 1 ]
    chmod 600 "$(KEYRING)"
    within of_is "$ID" .version 2
    [ "$(on_server 'count(*)' "AND cwd = 'sealed'")" = 2 ]
}

@test "what waits in clear when a key comes is sealed first, also if it is nowhere else any more" {
    start_server_behind_proxy --capture "$T/capture"
    log_in
    faults 'store PUT * status=503'
    distinct_session
    start_daemon
    within status_is '.queue | length' 1
    within proxied_more '.method == "PUT"' 0
    rm "$F"
    within grep -q ' archived session=' "$T/daemon.log"
    stop_daemon -KILL
    rm -rf "$T/capture"
    key one
    faults
    start_daemon
    within of_is "$ID" .sealed true
    [ "$(on_server 'cwd')" = sealed ]
    [ -z "$(captured "$ID" "${NEEDLES[@]}")" ]
    of_is "$ID" .state archived
}

@test "when a key comes, what is here and safe in clear goes up sealed, unasked and once" {
    local gone
    start_server
    log_in
    distinct_session
    gone=$(new_id)
    line gone >"$(transcript "$gone")"
    start_daemon
    ctctl sync --wait
    line more >>"$F"
    ctctl sync --wait
    of_is "$ID" .version 2
    rm "$(transcript "$gone")"
    within of_is "$gone" .state archived
    key one
    within of_is "$ID" .sealed true
    of_is "$ID" '[.state, .version, .generation, .clearVersion] | join(" ")' "synced 1 1 2"
    # what is there in clear stays, until somebody says so
    status_is .encryption.plain 2
    ctctl status | grep -q '2 sessions are in the cloud in clear: ctctl list --clear'
    of_is "$gone" '[.sealed, .state] | join(" ")' "false archived"
    stop_daemon
    start_daemon
    line more >>"$F"
    ctctl sync --wait
    of_is "$ID" '[.sealed, .version, .generation, .elsewhereVersion] | join(" ")' "true 2 2 "
    status_is '.sessions | "\(.behind) \(.diverged)"' "0 0"
    [ "$(on_server 'count(*)' "AND cwd <> 'sealed'")" = 3 ]
}

@test "what a key was to seal when the daemon was killed is sealed by the next one" {
    start_server_behind_proxy
    log_in
    distinct_session
    start_daemon
    ctctl sync --wait
    faults 'store PUT * status=503'
    key one
    within sealing_is sealing
    stop_daemon -KILL
    faults
    start_daemon
    within of_is "$ID" .sealed true
    of_is "$ID" .state synced
}

@test "a device without the key holds everything once it has seen that the account has one" {
    start_server
    key one
    log_in
    distinct_session
    start_daemon
    ctctl sync --wait
    stop_daemon
    # another device of the account, which never had a key
    export XDG_STATE_HOME=$T/state2 CODETELEPORT_CONFIG_DIR=$T/other CLAUDE_CONFIG_DIR=$T/claude2
    mkdir "$CLAUDE_CONFIG_DIR"
    line hello >"$(transcript "$(new_id)")"
    printf 'correct horse battery' | ctctl login --email me@example.org --password-stdin \
        --api-url "$API" >"$T/out" 2>&1
    tr '\n' ' ' <"$T/out" | grep -q "sealed with a key that is not on this device, so nothing is saved"
    grep -q 'ctctl key import' "$T/out"
    start_daemon
    within sealing_is no_key
    not ctctl sync --wait >"$T/out" 2>&1
    grep -q 'ctctl key import' "$T/out"
    stop_daemon # it is remembered, also while the server lists nothing any more
    sqlite3 "$T/server/server.db" "UPDATE sessions SET deleted_ms = 1"
    start_daemon
    within status_is .daemon.state degraded
    sealing_is no_key
    conf "$quick encryption = \"off\";"
    ctctl status >/dev/null
    kill -HUP "$DAEMON_PID"
    within eval 'status ".problems[].what" | grep -q "is of no effect"'
    sealing_is no_key
    [ "$(on_server 'count(*)' "AND cwd <> 'sealed'")" = 0 ]
}

@test "sealing goes one way: encryption = off is of no effect once something was sealed" {
    start_server
    key one
    log_in
    distinct_session
    start_daemon
    ctctl sync --wait
    conf "$quick encryption = \"off\";"
    kill -HUP "$DAEMON_PID"
    within eval 'status ".problems[].what" | grep -q "is of no effect"'
    line more >>"$F"
    ctctl sync --wait
    of_is "$ID" '[.sealed, .version] | join(" ")' "true 2"
    [ "$(on_server 'count(*)' "AND cwd <> 'sealed'")" = 0 ]
}

# stock_upload ID: as a stock client does it
stock_upload() {
    printf '%s' "$1" | gzip >"$T/stock.gz"
    local body url version
    body=$(jq -nc --arg id "$1" --arg sum "sha256:$(sha256sum "$T/stock.gz" | cut -d' ' -f1)" \
        --argjson size "$(stat -c %s "$T/stock.gz")" '{sessionId: $id, sourceMachine: "oldbox",
            sourceCwd: "/x", sourceUserDir: "/x", sizeBytes: $size, checksum: $sum}')
    api POST /sessions/upload -d "$body" >"$T/up.json"
    version=$(jq -r .version "$T/up.json")
    url=$(jq -r .uploadUrl "$T/up.json")
    curl -sS --fail --cacert "$CA" -X PUT -H 'Content-Type: application/gzip' \
        --data-binary "@$T/stock.gz" "$url"
    api POST "/sessions/$1/confirm" -d "$(jq -nc --argjson v "$version" --argjson b "$body" \
        '{version: $v, checksum: $b.checksum}')" >/dev/null
}

@test "what a stock client goes on uploading in clear is a problem that is shown, and nothing else" {
    start_server
    log_in
    stock_upload "$(new_id)"
    key one
    distinct_session
    start_daemon
    ctctl sync --wait
    within status_is .encryption.plain 1
    status_is '.problems | length' 0
    # from before there was a key: no problem; but what comes now is one
    stock_upload "$(new_id)"
    stock_upload "$ID"
    stop_daemon
    start_daemon
    within status_is .encryption.plainSince 2
    status '.problems[].what' | grep -q 'uploads in clear'
    status '.problems[].why' | grep -q oldbox
    of_is "$ID" '[.state, .sealed, .elsewhereVersion] | join(" ")' "synced true "
    status_is '.sessions | "\(.behind) \(.diverged)"' "0 0"
}

@test "a rotated key seals from then on, and the session keeps its name" {
    local wire
    start_server
    key one
    log_in
    distinct_session
    start_daemon
    ctctl sync --wait
    wire=$(of "$ID" .wireId)
    key one two
    within status_is .encryption.keys 2
    line more >>"$F"
    ctctl sync --wait
    of_is "$ID" .version 2
    of_is "$ID" .wireId "$wire"
    of_is "$ID" .keyId "$(status .encryption.keyId)"
}

@test "after a lost database nothing that is sealed is uploaded again" {
    start_server
    key one
    log_in
    distinct_session
    start_daemon
    ctctl sync --wait
    line more >>"$F"
    ctctl sync --wait
    stop_daemon
    rm "$XDG_STATE_HOME"/codeteleport/*/accounts/*/state.db*
    start_daemon
    within of_is "$ID" .state synced
    of_is "$ID" '[.sealed, .version, .generation] | join(" ")' "true 2 2"
    [ "$(on_server 'count(*)')" = 2 ]
    line more >>"$F"
    ctctl sync --wait
    of_is "$ID" '[.version, .generation] | join(" ")' "3 3"
}

@test "a server that lists less than was seen is reported, and what it lost is saved anew" {
    start_server
    key one
    log_in
    distinct_session
    start_daemon
    ctctl sync --wait
    stop_server
    cp -r "$T/server" "$T/before"
    start_server
    line more >>"$F"
    ctctl sync --wait
    of_is "$ID" .generation 2
    stop_daemon
    stop_server
    rm -rf "$T/server"
    mv "$T/before" "$T/server"
    start_server
    start_daemon
    within grep -q ' rollback session=' "$T/daemon.log"
    within of_is "$ID" .generation 3
    within of_is "$ID" .state synced
    status_is .encryption.rollbacks 0
    [ "$(grep -c ' rollback session=' "$T/daemon.log")" = 1 ]
    line more >>"$F"
    ctctl sync --wait
    of_is "$ID" .generation 4
}

@test "what the server lost is uploaded anew when it is asked for by name" {
    start_server
    key one
    log_in
    distinct_session
    start_daemon
    ctctl sync --wait
    stop_server
    cp -r "$T/server" "$T/before"
    start_server
    line more >>"$F"
    ctctl sync --wait
    ctctl pause # else it would be there again in a moment
    stop_daemon
    stop_server
    rm -rf "$T/server"
    mv "$T/before" "$T/server"
    start_server
    start_daemon
    within status_is .encryption.rollbacks 1
    status '.problems[].cure' | grep -qF "ctctl sync ${ID:0:8}"
    ctctl sync --wait "${ID:0:8}"
    of_is "$ID" .generation 3
    status_is .encryption.rollbacks 0
}

@test "a sealed session that was deleted elsewhere stays out" {
    start_server
    key one
    log_in
    distinct_session
    start_daemon
    ctctl sync --wait
    sqlite3 "$T/server/server.db" "UPDATE sessions SET deleted_ms = 1" \
        "DELETE FROM versions"
    line more >>"$F"
    run ctctl sync --wait
    [ "$status" = 1 ]
    within of_is "$ID" .state deleted
}

@test "sealed sessions go to a server that is not ours too" {
    start_stock_server
    key one
    log_in
    distinct_session
    start_daemon
    ctctl sync --wait
    line more >>"$F"
    ctctl sync --wait
    of_is "$ID" '[.sealed, .version, .generation, .state] | join(" ")' "true 2 2 synced"
    stop_daemon -KILL
    start_daemon
    within of_is "$ID" .state synced
    status_is .encryption.rollbacks 0
}

@test "a sealed bundle that waited in a spool whose database was lost is not lost with it" {
    start_server_behind_proxy
    key one
    log_in
    faults 'store PUT * status=503'
    distinct_session
    start_daemon
    within status_is '.queue | length' 1
    within proxied_more '.method == "PUT"' 0
    stop_daemon -KILL
    rm "$F" "$XDG_STATE_HOME"/codeteleport/*/accounts/*/state.db*
    faults
    start_daemon
    within of_is "$ID" .sealed true
    [ "$(on_server cwd)" = sealed ]
}

# every_tool: a call of each MCP tool that there is, with each argument that it takes
every_tool() {
    echo '{"jsonrpc":"2.0","id":0,"method":"tools/list"}' | ctctl mcp --all-projects --allow-delete |
        jq -c --arg id "$ID" --arg dir "$T" '.result.tools | to_entries[] | {jsonrpc: "2.0", id: (.key + 1), method: "tools/call",
            params: {name: .value.name, arguments: (.value.inputSchema.properties // {} | with_entries(.value =
                ({sessionId: $id, targetDir: $dir, project: "Quittenprojekt", machine: "Holunderrechner", version: 1}[.key] //
                 {string: "Kirschetikett", integer: 7, array: ["Kirschetikett"]}[.value.type])) |
                if .limit and .sessionId then del(.version) else . end)}}'
}

log_in_again() {
    printf 'correct horse battery' | ctctl login --email me@example.org --password-stdin \
        --api-url "$API" >>"$T/login.log" 2>&1
}

# stranger_upload ID: a whole bundle that somebody uploads in clear
stranger_upload() {
    local body version url dir=$T/strange
    mkdir -p "$dir/projects/-x"
    printf '{"type":"user","uuid":"%s","cwd":"/x","sessionId":"%s","message":{"role":"user","content":"hi"}}\n' \
        "$(new_id)" "$1" >"$dir/projects/-x/$1.jsonl"
    "$CT_BUILD/tests/bundle/packone" "$dir" "$1" "$T/stock.gz" --user-dir /x >/dev/null
    body=$(jq -nc --arg id "$1" --arg sum "sha256:$(sha256sum "$T/stock.gz" | cut -d' ' -f1)" \
        --argjson size "$(stat -c %s "$T/stock.gz")" '{sessionId: $id, sourceMachine: "old\u001b[31mbox\u202e",
            sourceCwd: "/x", sourceUserDir: "/x", sizeBytes: $size, checksum: $sum}')
    api POST /sessions/upload -d "$body" >"$T/up.json"
    version=$(jq -r .version "$T/up.json")
    url=$(jq -r .uploadUrl "$T/up.json")
    curl -sS --fail --cacert "$CA" -X PUT -H 'Content-Type: application/gzip' \
        --data-binary "@$T/stock.gz" "$url"
    api POST "/sessions/$1/confirm" -d "$(jq -nc --argjson v "$version" --argjson b "$body" \
        '{version: $v, checksum: $b.checksum}')" >/dev/null
}

# every_verb: each with each of its options, and with arguments that name what must not leave
every_verb() {
    local short=${ID:0:8} verb words
    while read -r verb words; do
        echo "$verb $words " >>"$T/verbs"
        echo "== ctctl $verb $words"
        # shellcheck disable=SC2086
        timeout 20 ctctl "$verb" $words </dev/null || echo "== status $?"
    done <<VERBS
status --check
status --line
list --local --project Quittenprojekt --sort title --limit 3
list --cloud --project $DIR --machine Holunderrechner --since 7d
list --state Kirschetikett
list --archived --cost --agent claude-code
rename $ID Mirabellenname
rename $ID --own
tag $ID +Zwetschgentag
list --tag Zwetschgentag
list --cloud --tag Zwetschgentag
stats --by model --since 9y --project Quittenprojekt
stats --by machine --machine Holunderrechner --cloud
list --clear
show $short
show $ID
versions $ID
versions $ID --plain
verify $ID --version 1
verify --all --sample 1
verify $CLEAR --plain
scan $short --rules $T/Kirschetikett
scan --all
export $ID -o $T/x.gz
export $short --sealed --version 1 -o $T/x.sealed
export $CLEAR --plain --force -o $T/x.gz2
export $ID --local -o $T/x.local
import $T/x.gz --target-dir $T --as-copy --with-memory --with-file-history
import $T/x.gz --target-dir $T --force --dry-run
import $T/x.gz --with-files $T/files --target-dir $T --force --dry-run
search Mirabellentitel --project Quittenprojekt --agent claude-code --machine Holunderrechner --since 9y --role me --cloud --fetch --limit 3
cat $ID --version 1 --cloud --tools --thinking --all --markdown
cat $CLEAR --plain
cat $ID --cloud --raw
plugin uninstall
diff $ID 1
diff $CLEAR --plain
pull $ID --target-dir $T --force --keep-mode
pull $ID --target-dir $T --merge --yes
pull $ID --target-dir $T --as-copy --version 1 --dry-run
pull $ID --as codex --target-dir $T --dry-run
pull $ID --with-files $T/files --target-dir $T --dry-run
pull --update
pull --all --project Quittenprojekt --map $DIR=$T
pull --profile Holunderrechner
pull $CLEAR --plain --target-dir $T
seal $CLEAR --yes
seal --all --yes
backups
backups restore $ID --dry-run --force
backups restore $ID --as-copy
backups prune --older-than 1y --yes
backups prune --all --yes
share $ID --yes --despite-credentials --expires 1h --tools --thinking
share $ID --yes --despite-credentials --version 1 --cloud
shares
sync $ID --wait --timeout 9
sync --wait
exclude $DIR
include $DIR
pause 1m
resume
delete $ID --version 1 --yes
delete $ID --yes
undelete $ID --version 1
undelete $ID
unshare Kirschetikett
unshare --all
undelete
delete $CLEAR --plain --yes
delete --project Quittenprojekt --older-than 9y --yes
delete --project Quittenprojekt --yes
undelete $short
account
account passwd --tokens
account delete --now
devices revoke Holunderrechner --yes
tokens revoke Kirschetikett --yes
key status
key show --qr --force
key init --no-confirm --fork
key rotate --compromised --no-confirm
key export --retired
doctor
help list
login --email me@example.org --password-stdin --api-url $API
login --register --invite Kirschetikett --email Kirschetikett@example.org --password-stdin --api-url $API
login --github --api-url $API
login --oidc --api-url $API
login --token Kirschetikett --api-url $API
mcp --all-projects --allow-delete
logout
VERBS
    timeout 2 ctctl watch </dev/null || true
    echo "watch " >>"$T/verbs"
}

# every_question: all that the page of ctctl web asks
every_question() {
    local question
    web_up --no-browser --idle 1h
    web_enter
    for question in status here cloud "show?id=$ID" "versions?id=$ID" "diff?id=$ID" "open?id=$ID" \
        'turns?handle=1&piece=0' "open?id=$ID&version=1" 'turns?handle=2&piece=0' \
        'search?w=Mirabellentitel&w=Quittenprojekt&cloud=1'; do
        web "$question" | grep -q .
    done
    web "sync?id=$ID" -X POST | grep -q .
    web "pull?id=$ID" -X POST | grep -q .
    web_down
    echo "web --no-browser --idle " >>"$T/verbs"
}

@test "nothing leaves in clear from a device that seals, by any verb" {
    local CLEAR verb option
    conf "$quick device_name = \"Holunderrechner\"; metadata = \"full\"; profile = true;"
    key one
    SERVER_CONF='share = "127.0.0.1:0";' start_server_behind_proxy --capture "$T/capture"
    log_in
    CLEAR=$(new_id)
    stranger_upload "$CLEAR"
    distinct_session
    mkdir -p "$CLAUDE_CONFIG_DIR/agent-memory/Quittenprojekt"
    echo Mirabellentitel >"$CLAUDE_CONFIG_DIR/agent-memory/Quittenprojekt/MEMORY.md"
    echo 'id = "Kirschetikett"' >"$T/Kirschetikett"
    # What others wrote may hold what a terminal obeys.
    speak user 2019-04-05T09:10:12.000Z '"gitBranch":"b\u001b[31m\u202e","message":{"role":"user","content":"x"}' >>"$F"
    printf '{"type":"custom-title","customTitle":"Mirabellentitel\\u001b]0;x\\u0007\\u202e\\u009b31m","sessionId":"%s"}\n' "$ID" >>"$F"
    start_daemon
    ctctl sync --wait
    within status_is '.profile.savedAt != null' true
    every_question
    every_verb >"$T/said" 2>&1
    for verb in $(ctctl __complete '' | cut -f1); do
        grep -q "^$verb " "$T/verbs" || {
            echo "ctctl $verb has no line in every_verb"
            false
        }
        for option in $(ctctl __complete "$verb" -- | cut -f1 | grep -vxE -- '--(json|socket|help)'); do
            [ "$verb" = help ] || grep -q -- "^$verb .*$option " "$T/verbs" || {
                echo "ctctl $verb $option has no line in every_verb"
                false
            }
        done
    done
    log_in_again
    every_tool >"$T/calls"
    [ "$(wc -l <"$T/calls")" -ge 7 ]
    timeout 60 ctctl mcp --all-projects --allow-delete <"$T/calls" >"$T/mcp"
    [ "$(wc -l <"$T/mcp")" = "$(wc -l <"$T/calls")" ]
    not grep -nP '\x1B|\x07|\xC2[\x80-\x9F]|\xE2\x80[\xAA-\xAE]|\xE2\x81[\xA6-\xA9]' "$T/said" "$T/mcp"
    # it did something
    grep -q 'Mirabellentitel.]0;x' "$T/said"
    grep -q 'sealed  ok' "$T/said"
    grep -q 'and not in clear any more' "$T/said"
    # Nor does the key of a link.
    [ "$(grep -c '^https://.*/s/.*#' "$T/said")" = 2 ]
    while read -r verb; do
        [ -z "$(captured "$verb")" ]
    done < <(sed -n 's|^https://.*/s/.*#||p' "$T/said")
    [ "$(grep -c '"isError":false' "$T/mcp")" -ge 5 ]
    [ -z "$(captured "$ID" Kirschetikett "${NEEDLES[@]}")" ] || {
        captured "$ID" Kirschetikett "${NEEDLES[@]}"
        false
    }
}
