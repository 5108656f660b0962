#!/usr/bin/env bats
# The dashboard at /app/: its pages, its log-in of two halves, and what it may ask.  curl is the browser;
# heavy_web.bats has a real one.

load lib
load server_lib

setup() {
    server_home
    HOST=${API%/v1}
    HALF=none
}
teardown() { end_home; }

# from METHOD PATH [CURL ARGUMENTS]: as the page asks, with the browser's cookies and the half in HALF
from() {
    request_page "$@"
    cat "$T/answer"
}

request_page() {
    local method=$1 path=$2
    shift 2
    curl -sS --cacert "$CA" -X "$method" -b "$T/jar" -c "$T/jar" ${HALF:+-H "X-Codeteleport-Dashboard: $HALF"} \
        -H "Content-Type: ${TYPE-application/json}" -o "$T/answer" -D "$T/head" -w '%{http_code}\n' "$@" \
        "$HOST/app/api$path" >"$T/status"
}

# refuses STATUS CODE METHOD PATH [CURL ARGUMENTS]
refuses() { expect "$1" "$2" from "${@:3}"; }

# enter [EMAIL]: sign in; HALF is the page's, COOKIE the browser's
enter() {
    HALF=none
    from POST /auth/login -d "{\"email\":\"${1:-al@example.org}\",\"password\":\"$PASSWORD\"}" >/dev/null
    [ "$(cat "$T/status")" = 200 ]
    HALF=$(jq -r .key "$T/answer")
    COOKIE=$(tr -d '\r' <"$T/head" | sed -n 's/^Set-Cookie: \([^;]*\);.*/\1/Ip')
}

header() { tr -d '\r' <"$T/head" | sed -n "s/^$1: //Ip"; }

# page PATH: one of the files; status in $T/status
page() { curl -sS --cacert "$CA" --path-as-is -o "$T/answer" -D "$T/head" -w '%{http_code}\n' "$HOST$1" >"$T/status"; }

verb() { codeteleport-server --data "$T/server" "$@"; }

