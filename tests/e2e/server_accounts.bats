#!/usr/bin/env bats
# Who gets an account, and what ends a log-in.

bats_require_minimum_version 1.5.0
load lib
load server_lib

setup() { server_home; }
teardown() { end_home; }

# restart TEXT...: the server with these settings
restart() {
    stop_server
    printf '%s\n' "$@" >"$XDG_CONFIG_HOME/codeteleport/server.conf"
    start_server
}

verb() { codeteleport-server --data "$T/server" "$@"; }

# join EMAIL [CODE]: a registration, with an invitation
join() {
    json POST /auth/register -d "{\"email\":\"$1\",\"password\":\"$PASSWORD\"${2:+,\"invite\":\"$2\"}}"
}

@test "where invitations are asked for, one makes one account" {
    restart 'registration = "invite";'
    expect 403 invite_required join al@example.org
    expect 403 invite_invalid join al@example.org cti_AAAAAAAAAAAAAAAAAAAAAA
    local code
    code=$(verb invite 2>"$T/said")
    [[ $code =~ ^cti_[A-Za-z0-9_-]{22}$ ]]
    grep -q 'good for one registration until' "$T/said"
    ! grep -aqF "${code#cti_}" "$T"/server/server.db* || false
    expect 422 invalid json POST /auth/register -d "{\"email\":\"x\",\"password\":\"$PASSWORD\",\"invite\":\"$code\"}"
    expect 201 '' join al@example.org "$code"
    expect 403 invite_invalid join bo@example.org "$code"
    for days in 0 366 x; do
        run verb invite --days "$days"
        [ "$status" -eq 64 ]
    done
    expect 201 '' join bo@example.org "$(verb invite --days 1)"
}

@test "an invitation is no way into a server that is closed" {
    restart 'registration = "closed";'
    expect 403 registration_closed join al@example.org "$(verb invite)"
}

@test "of two who use an invitation at once, one gets in" {
    restart 'registration = "invite";'
    local code i
    code=$(verb invite)
    for i in 1 2 3 4 5; do
        curl -sS --cacert "$CA" -o "$T/join.$i" -H 'Content-Type: application/json' \
            -d "{\"email\":\"u$i@example.org\",\"password\":\"$PASSWORD\",\"invite\":\"$code\"}" \
            "$API/auth/register" 3>&- &
        pids[i]=$!
    done
    wait "${pids[@]}"
    [ "$(cat "$T"/join.? | jq -c 'select(.token)' | wc -l)" = 1 ]
    [ "$(verb user list | wc -l)" = 1 ]
}

@test "a new key ends all log-ins at once and no API token" {
    account al@example.org
    TOKEN=$JWT expect 200 '' json GET /auth/me
    verb key rotate
    TOKEN=$JWT expect 401 unauthorized json GET /auth/me
    expect 200 '' json GET /auth/me
    TOKEN= expect 200 '' json POST /auth/login -d "{\"email\":\"al@example.org\",\"password\":\"$PASSWORD\"}"
    TOKEN=$(jq -r .token "$T/answer") expect 200 '' json GET /auth/me
    [ "$(stat -c %a "$T/server/jwt.key")" = 600 ]
}

@test "while the key is damaged nobody logs in, API tokens work, and it is left as it is" {
    account al@example.org
    printf short >"$T/server/jwt.key"
    TOKEN=$JWT expect 503 no_key json GET /auth/me
    TOKEN= expect 503 no_key json POST /auth/login -d "{\"email\":\"al@example.org\",\"password\":\"$PASSWORD\"}"
    expect 200 '' json GET /auth/me
    [ "$(cat "$T/server/jwt.key")" = short ]
    stop_server
    run codeteleport-server --data "$T/server" --listen 127.0.0.1:0 --objects 127.0.0.1:0
    [ "$status" -eq 1 ]
    [[ $output == *jwt.key* ]]
    [ "$(cat "$T/server/jwt.key")" = short ]
}

