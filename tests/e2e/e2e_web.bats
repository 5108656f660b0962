#!/usr/bin/env bats
# ctctl web shows sessions to the one browser that it leads there, and to nobody else.

load lib
load pull_lib
load web_lib

setup() {
    two_machines
    W=$(project src/web.app)
    ID=$(new_id)
    F=$CLAUDE_CONFIG_DIR/projects/$(encoded "$W")/$ID.jsonl
    mkdir -p "$(dirname "$F")"
    {
        line 'why does the Parser loop?'
        line 'naïve \"quotes\" and C:\\path'
    } | sed "s|/home/al/p|$W|" >"$F"
}

teardown() {
    web_down
    end_home
}

@test "the link is this user's alone, counts once, and a second use ends it" {
    local before
    web_up
    [ "$(stat -c '%a' "$LINK" 2>/dev/null || stat -f '%Lp' "$LINK")" = 600 ]
    [ ${#SECRET} = 64 ]
    ! grep -q "$SECRET" "$T/web.out" "$T/web.err" || false
    ! ps -ef | grep -v grep | grep -q "$SECRET" || false
    [ "$(web_status /api/enter -X POST -H "X-Codeteleport-Link: ${SECRET//[0-7]/8}")" = 401 ]
    [ -e "$LINK" ]
    web_enter
    [ ! -e "$LINK" ]
    [ "$(web_status /api/here -H "X-Codeteleport-Token: $SECRET")" = 401 ]
    # Reading again is no second use.
    web 'open?id='"$ID" | jq -e .handle
    curl -s --max-time "$LIMIT_S" -X POST -H "X-Codeteleport-Link: $SECRET" "$WEB/api/enter" || true
    ends_with 1
    grep -q 'the link was followed a second time' "$T/web.err"
}

@test "nobody else gets anything: another page, another name, another user" {
    local way path answer token
    web_up
    [ "$(web_status /api/here)" = 401 ]
    web_enter
    token="X-Codeteleport-Token: $TOKEN"
    [ "$(web_status /api/open?id="$ID" -H "$token")" = 200 ]
    for way in 'Host: localhost:1' 'Host: evil.example' "Host: ${WEB#http://}.evil.example" 'Host:' \
        'Origin: http://127.0.0.1:1' 'Origin: null' 'Origin: http://evil.example' \
        'Sec-Fetch-Site: same-site' 'Sec-Fetch-Site: cross-site' 'Sec-Fetch-Site: none'; do
        for path in "/api/open?id=$ID" /api/here /api/status /api/cloud; do
            [ "$(web_status "$path" -H "$token" -H "$way")" = 403 ] ||
                [ "$(web_status "$path" -H "$token" -H "$way")" = 400 ] || {
                echo "$path is open to $way"
                false
            }
        done
    done
    # What changes something is asked by POST only; what a page of another origin would have to ask
    # first is refused.
    [ "$(web_status "/api/sync?id=$ID" -H "$token")" = 404 ]
    [ "$(web_status "/api/pull?id=$ID" -X OPTIONS -H 'Origin: http://evil.example')" -ge 400 ]
    [ "$(web_status "/api/sync?id=$ID" -X POST -H "$token" -H 'Origin: http://evil.example')" = 403 ]
    [ "$(web_status / -H 'Host: evil.example')" = 403 ]
    for path in / /app.js /nothing /api/here /../etc/passwd; do
        answer=$(curl -s -i --path-as-is --max-time "$LIMIT_S" "$WEB$path")
        grep -qi "^content-security-policy: default-src 'none'; .*frame-ancestors 'none'; require-trusted-types-for 'script'" <<<"$answer"
        grep -qi '^x-content-type-options: nosniff' <<<"$answer"
        grep -qi '^cross-origin-resource-policy: same-origin' <<<"$answer"
        grep -qi '^cache-control: no-store' <<<"$answer"
        ! grep -qi '^\(access-control\|set-cookie\)' <<<"$answer" || false
    done
    # Only this machine reaches it at all.
    ss -ltnH "sport = :${WEB##*:}" | awk '{ print $4 }' | grep -qx "127.0.0.1:${WEB##*:}"
}

@test "a stranger's thousand connections keep nobody out, and cost nothing" {
    (
        ulimit -n 256
        web_up
        declare -p WEB WEB_PID LINK SECRET >"$T/up"
    )
    sed -i 's/^declare --/declare -g --/' "$T/up"
    . "$T/up"
    web_enter
    python3 -S - "${WEB##*:}" "$T/go" <<'PY' &
import os, socket, sys, time
held = []
for i in range(1000):
    held.append(socket.create_connection(("127.0.0.1", int(sys.argv[1])), 30))
    if i % 2:
        held[-1].sendall(b"GET / HTTP/1.1\r\nHost:")
open(sys.argv[2], "w").close()
while os.path.exists(sys.argv[2]):
    time.sleep(0.05)
PY
    within test -e "$T/go"
    [ "$(web_status /api/open?id="$ID" -H "X-Codeteleport-Token: $TOKEN")" = 200 ]
    [ "$(ls /proc/"$WEB_PID"/fd 2>/dev/null | wc -l)" -lt 100 ]
    [ ! -s "$T/web.err" ]
    rm "$T/go"
    wait $!
    kill "$WEB_PID"
    WEB_PID=
}

@test "a query can't become an option, and what is no id is refused before anything runs" {
    local query
    web_up
    web_enter
    for query in 'show?id=--help' 'show?id=-h' 'show?id=' 'show?id=..%2f..' 'show' \
        'versions?id=a%20b' "diff?id=$ID&a=--plain" "diff?id=$ID&a=0" 'search' 'search?w=' \
        "show?id=$ID&id=$ID" "open?id=$ID&version=x" 'search?w=a&cloud=--fetch' 'open?id=%2fetc%2fpasswd'; do
        [ "$(web_status "/api/$query" -H "X-Codeteleport-Token: $TOKEN")" = 400 ] || {
            echo "$query"
            web "$query"
            false
        }
    done
    # Words that look like options are words.
    [ "$(web 'search?w=--help' | jq '.answer.found | length')" = 0 ]
    [ "$(web 'turns?handle=99&piece=0' | jq -r .error.code)" = expired ]
    web "open?id=$ID" >/dev/null
    [ "$(web 'turns?handle=1&piece=5' | jq -r .error.code)" = refused ]
    [ "$(web_status '/api/turns?handle=1&piece=-1' -H "X-Codeteleport-Token: $TOKEN")" = 400 ]
}

@test "pages are told what the verbs say, of what is here, in the cloud, and sealed there" {
    local turns
    ctctl key init --no-confirm >"$T/key" 2>&1
    start_daemon
    ctctl sync --wait
    web_up
    web_enter
    for what in here "show?id=$ID" "versions?id=$ID" "diff?id=$ID" 'search?w=Parser'; do
        web "$what" | jq -e '.exit == 0 and .answer != null' || {
            echo "$what: $(web "$what")"
            false
        }
    done
    [ "$(web here | jq .said)" = '""' ]
    [ "$(web here | jq -c .answer)" = "$(ctctl list --json | jq -c .)" ]
    [ "$(web "show?id=${ID:0:8}" | jq -r .answer.sessionId)" = "$ID" ]
    [ "$(web cloud | jq -r '.answer.sessions[0].opened.sessionId')" = "$ID" ]
    web "open?id=$ID" | jq -e '.here and .handle == 1'
    turns=$(ctctl cat "$ID" --json | jq -c .turns)
    [ "$(web 'turns?handle=1&piece=0' | jq -c .turns)" = "$turns" ]
    web "open?id=$ID&version=1" | jq -e '(.here | not) and .handle == 2'
    [ "$(web 'turns?handle=2&piece=0' | jq -c .turns)" = "$turns" ]
    # What lies open is in no folder.
    [ -z "$(find "$XDG_RUNTIME_DIR" -name 'web-*')" ]
    [ "$(web 'open?id='"$ID"'&version=7' | jq -r .error.message)" != null ]
    ctctl cat "$ID" --cloud --raw | cmp - "$F"
    rm "$F"
    web "pull?id=$ID" -X POST >"$T/pulled"
    jq -e '.exit == 0' "$T/pulled" || {
        cat "$T/pulled"
        false
    }
    [ -s "$F" ]
    line later | sed "s|/home/al/p|$W|" >>"$F"
    web "sync?id=$ID" -X POST | jq -e '.exit == 0'
    within has_versions "$ID" 2
}

has_versions() { [ "$(ctctl versions "$1" --json | jq '.versions | length')" = "$2" ]; }

@test "subagents are read in files of their own, and nothing else beside them" {
    local of=be457695-37fc-41a9-a90d-363a62823032 part other
    cp -R "$CT_SRC"/tests/fixtures/claude-code-*/projects/-home-alice-src-py-tool "$CLAUDE_CONFIG_DIR/projects/"
    web_up
    web_enter
    [ "$(web "parts?id=$ID" | jq -c .)" = '{"parts":[]}' ]
    [ "$(web "parts?id=$of" | jq '.parts | length')" = 2 ]
    part=$(web "parts?id=$of" | jq -r '.parts[0]')
    web "open?id=$of" -G --data-urlencode "part=$part" | jq -e .here
    [ "$(web 'turns?handle=1&piece=0' | jq '.turns | length')" -gt 1 ]
    for other in ../x.jsonl "../$of.jsonl" /etc/passwd '' "${part%l}" "${part%.jsonl}.meta.json"; do
        [ "$(curl -s -o /dev/null -w '%{http_code}' -G --max-time "$LIMIT_S" -H "X-Codeteleport-Token: $TOKEN" \
            --data-urlencode "id=$of" --data-urlencode "part=$other" "$WEB/api/open")" = 404 ]
    done
}

@test "it ends with a signal or when nobody uses it, leaves no file, and takes its children along" {
    web_up
    kill "$WEB_PID"
    ends_with 0
    [ ! -e "$LINK" ]
    web_up --idle 1s
    ends_with 0
    [ ! -e "$LINK" ]
    run ctctl web here
    [ "$status" = 64 ]
    run ctctl web --idle soon
    [ "$status" = 64 ]
}

@test "pages have one word for each state, the one that the terminal has" {
    local json word
    sed -n 's/^ *{"\([a-z_]*\)", "\([a-z ]*\)", TEXT.*/\1:\2/p' "$CT_SRC/ctctl/ui/state.c" >"$T/states"
    [ "$(grep -c . "$T/states")" -ge 10 ]
    while IFS=: read -r json word; do
        grep -q "[ {]$json: '$word'" "$CT_SRC/web/item.js" || {
            echo "$json is \"$word\""
            false
        }
    done <"$T/states"
}
