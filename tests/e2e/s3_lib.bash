# What the end-to-end tests of real S3 servers share, each with its BACKEND.

load backend

# A server on top of the store, and an account.
setup() {
    home_at_backend
    conf 'quiet = 0.3; turn_quiet = 0.1; distance = 0; longest_wait = 5; allow_plain_http = true;'
    printf '%s\n' "$S3_SECRET" >"$T/secret"
    chmod 600 "$T/secret"
    cat >"$XDG_CONFIG_HOME/codeteleport/server.conf" <<CONF
storage = "s3"; s3_endpoint = "$S3_ENDPOINT"; s3_region = "$S3_REGION"; s3_bucket = "$S3_BUCKET";
s3_key_id = "$S3_KEY_ID"; s3_secret_file = "$T/secret"; allow_plain_http = true; tls = "off";
CONF
    start_server
    account al@example.org
    bundle 100000
}

# s3_sign METHOD KEY [NAME=VALUE...]: a URL with the store's own key, by another implementation
s3_sign() {
    local method=$1 key=$2
    shift 2
    python3 -S "$CT_SRC/tests/server/sigv4_oracle.py" --id "$S3_KEY_ID" --secret "$S3_SECRET" \
        --region "$S3_REGION" "$method" "$S3_ENDPOINT" "/$S3_BUCKET/$key" "$@"
}

# key_of URL: the object's
key_of() { sed 's|.*/\(bundles/[^?]*\).*|\1|' <<<"$1"; }

# stock_put URL [CURL ARGUMENTS]: $T/bundle, as put, but without waiting for a 100
stock_put() {
    local url=$1
    shift
    put "$url" -H 'Expect:' "$@"
}

# own_put URL FILE [CURL ARGUMENTS]: with the headers that the server asked for
own_put() {
    local url=$1 file=$2
    shift 2
    object PUT "$url" -T "$file" -H 'Content-Type: application/gzip' -H 'Expect:' "${HEADERS[@]}" "$@"
}

# reserve_bound: ask for a URL that binds the MD5; HEADERS is set
reserve_bound() {
    reserve ".md5 = \"$MD5\""
    mapfile -t HEADERS < <(jq -r '.uploadHeaders | to_entries[] | "-H", "\(.key): \(.value)"' "$T/answer")
}

# refused COMMAND...: the store says 4xx.  One that refuses before it has read the body may hang up on
# who still sends, and a simulator may then stumble (500); it has said nothing then, and is asked
# again.  Whether something was stored is looked at by the caller.
refused() {
    local tries
    for tries in 1 2 3 4 5; do
        : >"$T/object"
        "$@" || true
        grep -qE '^(000|500)$' "$T/status" || break
        echo "no answer ($(cat "$T/status")), try $tries"
    done
    grep -q '^4..$' "$T/status" || {
        echo "not refused ($(cat "$T/status")): $*"
        return 1
    }
}

not_stored() { store_says 404 '' object GET "$(s3_sign GET "$1")"; }

daemon_goes_round() {
    log_in me@example.org
    id=$(new_id)
    t=$(transcript "$id")
    line one >"$t"
    start_daemon
    ctctl sync --wait --timeout 60
    bundle_equals "$id" "$t"
    head -c 3000000 /dev/urandom | base64 -w 0 | sed 's/^/{"type":"user","x":"/; s/$/"}\n/' >>"$t"
    # New settings are read in between; where the objects are needs a restart.
    kill -HUP "$SERVER_PID"
    within grep -q ' reloaded$' "$T/server.log"
    ctctl sync --wait --timeout 60
    versions_are "$id" 2
    bundle_equals "$id" "$t"
    mkdir "$HOME/elsewhere"
    CLAUDE_CONFIG_DIR=$T/other ctctl pull "$id" --target-dir "$HOME/elsewhere" >"$T/pull.log"
    [ "$(wc -l <"$t")" = "$(cat "$T"/other/projects/*/"$id.jsonl" | wc -l)" ]
    # No byte of it lies with the API.
    [ ! -e "$T/server/objects" ]
}