@test "what was deleted comes back from the trash, by the API and by verb" {
    account al@example.org
    bundle 1000
    push
    push
    expect 404 not_found json POST "/sessions/$ID/undelete"
    expect 200 '' json DELETE "/sessions/$ID"
    [ "$(json GET /trash | jq -c '[.total, [.versions[] | [.sessionId, .version, .sourceCwd]]]')" = \
        "[2,[[\"$ID\",2,\"/home/al/p\"],[\"$ID\",1,\"/home/al/p\"]]]" ]
    for q in limit=0 limit=x offset=-1; do
        expect 422 invalid json GET "/trash?$q"
    done
    for v in '"1"' -1 1.5; do
        expect 422 invalid json POST "/sessions/$ID/undelete" -d "{\"version\":$v}"
    done
    expect 422 invalid json POST "/sessions/$ID/undelete" -d '[]'
    expect 404 not_found json POST "/sessions/$ID/undelete" -d '{"version":3}'
    expect 200 '' json POST "/sessions/$ID/undelete"
    [ "$(jq .restored "$T/answer")" = 2 ]
    [ "$(listed)" = '2 1' ]
    object GET "$(json GET "/sessions/$ID/download" | jq -r .downloadUrl)"
    cmp "$T/object" "$T/bundle"

    expect 200 '' json DELETE "/sessions/$ID/versions/1"
    expect 200 '' json DELETE "/sessions/$ID"
    [ "$(verb undelete al@example.org | wc -l)" = 2 ]
    verb undelete al@example.org | grep -q "^$ID  version 2  deleted .*/home/al/p"
    verb undelete al@example.org "$ID"
    [ "$(listed)" = 2 ]
    verb undelete AL@example.org "$ID" --version 1
    [ "$(listed)" = '2 1' ]
    for args in "$ID" "al@example.org nothing" "al@example.org $ID --version 7"; do
        run verb undelete $args
        [ "$status" -eq 1 ]
    done
    run verb undelete al@example.org "$ID" --version x
    [ "$status" -eq 64 ]
    push
}

# register_from N ADDRESS: N registrations that can't succeed, through a proxy; their statuses, counted
register_from() {
    python3 -S - "$API_PORT" "$CA" "$1" "$2" <<'PY'
import collections, http.client, ssl, sys
port, ca, n, address = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
c = http.client.HTTPSConnection("127.0.0.1", port, context=ssl.create_default_context(cafile=ca))
seen = collections.Counter()
for _ in range(n):
    c.request("POST", "/v1/auth/register", '{"email":"x@example.org","password":"short"}',
              {"Content-Type": "application/json", "X-Forwarded-For": address})
    r = c.getresponse()
    r.read()
    seen[r.status] += 1
    if r.status == 429:
        assert int(r.headers["Retry-After"]) > 0
print(*(f"{status}:{seen[status]}" for status in sorted(seen)))
PY
}

@test "registrations are limited by address, an IPv6 one by its network" {
    restart 'trusted_proxy = [ "127.0.0.1" ]; registration = "open";'
    [ "$(register_from 101 203.0.113.1)" = '422:100 429:1' ]
    [ "$(register_from 1 203.0.113.2)" = '422:1' ]
    [ "$(register_from 60 2001:db8:0:1::5)" = '422:60' ]
    [ "$(register_from 60 2001:db8:0:1:9:9:9:9)" = '422:40 429:20' ]
    [ "$(register_from 1 2001:db8:0:2::5)" = '422:1' ]
    # What a client invents before the proxy's word changes nothing.
    [ "$(register_from 1 '192.0.2.7, 203.0.113.1')" = '429:1' ]
}

@test "left alone, registration is open to nobody but this machine" {
    local beyond here
    for beyond in 'public_api_url = "https://sync.example.org";' 'public_objects_url = "https://10.1.2.3:8788";' \
        'trusted_proxy = [ "127.0.0.1" ];' 'public_api_url = "https://127.example.org";' \
        'public_api_url = "https://localhost.example.org";' 'public_api_url = "https://[2001:db8::1]:8787";'; do
        : >"$T/server.log"
        restart "$beyond"
        expect 403 registration_closed join al@example.org
        within grep -q 'registration=closed' "$T/server.log"
    done
    for here in localhost 127.0.0.1:8787 '[::1]'; do
        restart "public_api_url = \"https://$here\";"
        expect 201 '' join "u${#here}@example.org"
    done
}

@test "the package opens nothing to anybody, and its settings have the last word" {
    grep -qx 'Environment=CODETELEPORT_REGISTRATION=closed' "$CT_BUILD/systemd/codeteleport-server.service"
    export CODETELEPORT_REGISTRATION=closed
    restart 'log = "info";'
    expect 403 registration_closed join al@example.org
    printf '%s' "$PASSWORD" | verb user add al@example.org
    TOKEN= expect 200 '' json POST /auth/login -d "{\"email\":\"al@example.org\",\"password\":\"$PASSWORD\"}"
    restart 'registration = "open";'
    expect 201 '' join bo@example.org
    export CODETELEPORT_REGISTRATION=maybe
    run codeteleport-server --data "$T/other"
    [ "$status" -eq 78 ]
}

