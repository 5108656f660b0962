#!/bin/sh
# tests/e2e/e2e_kill.bats with every system call that changes something: minutes, for ./quickstart check --full.
CT_ALL_KILLS=1 exec "${BATS:-bats}" --tap "$CT_SRC/tests/e2e/e2e_kill.bats"
