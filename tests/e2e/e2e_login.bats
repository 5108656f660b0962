#!/usr/bin/env bats
# Logging in: by the browser, by a token, by invitation.

load lib
MADE=empty # whoever logs in registers here

setup() {
    make_home
}

teardown() {
    [ -z "${LOGIN_PID:-}" ] || kill "$LOGIN_PID" 2>/dev/null || true
    end_home
}

# A sign-in at GitHub is out of reach here: this browser has the server's answer already.
# browser QUERY...: what it brings back to our port, one call after another; STATE stands for ours
browser() {
    mkdir -p "$T/bin"
    export DISPLAY=:0 PATH=$T/bin:$PATH
    printf '%s\n' "$@" >"$T/queries"
    cat >"$T/bin/xdg-open" <<SH
#!/bin/sh
echo "\$1" >>"$T/opened"
port=\$(echo "\$1" | sed 's/.*cli_port=\\([0-9]*\\).*/\\1/')
state=\$(echo "\$1" | sed 's/.*state=\\([0-9a-f]*\\).*/\\1/')
curl -s -o /dev/null -w '%{http_code}\n' "http://localhost:\$port/favicon.ico" >>"$T/codes"
while read -r q; do
    q=\$(echo "\$q" | sed "s/STATE/\$state/")
    curl -s -o "$T/page" -w '%{http_code}\n' "http://localhost:\$port/callback?\$q" >>"$T/codes"
done <"$T/queries"
SH
    chmod +x "$T/bin/xdg-open"
    cp "$T/bin/xdg-open" "$T/bin/open" # its name on macOS
}

# jwt: the short-lived token that the server would end a sign-in with
jwt() {
    curl -sS --cacert "$CA" -H 'Content-Type: application/json' "$API/auth/login" \
        -d '{"email":"me@example.org","password":"correct horse battery"}' | jq -r .token
}

with_account() {
    start_server
    log_in
    TOKEN=$(jwt)
    ctctl logout
    unset CODETELEPORT_API_URL
}

@test "--github goes through the browser and keeps a token of its own" {
    with_account
    browser "token=$TOKEN&state=STATE"
    run timeout "$LIMIT_S" ctctl login --github --api-url "$API"
    echo "$output"
    [ "$status" -eq 0 ]
    grep -q "as me@example.org" <<<"$output"
    grep -q "$API/auth/github?cli_port=" <<<"$output"
    [ "$(cat "$T/opened" | wc -l)" = 1 ]
    [ "$(tr '\n' ' ' <"$T/codes")" = '404 200 ' ]
    grep -q 'go back to the terminal' "$T/page"
    [ "$(jq -r .token "$CODETELEPORT_CONFIG_DIR/config.json" | cut -c1-9)" = ctk_live_ ]
    ! grep -q "$TOKEN" "$CODETELEPORT_CONFIG_DIR/config.json" || false
    ! grep -qF "$TOKEN" <<<"$output" || false
    api GET /auth/me
}

@test "an answer with another state is turned away, and the right one is waited for" {
    with_account
    browser "token=evil&state=00000000000000000000000000000000" "token=&state=STATE" \
        "token=$TOKEN&state=STATE"
    timeout "$LIMIT_S" ctctl login --github --api-url "$API"
    [ "$(tr '\n' ' ' <"$T/codes")" = '404 400 400 200 ' ]
    api GET /auth/me
}

@test "an answer without a state is not believed unless a person says so" {
    with_account
    browser "token=$TOKEN"
    run timeout "$LIMIT_S" ctctl login --github --api-url "$API"
    echo "$output"
    [ "$status" -eq 77 ]
    [ "$(jq -r .token "$CODETELEPORT_CONFIG_DIR/config.json")" = null ]
}

@test "a sign-in that GitHub or the user refused is told as the server tells it" {
    with_account
    browser "error=access%5Fdenied+by%1b%5b31m+you"
    run timeout "$LIMIT_S" ctctl login --github --api-url "$API"
    echo "$output"
    [ "$status" -eq 77 ]
    tr '\n' ' ' <<<"$output" | grep -q 'access_denied by'
    ! grep -q $'\033' <<<"$output"
}

