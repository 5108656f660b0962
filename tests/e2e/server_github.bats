#!/usr/bin/env bats
# Sign-in with GitHub, against a small provider that plays people; curl is the browser.

load lib
load server_lib

setup() {
    make_home
    SERVER_PID=
    person 17 '[{"email":"al@example.org","primary":true,"verified":true}]'
    python3 -S "$CT_SRC/tests/e2e/tools/github_provider.py" "$T/people.json" >"$T/port" 2>"$T/provider.log" 3>&- &
    PROVIDER_PID=$!
    within test -s "$T/port"
    PROVIDER=http://127.0.0.1:$(cat "$T/port")
    serve_with
}

teardown() {
    kill "$PROVIDER_PID" || true
    wait "$PROVIDER_PID" || true
    end_home
}

# serve_with TEXT...: start the server anew with these settings on top
serve_with() {
    [ -z "$SERVER_PID" ] || stop_server
    printf '%s\n' "github_client_id = \"client-1\"; github_url = \"$PROVIDER/\"; github_api_url = \"$PROVIDER/api\";" \
        "$@" >"$XDG_CONFIG_HOME/codeteleport/server.conf"
    CODETELEPORT_GITHUB_CLIENT_SECRET=hush-hush start_server
}

# person ID EMAILS [ORGS] [MORE]: who sits at the provider from now on
person() {
    jq -n --argjson id "$1" --argjson emails "$2" --argjson orgs "${3:-null}" \
        '{who: {id: $id, emails: $emails, orgs: ($orgs // {})}} + '"${4:-{\}}" >"$T/people.json"
}

# browse URL [CURL ARGUMENTS]: one page, with cookies; status in $T/status, Location in $AT
browse() {
    local url=$1
    shift
    curl -sS --cacert "$CA" -b "$T/jar" -c "$T/jar" -o "$T/answer" -D "$T/head" -w '%{http_code}' "$@" "$url" >"$T/status"
    AT=$(tr -d '\r' <"$T/head" | sed -n 's/^Location: //Ip')
}

# depart: to the provider and back to the server's door; the callback is in $AT
depart() {
    rm -f "$T/jar"
    browse "$API/auth/github?cli_port=4321"
    [ "$(cat "$T/status")" = 302 ]
    browse "$AT"
}

# sign_in: all the way; what ctctl would get is in $TOKEN or $ERROR
sign_in() {
    depart
    browse "$AT"
    TOKEN= ERROR=
    case $AT in
    'http://localhost:4321/callback?token='*) TOKEN=${AT#*token=} ;;
    'http://localhost:4321/callback?error='*) ERROR=${AT#*error=} ;;
    *) echo "ended at $AT $(cat "$T/answer")"; return 1 ;;
    esac
}

me() { json GET /auth/me | jq -r .email; }

@test "a verified e-mail makes an account, and the same person comes back to it" {
    sign_in
    [ "$(me)" = al@example.org ]
    local id
    id=$(json GET /auth/me | jq -r .id)
    sign_in
    [ "$(json GET /auth/me | jq -r .id)" = "$id" ]
    [ "$(codeteleport-server --data "$T/server" user list | wc -l)" = 1 ]
    # It is a log-in like another, and there is no password to guess.
    JWT=$TOKEN
    mint
    expect 200 '' json GET /sessions
    TOKEN= expect 401 invalid_credentials json POST /auth/login -d '{"email":"al@example.org","password":""}'
}

@test "an e-mail that is not verified, or none, is no way in" {
    person 17 '[{"email":"al@example.org","primary":true,"verified":false}]'
    sign_in
    [ "$ERROR" = email_not_verified ]
    person 17 '[]'
    sign_in
    [ "$ERROR" = email_not_verified ]
    person 17 '[{"email":"al@example.org","primary":true,"verified":"true"},{"email":"x"},{},7,null]'
    sign_in
    [ "$ERROR" = email_not_verified ]
    [ -z "$(codeteleport-server --data "$T/server" user list)" ]
    person 17 '[{"email":"al@example.org","primary":true,"verified":false},{"email":"Al2@Example.org","primary":false,"verified":true}]'
    sign_in
    [ "$(me)" = al2@example.org ]
}

