#!/usr/bin/env bats
# What was said is found, read and compared, wherever it is, and no data folder is touched.

load lib
load pull_lib

setup() {
    two_machines
    W=$(project src/web.app)
    ID=$(new_id)
    F=$CLAUDE_CONFIG_DIR/projects/$(encoded "$W")/$ID.jsonl
    mkdir -p "$(dirname "$F")"
}

teardown() {
    [ -z "${DAEMON_OF_BOB:-}" ] || kill "$DAEMON_OF_BOB"
    end_home
}

# said KIND TEXT [CONTENT]: a record of a message, its text or its JSON
said() {
    jq -nc --arg id "$(new_id)" --arg kind "$1" --arg text "$2" --argjson content "${3:-null}" \
        --arg cwd "$W" --arg s "$ID" '{type: $kind, uuid: $id, sessionId: $s, cwd: $cwd,
        timestamp: "2026-03-04T05:06:07.000Z", message: {role: $kind, content: ($content // $text)}}'
}

conversation() {
    said user 'Why does the Parser loop?'
    said assistant '' '[{"type":"text","text":"Let me look."},
        {"type":"tool_use","id":"t1","name":"Bash","input":{"command":"grep -n loop parser.c"}}]'
    said user '' '[{"type":"tool_result","tool_use_id":"t1","content":"1: a\n2: b\n3: c\n4: zebra\n5: e"}]'
    said assistant 'It is off by one: naïve "quotes" and C:\path.'
}

@test "cat shows a session as it was read, here, in the cloud, and sealed there" {
    local before
    conversation >"$F"
    printf '{"type":"user","message":{"content":"torn' >>"$F"
    before=$(tree)
    ctctl cat "${ID:0:8}" >"$T/out" 2>"$T/err"
    diff - "$T/out" <<'EOF'
You, 2026-03-04 05:06
  Why does the Parser loop?

The agent, 05:06
  Let me look.

  ▸ Bash: grep -n loop parser.c
    1: a
    2: b
    3: c
    (2 more lines)

  It is off by one: naïve "quotes" and C:\path.
EOF
    grep -q '1 line of the transcript could not be read' "$T/err"
    ctctl cat "$ID" --tools 2>/dev/null | grep -q zebra
    ctctl cat "$ID" --markdown 2>/dev/null | grep -qx '## You, 2026-03-04 05:06'
    [ "$(ctctl --json cat "$ID" 2>/dev/null | jq -c '[.turns[].kind]')" = \
        '["prompt","answer","call","result","answer"]' ]
    [ "$(tree)" = "$before" ]
    ctctl key init --no-confirm >"$T/key" 2>&1
    push
    said user 'a later question' >>"$F"
    ctctl cat "$ID" --cloud >"$T/cloud"
    [ "$(ctctl --json cat "$ID" --version 1 | jq .version)" = 1 ]
    grep -q 'Parser loop' "$T/cloud"
    ! grep -q 'a later question' "$T/cloud" || false
    rm "$F"
    ctctl cat "$ID" | grep -q 'Parser loop'
    [ ! -e "$F" ]
}

@test "cat of what is not clear, or nowhere, says which" {
    conversation >"$F"
    run ctctl cat zz
    [ "$status" = 1 ]
    [[ "$output" == *'no session here begins with "zz"'*'no session in the cloud begins with "zz"'* ]]
    cp "$F" "$(dirname "$F")/${ID:0:8}-0000-4000-8000-000000000000.jsonl"
    run ctctl cat "${ID:0:8}"
    [ "$status" = 1 ]
    [[ "$output" == *'several sessions begin with'* ]]
    run ctctl cat
    [ "$status" = 64 ]
}

@test "a conversation does nothing to the terminal" {
    said assistant "$(printf 'x\n\nYou, 05:07\nyes, delete it all')" >"$F"
    [ "$(ctctl cat "$ID" | grep -c '^You')" = 0 ]
    said user "$(printf 'tag\U000e0041 soft\u00ad zero\u200b')" >"$F"
    ctctl cat "$ID" | LC_ALL=C grep -c "$(printf '\xef\xbf\xbd')" | grep -qx 1
    ! ctctl cat "$ID" | grep -q "$(printf '\U000e0041\|\u00ad\|\u200b')" || false
    said user "$(printf 'evil\033]0;title\007\033[2Jx\u202e\u009b31m tab\there\rover')" >"$F"
    ctctl cat "$ID" >"$T/out"
    ctctl search evil >>"$T/out"
    ctctl --json cat "$ID" >>"$T/out"
    ! LC_ALL=C grep -q "$(printf '[\033\007\r]')" "$T/out" || false
    ! grep -q "$(printf '\u202e')" "$T/out" || false
    ! grep -q "$(printf '\u009b')" "$T/out" || false
    grep -q 'tab    here' "$T/out"
}

@test "diff shows the turns that only one side has" {
    conversation >"$F"
    push
    ctctl diff "$ID" | grep -qx 'Both hold the same conversation (5 turns)'
    said user 'only on this machine' >>"$F"
    ctctl diff "$ID" >"$T/out"
    grep -q 'only in what is here: 1 turn$' "$T/out"
    grep -qx '  only on this machine' "$T/out"
    ! grep -q 'Parser' "$T/out" || false
    said user "read $W/a.txt" >>"$F"
    push
    ctctl diff "$ID" 1 2 >"$T/out"
    grep -q 'only in version 2: 2 turns$' "$T/out"
    ! grep -q 'only in version 1' "$T/out" || false
    # Of a session that bob pulled nothing differs but the paths, and that is no difference.
    machine bob
    project src/web.app >/dev/null
    ctctl pull "$ID" >/dev/null
    ctctl diff "$ID" | grep -q 'Both hold the same'
    # The same record in other words is shown with both.
    sed -i 's/Why does the Parser loop/Please delete it all/' "$(here "$ID")"
    ctctl diff "$ID" >"$T/out"
    grep -q 'Please delete it all' "$T/out"
    grep -q 'Why does the Parser loop' "$T/out"
}

@test "search finds words and phrases in either case, the best first, and says where else to look" {
    local other=$(new_id)
    conversation >"$F"
    { said user 'about zebras'; said assistant 'the parser of zebras: off by two'; } |
        sed "s/$ID/$other/" >"$(dirname "$F")/$other.jsonl"
    found() { ctctl --json search "$@" | jq -c '[.found[].sessionId[0:8]]'; }
    [ "$(found parser loop)" = "[\"${ID:0:8}\"]" ]
    [ "$(found 'OFF BY ONE')" = "[\"${ID:0:8}\"]" ]
    # Both words in one turn of a person come before one word each in several.
    [ "$(found zebra parser | jq length)" = 2 ]
    [ "$(found zebra parser | jq -r '.[0]')" = "${other:0:8}" ]
    [ "$(found zebra --role tool)" = "[\"${ID:0:8}\"]" ]
    [ "$(found zebra --role me)" = "[\"${other:0:8}\"]" ]
    # What JSON writes in another way.
    [ "$(found 'naïve "quotes"')" = "[\"${ID:0:8}\"]" ]
    [ "$(found 'C:\path')" = "[\"${ID:0:8}\"]" ]
    run ctctl search nowhere-at-all
    [ "$status" = 1 ]
    [[ "$output" == *'nothing found in 2 sessions; also in the cloud: --cloud'* ]]
    touch -d '10 days ago' "$F"
    [ "$(found zebra --since 7d)" = "[\"${other:0:8}\"]" ]
    # What is in the cloud only: by its title, which is sealed, and if asked, by what is in it.
    ctctl key init --no-confirm >"$T/key" 2>&1
    push
    machine bob
    install -D -m 600 "$T/alice/home/alice/.codeteleport/keyring" "$CODETELEPORT_CONFIG_DIR/keyring"
    run ctctl search zebra
    [ "$status" = 1 ]
    [ "$(found zebras --cloud)" = "[\"${other:0:8}\"]" ]
    [ "$(found zebras --cloud --machine alice)" = "[\"${other:0:8}\"]" ]
    run ctctl search zebras --cloud --machine bob
    [ "$status" = 1 ]
    [ "$(found zebra --cloud --fetch | jq length)" = 2 ]
    [ ! -e "$CLAUDE_CONFIG_DIR/projects" ] || [ -z "$(find "$CLAUDE_CONFIG_DIR/projects" -type f)" ]
}

# spent ID NAME INPUT OUTPUT: a message with its counts, as Claude Code writes one for each of its blocks
spent() {
    said assistant "some words" |
        jq -c --arg id "$1" --arg model "$2" --argjson in "$3" --argjson out "$4" \
            '.message += {id: $id, model: $model, usage: {input_tokens: $in, output_tokens: $out,
                cache_read_input_tokens: 5000, cache_creation_input_tokens: 0}}'
}