@test "without a display the address is printed, and the port is on loopback only" {
    local url port
    with_account
    unset DISPLAY WAYLAND_DISPLAY
    timeout "$LIMIT_S" ctctl login --github --api-url "$API" >"$T/out" 2>"$T/err" 3>&- &
    LOGIN_PID=$!
    within grep -q cli_port "$T/err"
    url=$(grep cli_port "$T/err")
    port=$(sed 's/.*cli_port=\([0-9]*\).*/\1/' <<<"$url")
    # nothing listens there on an address of the network (0100007F is 127.0.0.1)
    ! grep -i "$(printf ':%04X 00000000:0000 0A' "$port")" /proc/net/tcp | grep -v '0100007F:' || false
    curl -s -o /dev/null "http://localhost:$port/callback?token=$TOKEN&state=${url##*state=}"
    wait "$LOGIN_PID"
    LOGIN_PID=
    api GET /auth/me
}

@test "a token comes from stdin, never from the command line" {
    with_account
    token=$(curl -sS --cacert "$CA" -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \
        "$API/auth/token" -d '{"name":"t","expiresIn":"never"}' | jq -r .token)
    printf '%s\n' "$token" | ctctl login --token --api-url "$API"
    api GET /auth/me
    run ctctl login --token "$token" --api-url "$API"
    [ "$status" -eq 64 ]
    ! grep -qF "$token" <<<"$output" || false
    # what no token is changes nothing
    run ctctl login --token --api-url "$API" <<<"nonsense"
    [ "$status" -eq 77 ]
    api GET /auth/me
}

@test "an account is made by invitation, once" {
    local code
    printf 'registration = "invite";\n' >"$T/server.conf"
    codeteleport-server -c "$T/server.conf" --data "$T/server" --listen 127.0.0.1:0 \
        --objects 127.0.0.1:0 --ready-file "$T/ready" >>"$T/server.log" 2>&1 3>&- &
    SERVER_PID=$!
    within test -s "$T/ready"
    API=$(sed -n 's/^api=//p' "$T/ready") CA=$(sed -n 's/^ca=//p' "$T/ready")
    export CODETELEPORT_CA_FILE=$CA
    code=$(codeteleport-server -c "$T/server.conf" --data "$T/server" invite | grep -o 'cti_[A-Za-z0-9_-]*' | head -n 1)
    [ -n "$code" ]
    run ctctl login --register --email a@example.org --password-stdin --api-url "$API" <<<'correct horse'
    [ "$status" -eq 77 ]
    run ctctl login --register --invite "$code" --email a@example.org --password-stdin \
        --api-url "$API" <<<'correct horse'
    [ "$status" -eq 0 ]
    # nobody could be asked about the profile: it is as after an empty line, and said
    [[ $output == *"what belongs to no session"*"is saved too"*"profile = false"* ]]
    [ "$(cat "$XDG_STATE_HOME/codeteleport/shared/profile")" = true ]
    api GET /auth/me
    run ctctl login --register --invite "$code" --email b@example.org --password-stdin \
        --api-url "$API" <<<'correct horse'
    [ "$status" -eq 77 ]
}

@test "whoever is not logged in is led to login by every verb that needs it" {
    local v
    cd "$T"
    for v in "list --cloud" "versions abc" "delete abc --yes" "devices" "tokens" "pull abcdef12" \
        "verify abcdef12" "export abcdef12 -o x" "delete --older-than 1d --yes"; do
        run ctctl $v
        echo "$v: $output"
        [ "$status" -eq 77 ]
        grep -q 'ctctl login' <<<"$output"
        run ctctl --json $v
        [ "$status" -eq 77 ]
    done
    start_daemon
    run ctctl sync --wait
    [ "$status" -eq 77 ]
    grep -q 'ctctl login' <<<"$output"
    ctctl | grep -q 'ctctl login'
}