@test "the pages are there with all that they name, and lead nowhere else" {
    local seen=' ' todo='/app/' path next
    while [ -n "$todo" ]; do
        path=${todo%% *} todo=${todo#"$path"} todo=${todo# }
        [[ $seen != *" $path "* ]] || continue
        seen+="$path "
        page "$path"
        [ "$(cat "$T/status")" = 200 ] || { echo "$path is not there"; return 1; }
        # Nothing inline, nothing from elsewhere, in nobody's frame.
        [[ $(header Content-Security-Policy) == "default-src 'none'; script-src 'self';"*"frame-ancestors 'none'"*"trusted-types 'none'" ]]
        [ "$(header X-Content-Type-Options)" = nosniff ]
        [ "$(header Referrer-Policy)" = no-referrer ]
        [ -z "$(header Access-Control-Allow-Origin)" ]
        for next in $(sed -n "s/.*from '\([^']*\)'.*/\1/p; s/.*\(src\|href\)=\"\([^\"#]*\)\".*/\2/p" "$T/answer"); do
            todo+=" $(realpath -sm "${path%/*}/$next")"
            todo=${todo# }
        done
    done
    [ "$(wc -w <<<"$seen")" -ge 10 ]
    ! grep -rE 'https?://|<style|style=|\bon[a-z]+="' "$CT_SRC"/web/dashboard/*.html "$CT_SRC"/web/dashboard/*.js || false
    for path in / /app; do
        page $path
        [ "$(cat "$T/status")$(header Location)" = 302/app/ ]
    done
    for path in /app/x /app/../server.db /app/%2e%2e/x /app/dashboard/ /app//style.css /app/api /app/api/ /app/api/x /appx; do
        page $path
        [[ $(cat "$T/status") =~ ^40[34]$ ]] || { echo "$path: $(cat "$T/status")"; return 1; }
    done
    # Who runs it can have none.
    printf 'dashboard = false;\n' >>"$XDG_CONFIG_HOME/codeteleport/server.conf"
    kill -HUP "$SERVER_PID"
    within gone_from_there
    account al@example.org
    for path in / /app /app/style.css; do
        page $path
        [ "$(cat "$T/status")" = 404 ]
    done
    refuses 404 not_found POST /auth/login -d "{\"email\":\"al@example.org\",\"password\":\"$PASSWORD\"}"
}

gone_from_there() {
    page /app/
    [ "$(cat "$T/status")" = 404 ]
}

@test "a log-in is two halves: neither counts alone, nor at /v1, nor does anything of /v1 here" {
    account al@example.org
    enter
    [ "$(header Set-Cookie)" = "$COOKIE; Path=/app/api/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure" ]
    [[ $COOKIE == __Secure-ct_dashboard=* && $HALF != *"$COOKIE"* ]]
    [ "$(from GET /auth/me | jq -r .email)" = al@example.org ]
    jq -e 'has("token") | not' "$T/answer"
    local half=$HALF cookie=${COOKIE#*=} other
    HALF=$half$half refuses 401 unauthorized GET /auth/me
    HALF=none refuses 401 unauthorized GET /auth/me
    HALF= refuses 403 elsewhere GET /auth/me
    mv "$T/jar" "$T/al.jar"
    refuses 401 unauthorized GET /auth/me
    # What counts there does not here, in whatever place it comes.
    for other in "$JWT" "$TOKEN" "$cookie" "$half"; do
        HALF=none refuses 401 unauthorized GET /auth/me -H "Authorization: Bearer $other"
        HALF=$other refuses 401 unauthorized GET /auth/me -b "__Secure-ct_dashboard=$other"
        [ "$other" = "$cookie" ] ||
            HALF=$half refuses 401 unauthorized GET /auth/me -b "__Secure-ct_dashboard=$other; ct_dashboard=$cookie"
    done
    for other in "$cookie" "$half"; do
        TOKEN=$other expect 401 unauthorized json GET /auth/me
    done
    TOKEN= expect 401 unauthorized json GET /auth/me -b "__Secure-ct_dashboard=$cookie" -H "X-Codeteleport-Dashboard: $half"
    # Another's cookie that somebody put beside ours changes nothing, and does not help with theirs.
    account bo@example.org
    enter bo@example.org
    local bo=${COOKIE#*=}
    [ "$(HALF=$half from GET /auth/me -b "__Secure-ct_dashboard=$bo; __Secure-ct_dashboard=$cookie" | jq -r .email)" = al@example.org ]
    rm "$T/jar"
    HALF=$half refuses 401 unauthorized GET /auth/me -b "__Secure-ct_dashboard=$bo"
}

@test "a page of another origin gets nothing, and signs nobody in" {
    account al@example.org
    enter
    local what login="{\"email\":\"al@example.org\",\"password\":\"$PASSWORD\"}"
    for what in 'Origin: https://evil.example' 'Origin: null' "Origin: http://${HOST#*://}" "Origin: $HOST.evil.example" \
        'Sec-Fetch-Site: cross-site' 'Sec-Fetch-Site: same-site' 'Sec-Fetch-Site: none'; do
        refuses 403 elsewhere GET /auth/me -H "$what"
        refuses 403 elsewhere POST /auth/login -d "$login" -H "$what"
        [ -z "$(header Set-Cookie)" ]
        refuses 403 elsewhere POST /leave -d '{}' -H "$what"
    done
    # What a form or a beacon can send has no header of ours.
    for what in application/json text/plain application/x-www-form-urlencoded; do
        HALF= TYPE=$what refuses "$([ $what = application/json ] && echo 403 || echo 415)" '' POST /auth/login -d "$login"
        [ -z "$(header Set-Cookie)" ]
    done
    HALF= TYPE= refuses 403 elsewhere POST /auth/login -d "$login"
    request_page OPTIONS /auth/me -H 'Origin: https://evil.example' -H 'Access-Control-Request-Method: GET' \
        -H 'Access-Control-Request-Headers: x-codeteleport-dashboard'
    ! grep -qi '^access-control' "$T/head" || false
    # Its own, by whatever name it was reached.
    [ "$(from GET /auth/me -H "Origin: $HOST" -H 'Sec-Fetch-Site: same-origin' | jq -r .email)" = al@example.org ]
}

@test "what can't be undone asks the password again; uploads and downloads are not for pages" {
    account al@example.org
    bundle 1000
    push
    enter
    local id device
    refuses 422 password_required POST /auth/token -d '{"name":"lap"}'
    refuses 403 wrong_password POST /auth/token -d '{"name":"lap","password":"not that one"}'
    refuses 201 '' POST /auth/token -d "{\"name\":\"lap\",\"expiresIn\":\"30d\",\"password\":\"$PASSWORD\"}"
    id=$(jq -r .id "$T/answer")
    TOKEN=$(jq -r .token "$T/answer") expect 200 '' json GET /auth/me
    device=$(from GET /devices | jq -r '.devices[0].id')
    refuses 422 password_required DELETE "/auth/tokens/$id"
    refuses 422 password_required DELETE "/devices/$device"
    refuses 200 '' DELETE "/auth/tokens/$id" -d "{\"password\":\"$PASSWORD\"}"
    refuses 200 '' DELETE "/devices/$device" -d "{\"password\":\"$PASSWORD\"}"
    TOKEN=$JWT
    [ "$(json GET /auth/tokens | jq '.tokens | length')" = 0 ]
    refuses 422 password_required POST /account/password -d '{"newPassword":"another horse"}'
    refuses 422 password_required POST /account/logout-all -d '{}'
    refuses 422 password_required POST /account/delete -d '{"now":true}'
    # What can be undone does not.
    refuses 200 '' GET /sessions
    refuses 200 '' DELETE "/sessions/$ID"
    [ "$(from GET /trash | jq .total)" = 1 ]
    refuses 200 '' POST "/sessions/$ID/undelete" -d '{}'
    [ "$(from GET "/sessions/$ID/versions" | jq .total)" = 1 ]
    [ "$(from GET /account | jq .sessions)" = 1 ]
    refuses 405 method_not_allowed POST /sessions/upload -d '{}' # it is no session's id either
    for path in "GET /sessions/$ID/download" "POST /sessions/$ID/confirm" "GET /auth/github" \
        "GET /auth/oidc/callback" "GET /healthz"; do
        # shellcheck disable=SC2086
        refuses 404 not_found $path
    done
    # Another's things are not there.
    account bo@example.org
    enter bo@example.org
    refuses 404 not_found GET "/sessions/$ID/versions"
    refuses 404 not_found DELETE "/sessions/$ID"
    refuses 404 not_found POST "/sessions/$ID/undelete" -d '{}'
    refuses 404 not_found DELETE "/devices/$device" -d "{\"password\":\"$PASSWORD\"}"
    [ "$(from GET /sessions | jq .total)" = 0 ]
}

@test "a log-in ends at once: signed out, a new password, all of them, disabled, deleted" {
    account al@example.org
    enter
    cp "$T/jar" "$T/stolen"
    refuses 200 '' POST /leave -d '{}'
    [[ $(header Set-Cookie) == '__Secure-ct_dashboard=; '*'Max-Age=0;'* ]]
    cp "$T/stolen" "$T/jar"
    refuses 401 unauthorized GET /auth/me
    enter
    refuses 200 '' POST /account/password -d "{\"newPassword\":\"another horse\",\"password\":\"$PASSWORD\"}"
    refuses 401 unauthorized GET /auth/me
    TOKEN=$TOKEN expect 200 '' json GET /auth/me
    PASSWORD='another horse'
    enter
    refuses 200 '' POST /account/logout-all -d "{\"password\":\"$PASSWORD\"}"
    refuses 401 unauthorized GET /auth/me
    expect 401 unauthorized json GET /auth/me
    enter
    verb user disable al@example.org
    refuses 401 unauthorized GET /auth/me
    refuses 403 account_disabled POST /auth/login -d "{\"email\":\"al@example.org\",\"password\":\"$PASSWORD\"}"
    verb user enable al@example.org
    enter
    refuses 200 '' POST /account/delete -d "{\"password\":\"$PASSWORD\"}"
    refuses 401 unauthorized GET /auth/me
    # All of that left its traces, and none of the secrets did.
    verb audit --json >"$T/audit"
    jq -se 'flatten | map(select(.detail | test("at=dashboard"))) | map(.event) | (map(select(. == "log-in")) | length >= 4) and any(. == "log-out")' "$T/audit"
    grep -q 'at=dashboard .*route=/v1/account/delete ' "$T/server.log"
    ! grep -qF -e "$HALF" -e "${COOKIE#*=}" -e "$PASSWORD" "$T/server.log" "$T/audit"
}

@test "guessing is limited here as there, and an account can be made with an invitation" {
    account al@example.org
    for _ in 1 2 3 4 5; do
        refuses 401 invalid_credentials POST /auth/login -d '{"email":"al@example.org","password":"guess it"}'
        TOKEN= expect 401 invalid_credentials json POST /auth/login -d '{"email":"al@example.org","password":"guess it"}'
    done
    refuses 429 too_many_attempts POST /auth/login -d "{\"email\":\"al@example.org\",\"password\":\"$PASSWORD\"}"
    [ "$(from GET /about | jq -c '[.registration, .github, .oidc]')" = '["open",false,false]' ]
    stop_server
    printf 'registration = "invite";\n' >>"$XDG_CONFIG_HOME/codeteleport/server.conf"
    start_server
    HOST=${API%/v1}
    refuses 403 invite_required POST /auth/register -d "{\"email\":\"bo@example.org\",\"password\":\"$PASSWORD\"}"
    refuses 201 '' POST /auth/register -d "{\"email\":\"bo@example.org\",\"password\":\"$PASSWORD\",\"invite\":\"$(verb invite)\"}"
    HALF=$(jq -r .key "$T/answer")
    [ "$(from GET /auth/me | jq -r .email)" = bo@example.org ]
}
