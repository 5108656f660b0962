#!/usr/bin/env bats
# storage = "s3" on a store that calls itself compatible and is odd (tests/e2e/tools/odd_s3.py); real
# ones are in s3_*.bats.

bats_require_minimum_version 1.5.0
load lib
load server_lib

SECRET=hush+hush/hush

setup() { make_home; }
teardown() {
    [ -z "${STORE_PID:-}" ] || kill "$STORE_PID"
    end_home
}

# serve_on MODE [SETTINGS]: a server on top of such a store
serve_on() {
    python3 -S "$CT_SRC/tests/e2e/tools/odd_s3.py" "$1" "$SECRET" >"$T/port" 3>&- &
    STORE_PID=$!
    within test -s "$T/port"
    STORE=http://127.0.0.1:$(cat "$T/port")
    settings "${2:-}"
    start_server
    account al@example.org
    bundle 1000
}

settings() {
    printf '%s\n' "storage = \"s3\"; s3_endpoint = \"$STORE\"; s3_bucket = \"sessions\"; s3_key_id = \"id-of-key\";" \
        "s3_secret = \"$SECRET\"; allow_plain_http = true; tls = \"off\"; $1" >"$XDG_CONFIG_HOME/codeteleport/server.conf"
    chmod 600 "$XDG_CONFIG_HOME/codeteleport/server.conf"
}

# bound_push: with MD5 and what else the server wants sent
bound_push() {
    reserve ".md5 = \"$MD5\""
    mapfile -t HEADERS < <(jq -r '.uploadHeaders | to_entries[] | "-H", "\(.key): \(.value)"' "$T/answer")
    store_says 200 '' put "$URL" "${HEADERS[@]}"
    expect 200 '' confirm
}

check() { run "$1" codeteleport-server --data "$T/server" check; }

@test "a store that refuses x-amz-checksum is found out, with its own words and the cure, and works" {
    serve_on refusing
    check -1
    [[ $output == *'400 InvalidArgument: x-amz-checksum-sha256 is not supported here'*'set s3_checksums = false'* ]]
    [[ $output != *hush* && $output != *id-of-key* ]]
    ! grep -qE '[0-9a-f]{64}' <<<"$output" || false
    grep -q 'store-trial-failed .*set s3_checksums = false' "$T/server.log"
    ! grep -q hush "$T/server.log" || false
    # Its ETags look like an MD5 and are none; numbers go up one by one.
    stop_server
    settings 's3_checksums = false;'
    : >"$T/server.log"
    start_server
    ! grep -q store-trial-failed "$T/server.log" || false
    for VERSIONS in '1' '2 1' '3 2 1'; do
        bundle 1000
        bound_push
        [ "$(listed)" = "$VERSIONS" ]
    done
    check -0
    codeteleport-server --data "$T/server" check --full
}

@test "what a store says of an object's SHA-256 counts at the confirm, and all of it is read by check --full" {
    serve_on telling
    bound_push
    check -0
    local key
    reserve
    key=${URL%%\?*}
    head -c 1000 /dev/urandom >"$T/other"
    curl -sSf -o /dev/null -T "$T/other" "$key"
    expect 409 not_uploaded confirm
    bundle 1000
    bound_push
    curl -sSf -o /dev/null -T "$T/other" "${URL%%\?*}"
    check -0
    run -1 codeteleport-server --data "$T/server" check --full
    [[ $output == *"checksum bundles/"* ]]
}

@test "a store that does not look at digests is said to be one" {
    serve_on careless
    check -1
    [[ $output == *'Content-MD5'* ]]
    bound_push
}

@test "a store without TLS behind an API with it is said before a client is refused" {
    serve_on telling 'registration = "open"; public_api_url = "https://api.example.org";'
    grep -q 'objects-out-of-reach .*set s3_endpoint to that https' "$T/server.log"
    check -1
    [[ $output == *"refuse to be sent to $STORE"* ]]
    stop_server
    printf 'tls = "off"; public_api_url = "https://api.example.org"; registration = "open";\n' >"$XDG_CONFIG_HOME/codeteleport/server.conf"
    run -1 codeteleport-server --data "$T/other" check
    [[ $output == *'set public_objects_url'* ]]
}