@test "whose e-mail changes keeps the account and gets nobody else's" {
    printf '%s\n' "$PASSWORD" | codeteleport-server --data "$T/server" user add bo@example.org
    sign_in
    local id
    id=$(json GET /auth/me | jq -r .id)
    person 17 '[{"email":"bo@example.org","primary":true,"verified":true}]'
    sign_in
    [ "$(json GET /auth/me | jq -r .id)" = "$id" ]
    [ "$(me)" = al@example.org ]
    # And who has the old address now is somebody else.
    person 18 '[{"email":"al@example.org","primary":true,"verified":true}]'
    sign_in
    [ "$ERROR" = email_in_use ]
}

@test "an account of the same e-mail is joined; a password that proved nothing ends there" {
    account al@example.org
    bundle 1000
    push
    ID=planted push
    reserve
    local token=$TOKEN jwt=$JWT
    printf '%s\n' "$PASSWORD" | codeteleport-server --data "$T/server" user add bo@example.org
    sign_in
    [ "$(me)" = al@example.org ]
    TOKEN=$token expect 401 unauthorized json GET /auth/me
    TOKEN=$jwt expect 401 unauthorized json GET /auth/me
    TOKEN= expect 401 invalid_credentials json POST /auth/login -d "{\"email\":\"al@example.org\",\"password\":\"$PASSWORD\"}"
    # What the other one planted is not there, unless its owner wants it.
    [ "$(json GET /sessions | jq -c '[.sessions, .total]')" = '[[],0]' ]
    [ "$(json GET /devices | jq -c '.devices | length')" = 0 ]
    [ "$(json GET /auth/me | jq .unprovenInTrash)" = 2 ]
    [ "$(json GET /trash | jq -c '[.versions[] | .why] | unique')" = '["unproven"]' ]
    JWT=$TOKEN
    mint
    expect 409 no_reservation confirm
    expect 200 '' json POST "/sessions/$ID/undelete"
    [ "$(json GET /auth/me | jq .unprovenInTrash)" = 1 ]
    [ "$(json GET /sessions | jq -r '.sessions[].id')" = "$ID" ]
    # Whoever runs the server vouched for this one.
    person 18 '[{"email":"bo@example.org","primary":true,"verified":true}]'
    sign_in
    [ "$(me)" = bo@example.org ]
    TOKEN= expect 200 '' json POST /auth/login -d "{\"email\":\"bo@example.org\",\"password\":\"$PASSWORD\"}"
}

@test "a state that is forged, foreign, used or without its cookie is refused" {
    depart
    local callback=$AT
    browse "${callback/state=/state=x}"
    [ "$(cat "$T/status") $(jq -r .error "$T/answer")" = '400 invalid_state' ]
    browse "$(sed "s/state=[^&]*//" <<<"$callback")"
    [ "$(jq -r .error "$T/answer")" = invalid_state ]
    cp "$T/jar" "$T/al.jar"
    # Another browser, with a sign-in of its own under way, is sent to this callback.
    depart
    browse "$callback"
    [ "$(jq -r .error "$T/answer")" = invalid_state ]
    rm "$T/jar"
    browse "$callback"
    [ "$(jq -r .error "$T/answer")" = invalid_state ]
    cp "$T/al.jar" "$T/jar"
    browse "$callback"
    [[ $AT == *token=* ]]
    cp "$T/al.jar" "$T/jar"
    browse "$callback"
    [ "$(jq -r .error "$T/answer")" = invalid_state ]
}

@test "whoever sets out and never comes back leaves nothing in the database" {
    local before
    before=$(sqlite3 "$T/server/server.db" .dump | wc -c)
    for i in {1..20}; do
        depart
        rm -f "$T/jar"
    done
    [ "$(sqlite3 "$T/server/server.db" .dump | wc -c)" -eq "$before" ]
}