forged_is_refused() {
    reserve_bound
    key=$(key_of "$URL")
    head -c 99999 "$T/bundle" >"$T/short"
    # with another last byte, whatever that is
    { head -c 99999 "$T/bundle" && if tail -c 1 "$T/bundle" | grep -qa x; then printf y; else printf x; fi; } >"$T/other"
    refused own_put "${URL/.v1.tar.gz/.v2.tar.gz}" "$T/bundle"
    refused own_put "${URL/X-Amz-Expires=300/X-Amz-Expires=3000}" "$T/bundle"
    refused own_put "$(sed 's/\(Signature=.\{10\}\)./\1x/' <<<"$URL")" "$T/bundle"
    refused own_put "${URL%?}" "$T/bundle"
    refused own_put "$URL" "$T/short"
    refused own_put "$URL" "$T/bundle" -H 'Content-Type: text/html'
    refused stock_put "$URL"
    refused stock_put "$URL" -H "Content-MD5: $(openssl dgst -md5 -binary "$T/other" | base64)"
    refused own_put "$URL" "$T/other"
    refused object GET "$URL"
    refused object DELETE "$URL"
    refused own_put "$(s3_sign PUT "$key" --at $(($(date +%s) - 301)))" "$T/bundle"
    refused own_put "$(s3_sign PUT "$key" --secret wrong)" "$T/bundle"
    refused own_put "${URL%%\?*}" "$T/bundle"
    not_stored "$key"
    expect 409 not_uploaded confirm
    # And the honest one goes through afterwards.
    store_says 200 '' own_put "$URL" "$T/bundle"
    expect 200 '' confirm
    expect 200 '' json GET "/sessions/$ID/download"
    get=$(jq -r .downloadUrl "$T/answer")
    store_says 200 '' object GET "$get"
    cmp "$T/object" "$T/bundle"
    refused object GET "${get/.v1.tar.gz/.v2.tar.gz}"
    refused object DELETE "$get"
    store_says 206 '' object GET "$get" -H 'Range: bytes=10-19'
    cmp "$T/object" <(tail -c +11 "$T/bundle" | head -c 10)
}

stock_client_goes_round() {
    reserve
    [ "$(jq -c .uploadHeaders "$T/answer")" = '{}' ]
    store_says 200 '' stock_put "$URL"
    expect 200 '' json POST "/sessions/$ID/confirm"
    [ "$(listed)" = 1 ]
}

confirm_looks_into_the_store() {
    reserve_bound
    key=$(key_of "$URL")
    expect 409 not_uploaded confirm
    # Somebody else's bytes, written with the store's own key.
    head -c 99999 "$T/bundle" >"$T/short"
    store_says 200 '' object PUT "$(s3_sign PUT "$key")" -T "$T/short"
    expect 409 not_uploaded confirm
    # It waits in the trash, and the next one is another.
    expect 409 no_reservation confirm
    reserve_bound
    [ "$VERSION" = 2 ]
    store_says 200 '' own_put "$URL" "$T/bundle"
    expect 200 '' confirm
}

# An S3 overwrites what is there: a number whose key is taken must not be given out again.
a_restored_database_overwrites_nothing() {
    push
    codeteleport-server --data "$T/server" backup "$T/copy.db"
    push
    cp "$T/bundle" "$T/second"
    key=$(key_of "$URL")
    stop_server
    rm "$T"/server/server.db*
    cp "$T/copy.db" "$T/server/server.db"
    start_server
    bundle 1000
    push
    [ "$VERSION" -gt 100 ]
    store_says 200 '' object GET "$(s3_sign GET "$key")"
    cmp "$T/object" "$T/second"
    run codeteleport-server --data "$T/server" check
    [[ $output == *"unknown "*v2.tar.gz* ]]
}

# What a restored database has forgotten is fetched, looked at and adopted.
what_was_forgotten_is_adopted() {
    push
    codeteleport-server --data "$T/server" backup "$T/copy.db"
    bundle 100000
    cp "$T/bundle" "$T/second"
    push
    stop_server
    rm "$T"/server/server.db*
    cp "$T/copy.db" "$T/server/server.db"
    start_server
    codeteleport-server --data "$T/server" adopt | tee "$T/said"
    grep -q 'adopted [1-9]' "$T/said"
    store_says 200 '' object GET "$(json GET "/sessions/$ID/download?version=2" | jq -r .downloadUrl)"
    cmp "$T/object" "$T/second"
    [ "$(json GET "/sessions/$ID/download" | jq -r .checksum)" = "$SUM" ]
}

deletion_waits_in_the_trash() {
    reserve_bound
    key=$(key_of "$URL")
    store_says 200 '' own_put "$URL" "$T/bundle"
    expect 200 '' confirm
    expect 200 '' json DELETE "/sessions/$ID"
    codeteleport-server --data "$T/server" gc
    store_says 200 '' object GET "$(s3_sign GET "$key")"
    sqlite3 "$T/server/server.db" "UPDATE versions SET purge_ms = 1"
    codeteleport-server --data "$T/server" gc >"$T/gc"
    grep -q 'removed 1 versions' "$T/gc"
    not_stored "$key"
    # Twice is harmless, and an object that is gone already is no failure.
    codeteleport-server --data "$T/server" gc
}

