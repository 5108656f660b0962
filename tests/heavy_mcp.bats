#!/usr/bin/env bats
# The official MCP client, from npm, is content with ctctl mcp.

load lib

setup() {
    make_home
}

teardown() {
    end_home
}

@test "the official client agrees on a version, lists the tools and calls each" {
    local id npm=$CT_BUILD/npm/mcp
    command -v npm >/dev/null || skip "npm is not here"
    mkdir -p "$npm"
    [ -d "$npm/node_modules/@modelcontextprotocol/sdk" ] ||
        npm install --prefix "$npm" --ignore-scripts --no-audit --no-fund --silent \
            --cache "$npm/cache" @modelcontextprotocol/sdk@1 >"$T/npm.log" 2>&1 ||
        skip "the registry does not give @modelcontextprotocol/sdk: $(tail -n 1 "$T/npm.log")"
    start_server
    log_in
    id=$(new_id)
    line hello >"$(transcript "$id")"
    start_daemon
    ctctl sync --wait
    line more >>"$(transcript "$id")"
    run timeout "$LIMIT_S" node "$CT_SRC/tests/mcp_client.mjs" "$npm" "$id" ctctl mcp
    echo "$output"
    [ "$status" -eq 0 ]
    grep -qx done <<<"$output"
    versions_are "$id" 2
}