@test "a code that somebody else got, a denial and a broken provider end with a reason" {
    depart
    browse "$(sed 's/code=[^&]*/code=stolen/' <<<"$AT")"
    [[ $AT == 'http://localhost:4321/callback?error=code_refused' ]]
    person 17 '[]' '{}' '{deny: true}'
    sign_in
    [ "$ERROR" = access_denied ]
    person 17 '[]' '{}' '{status: 500}'
    sign_in
    [ "$ERROR" = provider_unreachable ]
    person 17 '{"message":"no list"}'
    sign_in
    [ "$ERROR" = provider_unreachable ]
    kill "$PROVIDER_PID"
    wait "$PROVIDER_PID" || true
    browse "$API/auth/github?cli_port=4321"
    local state
    state=$(sed 's/.*&state=\([^&]*\).*/\1/' <<<"$AT")
    browse "$API/auth/github/callback?code=x&state=$state"
    [[ $AT == 'http://localhost:4321/callback?error=provider_unreachable' ]]
}

@test "allowed_emails and the organisation say who is let in, each time anew" {
    serve_with 'registration = "closed"; github_organization = "acme";' \
        'allowed_emails = [ "Al@example.org", "@corp.example" ];'
    sign_in
    [ "$(me)" = al@example.org ]
    person 18 '[{"email":"me@home.example","primary":true,"verified":true},{"email":"bo@corp.example","primary":false,"verified":true}]'
    sign_in
    [ "$(me)" = bo@corp.example ]
    person 19 '[{"email":"eve@xcorp.example","primary":true,"verified":true},{"email":"al@example.org","primary":false,"verified":false}]'
    sign_in
    [ "$ERROR" = not_allowed ]
    person 20 '[{"email":"cy@home.example","primary":true,"verified":true}]' '{"acme":"pending"}'
    sign_in
    [ "$ERROR" = not_allowed ]
    person 20 '[{"email":"cy@home.example","primary":true,"verified":true}]' '{"acme":"active"}'
    sign_in
    [ "$(me)" = cy@home.example ]
    person 20 '[{"email":"cy@home.example","primary":true,"verified":true}]' '{"other":"active"}'
    sign_in
    [ "$ERROR" = not_allowed ]
}

@test "who deletes the account and signs in anew gets no second quota, and has lost nothing" {
    serve_with 'max_bytes_per_user = "1 MB";'
    sign_in
    local id old=$TOKEN
    id=$(json GET /auth/me | jq -r .id)
    bundle 900000
    push
    expect 200 '' json POST /account/delete -d '{}'
    expect 401 unauthorized json GET /auth/me
    [ "$(objects)" = 1 ]
    sign_in
    TOKEN=$old expect 401 unauthorized json GET /auth/me
    [ "$(json GET /auth/me | jq -r .id)" = "$id" ]
    [ "$(json GET /sessions | jq .total)" = 0 ]
    expect 403 quota json POST /sessions/upload -d "$(upload_body)"
    # What is new counts on from what waits, and that can be had back.
    bundle 1000
    push
    [ "$VERSION" = 2 ]
    [ "$(json GET /trash | jq -c '[.versions[] | [.version, .why]]')" = '[[1,"deleted"]]' ]
    expect 200 '' json POST "/sessions/$ID/undelete" -d '{"version":1}'
    [ "$(listed)" = '2 1' ]
    # At once is at once, and then nothing of it is known any more.
    expect 200 '' json POST /account/delete -d '{"now":true}'
    [ "$(objects)" = 0 ]
    sign_in
    [ "$(json GET /auth/me | jq -r .id)" != "$id" ]
    bundle 900000
    push
    # An operator's deletion holds, and is no way to a second quota either.
    local email
    email=$(me)
    codeteleport-server --data "$T/server" user delete "$email"
    sign_in
    [ "$ERROR" = account_removed ]
    codeteleport-server --data "$T/server" user allow "$email"
    sign_in
    expect 403 quota json POST /sessions/upload -d "$(upload_body)"
    codeteleport-server --data "$T/server" check
}

