if WITH_BATS
dist_check_SCRIPTS += tests/e2e_daily.bats tests/e2e_doctor.bats tests/e2e_login.bats tests/e2e_mcp.bats \
  tests/heavy_mcp.bats
EXTRA_DIST += tests/mcp_client.mjs
TESTS += tests/e2e_daily.bats tests/e2e_doctor.bats tests/e2e_login.bats tests/e2e_mcp.bats
HEAVY_TESTS += tests/heavy_mcp.bats
endif
