if WITH_BATS
dist_check_SCRIPTS += tests/e2e_retry.bats tests/e2e_net.bats
EXTRA_DIST += tests/faultproxy.py tests/connectproxy.py
TESTS += tests/e2e_retry.bats tests/e2e_net.bats
endif

if WITH_SYSTEMD
check_PROGRAMS += tests/networkmanager
tests_networkmanager_SOURCES = tests/networkmanager.c
tests_networkmanager_LDADD = $(SYSTEMD_LIBS)
endif
EXTRA_DIST += tests/networkmanager.c