@test "whoever left the organisation is disabled, unless all seem to have" {
    local organisation='github_organization = "acme"; allowed_emails = [ "bo@example.org" ];' name
    export CODETELEPORT_GITHUB_TOKEN=operator
    serve_with "$organisation"
    for i in 1 2 3; do
        person $i "[{\"email\":\"u$i@example.org\",\"primary\":true,\"verified\":true}]" '{"acme":"active"}'
        sign_in
        JWT=$TOKEN
        mint
        eval "local token$i=\$TOKEN"
    done
    # bo is no member, and named.
    person 4 '[{"email":"bo@example.org","primary":true,"verified":true}]'
    sign_in
    JWT=$TOKEN
    mint
    local bo=$TOKEN
    # One has left; the server looks when it starts, and every hour.
    jq -c '.members = [1, 3]' "$T/people.json" >"$T/people.new"
    mv "$T/people.new" "$T/people.json"
    : >"$T/server.log"
    serve_with "$organisation"
    within grep -q 'event=left-organisation' "$T/server.log"
    TOKEN=$token2 expect 401 unauthorized json GET /auth/me
    TOKEN=$token1 expect 200 '' json GET /auth/me
    TOKEN=$token3 expect 200 '' json GET /auth/me
    TOKEN=$bo expect 200 '' json GET /auth/me
    codeteleport-server --data "$T/server" audit | grep -q 'left-organisation *u2@example.org'
    # GitHub is broken, or the token sees nobody: nothing is done.
    for play in '.members = []' '.status = 500'; do
        jq -c "$play" "$T/people.json" >"$T/people.new"
        mv "$T/people.new" "$T/people.json"
        : >"$T/server.log"
        serve_with "$organisation"
        within grep -q 'members-not-looked-at' "$T/server.log"
        TOKEN=$token1 expect 200 '' json GET /auth/me
    done
    [ -z "$(grep -F operator "$T/server.log")" ]
}

@test "with sign_in_days whoever does not come back that way has no access any more" {
    serve_with 'sign_in_days = 7;'
    sign_in
    JWT=$TOKEN
    mint
    expect 200 '' json GET /auth/me
    local token=$TOKEN
    sqlite3 "$T/server/server.db" 'UPDATE users SET signed_in_ms = 1'
    expect 401 unauthorized json GET /auth/me
    TOKEN=$JWT expect 401 unauthorized json GET /auth/me
    sign_in
    TOKEN=$token expect 200 '' json GET /auth/me
    # Whoever has a password only is not asked for it.
    account bo@example.org
    expect 200 '' json GET /auth/me
}

@test "where registration is closed, only accounts that are there sign in" {
    serve_with 'registration = "closed";'
    sign_in
    [ "$ERROR" = registration_closed ]
    printf '%s\n' "$PASSWORD" | codeteleport-server --data "$T/server" user add al@example.org
    sign_in
    [ "$(me)" = al@example.org ]
}

@test "the cookie is for this sign-in only, and no secret gets into log or database" {
    browse "$API/auth/github?cli_port=4321"
    grep -qi '^set-cookie: ct_signin=4321\.[0-9]*\.[A-Za-z0-9_-]\{43\}\.\.[A-Za-z0-9_-]\{43\}; Path=/v1/auth/github; Max-Age=600; HttpOnly; SameSite=Lax; Secure' "$T/head"
    grep -qi '^cache-control: no-store' "$T/head"
    local cookie state url=$AT
    cookie=$(sed -n 's/^[Ss]et-[Cc]ookie: ct_signin=\([^;]*\).*/\1/p' "$T/head")
    state=$(sed 's/.*&state=\([^&]*\).*/\1/' <<<"$url")
    grep -q 'code_challenge=[A-Za-z0-9_-]\{43\}&code_challenge_method=S256' <<<"$url"
    grep -q 'redirect_uri=https%3A%2F%2F127.0.0.1%3A[0-9]*%2Fv1%2Fauth%2Fgithub%2Fcallback' <<<"$url"
    ! grep -aqF -e "$cookie" -e "$state" "$T"/server/server.db* || false
    sign_in
    grep -qi '^set-cookie: ct_signin=; .*Max-Age=0' "$T/head"
    ! grep -F -e "$cookie" -e "$state" -e "$TOKEN" -e hush-hush -e gho_ -e code= "$T/server.log"
}

