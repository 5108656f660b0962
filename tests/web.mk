if WITH_BATS
dist_check_SCRIPTS += tests/e2e/e2e_web.bats
EXTRA_DIST += tests/e2e/web_lib.bash
TESTS += tests/e2e/e2e_web.bats
endif
