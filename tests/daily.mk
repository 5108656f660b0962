if WITH_BATS
dist_check_SCRIPTS += tests/e2e_daily.bats tests/e2e_doctor.bats
TESTS += tests/e2e_daily.bats tests/e2e_doctor.bats
endif
