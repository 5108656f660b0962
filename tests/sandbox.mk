if WITH_CMOCKA
if ON_LINUX
check_PROGRAMS += tests/daemon/unit_sandbox tests/daemon/unit_confine tests/e2e/tools/nolandlock
TESTS += tests/daemon/unit_sandbox tests/daemon/unit_confine
sandbox_lab = tests/daemon/sandbox_lab.c tests/daemon/sandbox_lab.h
sandbox_lab_LIBS = daemon/libdaemon.a agents/libagents.a net/libnet.a $(CURL_LIBS) $(common_LIBS) $(CMOCKA_LIBS)
tests_daemon_unit_sandbox_SOURCES = tests/daemon/unit_sandbox.c $(sandbox_lab)
tests_daemon_unit_sandbox_LDADD = $(sandbox_lab_LIBS) -lpthread
tests_daemon_unit_confine_SOURCES = tests/daemon/unit_confine.c $(sandbox_lab)
tests_daemon_unit_confine_LDADD = $(sandbox_lab_LIBS)
tests_e2e_tools_nolandlock_SOURCES = tests/e2e/tools/nolandlock.c
tests_e2e_tools_nolandlock_LDADD =
if WITH_BATS
dist_check_SCRIPTS += tests/e2e/e2e_sandbox.bats
TESTS += tests/e2e/e2e_sandbox.bats
endif
endif
endif
