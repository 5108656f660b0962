if WITH_CMOCKA
if ON_LINUX
check_PROGRAMS += tests/unit_sandbox tests/unit_confine tests/nolandlock
TESTS += tests/unit_sandbox tests/unit_confine
sandbox_lab = tests/sandbox_lab.c tests/sandbox_lab.h
sandbox_lab_LIBS = daemon/libdaemon.a net/libnet.a $(CURL_LIBS) $(common_LIBS) $(CMOCKA_LIBS)
tests_unit_sandbox_SOURCES = tests/unit_sandbox.c $(sandbox_lab)
tests_unit_sandbox_LDADD = $(sandbox_lab_LIBS) -lpthread
tests_unit_confine_SOURCES = tests/unit_confine.c $(sandbox_lab)
tests_unit_confine_LDADD = $(sandbox_lab_LIBS)
tests_nolandlock_SOURCES = tests/nolandlock.c
tests_nolandlock_LDADD =
if WITH_BATS
dist_check_SCRIPTS += tests/e2e_sandbox.bats
TESTS += tests/e2e_sandbox.bats
endif
endif
endif