@test "what the waiting program calls its state comes back to it, and nothing else passes for one" {
    rm -f "$T/jar"
    browse "$API/auth/github?cli_port=4321&state=0123456789abcdef0123456789abcdef"
    browse "$AT"
    browse "$AT"
    [[ $AT == 'http://localhost:4321/callback?token='*'&state=0123456789abcdef0123456789abcdef' ]]
    person 17 '[]' '{}' '{deny: true}'
    browse "$API/auth/github?cli_port=4321&state=x-_Y"
    browse "$AT"
    browse "$AT"
    [ "$AT" = 'http://localhost:4321/callback?error=access_denied&state=x-_Y' ]
    for state in 'a%26token=b' 'a%0d%0ab' "$(printf 'a%.0s' {1..65})" '%ff'; do
        TOKEN= expect 422 invalid json GET "/auth/github?cli_port=4321&state=$state"
    done
}

@test "ctctl signs in with it, through a browser that follows where it is sent" {
    mkdir "$T/bin"
    # Cookies and redirects as a browser has them; the last one leads to ctctl's own port.
    cat >"$T/bin/xdg-open" <<SH
#!/bin/sh
exec curl -sS -L --cacert "$CA" -b "$T/jar" -c "$T/jar" -o "$T/page" "\$1"
SH
    chmod +x "$T/bin/xdg-open"
    cp "$T/bin/xdg-open" "$T/bin/open" # its name on macOS
    unset CODETELEPORT_API_URL
    DISPLAY=:0 PATH=$T/bin:$PATH run timeout "$LIMIT_S" ctctl login --github --api-url "$API"
    [ "$status" -eq 0 ] || { echo "$output"; return 1; }
    [[ $output == *al@example.org* ]]
    TOKEN=$(jq -r .token "$CODETELEPORT_CONFIG_DIR/config.json")
    [[ $TOKEN == ctk_live_* ]]
    [ "$(me)" = al@example.org ]
    # An account without a password: its holder signs in once more, and as nobody else.
    run ctctl account
    [[ $output == *'by the browser only'* ]]
    typed() { DISPLAY=:0 PATH=$T/bin:$PATH python3 -S "$CT_SRC/tests/e2e/tools/typist.py" "$@" | tr '\r\n' '  '; }
    person 18 '[{"email":"bo@example.org","primary":true,"verified":true}]'
    rm -f "$T/jar"
    typed 'sessions there' 'y\n' -- ctctl account delete | grep -q 'sign-in to another account'
    [ "$(me)" = al@example.org ]
    person 17 '[{"email":"al@example.org","primary":true,"verified":true}]'
    typed 'New password: ' 'new horse battery\n' 'Once more: ' 'new horse battery\n' \
        -- ctctl account passwd | grep -q 'The password is changed'
    TOKEN= expect 200 '' json POST /auth/login -d '{"email":"al@example.org","password":"new horse battery"}'
    person 19 '[{"email":"cy@example.org","primary":true,"verified":false}]'
    ctctl logout || true
    DISPLAY=:0 PATH=$T/bin:$PATH run timeout "$LIMIT_S" ctctl login --github --api-url "$API"
    [ "$status" -ne 0 ]
    [[ $output == *verified* ]] || { echo "$output"; return 1; }
}