check_compares_both_ways() {
    push
    user=$(key_of "$URL" | cut -d/ -f2)
    run codeteleport-server --data "$T/server" check # others have been here
    [[ $output != *"$user"* ]]
    store_says 204 '' object DELETE "$(s3_sign DELETE "$(key_of "$URL")")"
    # More than one page of objects that nobody knows.
    s3_sign PUT "bundles/$user/x.v%d.tar.gz" --count 1005 |
        sed "s|.*|url = \"&\"\nupload-file = \"$T/secret\"\noutput = /dev/null|" >"$T/many"
    curl -sSf -Z --parallel-max 8 -H 'Expect:' -K "$T/many"
    run -1 codeteleport-server --data "$T/server" check
    [ "$(grep -c "^unknown bundles/$user/" <<<"$output")" = 1005 ]
    [ "$(grep -c "^missing bundles/$user/" <<<"$output")" = 1 ]
    # They are too young to be removed: an upload may be on its way.
    codeteleport-server --data "$T/server" gc --orphans | grep -q ' 0 objects'
}

a_wrong_secret_is_said_at_start() {
    stop_server
    echo wrong >"$T/secret"
    run -1 codeteleport-server --data "$T/server" --listen 127.0.0.1:0
    [[ $output == *'look at s3_endpoint'* ]]
    [[ $output != *wrong* ]]
}

# let_read ORIGIN: the bucket's rule for pages in browsers
let_read() {
    printf '<CORSConfiguration><CORSRule><AllowedOrigin>%s</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>' \
        "$1" >"$T/rule"
    object PUT "$(s3_sign PUT '' '?cors=')" --data-binary "@$T/rule" -H 'Expect:' -H 'Content-Type:' \
        -H "Content-MD5: $(openssl dgst -md5 -binary "$T/rule" | base64)"
    grep -q '^2..$' "$T/status"
}

# share_one: what is in $T/bundle, for whoever has PAGE
share_one() {
    expect 201 '' json POST /shares -d "{\"sessionId\":\"$ID\",\"sizeBytes\":$SIZE,\"checksum\":\"$SUM\",\"md5\":\"$MD5\",\"expiresIn\":3600}"
    SID=$(jq -r .id "$T/answer")
    mapfile -t HEADERS < <(jq -r '.uploadHeaders | to_entries[] | "-H", "\(.key): \(.value)"' "$T/answer")
    own_put "$(jq -r .uploadUrl "$T/answer")" "$T/bundle"
    grep -q '^2..$' "$T/status"
    expect 200 '' json POST "/shares/$SID/confirm"
}

a_page_reads_what_is_shared() {
    # Cloudflare's simulator is not to be asked by any page, which is no rule of a bucket.
    [ "$(curl -s -H 'Origin: https://share.example.org' "$(s3_sign GET x)")" != 'Invalid Origin header' ] ||
        skip 'this store answers no page at all'
    stop_server
    echo 'share = "127.0.0.1:0"; public_share_url = "https://share.example.org";' \
        >>"$XDG_CONFIG_HOME/codeteleport/server.conf"
    run codeteleport-server --data "$T/server" check
    [ "$status" = 1 ]
    [[ $output == *'does not let the pages of https://share.example.org read'* ]]
    [[ $output == *'"AllowedOrigins": ["https://share.example.org"], "AllowedMethods": ["GET"]'* ]]
    let_read '*'
    codeteleport-server --data "$T/server" check | grep -q 'lets every page in a browser read'
    let_read https://share.example.org
    if codeteleport-server --data "$T/server" check | grep CORS; then false; fi
    start_server
    share_one
    curl -sS -X POST -H 'X-Share: 1' -H 'Content-Length: 0' -o "$T/page" "$(sed -n 's/^share_listen=//p' "$T/ready")/s/$SID"
    URL=$(jq -r .url "$T/page")
    store_says 200 '' object GET "$URL" -H 'Origin: https://share.example.org'
    cmp "$T/object" "$T/bundle"
    # Once it has ended there is nothing, also for who has the URL.
    expect 200 '' json DELETE "/shares/$SID"
    store_says 404 '' object GET "$URL"
    if codeteleport-server --data "$T/server" check | grep -- "/-$SID"; then false; fi
}
