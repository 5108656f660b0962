if WITH_BATS
daily_TESTS = tests/completion.bats tests/e2e_daily.bats tests/e2e_doctor.bats tests/e2e_login.bats \
  tests/e2e_mcp.bats tests/e2e_terminal.bats tests/service.bats
dist_check_SCRIPTS += $(daily_TESTS) tests/heavy_mcp.bats
EXTRA_DIST += tests/mcp_client.mjs tests/typist.py
TESTS += $(daily_TESTS)
HEAVY_TESTS += tests/heavy_mcp.bats
endif
