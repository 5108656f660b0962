# What the server's end-to-end tests share, on top of lib.bash: accounts, uploads and raw requests.

ID=11111111-2222-4333-8444-555555555555
PASSWORD='correct horse battery'
MADE=empty # who is there is what these are about

server_home() {
    make_home
    start_server
}

# json METHOD PATH [CURL ARGUMENTS]: a request as ${TOKEN:-nobody} of ${TYPE:-application/json};
# body to stdout, status to $T/status
json() {
    request "$@"
    cat "$T/answer"
}

# request METHOD PATH [CURL ARGUMENTS]: as json, and the body only to $T/answer
request() {
    local method=$1 path=$2
    shift 2
    curl -sS --cacert "$CA" -X "$method" ${TOKEN:+-H "Authorization: Bearer $TOKEN"} \
        -H "Content-Type: ${TYPE:-application/json}" -o "$T/answer" -D "$T/head" -w '%{http_code}\n' "$@" \
        "$API$path" >"$T/status"
}

# expect STATUS CODE COMMAND...: the command's answer has this status and this error code
# It is asked hundreds of times: each program that it starts counts.
expect() {
    local status=$1 code=$2 is head answer
    shift 2
    [ "$1" != json ] || set -- request "${@:2}"
    : >"$T/answer"
    "$@" >/dev/null
    read -r is <"$T/status" || true
    # Every error has its two members.
    [ -z "$code" ] || answer=$(<"$T/answer")
    if [ "$is" != "$status" ] || { [ -n "$code" ] &&
        ! { [[ $answer == *'"message":"'[^\"]* ]] && [ "$(jq -r .error "$T/answer")" = "$code" ]; }; }; then
        echo "expected $status $code, got $is: $*"
        cat "$T/answer"
        return 1
    fi
    # And every answer is JSON.
    head=$(<"$T/head")
    [[ ${head,,} == *$'\n'"content-type: application/json"* ]]
}

# account EMAIL: register, mint an API token; JWT and TOKEN are set
account() {
    TOKEN=
    expect 201 '' json POST /auth/register -d "{\"email\":\"$1\",\"password\":\"$PASSWORD\"}"
    JWT=$(jq -r .token "$T/answer")
    mint
}

# mint [EXPIRES]: a new token of the same account
mint() {
    TOKEN=$JWT
    expect 201 '' json POST /auth/token -d "{\"name\":\"t\",\"expiresIn\":\"${1:-never}\"}"
    TOKEN=$(jq -r .token "$T/answer")
}

# many_days USERS DATABASE [TOKEN]: a server with the settings that are there, whose clock is moved on
# for 57 days while its users work; whatever has grown that shouldn't is said
many_days() {
    local users=$1 lib
    shift
    lib=$(faketime_lib)
    [ -n "$lib" ] || skip "libfaketime is not installed, or these are sanitizers"
    printf '%s\n' 'tls = "off"; trusted_proxy = [ "127.0.0.1" ]; registration = "open"; log = "warn";' \
        'versions_per_session = 3;' >>"$XDG_CONFIG_HOME/codeteleport/server.conf"
    export FAKETIME_TIMESTAMP_FILE=$T/offset FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1
    echo +0d >"$T/offset"
    LD_PRELOAD=$lib start_server
    python3 -S "$CT_SRC/tests/e2e/tools/week.py" "$users" 57 "${API%/v1}" "$SERVER_PID" "$T/server" "$T/offset" "$@" -- \
        env LD_PRELOAD="$lib" codeteleport-server --data "$T/server" gc
}

# bundle N: a file of N random bytes in $T/bundle; SIZE, SUM and MD5 are set
bundle() {
    head -c "$1" /dev/urandom >"$T/bundle"
    describe
}

# describe: the same of a $T/bundle that is there
describe() {
    SIZE=$(stat -c %s "$T/bundle")
    SUM=sha256:$(sha256sum "$T/bundle" | cut -d' ' -f1)
    MD5=$(openssl dgst -md5 -binary "$T/bundle" | base64)
}

# upload_body [JQ-UPDATE]: the request for $T/bundle
upload_body() {
    if [ $# = 0 ] || [ "$1" = . ]; then
        printf '{"sessionId":"%s","sourceMachine":"box","sourceCwd":"/home/al/p","sourceUserDir":"/home/al",%s}' \
            "$ID" "\"sizeBytes\":$SIZE,\"checksum\":\"$SUM\",\"metadata\":{\"messageCount\":2}"
        return
    fi
    jq -nc --arg id "$ID" --arg sum "$SUM" --argjson size "$SIZE" \
        '{sessionId: $id, sourceMachine: "box", sourceCwd: "/home/al/p", sourceUserDir: "/home/al",
          sizeBytes: $size, checksum: $sum, metadata: {messageCount: 2}} | '"${1:-.}"
}

# reserve [JQ-UPDATE]: ask for a URL; URL and VERSION are set
reserve() {
    expect 200 '' json POST /sessions/upload -d "$(upload_body "${1:-.}")"
    URL=$(jq -r .uploadUrl "$T/answer")
    VERSION=$(jq -r .version "$T/answer")
}

# object METHOD URL [CURL ARGUMENTS]: a request to the object store; status to $T/status
object() {
    local method=$1 url=$2
    shift 2
    curl -sS --cacert "$CA" --path-as-is -X "$method" -o "$T/object" -D "$T/head" \
        -w '%{http_code}\n' "$@" "$url" >"$T/status"
}

# put URL [CURL ARGUMENTS]: $T/bundle
put() {
    local url=$1
    shift
    object PUT "$url" -T "$T/bundle" -H 'Content-Type: application/gzip' "$@"
}

# store_says STATUS CODE COMMAND...: S3's words
store_says() {
    local status=$1 code=$2
    shift 2
    local is
    : >"$T/object"
    "$@" || true
    read -r is <"$T/status" || true
    if [ "$is" != "$status" ] ||
        { [ -n "$code" ] && ! grep -q "<Code>$code</Code>" "$T/object"; }; then
        echo "expected $status $code, got $is: $*"
        head -c 500 "$T/object"
        return 1
    fi
}

confirm() {
    json POST "/sessions/$ID/confirm" -d "{\"version\":$VERSION,\"checksum\":\"$SUM\"}"
}

# push [JQ-UPDATE]: all three steps with $T/bundle
push() {
    reserve "${1:-.}"
    store_says 200 '' put "$URL"
    expect 200 '' confirm
}

# listed: the versions, newest first, on one line
listed() {
    local all
    all=$(json GET "/sessions/$ID/versions" | jq -r '.versions[].version')
    echo "${all//$'\n'/ }"
}

# objects: how many files the store holds
objects() { find "$T/server/objects/bundles" -type f | wc -l; }

# sign METHOD PATH [ARGUMENTS]: a URL by another implementation, with the server's own key
sign() {
    local id secret
    read -r id secret <"$T/server/objects.key"
    python3 -S "$CT_SRC/tests/server/sigv4_oracle.py" --id "$id" --secret "$secret" "$@"
}
