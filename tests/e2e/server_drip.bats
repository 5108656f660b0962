#!/usr/bin/env bats
# Slow on purpose: it waits for the limits of time themselves.

load lib
load server_lib

setup() { server_home; }
teardown() { end_home; }

@test "connections that drip are closed within two minutes, whatever they drip" {
    python3 -S "$CT_SRC/tests/e2e/tools/hostile.py" drip "$API_PORT" "$CA"
}
