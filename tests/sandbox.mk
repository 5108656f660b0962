if WITH_CMOCKA
if ON_LINUX
check_PROGRAMS += tests/unit_sandbox tests/nolandlock
TESTS += tests/unit_sandbox
tests_unit_sandbox_SOURCES = tests/unit_sandbox.c
tests_unit_sandbox_LDADD = daemon/libdaemon.a net/libnet.a $(CURL_LIBS) $(common_LIBS) \
  $(CMOCKA_LIBS) -lpthread
tests_nolandlock_SOURCES = tests/nolandlock.c
tests_nolandlock_LDADD =
if WITH_BATS
dist_check_SCRIPTS += tests/e2e_sandbox.bats
TESTS += tests/e2e_sandbox.bats
endif
endif
endif