@test "an account that was recorded and can't be read again asks for a person, and says why" {
    local id
    start_server_behind_proxy
    log_in
    id=$(api GET /auth/me | jq -r .id)
    faults "api GET */auth/me status=200 body={\"id\":\"$id\",\"email\":\"$(printf '%070000d' 1)\"}"
    start_daemon
    within status_is .daemon.state account_changed
    ctctl --json status | jq -e '.daemon.stateReason | contains("account.json") and contains("ctctl login")'
    ! grep account-record-failed "$T/daemon.log"
}

@test "after a logout, login goes where the last one was, tries it first, and offers the e-mail" {
    start_server
    log_in
    ctctl logout
    unset CODETELEPORT_API_URL
    run python3 -S "$CT_SRC/tests/e2e/tools/typist.py" 'E-mail [me@example.org]: ' '\n' 'Password: ' \
        'correct horse battery\n' 'sealed?' 'n\n' -- ctctl login
    echo "$output"
    [ "$status" -eq 0 ]
    grep -q "Logged in to $API as me@example.org" <<<"$output"
    grep -q 'daemon is not running yet.*codeteleportd' <(tr -d '\r\n' <<<"$output")
    # also where nobody is asked
    ctctl logout
    echo 'correct horse battery' | ctctl login --password-stdin | grep -q "Logged in to $API as me@"
    ctctl logout
    run ctctl login --password-stdin --api-url https://127.0.0.1:1 <<<'correct horse battery'
    [ "$status" -eq 78 ]
    grep -q 'with --email' <(tr '\n' ' ' <<<"$output")
    stop_server
    run python3 -S "$CT_SRC/tests/e2e/tools/typist.py" -- ctctl login
    echo "$output"
    [ "$status" -ne 0 ]
    ! grep -q Password <<<"$output"
}

# typed SEEN TYPED... -- COMMAND: on a terminal; the screen on stdout
typed() { python3 -S "$CT_SRC/tests/e2e/tools/typist.py" "$@" | tr '\r\n' '  '; }

@test "the holder changes the password, ends other log-ins and deletes the account" {
    start_server
    log_in
    ctctl account | grep -q "^me@example.org at $API, since 20"
    ctctl account | grep -q "B in the server's audit table"
    [ "$(ctctl account show --json | jq -r '"\(.email) \(.hasPassword)"')" = 'me@example.org true' ]
    # Not without a terminal, and not without the password.
    for action in passwd logout-all delete; do
        run ctctl account $action <<<'correct horse battery'
        [ "$status" -eq 64 ]
    done
    run ctctl account delete --yes
    [ "$status" -eq 64 ]
    typed 'Password of the account: ' 'wrong horse\n' 'New password: ' 'new horse battery\n' \
        'Once more: ' 'new horse battery\n' -- ctctl account passwd | grep -q 'The password is wrong'
    typed 'Password of the account: ' 'correct horse battery\n' 'New password: ' 'new horse battery\n' \
        'Once more: ' 'new horse batterie\n' -- ctctl account passwd | grep -q 'not the same'
    typed 'Password of the account: ' 'correct horse battery\n' 'New password: ' 'new horse battery\n' \
        'Once more: ' 'new horse battery\n' -- ctctl account passwd --tokens | grep -q 'The password is changed'
    api GET /auth/me
    typed 'Password of the account: ' 'new horse battery\n' -- ctctl account logout-all | grep -q 'this one stays'
    api GET /auth/me
    typed 'with its 0 sessions' 'n\n' -- ctctl account delete | grep -q 'nothing was deleted'
    typed 'with its 0 sessions' 'y\n' 'Password of the account: ' 'new horse battery\n' \
        -- ctctl account delete --now | grep -q 'The account is deleted'
    ! grep -q token "$HOME/.codeteleport/config.json" || false
    run codeteleport-server --data "$T/server" user list
    [ "$output" = '' ]
}