@test "what others typed is shown to the operator, and does nothing to the terminal" {
    account al@example.org
    ID=00000000-0000-4000-8000-000000000001
    bundle 100
    push '.sourceCwd = "/x\u001b]0;pwned\u0007y"'
    expect 200 '' json DELETE "/sessions/$ID"
    stop_server
    codeteleport-server --data "$T/server" undelete al@example.org >"$T/out"
    grep -qF 'pwned' "$T/out"
    sqlite3 "$T/server/server.db" \
        "UPDATE users SET email = 'al' || char(27) || '[2J' || char(7) || '@example.org'"
    codeteleport-server --data "$T/server" user list >>"$T/out"
    grep -q '^al.*@example.org' "$T/out"
    ! grep -q $'[\x1b\x07]' "$T/out"
}

@test "the password of user add is not seen, however soon it is typed, and Ctrl-C leaves the terminal as it was" {
    python3 -S "$CT_SRC/tests/e2e/tools/typist.py" 'Password: ' 'correct horse battery\n' 'Once more: ' \
        'correct horse battery\n' -- codeteleport-server --data "$T/server" user add al@example.org >"$T/screen"
    grep -q 'added al@example.org' "$T/screen"
    ! grep -q horse "$T/screen" || false
    echo "PS1='READY> '" >"$T/bashrc"
    python3 -S "$CT_SRC/tests/e2e/tools/typist.py" 'READY> ' \
        "codeteleport-server --data $(quoted "$T/server") user add bo@example.org\\n" 'Password: ' '\x03' 'READY> ' \
        'stty -a\n' 'READY> ' 'exit\n' -- bash --noprofile --rcfile "$T/bashrc" -i >"$T/screen"
    grep -q 'no password was given' "$T/screen"
    grep -q ' echo ' "$T/screen"
}

@test "who is disabled is out at once: log-ins, tokens, and URLs that were given out" {
    account al@example.org
    bundle 20000000
    push
    local get pid
    get=$(json GET "/sessions/$ID/download" | jq -r .downloadUrl)
    bundle 1000
    reserve
    # What has begun ends too.
    curl -sS --cacert "$CA" --limit-rate 1M -o "$T/slow" "$get" 3>&- &
    pid=$!
    within test -s "$T/slow"
    verb user disable al@example.org
    run wait "$pid"
    [ "$status" -ne 0 ]
    [ "$(stat -c %s "$T/slow")" -lt 20000000 ]
    expect 401 unauthorized json GET /auth/me
    TOKEN=$JWT expect 401 unauthorized json GET /auth/me
    TOKEN= expect 403 account_disabled json POST /auth/login -d "{\"email\":\"al@example.org\",\"password\":\"$PASSWORD\"}"
    TOKEN= expect 401 invalid_credentials json POST /auth/login -d '{"email":"al@example.org","password":"wrong password"}'
    store_says 403 AccessDenied object GET "$get"
    store_says 403 AccessDenied put "$URL"
    verb user show al@example.org >"$T/said"
    grep -q '^al@example.org .* disabled' "$T/said"
    grep -Eq '^  confirmed +1 ' "$T/said"
    verb user enable al@example.org
    expect 200 '' json GET /auth/me
    store_says 200 '' object GET "$get"
    store_says 200 '' put "$URL"
}

@test "the operator ends one token, or all of an account's" {
    account al@example.org
    local first=$TOKEN id
    id=$(json GET /auth/tokens | jq -r '.tokens[0].id')
    mint
    verb user show al@example.org | grep -q "^  $id  t  last seen"
    verb user revoke al@example.org "$id"
    TOKEN=$first expect 401 unauthorized json GET /auth/me
    expect 200 '' json GET /auth/me
    run verb user revoke al@example.org "$id"
    [ "$status" -eq 1 ]
    verb user revoke al@example.org
    expect 401 unauthorized json GET /auth/me
    TOKEN=$JWT expect 401 unauthorized json GET /auth/me
    expect 200 '' json POST /auth/login -d "{\"email\":\"al@example.org\",\"password\":\"$PASSWORD\"}"
    JWT=$(jq -r .token "$T/answer")
    mint
    printf 'another password' | verb user passwd al@example.org --tokens
    expect 401 unauthorized json GET /auth/me
}

