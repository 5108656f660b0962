#!/usr/bin/env bats
# The stock client's whole life, with its headers and without our additions, against every word of the
# wire API.

load lib
load server_lib

setup() { server_home; }
teardown() { end_home; }

# stock METHOD PATH STATUS JQ-CONDITION [BODY]: a call as the stock client makes it
stock() {
    local method=$1 path=$2 status=$3 condition=$4
    curl -sS --cacert "$CA" -X "$method" ${TOKEN:+-H "Authorization: Bearer $TOKEN"} \
        -H 'Content-Type: application/json' -H 'X-Client-Version: 0.7.0' ${5:+-d "$5"} \
        -o "$T/answer" -w '%{http_code}' "$API$path" >"$T/status"
    [ "$(cat "$T/status")" = "$status" ] && jq -e "$condition" "$T/answer" >/dev/null || {
        echo "$method $path: $(cat "$T/status") $(cat "$T/answer")"
        return 1
    }
}

@test "a stock client registers, mints, pushes, lists, pulls and deletes" {
    local uuid='test("^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")'
    local time='test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?Z$")'
    local who="{\"email\":\"al@example.org\",\"password\":\"$PASSWORD\"}"
    TOKEN=
    stock POST /auth/register 201 "(.token | length > 50) and (.user.id | $uuid) and .user.email == \"al@example.org\"" "$who"
    stock POST /auth/register 409 '.error and .message' "$who"
    stock POST /auth/login 401 '.error and .message' '{"email":"al@example.org","password":"wrong password"}'
    stock POST /auth/login 200 "(.token | split(\".\") | length == 3) and (.user.id | $uuid)" "$who"
    TOKEN=$(jq -r .token "$T/answer")
    # HS256, seven days.
    jq -rn --arg t "$TOKEN" '$t | split(".")[0:2][] | gsub("-"; "+") | gsub("_"; "/") | @base64d' >"$T/jwt"
    jq -es '.[0].alg == "HS256" and .[1].exp - .[1].iat == 7 * 86400 and .[1].sub' "$T/jwt"
    stock POST /auth/token 201 '(.token | test("^ctk_live_[A-Za-z0-9_-]{43,}$")) and .id' '{"name":"laptop","expiresIn":"never"}'
    stock POST /auth/token 201 '.token' '{"name":"laptop","expiresIn":"90d"}'
    TOKEN=$(jq -r .token "$T/answer")
    stock GET /auth/me 200 "(.id | $uuid) and .email and .plan and (.createdAt | $time)"
    stock GET /billing/usage 200 '.plan and .paymentStatus == null and .sessions == {used: 0, limit: null}
        and .devices == {used: 0, limit: null} and .versionsPerSession == 20'
    stock GET /sessions 200 '.sessions == [] and .total == 0'

    local n body
    for n in 1 2; do
        bundle $((n * 5000))
        body=$(jq -nc --arg id "$ID" --arg sum "$SUM" --argjson size "$SIZE" '{sessionId: $id, sourceMachine: "box",
            sourceCwd: "/home/al/p", sourceUserDir: "/home/al", sizeBytes: $size, checksum: $sum, tags: ["work"], label: "l",
            metadata: {agentId: "claude-code", messageCount: 2, summary: "s", hasMemory: false}}')
        stock POST /sessions/upload 200 ".version == $n and (.sessionRecordId | $uuid) and (.uploadUrl | startswith(\"https://\"))" "$body"
        # It PUTs with these two headers and no other of its own.
        curl -sS --fail --cacert "$CA" -X PUT -H 'Content-Type: application/gzip' -H 'Accept:' -H 'User-Agent:' -H 'Expect:' \
            --data-binary "@$T/bundle" "$(jq -r .uploadUrl "$T/answer")"
        stock POST "/sessions/$ID/confirm" 200 '.ok == true'
        stock POST "/sessions/$ID/confirm" 200 '.ok == true'
    done

    stock GET '/sessions?machine=box&tag=work&agent=claude-code&limit=10&offset=0' 200 ".total == 1 and (.sessions[0] |
        .id == \"$ID\" and .label == \"l\" and .sourceMachine == \"box\" and .sourceCwd == \"/home/al/p\" and
        .sourceUserDir == \"/home/al\" and .sizeBytes == 10000 and .metadata.messageCount == 2 and .currentVersion == 2 and
        .versionCount == 2 and (.createdAt | $time) and .tags == [\"work\"])"
    stock GET "/sessions/$ID/versions" 200 ".sessionId == \"$ID\" and .currentVersion == 2 and .limit == 20 and
        ([.versions[].version] == [2, 1]) and (.versions[0] | .sizeBytes == 10000 and .checksum == \"$SUM\" and (.createdAt | $time))"
    stock GET "/sessions/$ID/download?version=1" 200 '.version == 1 and .downloadUrl'
    stock GET "/sessions/$ID/download" 200 ".version == 2 and (.session | .id == \"$ID\" and .sourceCwd == \"/home/al/p\" and
        .sourceUserDir == \"/home/al\" and .sourceMachine == \"box\" and .metadata.summary == \"s\")"
    curl -sS --fail --cacert "$CA" -o "$T/got" "$(jq -r .downloadUrl "$T/answer")"
    cmp "$T/got" "$T/bundle"
    stock GET /billing/usage 200 '.sessions.used == 1 and .devices.used == 1'
    stock DELETE "/sessions/$ID" 200 '.ok == true'
    stock DELETE "/sessions/$ID" 404 '.error and .message'
    stock GET /sessions 200 '.total == 0'
    stock GET "/sessions/$ID/download" 404 '.error and .message'
}

@test "what a stock client sends by chance does no harm: null members, an empty body, unknown members" {
    account al@example.org
    bundle 100
    stock POST /sessions/upload 200 '.version == 1' "$(upload_body '.label = null | .tags = null | .metadata = null |
        .sourceMachine = null | .md5 = null | .pin = null | .amend = null | .baseVersion = null | .revive = null |
        .unknown = {"a": [1]}')"
    put "$(jq -r .uploadUrl "$T/answer")"
    stock POST "/sessions/$ID/confirm" 200 '.ok' '{}'
    stock GET /sessions 200 '.sessions[0] | .label == null and .sourceMachine == null and .metadata == null and .tags == []'
}