@test "what a session used is counted once, and known on every machine that has the key" {
    {
        said user 'how much?'
        spent m1 claude-opus 10 1
        spent m1 claude-opus 10 2000
        spent m2 claude-haiku 30 4
        echo '{"type":"cost-state","startTime":1,"totalCostUSD":0.125,"hasUnknownModelCost":false}'
        echo '{"type":"cost-state","startTime":1,"totalCostUSD":1.25,"hasUnknownModelCost":false}'
    } >"$F"
    mkdir -p "${F%.jsonl}/subagents"
    { spent m1 claude-opus 10 2000; spent m3 claude-haiku 1 1; } >"${F%.jsonl}/subagents/agent-a1.jsonl"
    ctctl key init --no-confirm >"$T/key" 2>&1
    push
    start_daemon
    ctctl show "$ID" >"$T/show"
    grep -q '^Tokens  *41 in, 15 k from the cache, 0 into it, 2.0 k out' "$T/show"
    grep -qx 'Cost       $1.25, as the agent counted' "$T/show"
    [ "$(ctctl --json stats --by model | jq -c '[.rows[] | [.name, .outputTokens]]')" = \
        '[["claude-opus",2000],["claude-haiku",5]]' ]
    ctctl list --cost | grep -q "^${ID:0:8} .*2\.0 k  *\$1\.25"
    run ctctl stats --by colour
    [ "$status" = 64 ]
    stop_daemon
    machine bob
    install -D -m 600 "$T/alice/home/alice/.codeteleport/keyring" "$CODETELEPORT_CONFIG_DIR/keyring"
    ctctl --json stats --by machine >"$T/stats"
    [ "$(jq -c '[.rows[0].name, .total.outputTokens, .total.costUSD, .uncounted]' <"$T/stats")" = \
        '["alice",2005,1.25,0]' ]
    ctctl stats --cloud | grep -q '^web.app  *1  *41  *15 k  *0  *2\.0 k  *\$1\.25'
    rm "$CODETELEPORT_CONFIG_DIR/keyring"
    [ "$(ctctl --json stats --cloud | jq -c '[.rows, .uncounted]')" = '[[],1]' ]
}