@test "an account goes at once with all its objects, if that is asked for" {
    account bo@example.org
    bundle 1000
    push
    account al@example.org
    push
    push
    expect 200 '' json DELETE "/sessions/$ID/versions/1"
    reserve
    [ "$(objects)" = 3 ]
    verb user delete al@example.org --now </dev/null
    [ "$(objects)" = 1 ]
    store_says 403 AccessDenied put "$URL"
    expect 401 unauthorized json GET /auth/me
    verb check
    run verb user show al@example.org
    [ "$status" -eq 1 ]
}

@test "whom the operator removed gets no account until the operator says so" {
    account al@example.org
    run -0 verb user delete al@example.org <<<y
    [[ $output == *'user allow al@example.org'* ]]
    TOKEN= expect 403 account_removed join al@example.org
    TOKEN= expect 403 account_removed join AL@example.org
    TOKEN= expect 201 '' join bo@example.org
    ! sqlite3 "$T/server/server.db" "SELECT * FROM removed" | grep -q example || false
    run -1 verb user allow bo@example.org
    run -0 verb user delete cy@example.org <<<y
    [[ $output == *'there is no account cy@example.org'* ]]
    TOKEN= expect 403 account_removed join cy@example.org
    # The e-mails are the audit table's; without it there is a hash.
    verb user list --removed >"$T/list"
    grep -q '^al@example.org  *since 2[0-9-]*  by e-mail$' "$T/list"
    grep -q '^cy@example.org ' "$T/list"
    [ "$(wc -l <"$T/list")" = 2 ]
    [ "$(verb audit | grep -c 'user list')" = 0 ]
    run -0 verb user allow al@example.org
    TOKEN= expect 201 '' join al@example.org
    # An account that the operator makes needs no other word.
    run -0 verb user delete al@example.org --now <<<y
    run -0 verb user add al@example.org <<<"$PASSWORD"
    TOKEN= expect 200 '' json POST /auth/login -d "{\"email\":\"al@example.org\",\"password\":\"$PASSWORD\"}"
}

@test "a crowd that guesses keeps no known machine from logging in" {
    account al@example.org
    TOKEN=$JWT expect 201 '' json POST /auth/token -d '{"name":"lap","deviceId":"lap-00000001"}'
    local n pids=()
    for n in {1..30}; do
        curl -sS --cacert "$CA" -H 'Content-Type: application/json' -d "{\"email\":\"no$n@example.org\",\"password\":\"wrong horse\"}" \
            "$API/auth/login" "$API/auth/login" "$API/auth/login" >>"$T/guesses" 3>&- &
        pids+=($!)
    done
    for n in 1 2 3 4 5; do
        TOKEN= expect 200 '' json POST /auth/login \
            -d "{\"email\":\"al@example.org\",\"password\":\"$PASSWORD\",\"deviceId\":\"lap-00000001\"}"
    done
    wait "${pids[@]}"
    grep -q busy "$T/guesses"
    ! grep -q '"token"' "$T/guesses"
}

@test "an address that no account is made with any more can be logged in with, and contained" {
    account al@example.org
    sqlite3 "$T/server/server.db" "UPDATE users SET email = 'al@example.org.'"
    run -1 verb user add bo@example.org. <<<"$PASSWORD"
    TOKEN= expect 200 '' json POST /auth/login -d "{\"email\":\"al@example.org.\",\"password\":\"$PASSWORD\"}"
    run -0 verb user show al@example.org.
    run -0 verb user disable al@example.org.
    expect 401 unauthorized json GET /auth/me
    run -0 verb user delete al@example.org. <<<y
}

@test "no token lives longer than the settings let it" {
    restart 'max_token_days = 10;'
    account al@example.org
    [ "$(json GET /auth/tokens | jq -r '.tokens[0].expiresAt[:10]')" = "$(date -u -d '+10 days' +%F)" ]
    mint 5d
    [ "$(json GET /auth/tokens | jq -r '.tokens[0].expiresAt[:10]')" = "$(date -u -d '+5 days' +%F)" ]
    # One from before that, too.
    sqlite3 "$T/server/server.db" "UPDATE tokens SET expires_ms = 0, created_ms = created_ms - 10 * 86400000"
    expect 401 unauthorized json GET /auth/me
}
