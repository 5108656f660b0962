# What the tests of ctctl web share: one that runs, and asking it as its page does.

# web_up [OPTIONS]: start it; WEB is its address, LINK the file that leads there
web_up() {
    rm -f "$T/web.out"
    # What was never written is seen to be that.
    MALLOC_PERTURB_=165 ctctl web --json "$@" >"$T/web.out" 2>"$T/web.err" 3>&- &
    WEB_PID=$!
    within test -s "$T/web.out"
    WEB=$(jq -r .address "$T/web.out")
    LINK=$(jq -r .link "$T/web.out")
    SECRET=$(sed -n 's/.*#link=\([0-9a-f]*\).*/\1/p' "$LINK")
}

# web_enter: follow the link; TOKEN is the page's
web_enter() {
    TOKEN=$(curl -sf -X POST -H "X-Codeteleport-Link: $SECRET" "$WEB/api/enter" | jq -r .token)
    [ ${#TOKEN} = 64 ]
}

# web WHAT [CURL'S OPTIONS]: what it answers
web() {
    local what=$1
    shift
    curl -s --max-time "$LIMIT_S" -H "X-Codeteleport-Token: $TOKEN" "$@" "$WEB/api/$what"
}

# web_status PATH [CURL'S OPTIONS]: the status of what it answers
web_status() {
    local path=$1
    shift
    curl -s -o /dev/null -w '%{http_code}' --max-time "$LIMIT_S" "$@" "$WEB$path"
}

# ends_with STATUS: it ends by itself, with that
ends_with() {
    local status=0
    wait "$WEB_PID" || status=$?
    WEB_PID=
    [ $status = "$1" ]
}

web_down() {
    [ -z "${WEB_PID:-}" ] || kill "$WEB_PID" 2>/dev/null || true
    [ -z "${WEB_PID:-}" ] || wait "$WEB_PID" 2>/dev/null || true
    WEB_PID=
}