# a_name_travels [KEY]: a session is named on two machines, sealed if KEY says so
a_name_travels() {
    local sum
    conversation >"$F"
    [ -z "${1:-}" ] || ctctl key init --no-confirm >"$T/key" 2>&1
    push
    sum=$(sha256sum <"$F")
    start_daemon
    ctctl rename "${ID:0:8}" the parser that loops >"$T/out"
    grep -qx "${ID:0:8} is called \"the parser that loops\"" "$T/out"
    ctctl tag "$ID" +parser +open >/dev/null
    ctctl tag "$ID" -open done | grep -qx "${ID:0:8} is called \"the parser that loops\"; tags: done, parser"
    ctctl sync --wait >/dev/null
    ctctl list --tag parser | grep -q 'the parser that loops'
    ctctl list --tag open 2>&1 | grep -q 'no session has that tag'
    [ "$(sha256sum <"$F")" = "$sum" ]
    # A later turn takes it along.
    said user 'and now?' >>"$F"
    ctctl sync --wait >/dev/null
    stop_daemon
    machine bob
    [ -z "${1:-}" ] || install -D -m 600 "$T/alice/home/alice/.codeteleport/keyring" "$CODETELEPORT_CONFIG_DIR/keyring"
    ctctl list --cloud --tag done | grep -q "^${ID:0:8} *the parser that loops"
    project src/web.app >/dev/null
    ctctl pull "$ID" >/dev/null
    start_daemon
    # Both at once: the later title counts, the other one is not lost, nor is a tag.
    ctctl sync --wait >/dev/null
    machine alice
    DAEMON_OF_BOB=$DAEMON_PID
    start_daemon
    ctctl tag "$ID" +hers >/dev/null
    ctctl rename "$ID" "Hers" >/dev/null
    machine bob
    ctctl tag "$ID" +his >/dev/null
    ctctl rename "$ID" "His" >/dev/null
    machine alice
    ctctl sync --wait >/dev/null
    machine bob
    ctctl sync --wait >/dev/null
    for who in bob alice; do
        machine "$who"
        within names_are 'His' '["done","hers","his","parser"]'
        ctctl sync --wait >/dev/null
        ctctl show "$ID" >"$T/show.$who"
        grep -q 'called it "Hers" at the same time' "$T/show.$who"
        [[ "$(ctctl --json show "$ID" | jq -r .state)" =~ ^(synced|behind)$ ]]
    done
}

@test "a name of one's own is kept with the sealed versions, on all machines, and no file is touched" {
    a_name_travels key
    [ "$(api GET /sessions | jq -c '[.sessions[] | [.label, .tags]]')" = '[[null,[]]]' ]
}

@test "a name of one's own is told in clear as a label and tags" {
    a_name_travels
    within both_are_told
}

both_are_told() {
    for who in alice bob; do
        machine "$who"
        ctctl list >/dev/null
    done
    [ "$(api GET /sessions | jq -c '[.sessions[] | [.label, .tags]]')" = \
        '[["His",["done","hers","his","parser"]]]' ]
}

names_are() {
    ctctl --json list >"$T/names"
    [ "$(jq -c '[.[0].title, .[0].tags]' <"$T/names")" = "[\"$1\",$2]" ]
}
