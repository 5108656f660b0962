#!/usr/bin/env bats
# ctctl share: who has the link reads just what ctctl cat prints, until it ends; the server never.
load lib
load server_lib

MADE=server
SECRET=AKIA"Q3EGRTPLMNBV2X7Y"

setup() {
    make_home
    echo 'share = "127.0.0.1:0";' >"$XDG_CONFIG_HOME/codeteleport/server.conf"
}

teardown() { end_home; }

# up: a server that lets people share, and a session
up() {
    start_server
    SHARE=$(sed -n 's/^share=//p' "$T/ready")
    log_in
    ID=$(new_id)
    F=$(transcript "$ID")
    talk 'why does the Quittenparser loop?' 'Because of line 12.' >"$F"
}

# talk PROMPT ANSWER: two records
talk() {
    jq -nc --arg id "$ID" --arg p "$1" --arg a "$2" '
        {type: "user", uuid: "00000000-0000-4000-8000-000000000001", parentUuid: null, sessionId: $id,
         timestamp: "2026-05-01T10:00:00.000Z", cwd: "/home/al/p", message: {role: "user", content: $p}},
        {type: "assistant", uuid: "00000000-0000-4000-8000-000000000002", sessionId: $id,
         parentUuid: "00000000-0000-4000-8000-000000000001", timestamp: "2026-05-01T10:01:00.000Z",
         message: {role: "assistant", content: [{type: "text", text: $a}]}}'
}

