#!/usr/bin/env bats
# Sign-in with an OpenID Connect provider, against npm's oidc-provider; curl is the browser.

bats_require_minimum_version 1.5.0
load lib
load server_lib

setup() {
    command -v node >/dev/null || skip "node is not installed"
    DIR=$(CT_NPM=${CT_NPM:-$CT_BUILD/npm} sh "$CT_SRC/tests/npm.sh" oidc) || skip "$DIR"
    make_home
    # Some providers put the e-mail into the ID token, others into userinfo only.
    person al al@example.org true "{\"in_token\": $([ $((BATS_TEST_NUMBER % 2)) = 0 ] && echo true || echo false)}"
    # Where people come back to has to be known to the provider first.
    start_server
    stop_server
    serve_oidc
}

teardown() {
    [ -z "${PROVIDER_PID:-}" ] || { kill "$PROVIDER_PID" && kill -CONT "$PROVIDER_PID"; }
    end_home
}

# person SUB EMAIL VERIFIED [MORE]: who sits at the provider from now on
person() {
    jq -n --arg sub "$1" --arg email "$2" --argjson verified "$3" --argjson more "${4:-{\}}" \
        '{sub: $sub, email: $email, email_verified: $verified} + $more' >"$T/people.json"
}

# serve_oidc [CLIENT [SETTINGS]]: the provider, and the server with it
serve_oidc() {
    if [ -z "${PROVIDER_PID:-}" ]; then
        node "$CT_SRC/tests/e2e/tools/oidc_provider.mjs" "$DIR/node_modules" "$T/people.json" \
            "$API/auth/oidc/callback" >"$T/issuer" 2>"$T/provider.log" 3>&- &
        PROVIDER_PID=$!
        within test -s "$T/issuer"
    fi
    [ -z "${IS_UP:-}" ] || stop_server
    IS_UP=yes
    printf '%s\n' "oidc_issuer = \"$(cat "$T/issuer")\"; oidc_client_id = \"${1:-rs}\";" \
        "${2:-oidc_joins_by_email = true; registration = \"open\";}" >"$XDG_CONFIG_HOME/codeteleport/server.conf"
    if [ "${1:-rs}" = public ]; then
        start_server
    else
        CODETELEPORT_OIDC_CLIENT_SECRET=${SECRET:-hush-hush} start_server
    fi
}

browse() {
    curl -sS --cacert "$CA" -b "$T/${JAR:-jar}" -c "$T/${JAR:-jar}" -o "$T/answer" -D "$T/head" -w '%{http_code}' "$1" >"$T/status"
    AT=$(tr -d '\r' <"$T/head" | sed -n 's/^Location: //Ip')
}

# depart: through the provider's own pages to the server's door, whose address is in $AT
depart() {
    rm -f "$T/${JAR:-jar}"
    browse "$API/auth/oidc?cli_port=4321&state=mine"
    local pages
    for ((pages = 0; pages < 8; pages++)); do
        case $AT in
        '') break ;;
        "$API/auth/oidc/callback?"* | http://localhost:4321/*) return ;;
        /*) AT=$(cat "$T/issuer")$AT ;;
        esac
        browse "$AT"
    done
    echo "ended with $(cat "$T/status" "$T/answer" "$T/provider.log")"
    return 1
}

# sign_in: all the way; what ctctl would get is in $TOKEN or $ERROR
sign_in() {
    depart
    [[ $AT != "$API"* ]] || browse "$AT"
    TOKEN= ERROR=
    case $AT in
    'http://localhost:4321/callback?token='*'&state=mine') TOKEN=${AT#*token=} TOKEN=${TOKEN%&*} ;;
    'http://localhost:4321/callback?error='*'&state=mine') ERROR=${AT#*error=} ERROR=${ERROR%&*} ;;
    *) echo "ended at $AT $(cat "$T/answer")"; return 1 ;;
    esac
}

me() { json GET /auth/me | jq -r .email; }
my_id() { json GET /auth/me | jq -r .id; }

@test "OIDC: the same person comes to the same account, by each algorithm and kind of client" {
    local id client
    sign_in
    [ "$(me)" = al@example.org ]
    id=$(my_id)
    json GET /account | jq -e '.signIn == "oidc" and .hasPassword == false'
    for client in es public; do
        serve_oidc $client
        sign_in
        [ "$(my_id)" = "$id" ]
    done
    # Whose e-mail changes keeps the account and gets nobody else's.
    printf '%s\n' "$PASSWORD" | codeteleport-server --data "$T/server" user add bo@example.org
    person al bo@example.org true
    sign_in
    [ "$(my_id)" = "$id" ]
    # And who has the old address now is somebody else.
    person other al@example.org true
    sign_in
    [ "$ERROR" = email_in_use ]
    # Nothing of it is in the log.
    ! grep -qE 'hush-hush|eyJ' "$T/server.log"
}

@test "OIDC: an e-mail joins accounts only where the operator takes the issuer's word" {
    account al@example.org
    local token=$TOKEN jwt=$JWT
    serve_oidc rs 'registration = "open";'
    sign_in
    [ "$ERROR" = email_in_use ]
    person bo bo@example.org true
    sign_in
    [ "$(me)" = bo@example.org ]
    local bo=$TOKEN
    # What was never proved ends when it is: the password, the tokens, and that sign-in too.
    [ "$(sqlite3 "$T/server/server.db" "SELECT email_is_proven FROM users WHERE email = 'bo@example.org'")" = 0 ]
    serve_oidc rs
    person al al@example.org true
    sign_in
    [ "$(me)" = al@example.org ]
    TOKEN=$token expect 401 unauthorized json GET /auth/me
    TOKEN=$jwt expect 401 unauthorized json GET /auth/me
    TOKEN=$bo expect 200 '' json GET /auth/me
    # And allowed_emails goes by addresses that are proved only.
    serve_oidc rs 'allowed_emails = [ "@example.org" ];'
    person cy cy@example.org true
    sign_in
    [ "$ERROR" = not_allowed ]
    serve_oidc rs 'allowed_emails = [ "@example.org" ]; oidc_joins_by_email = true;'
    sign_in
    [ "$(me)" = cy@example.org ]
}

@test "OIDC: who is not verified, says no, or comes with another browser or twice stays outside" {
    person al al@example.org false
    sign_in
    [ "$ERROR" = email_not_verified ]
    person al al@example.org true '{"says_no": true}'
    sign_in
    [ "$ERROR" = access_denied ]
    person al al@example.org true
    depart
    local door=$AT
    JAR=other browse "$door"
    [ "$(cat "$T/status")" = 400 ]
    browse "${door/state=/state=x}"
    [ "$(cat "$T/status")" = 400 ]
    cp "$T/jar" "$T/copy"
    browse "$door"
    [[ $AT == *token=* ]]
    cp "$T/copy" "$T/jar"
    browse "$door"
    [ "$(cat "$T/status")" = 400 ]
    # A code of another sign-in, with the state of one's own.
    depart
    local code
    code=$(grep -o 'code=[^&]*' <<<"$AT")
    depart
    browse "$(sed "s/code=[^&]*/$code/" <<<"$AT")"
    [[ $AT == *error=code_refused* ]]
    SECRET=wrong serve_oidc rs
    sign_in
    [ "$ERROR" = code_refused ]
    [ "$(codeteleport-server --data "$T/server" user list | wc -l)" = 1 ]
}

