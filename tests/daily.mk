if WITH_BATS
daily_TESTS = tests/e2e/completion.bats tests/e2e/e2e_cures.bats tests/e2e/e2e_daily.bats tests/e2e/e2e_doctor.bats tests/e2e/e2e_login.bats \
  tests/e2e/e2e_mcp.bats tests/e2e/e2e_terminal.bats tests/e2e/quickstart.bats \
  tests/e2e/service.bats
dist_check_SCRIPTS += $(daily_TESTS) tests/e2e/heavy_mcp.bats
EXTRA_DIST += tests/e2e/tools/mcp_client.mjs tests/e2e/tools/typist.py
TESTS += $(daily_TESTS)
HEAVY_TESTS += tests/e2e/heavy_mcp.bats
endif
