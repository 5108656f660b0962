if WITH_BATS
dist_check_SCRIPTS += tests/e2e_retry.bats
EXTRA_DIST += tests/faultproxy.py
TESTS += tests/e2e_retry.bats
endif
