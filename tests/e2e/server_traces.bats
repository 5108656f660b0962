#!/usr/bin/env bats
# What the server remembers of who did what: access log, audit table, failed log-ins; and what
# holders of accounts do with them.

load lib
load server_lib

setup_file() {
    set -a
    make_home
    echo 'metrics = "127.0.0.1:0";' >"$XDG_CONFIG_HOME/codeteleport/server.conf"
    start_server
    METRICS=$(sed -n 's/^metrics=//p' "$T/ready")
    set +a
}
teardown_file() { end_home; }
teardown() { sql "DROP TRIGGER IF EXISTS no_traces"; }
setup() {
    : >"$T/server.log"
    NAME=u$BATS_TEST_NUMBER@example.org
}

verb() { codeteleport-server --data "$T/server" "$@"; }
sql() { sqlite3 "$T/server/server.db" "$@"; }

# events EMAIL: in the audit table, on one line
events() { verb audit --json | jq -rs --arg e "$1" '[.[] | select(.email == $e) | .event] | join(" ")'; }

# me MEMBER: of what the server says of the account
me() { json GET /account | jq -r ".$1"; }

# hold VERB [MEMBERS]: a holder's request, with the right password
hold() { json POST "/account/$1" -d "{\"password\":\"$PASSWORD\"${2:+,$2}}"; }

@test "an access line says user, token and session, and dates are whole" {
    account "$NAME"
    local user token
    user=$(me id)
    token=$(json GET /auth/tokens | jq -r '.tokens[0].id')
    bundle 100
    push
    within grep -qE "^20[0-9-]{8}T[0-9:.]{12}Z codeteleport-server: request listener=api client=127.0.0.1 user=$user token=$token session=$ID method=\"POST\" route=/v1/sessions/upload " "$T/server.log"
    within grep -q "listener=api .*session=$ID .*route=/v1/sessions/:id/confirm" "$T/server.log"
    within grep -q "listener=objects client=127.0.0.1 user=$user session=$ID method=\"PUT\"" "$T/server.log"
    TOKEN=$JWT expect 404 not_found json GET '/sessions/x%0Ay%20token=z/versions'
    ! grep -q 'token=z' "$T/server.log"
}