@test "OIDC: an issuer that calls itself another one, or is not there, is said" {
    sed -i "s|127.0.0.1|localhost|" "$T/issuer"
    serve_oidc rs
    sign_in
    [ "$ERROR" = provider_unreachable ]
    grep -q 'calls itself another issuer' "$T/server.log"
    kill "$PROVIDER_PID"
    wait "$PROVIDER_PID" || true
    sign_in
    [ "$ERROR" = provider_unreachable ]
    PROVIDER_PID=
    printf 'oidc_issuer = "https://id.example.org";\n' >"$T/conf"
    run -78 codeteleport-server -c "$T/conf" --data "$T/other" --listen 127.0.0.1:0
    [[ $output == *'belong together'* ]]
}

# at_once N URL...: N browsers, each with its own cookies and its own URL; their statuses are in $T/at.*
at_once() {
    local n=$1 i
    shift
    PIDS=()
    for ((i = 1; i <= n; i++)); do
        curl -sS --cacert "$CA" -b "$T/jar.$i" -o /dev/null -D "$T/to.$i" -w '%{http_code}\n' "${!i:-$1}" >"$T/at.$i" 3>&- &
        PIDS+=($!)
    done
}
answered() { [ "$(cat "$T"/at.* | grep -c "$1")" -ge "$2" ]; }

@test "OIDC: an issuer that hangs takes eight threads, and nobody else waits for it" {
    account bo@example.org
    local round
    for round in 1 2 3; do
        rm -f "$T"/at.*
        serve_oidc rs # which has nothing to remember yet
        kill -STOP "$PROVIDER_PID"
        at_once 12 "$API/auth/oidc?cli_port=4321"
        within answered 503 4
        expect 200 '' json GET /auth/me
        # Those that wait for it were waiting all the time, unless this machine hangs as well.
        answered 302 1 || break
        kill -CONT "$PROVIDER_PID"
        wait "${PIDS[@]}"
    done
    [ "$(cat "$T"/at.* | sort | uniq -c | tr -s ' ')" = ' 4 503' ]
    kill -CONT "$PROVIDER_PID"
    wait "${PIDS[@]}"
    answered 302 8
    TOKEN=
    person cy cy@example.org true
    sign_in
    [ "$(me)" = cy@example.org ]
}

@test "OIDC: who comes back while too many do may try again, with the same state" {
    local i doors=()
    for i in 1 2 3 4 5 6 7 8 9; do
        JAR=jar.$i depart
        doors+=("$AT")
    done
    kill -STOP "$PROVIDER_PID"
    # It is remembered where to send them.
    JAR=jar.10 browse "$API/auth/oidc?cli_port=4321"
    [[ $AT == "$(cat "$T/issuer")"/* ]]
    at_once 9 "${doors[@]}"
    within answered 503 1
    local late
    late=$(grep -l 503 "$T"/at.*)
    kill -CONT "$PROVIDER_PID"
    wait "${PIDS[@]}"
    late=${late##*.}
    JAR=jar.$late browse "${doors[late - 1]}"
    [[ $AT == *token=* ]]
    [ "$(grep -il '^location: .*token=' "$T"/to.* | wc -l)" = 8 ]
}

@test "OIDC: an issuer that has new keys is asked for them" {
    sign_in
    local id
    id=$(my_id)
    kill "$PROVIDER_PID"
    wait "$PROVIDER_PID" || true
    PROVIDER_PID=
    node "$CT_SRC/tests/e2e/tools/oidc_provider.mjs" "$DIR/node_modules" "$T/people.json" \
        "$API/auth/oidc/callback" "$(sed 's/.*://' "$T/issuer")" >"$T/again" 2>>"$T/provider.log" 3>&- &
    PROVIDER_PID=$!
    within test -s "$T/again"
    sign_in
    [ "$(my_id)" = "$id" ]
}