@test "a port that is none is refused, and so is a sign-in that is not set up" {
    for q in '' '?cli_port=' '?cli_port=0' '?cli_port=65536' '?cli_port=80@evil.example' '?cli_port=%31'; do
        TOKEN= json GET "/auth/github$q" >/dev/null
        case $q in
        *%31) [ "$(cat "$T/status")" = 302 ] ;; # an escaped digit is that digit
        *) [ "$(cat "$T/status")" = 422 ] ;;
        esac
    done
    stop_server
    printf 'github_client_id = "x";\n' >"$XDG_CONFIG_HOME/codeteleport/server.conf"
    run codeteleport-server --data "$T/other"
    [ "$status" -eq 78 ]
    [[ $output == *github_client_secret* ]]
    printf 'hush-hush\n' >"$T/secret"
    printf 'github_client_id = "client-1"; github_client_secret_file = "%s";\n' "$T/secret" >"$XDG_CONFIG_HOME/codeteleport/server.conf"
    chmod 644 "$T/secret"
    run codeteleport-server --data "$T/other"
    [ "$status" -eq 78 ]
    [[ $output == *"chmod 600"* ]]
    chmod 600 "$T/secret"
    for c in 'github_url = "ftp://x";' 'github_url = "http://github.example";' 'allowed_emails = [ "al" ];' \
        'github_url = "https://u@x";' 'listen = "0.0.0.0:0"; registration = "open";'; do
        printf 'github_client_id = "client-1"; github_client_secret_file = "%s"; %s\n' "$T/secret" "$c" \
            >"$XDG_CONFIG_HOME/codeteleport/server.conf"
        run codeteleport-server --data "$T/other"
        [ "$status" -eq 78 ] || { echo "$c: $output"; return 1; }
    done
    printf 'registration = "open";\n' >"$XDG_CONFIG_HOME/codeteleport/server.conf"
    start_server
    TOKEN= expect 501 not_configured json GET '/auth/github?cli_port=1'
    TOKEN= expect 501 not_configured json GET '/auth/github/callback?code=x&state=y'
}

@test "the dashboard's sign-in ends in a cookie and the page's half, for the browser that set out" {
    local host=${API%/v1} half
    browse "$API/auth/github?dashboard=1" -H 'Sec-Fetch-Site: cross-site'
    [ "$(cat "$T/status")" = 403 ]
    browse "$API/auth/github?dashboard=1&state=word" -H 'Sec-Fetch-Site: same-origin'
    [ "$(cat "$T/status")" = 302 ]
    browse "$AT"
    local callback=$AT
    # Whoever is led to it in another browser is not signed in.
    cp "$T/jar" "$T/als"
    rm "$T/jar"
    browse "$callback"
    [ "$(cat "$T/status")" = 400 ]
    cp "$T/als" "$T/jar"
    browse "$callback"
    [[ $AT == "$host/app/#key="*.word ]]
    half=${AT#*#key=} half=${half%.word}
    browse "$host/app/api/auth/me" -H "X-Codeteleport-Dashboard: $half"
    [ "$(jq -r .email "$T/answer")" = al@example.org ]
    # No password: what can't be undone wants a sign-in of the last ten minutes, and this is one.
    browse "$host/app/api/auth/token" -H "X-Codeteleport-Dashboard: $half" -H 'Content-Type: application/json' -d '{"name":"lap"}'
    [ "$(cat "$T/status")" = 201 ]
    TOKEN=$half expect 401 unauthorized json GET /auth/me
    # Who may not come in hears why there.
    person 18 '[]'
    rm "$T/jar"
    browse "$API/auth/github?dashboard=1"
    browse "$AT"
    browse "$AT"
    [ "$AT" = "$host/app/#error=email_not_verified." ]
    serve_with 'dashboard = false;'
    browse "$API/auth/github?dashboard=1"
    [ "$(cat "$T/status")" = 404 ]
}