@test "a failed log-in names an e-mail only if it is an account's, and fail2ban's rule finds it" {
    account "$NAME"
    TOKEN= expect 401 '' json POST /auth/login -d "{\"email\":\"$NAME\",\"password\":\"wrong horse\"}"
    for i in 1 2; do
        TOKEN= expect 401 '' json POST /auth/login -d '{"email":"Tr0ub4dor&3@x","password":"wrong horse"}'
    done
    grep -q "login-failed client=127.0.0.1 reason=invalid_credentials email=\"$NAME\"" "$T/server.log"
    ! grep -qi 'Tr0ub4dor' "$T/server.log" || false
    [ "$(grep -oE 'email_hash=[0-9a-f]{16}' "$T/server.log" | sort | uniq -c | awk '{print $1}')" = 2 ]
    # The rule as the manual has it.
    local rule
    rule=$(sed -n 's/^failregex = //p' "$CT_SRC/man/codeteleport-server.8" | sed 's/\\e/\\/g')
    [ -n "$rule" ]
    [ "$(grep -cE "${rule//<HOST>/[0-9a-f.:]+}" "$T/server.log")" = 3 ]
    if command -v fail2ban-regex; then
        fail2ban-regex "$T/server.log" "$rule" | grep -q '3 matched'
    fi
}

@test "the audit table has log-ins, tokens, deletions and verbs, and nobody changes it" {
    account "$NAME"
    bundle 100
    push
    expect 200 '' json DELETE "/sessions/$ID"
    TOKEN= expect 200 '' json POST /auth/login -d "{\"email\":\"$NAME\",\"password\":\"$PASSWORD\"}"
    verb user disable "$NAME"
    verb user show "$NAME"
    verb user enable "$NAME"
    [ "$(events "$NAME")" = 'registered token-made session-deleted log-in verb verb' ]
    verb audit --json | jq -se --arg e "$NAME" 'map(select(.email == $e)) |
        (.[2] | .detail | test("^session=")) and .[2].token != null and .[2].client == "127.0.0.1" and
        (.[4] | .detail == "user disable \($e)" and (.client | test("^uid=[0-9]+ ")))'
    [ "$(verb audit --since 2999-01-01 | wc -l)" = 0 ]
    [ "$(verb audit --since 1d | wc -l)" = "$(verb audit | wc -l)" ]
    run verb audit --since yesterday
    [ "$status" -eq 64 ]
    grep -q "audit event=session-deleted client=127.0.0.1 user=$(me id) token=[0-9a-f-]* detail=\"session=$ID\"" "$T/server.log"
    run sql "UPDATE audit SET event = 'nothing'"
    [[ $output == *'stays as it is'* ]]
    run sql "INSERT OR REPLACE INTO audit(id, at_ms, event) VALUES (1, 1, 'nothing')"
    [[ $output == *'stays as it is'* ]]
    run sql "DELETE FROM audit"
    [[ $output == *'stays for 400 days'* ]]
    # What is older than that may go, when it is time to.
    sql "INSERT INTO audit(at_ms, event) VALUES (1000, 'old')"
    sql "DELETE FROM audit WHERE event = 'old'"
}

# books: what acts change, as it is
books() {
    sql "SELECT id, email, password, generation FROM users; SELECT id FROM tokens; SELECT id FROM devices;
        SELECT session_id, current_version FROM sessions; SELECT session_id, version, state FROM versions;
        SELECT count(*) FROM audit"
}

@test "nobody acts without a trace: what can't be written down is not done" {
    account "$NAME"
    bundle 100
    push
    push
    push
    expect 200 '' json DELETE "/sessions/$ID/versions/1"
    TOKEN=$JWT expect 201 '' json POST /auth/token -d '{"name":"lap","deviceId":"lap-00000001"}'
    local token device
    token=$(jq -r .id "$T/answer")
    device=$(json GET /devices | jq -r '.devices[0].id')
    sql "CREATE TRIGGER no_traces BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'the pen is dry'); END"
    books >"$T/before"
    nothing() {
        expect 503 busy "$@"
        books | diff "$T/before" -
    }
    TOKEN= nothing json POST /auth/register -d "{\"email\":\"new.$NAME\",\"password\":\"$PASSWORD\"}"
    TOKEN=$JWT nothing json POST /auth/token -d '{"name":"t","deviceId":"lap-00000002"}'
    nothing json DELETE "/auth/tokens/$token"
    nothing json DELETE "/devices/$device"
    nothing json DELETE "/sessions/$ID"
    nothing json DELETE "/sessions/$ID/versions/2"
    nothing json POST "/sessions/$ID/undelete" -d '{"version":1}'
    nothing hold password '"newPassword":"new horse battery","endTokens":true'
    nothing hold logout-all
    nothing hold delete
    for v in "user disable $NAME" "user revoke $NAME" "user revoke $NAME $token" "user revoke $NAME $device" \
        "user delete $NAME --now" "undelete $NAME $ID" "invite" "adopt $ID=new.$NAME"; do
        run verb $v <<<yes
        [ "$status" -eq 1 ]
        [[ $output == *'the pen is dry'* ]]
        books | diff "$T/before" -
    done
    for v in "passwd $NAME --tokens" "add new.$NAME"; do
        run verb user $v <<<'new horse battery'
        [ "$status" -eq 1 ]
        books | diff "$T/before" -
    done
    grep -q 'the pen is dry' "$T/server.log"
    # A log-in changes nothing, and its trace waits.
    TOKEN= expect 200 '' json POST /auth/login -d "{\"email\":\"$NAME\",\"password\":\"$PASSWORD\"}"
    [ "$(sed -n '/the pen is dry/,$p' "$T/server.log" | grep 'audit event=' | grep -vc 'event=log-in')" = 0 ]
    sql "DROP TRIGGER no_traces"
    expect 200 '' hold delete '"now":true'
    [ "$(sql "SELECT event FROM audit ORDER BY id DESC LIMIT 1")" = account-deleted ]
}

@test "whoever makes tokens is stopped, and what is done after that has its trace" {
    account "$NAME"
    bundle 100
    push
    push
    for i in {1..29}; do mint; done
    TOKEN=$JWT expect 429 too_many_attempts json POST /auth/token -d '{"name":"t"}'
    grep -qi '^retry-after: [0-9]' "$T/head"
    # By that log-in: another one has its own, and what ends all of it is never refused.
    log_in_anew
    mint
    expect 200 '' json DELETE "/sessions/$ID/versions/1"
    expect 200 '' json DELETE "/sessions/$ID"
    expect 200 '' json POST "/sessions/$ID/undelete"
    TOKEN=$JWT expect 200 '' hold logout-all
    [[ $(events "$NAME") == *'log-in token-made version-deleted session-deleted undeleted logged-out-everywhere' ]]
    # Traces are on the disk, too.
    verb user show "$NAME" | grep -qE '^  traces +37 '
}

# mints N: so many tokens by $JWT
mints() {
    local urls=()
    for ((i = 0; i < $1; i++)); do urls+=(-o /dev/null "$API/auth/token"); done
    curl -sS --cacert "$CA" -H "Authorization: Bearer $JWT" -H 'Content-Type: application/json' -d '{"name":"t"}' \
        -w '%{http_code}\n' "${urls[@]}" | sort | uniq -c | sed 's/^ *//'
}

@test "whoever uses up the tokens of an hour keeps the holder from none once that has ended" {
    account "$NAME"
    [ "$(mints 29)" = '29 201' ]
    for n in 30 30; do
        log_in_anew
        [ "$(mints $n)" = "$n 201" ]
    done
    log_in_anew
    [ "$(mints 20)" = "$(printf '10 201\n10 429')" ]
    TOKEN=$JWT expect 200 '' hold password '"newPassword":"new horse battery","endTokens":true'
    TOKEN= expect 200 '' json POST /auth/login -d "{\"email\":\"$NAME\",\"password\":\"new horse battery\"}"
    JWT=$(jq -r .token "$T/answer")
    [ "$(mints 1)" = '1 201' ]
}

# drip TOKEN BODY GO: a request for a token, of which all but the last byte is sent at once, and that
# one when the file GO is there; its status
drip() {
    local port=${API##*:}
    python3 - "${port%%/*}" "$CA" "$@" <<'PY'
import os, socket, ssl, sys, time
port, ca, token, body, go = sys.argv[1:]
s = ssl.create_default_context(cafile=ca).wrap_socket(socket.create_connection(("127.0.0.1", int(port))), server_hostname="127.0.0.1")
s.sendall((f"POST /v1/auth/token HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
           f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body[:-1]}").encode())
open(go + ".begun", "w").close()
while not os.path.exists(go):
    time.sleep(0.1)
time.sleep(1.1)
s.sendall(body[-1:].encode())
print(s.recv(4096).decode().split()[1])
PY
}

@test "a request that was held back is no way around the end of a log-in" {
    account "$NAME"
    local stolen=$JWT
    drip "$stolen" '{"name":"thief"}' "$T/go" >"$T/drip" 3>&- &
    local pid=$!
    within test -e "$T/go.begun"
    log_in_anew
    TOKEN=$JWT expect 200 '' hold logout-all
    touch "$T/go"
    wait "$pid"
    [ "$(cat "$T/drip")" = 401 ]
    [ "$(sql "SELECT count(*) FROM tokens WHERE name = 'thief'")" = 0 ]
}

@test "a holder changes the password, which ends log-ins, and tokens if asked" {
    account "$NAME"
    local first=$TOKEN jwt=$JWT
    mint
    expect 403 wrong_password json POST /account/password -d '{"password":"wrong horse","newPassword":"new horse battery"}'
    expect 422 password_required json POST /account/password -d '{"newPassword":"new horse battery"}'
    expect 422 invalid json POST /account/password -d "{\"password\":\"$PASSWORD\",\"newPassword\":\"short\"}"
    expect 200 '' hold password '"newPassword":"new horse battery"'
    TOKEN=$jwt expect 401 unauthorized json GET /auth/me
    TOKEN=$first expect 200 '' json GET /auth/me
    PASSWORD='new horse battery'
    expect 200 '' hold password '"newPassword":"newer horse battery","endTokens":true'
    TOKEN=$first expect 401 unauthorized json GET /auth/me
    expect 200 '' json GET /auth/me
    TOKEN= expect 401 '' json POST /auth/login -d "{\"email\":\"$NAME\",\"password\":\"$PASSWORD\"}"
    PASSWORD='newer horse battery'
    TOKEN= expect 200 '' json POST /auth/login -d "{\"email\":\"$NAME\",\"password\":\"$PASSWORD\"}"
}

# log_in_anew: another log-in than $JWT, whose text is the same within a second
log_in_anew() {
    local former=$JWT
    another() {
        TOKEN= expect 200 '' json POST /auth/login -d "{\"email\":\"$NAME\",\"password\":\"$PASSWORD\"}"
        [ "$(jq -r .token "$T/answer")" != "$former" ]
    }
    within another
    JWT=$(jq -r .token "$T/answer")
}

@test "whoever has a stolen token or log-in guesses no password with it" {
    account "$NAME"
    local stolen login=$JWT
    stolen=$TOKEN
    for TOKEN in "$stolen" "$login"; do
        for i in {1..10}; do
            expect 403 wrong_password json POST /account/delete -d "{\"password\":\"guess number $i\"}"
        done
        expect 429 too_many_attempts hold delete
    done
    # Nor with more tokens that it makes: thirty of them all.
    for n in 1 2; do
        JWT=$login mint
        for i in {1..10}; do
            expect 403 wrong_password json POST /account/delete -d "{\"password\":\"guess number $i\"}"
        done
    done
    JWT=$login mint
    expect 429 too_many_attempts hold delete
    # The holder ends them all the same, by a log-in.
    log_in_anew
    TOKEN=$JWT expect 200 '' hold logout-all
    TOKEN=$stolen expect 401 unauthorized json GET /auth/me
    TOKEN=$login expect 401 unauthorized json GET /auth/me
    TOKEN= expect 200 '' json POST /auth/login -d "{\"email\":\"$NAME\",\"password\":\"$PASSWORD\"}"
}

@test "a holder ends all log-ins and tokens but one, and deletes the account" {
    account "$NAME"
    local first=$TOKEN
    mint
    bundle 100
    push
    expect 200 '' hold logout-all
    TOKEN=$first expect 401 unauthorized json GET /auth/me
    TOKEN=$JWT expect 401 unauthorized json GET /auth/me
    [ "$(me sessions) $(me bytes)" = '1 100' ]
    [ "$(me tracesBytes)" -gt 0 ]
    expect 200 '' hold delete '"now":true'
    expect 401 unauthorized json GET /auth/me
    TOKEN= expect 401 '' json POST /auth/login -d "{\"email\":\"$NAME\",\"password\":\"$PASSWORD\"}"
    ! verb user list | grep "$NAME" || false
    verb audit --json --since 1d | jq -se --arg e "$NAME" 'any(.[]; .event == "account-deleted" and .detail == "objects=now" and .email == $e)'
    verb gc
    [ "$(objects)" = "$(sql "SELECT count(*) FROM versions WHERE state <> 'reserved'")" ]
}

@test "a disabled account ends at once: log-ins, tokens and URLs" {
    account "$NAME"
    bundle 100
    push
    local url
    url=$(json GET "/sessions/$ID/download" | jq -r .downloadUrl)
    reserve
    verb user disable "$NAME"
    expect 401 unauthorized json GET /auth/me
    TOKEN=$JWT expect 401 unauthorized json GET /auth/me
    store_says 403 AccessDenied put "$URL"
    store_says 403 AccessDenied object GET "$url"
    TOKEN= expect 403 account_disabled json POST /auth/login -d "{\"email\":\"$NAME\",\"password\":\"$PASSWORD\"}"
    verb user enable "$NAME"
    expect 200 '' json GET /auth/me
}

@test "HEAD answers like GET without a body, and 405 says what is allowed" {
    account "$NAME"
    curl -sS --cacert "$CA" -I -H "Authorization: Bearer $TOKEN" "$API/auth/me" >"$T/head"
    grep -q '^HTTP/1.1 200' "$T/head"
    grep -qiE '^content-length: [1-9]' "$T/head"
    curl -sS --cacert "$CA" -I "$API/auth/me" | grep -q '^HTTP/1.1 401'
    curl -sS --cacert "$CA" -I "${API%/v1}/healthz" | grep -q '^HTTP/1.1 200'
    expect 405 method_not_allowed json PUT /auth/me
    grep -qi $'^allow: GET, HEAD\r$' "$T/head"
    expect 405 method_not_allowed json PATCH "/sessions/$ID"
    grep -qi $'^allow: DELETE\r$' "$T/head"
    store_says 405 MethodNotAllowed object POST "$OBJECTS/codeteleport/x"
    grep -qi $'^allow: PUT, GET, HEAD, DELETE\r$' "$T/head"
    bundle 100
    push
    local url
    url=$(json GET "/sessions/$ID/download" | jq -r .downloadUrl)
    # It is signed for GET; a HEAD has to be signed as one.
    store_says 403 '' object HEAD "$url" -I
}

@test "whoever guesses at an account locks others out, but no machine that it knows" {
    local device=0123456789abcdef0123456789abcdef
    account "$NAME"
    TOKEN=$JWT
    expect 201 '' json POST /auth/token -d "{\"deviceId\":\"$device\"}"
    TOKEN=
    for i in {1..10}; do
        expect 401 '' json POST /auth/login -d "{\"email\":\"$NAME\",\"password\":\"wrong horse\"}"
    done
    expect 429 too_many_attempts json POST /auth/login -d "{\"email\":\"$NAME\",\"password\":\"$PASSWORD\"}"
    expect 429 too_many_attempts json POST /auth/login -d "{\"email\":\"$NAME\",\"password\":\"$PASSWORD\",\"deviceId\":\"${device}0\"}"
    expect 200 '' json POST /auth/login -d "{\"email\":\"$NAME\",\"password\":\"$PASSWORD\",\"deviceId\":\"$device\"}"
    # Its own attempts count, too.
    for i in {1..10}; do
        expect 401 '' json POST /auth/login -d "{\"email\":\"$NAME\",\"password\":\"wrong horse\",\"deviceId\":\"$device\"}"
    done
    expect 429 too_many_attempts json POST /auth/login -d "{\"email\":\"$NAME\",\"password\":\"$PASSWORD\",\"deviceId\":\"$device\"}"
}

# metric SERIES: its value
metric() { curl -sS "$METRICS" | awk -v s="codeteleport_$1" '$1 == s { print $2 }'; }

@test "Prometheus gets numbers of the whole server, and no user is in them" {
    account "$NAME"
    local puts sessions
    puts=$(metric 'requests_total{listener="objects",code="2xx"}')
    sessions=$(metric sessions)
    bundle 1000
    ID=metrics push
    within test "$(metric 'requests_total{listener="objects",code="2xx"}')" = $((puts + 1))
    [ "$(metric sessions)" = $((sessions + 1)) ]
    [ "$(metric users)" = "$(verb user list | wc -l)" ]
    [ "$(metric 'stored_bytes{state="confirmed"}')" = "$(sql "SELECT sum(size_bytes) FROM versions WHERE state = 'confirmed'")" ]
    [ "$(metric 'request_seconds_count{listener="api"}')" -ge 3 ]
    [ "$(metric 'received_bytes_total{listener="objects"}')" -ge 1000 ]
    [ "$(metric disk_free_bytes)" -gt 0 ]
    [ "$(metric purge_lag_seconds)" = 0 ]
    curl -sS "$METRICS" >"$T/metrics"
    ! grep -qE "$(me id)|@|metrics\"" "$T/metrics" || false
    # All of them go on over a reload.
    kill -HUP "$SERVER_PID"
    within grep -q ': reloaded' "$T/server.log"
    [ "$(metric 'requests_total{listener="objects",code="2xx"}')" -gt "$puts" ]
    [ "$(curl -sS -o /dev/null -w '%{http_code}' "${METRICS%/metrics}/")" = 404 ]
    [ "$(curl -sS -o /dev/null -w '%{http_code}' -d x "$METRICS")" = 405 ]
    # It never listens where others could come.
    echo 'metrics = "0.0.0.0:0";' >"$T/other.conf"
    run codeteleport-server -c "$T/other.conf" --data "$T/other"
    [ "$status" -eq 78 ]
    [[ $output == *metrics*loopback* ]]
}

# ask_json FILE PATH: POST it as nobody; the status goes to stdout
ask_json() { curl -sS --cacert "$CA" -H 'Content-Type: application/json' -H 'Expect:' -o /dev/null -w '%{http_code}\n' --data-binary "@$1" "$API$2"; }

@test "what nobody sends takes no memory that others need" {
    # Each value of JSON costs a hundred times what it takes on the wire.
    python3 -S -c 'print("[" + "{}," * 340000 + "{}]", end="")' >"$T/large"
    python3 -S -c 'print("[" + "{}," * 5000 + "{}]", end="")' >"$T/many"
    python3 -S -c "print('{\"email\":\"' + ',' * 9000 + '\"}', end='')" >"$T/string"
    local i
    for i in 1 2 3 4 5 6 7 8; do
        ask_json "$T/large" /auth/login >>"$T/statuses" 3>&- &
        ask_json "$T/many" /auth/register >>"$T/statuses" 3>&- &
        pids[i]=$!
    done
    wait
    [ "$(sort "$T/statuses" | uniq -c | tr -s ' \n' ' ')" = ' 8 400 8 413 ' ]
    [ "$(ask_json "$T/string" /auth/login)" = 422 ]
    # An upload may have as many as metadata has, and not what fills the memory.
    account "$NAME"
    TOKEN= expect 401 unauthorized json POST /sessions/upload --data-binary "@$T/many"
    expect 400 bad_json json POST /sessions/upload --data-binary "@$T/large"
    # Under sanitizers memory is not its own.
    [ "${CT_SANITIZERS:-no}" != no ] ||
        [ "$(awk '/^VmHWM/ { print $2 }' "/proc/$SERVER_PID/status")" -lt 150000 ]
}

# stall N BYTES TOKEN...: N uploads with each token whose body ends before its last byte; in the
# background until there is a file $T/enough
stall() {
    python3 -S - "$API_PORT" "$CA" "$T/stalled" "$T/enough" "$@" 3>&- <<'PY' &
import os, socket, ssl, sys, time
port, ca, ready, enough, n, size = sys.argv[1:7]
context = ssl.create_default_context(cafile=ca)
held = []
for token in sys.argv[7:]:
    head = ("POST /v1/sessions/upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token +
            "\r\nContent-Type: application/json\r\nContent-Length: " + str(int(size) + 999) + "\r\n\r\n").encode()
    for _ in range(int(n)):
        s = context.wrap_socket(socket.create_connection(("127.0.0.1", int(port))), server_hostname="127.0.0.1")
        held.append(s)
        try:
            s.sendall(head + b" " * int(size))
        except OSError:
            pass  # refused
open(ready, "w").close()
for _ in range(600):
    if os.path.exists(enough):
        break
    time.sleep(0.1)
PY
    STALL_PID=$!
    within test -e "$T/stalled"
}

@test "stalled requests with what was stolen, token or log-in, keep its holder from nothing" {
    account "$NAME"
    local stolen=$JWT
    mint
    # As many as a user may have, with the log-in and with a token that it made.
    stall 30 1 "$stolen" "$TOKEN"
    for TOKEN in "$TOKEN" "$stolen"; do
        within sh -c "curl -sS --cacert '$CA' -H 'Authorization: Bearer $TOKEN' '$API/auth/me' | grep too_many_requests"
    done
    log_in_anew
    TOKEN=$JWT expect 200 '' hold logout-all
    touch "$T/enough"
    wait "$STALL_PID"
    TOKEN=$stolen expect 401 unauthorized json GET /auth/me
}

@test "bodies that one user leaves unfinished take no room of others" {
    account "$NAME"
    local mine=$TOKEN
    mint
    stall 22 990000 "$mine" "$TOKEN"
    account "bo.$NAME"
    printf '{"pad":"%40000s"}' '' >"$T/body"
    expect 422 invalid json POST /sessions/upload -d "@$T/body"
    touch "$T/enough"
    wait "$STALL_PID"
}

@test "whoever guesses at the own account keeps nobody else from logging in" {
    account "$NAME"
    local i n=0 pids=()
    for i in 1 2 3; do
        mint
        for n in {1..9}; do
            curl -sS --cacert "$CA" -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \
                -d '{"password":"wrong horse"}' -o /dev/null -w '%{http_code}\n' "$API/account/logout-all" >"$T/guess.$i.$n" 3>&- &
            pids+=($!)
        done
    done
    TOKEN= expect 201 '' json POST /auth/register -d "{\"email\":\"bo.$NAME\",\"password\":\"$PASSWORD\"}"
    TOKEN= expect 200 '' json POST /auth/login -d "{\"email\":\"bo.$NAME\",\"password\":\"$PASSWORD\"}"
    wait "${pids[@]}"
    # Two at a time: the others were told to come again, and none that the server is busy.
    [ "$(cat "$T"/guess.* | grep -cvE '403|429')" = 0 ]
    expect 403 wrong_password json POST /account/delete -d '{"password":"wrong horse"}'
}