# share [OPTIONS]: LINK is the whole link, PAGE it without the key, KEY that, SID its id
share() {
    LINK=$(ctctl share "$ID" --yes "$@" 2>"$T/share.err") || return
    PAGE=${LINK%#*} KEY=${LINK#*#} SID=${LINK%#*}
    SID=${SID##*/}
    [ ${#KEY} = 43 ]
}

# page METHOD URL [CURL ARGUMENTS]: of the page's own origin; status to $T/status
page() {
    local method=$1 url=$2
    shift 2
    curl -sS --cacert "$CA" -X "$method" -o "$T/page" -D "$T/head" -w '%{http_code}\n' "$@" "$url" >"$T/status"
}

# opened [PAGE]: what the page's script asks; URL is where the object lies
opened() {
    page POST "${1:-$PAGE}" -H 'X-Share: 1' -H 'Content-Length: 0'
    [ "$(cat "$T/status")" = 200 ] || return 1
    URL=$(jq -r .url "$T/page")
}

# has_ended: the link opens nothing, and neither does the address that was given out before
has_ended() {
    page POST "$PAGE" -H 'X-Share: 1' -H 'Content-Length: 0'
    [ "$(cat "$T/status")" = 404 ]
    store_says 403 AccessDenied object GET "$URL" || store_says 404 NoSuchKey object GET "$URL"
}

in_database() { sqlite3 "$T/server/server.db" "$@"; }

@test "a link opens what ctctl cat prints, and the server has nothing that it can read" {
    up
    share --expires 12h
    [[ $PAGE == "$SHARE"/s/* ]]
    grep -q 'the key is in the link and nowhere else' "$T/share.err"
    opened
    jq -e '.expiresAt > now + 11 * 3600' <<<"{\"expiresAt\": $(date -d "$(jq -r .expiresAt "$T/page")" +%s)}"
    curl -sS --fail --cacert "$CA" -o "$T/sealed" "$URL"
    [ "$(jq .sizeBytes "$T/page")" = "$(stat -c %s "$T/sealed")" ]
    diff <(python3 "$CT_SRC/tests/e2e/tools/share_open.py" "$LINK" "$T/sealed") <(ctctl cat "$ID")
    grep -q Quittenparser <(ctctl cat "$ID")
    not_there() { if grep -rqF -- "$1" "$T/server" "$T/server.log" "$T/sealed"; then false; fi; }
    not_there Quittenparser
    not_there "$KEY"
    not_there "${KEY:0:20}"
    # New settings cut nobody off.
    kill -HUP "$SERVER_PID"
    within grep -q reloaded "$T/server.log"
    opened
    # The key of another link opens nothing.
    first=$T/sealed LINK1=$LINK
    share
    if python3 "$CT_SRC/tests/e2e/tools/share_open.py" "$LINK" "$first" 2>/dev/null; then false; fi
    python3 "$CT_SRC/tests/e2e/tools/share_open.py" "$LINK1" "$first" >/dev/null
    # What was done is written down, and counts.
    codeteleport-server --data "$T/server" audit | grep -q share-made
    codeteleport-server --data "$T/server" user show me@example.org | grep -q '^  shared  *2 '
    [ "$(stat -c %s "$T/sealed")" -ge 16384 ] # small ones can't be told apart
    ctctl account | grep -q '^32.9 kB can be read by links'
    # And it is no session.
    api GET /sessions | jq -e '.sessions == [] and .total == 0'
    codeteleport-server --data "$T/server" check | grep -q 'match$'
}

@test "a preview sees an empty page and counts for nothing; what opens a link counts" {
    local h
    up
    share
    page GET "$PAGE"
    [ "$(cat "$T/status")" = 200 ]
    for h in "cache-control: no-store" "referrer-policy: no-referrer" "x-robots-tag: noindex" \
        "content-security-policy: sandbox allow-scripts allow-same-origin; default-src 'none'" \
        "x-frame-options: deny" "x-content-type-options: nosniff"; do
        grep -qiF "$h" "$T/head"
    done
    grep -qiF "connect-src 'self' $OBJECTS;" "$T/head"
    if grep -qi 'access-control\|set-cookie' "$T/head"; then false; fi
    if grep -q "$SID" "$T/page"; then false; fi
    cp "$T/page" "$T/empty"
    page HEAD "$PAGE" --head
    page GET "$SHARE/s/$(new_id)" # nobody learns what there is
    cmp "$T/page" "$T/empty"
    page GET "$PAGE?utm_source=chat" # what passes a link on puts words behind it
    cmp "$T/page" "$T/empty"
    page POST "$PAGE" -H 'Content-Length: 0'
    [ "$(cat "$T/status")" = 403 ]
    page GET "$SHARE/robots.txt"
    grep -qx 'Disallow: /' "$T/page"
    page GET "$SHARE/"
    [ "$(cat "$T/status")" = 404 ]
    ctctl shares --json | jq -e '.shares[0] | .visits == 0 and .lastVisitAt == null'
    opened
    opened
    ctctl shares --json | jq -e --arg id "$ID" '.shares | length == 1 and .[0].visits == 2 and .[0].sessionId == $id'
    ctctl shares | grep -q "^${SID:0:8}  *${ID:0:8} "
    # Who tries many is told to wait.
    for i in {1..320}; do
        printf '%surl = "%s/s/00000000-0000-4000-8000-000000000000"\nheader = "X-Share: 1"\nrequest = POST\noutput = "/dev/null"\ncacert = "%s"\nwrite-out = "%%{http_code}\\n"\n' \
            "${next:-}" "$SHARE" "$CA"
        next=$'next\n'
    done >"$T/many"
    curl -s -K "$T/many" | sort | uniq -c >"$T/codes"
    grep -q ' 404$' "$T/codes"
    grep -q ' 429$' "$T/codes"
    # The access lines have neither the id, which is half of the link, nor the object's address.
    within grep -q 'listener=share .*method="POST" route=/s/:id' "$T/server.log"
    if grep -q "$SID" <(grep -v audit "$T/server.log"); then false; fi
}

@test "unshare, the end, a deletion of session or account, and the operator end it at once" {
    up
    start_daemon
    ctctl sync --wait
    share
    opened
    ctctl unshare "${SID:0:8}" 2>&1 | grep -q 'ended 1 share; the link opens no more'
    has_ended
    [ "$(find "$T/server/objects/bundles" -name '-*' | wc -l)" = 0 ]
    run ctctl unshare "${SID:0:8}"
    [ "$status" = 1 ]
    [[ $output == *'see: ctctl shares'* ]]

    share
    opened
    in_database "update shares set expires_ms = $(date +%s)000"
    has_ended
    ctctl shares 2>&1 | grep -q 'nothing is shared'
    in_database "update versions set purge_ms = 1 where state = 'shared'"
    codeteleport-server --data "$T/server" gc
    [ "$(in_database "select count(*) from shares")" = 0 ]
    [ "$(find "$T/server/objects/bundles" -name '-*' | wc -l)" = 0 ]

    share
    opened
    codeteleport-server --data "$T/server" user disable me@example.org
    has_ended
    codeteleport-server --data "$T/server" user enable me@example.org
    opened
    codeteleport-server --data "$T/server" user unshare me@example.org | grep -q 'ended 1 share'
    has_ended

    # Its last version is the session.
    line more >>"$F"
    ctctl sync --wait
    share
    opened
    api DELETE "/sessions/$ID/versions/1" >/dev/null
    opened
    api DELETE "/sessions/$ID/versions/2" >/dev/null
    has_ended
    api POST "/sessions/$ID/undelete" -d '{}' >/dev/null
    has_ended

    share
    opened
    ctctl delete "$ID" --yes | grep -q '1 share of it ended too'
    has_ended
    run ctctl share "$ID" --yes # it is excluded now
    [ "$status" = 1 ]
    ctctl sync "$ID" --wait

    share
    opened
    api POST /account/delete -d "{\"password\":\"$PASSWORD\"}"
    has_ended
    codeteleport-server --data "$T/server" gc
    [ "$(find "$T/server/objects/bundles" -name '-*' | wc -l)" = 0 ]
}

@test "what looks like credentials is named before it goes, and a person is asked" {
    up
    talk "the key is $SECRET, keep it" 'I will.' >>"$F"
    run ctctl share "$ID" --yes
    [ "$status" = 1 ]
    [[ $output == *'1 place with what looks like credentials'*'aws-access-key-id'*'--despite-credentials'* ]]
    [[ $output != *"$SECRET"* ]]
    ctctl shares --json | jq -e '.shares == []'
    share --despite-credentials
    ctctl unshare --all
    # A call's arguments are looked through only if they are shown.
    jq -nc --arg id "$ID" --arg s "$SECRET" '{type: "assistant", uuid: "00000000-0000-4000-8000-000000000003",
        sessionId: $id, timestamp: "2026-05-01T10:02:00.000Z", message: {role: "assistant", content: [{type: "tool_use",
        id: "t1", name: "Write", input: {file_path: "/home/al/p/x", content: "aws_secret=\($s)"}}]}}' >"$F"
    share
    run ctctl share "$ID" --yes --tools
    [ "$status" = 1 ]
    run ctctl share "$ID" --yes --expires 31d
    [ "$status" = 64 ]
    [[ $output == *'takes at most 30 days'* ]]
    # Nobody to ask.
    run ctctl share "$ID" </dev/null
    [ "$status" = 64 ]
    [[ $output == *'add --yes'* ]]
    talk 'why does it loop?' 'Because.' >"$F"
    PAGER=cat python3 -S "$CT_SRC/tests/e2e/tools/typist.py" 'without an account' 'n\n' -- ctctl share "$ID" >"$T/screen" || true
    grep -q 'why does it loop' "$T/screen"
    grep -q 'nothing was shared' "$T/screen"
    PAGER=cat python3 -S "$CT_SRC/tests/e2e/tools/typist.py" 'without an account' 'y\n' -- ctctl share "$ID" >"$T/screen"
    grep -q "$SHARE/s/.*#" "$T/screen"
}

@test "what is excluded stays here" {
    up
    start_daemon
    ctctl sync --wait
    ctctl exclude /home/al/p
    run ctctl share "$ID" --yes
    [ "$status" = 1 ]
    [[ $output == *'is excluded, so it stays on this machine'* ]]
    run ctctl share "$ID" --yes --cloud
    [ "$status" = 1 ]
    stop_daemon
    run ctctl share "$ID" --yes # nobody can tell
    [ "$status" = 69 ]
    run ctctl share "$ID" --yes --cloud
    [ "$status" = 69 ]
    ctctl shares --json | jq -e '.shares == []'
    start_daemon
    ctctl include /home/al/p
    share
}

@test "the object store lets the page read what is shared, and nobody anything else" {
    up
    cors() { object "$@"; tr -d '\r' <"$T/head" | sed -n 's/^access-control-allow-origin: //Ip'; }
    share
    opened
    [ "$(cors GET "$URL" -H "Origin: $SHARE")" = "$SHARE" ]
    [ "$(cat "$T/status")" = 200 ]
    for origin in null "$API" https://example.org "$SHARE.example.org" "http${SHARE#https}"; do
        [ -z "$(cors GET "$URL" -H "Origin: $origin")" ]
    done
    for method in HEAD PUT DELETE OPTIONS; do
        [ -z "$(cors $method "$URL" -H "Origin: $SHARE" -H 'Access-Control-Request-Method: GET')" ]
    done
    start_daemon
    ctctl sync --wait
    URL=$(api GET "/sessions/$ID/download" | jq -r .downloadUrl)
    [ -z "$(cors GET "$URL" -H "Origin: $SHARE")" ]
    [ "$(cat "$T/status")" = 200 ]
}

@test "sharing counts in the quota, is off unless the operator allows it, and unknown to others" {
    up
    TOKEN=$(jq -r .token "$CODETELEPORT_CONFIG_DIR/config.json")
    body() { jq -nc --arg id "$ID" '{sessionId: $id, sizeBytes: 1000, checksum: ("sha256:" + "0" * 64), expiresIn: 3600} | '"$1"; }
    expect 422 invalid json POST /shares -d "$(body '.expiresIn = 30 * 86400 + 1')"
    expect 422 invalid json POST /shares -d "$(body 'del(.expiresIn)')"
    expect 422 invalid json POST /shares -d "$(body '.expiresIn = 1')"
    expect 422 invalid json POST /shares -d "$(body '.sessionId = "-x"')"
    expect 413 too_large json POST /shares -d "$(body '.sizeBytes = 70000000')"
    expect 201 '' json POST /shares -d "$(body .)"
    jq -r .id "$T/answer" >"$T/id"
    expect 409 not_uploaded json POST "/shares/$(cat "$T/id")/confirm"
    # Until it is there nobody sees it.
    page POST "$SHARE/s/$(cat "$T/id")" -H 'X-Share: 1' -H 'Content-Length: 0'
    [ "$(cat "$T/status")" = 404 ]
    # Nor can it be had as a session.
    for id in "-$(cat "$T/id")" "$(cat "$T/id")"; do
        expect 404 not_found json GET "/sessions/$id/versions"
        expect 404 not_found json POST "/sessions/$id/confirm" -d '{}'
    done
    stop_server
    echo 'share = "127.0.0.1:0"; max_bytes_per_user = 15000;' >"$XDG_CONFIG_HOME/codeteleport/server.conf"
    start_server
    run ctctl share "$ID" --yes
    [ "$status" != 0 ]
    [[ $output == *'used up its space'* ]]
    stop_server
    rm "$XDG_CONFIG_HOME/codeteleport/server.conf"
    start_server
    run ctctl share "$ID" --yes
    [ "$status" != 0 ]
    [[ $output == *'has not turned sharing on'* ]]
    expect 403 sharing_off json POST /shares -d "$(body .)"
    ctctl shares 2>&1 | grep -q 'nothing is shared; this server does not allow it'
    stop_server
    rm -rf "$T/server"
    start_stock_server
    log_in other@example.org
    run ctctl share "$ID" --yes
    [ "$status" != 0 ]
    [[ $output == *"this server can't share sessions"* ]]
}

@test "the page has an origin that nothing else has, or the server does not start" {
    local settings sentence
    while IFS='|' read -r settings sentence; do
        echo "$settings" >"$XDG_CONFIG_HOME/codeteleport/server.conf"
        run timeout 20 codeteleport-server --data "$T/server" --listen 127.0.0.1:0 --objects 127.0.0.1:0
        echo "$settings: $output"
        [ "$status" = 78 ]
        [[ $output == *"$sentence"* ]]
    done <<'TABLE'
share = "0.0.0.0:0";|set public_share_url
share = "127.0.0.1:0"; public_share_url = "https://a.example.org/x";|public_share_url has to be https://HOST[:PORT]
share = "127.0.0.1:0"; public_share_url = "https://A.example.org:443/"; public_api_url = "https://a.Example.org:443";|has to be an origin of its own
share = "127.0.0.1:0"; public_share_url = "https://a.example.org"; public_objects_url = "https://a.example.org";|has to be an origin of its own
share = "unix:/run/x";|set public_share_url
share = "192.0.2.1:0"; tls = "off";|tls = "off" is for loopback addresses only
share = "nonsense";|share
TABLE
    # As browsers spell it, so that they find it allowed.
    echo 'share = "127.0.0.1:0"; public_share_url = "https://Share.Example.org:443/";' >"$XDG_CONFIG_HOME/codeteleport/server.conf"
    start_server
    grep -qx 'share=https://share.example.org' "$T/ready"
    openssl x509 -in "$T/server/server.pem" -noout -text | grep -q 'DNS:share.example.org'
}
