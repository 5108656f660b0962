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
    local id npm
    npm=$(sh "$CT_SRC/tests/npm.sh" mcp) || {
        [ $? -ne 77 ] || skip "$npm"
        echo "$npm"
        false
    }
    start_server
    log_in
    id=$(new_id)
    line hello >"$(transcript "$id")"
    start_daemon
    ctctl sync --wait
    line more >>"$(transcript "$id")"
    run timeout "$LIMIT_S" node "$CT_SRC/tests/e2e/tools/mcp_client.mjs" "$npm" "$id" ctctl mcp --all-projects
    echo "$output"
    [ "$status" -eq 0 ]
    grep -qx done <<<"$output"
    versions_are "$id" 2
}
