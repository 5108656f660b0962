if WITH_BATS
dist_check_SCRIPTS += tests/e2e_daily.bats
TESTS += tests/e2e_daily.bats
endif
