# Units are cmocka programs, everything end to end is bats; both speak TAP, so that each case counts.
TEST_EXTENSIONS = .bats .sh
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
LOG_COMPILER = $(SHELL) $(top_srcdir)/tests/tap.sh
BATS_LOG_DRIVER = $(LOG_DRIVER)
BATS_LOG_COMPILER = $(BATS)
AM_BATS_LOG_FLAGS = --tap
SH_LOG_DRIVER = $(LOG_DRIVER)
SH_LOG_COMPILER = $(SHELL)
AM_TESTS_ENVIRONMENT = \
  CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; \
  CT_SRC='$(abs_top_srcdir)'; export CT_SRC; \
  CT_BUILD='$(abs_top_builddir)'; export CT_BUILD; \
  CT_SAMPLES="$${CT_SAMPLES:-$(abs_top_srcdir)/../shared/samples}"; export CT_SAMPLES; \
  CT_SANITIZERS='$(enable_sanitizers)'; export CT_SANITIZERS;

dist_check_SCRIPTS += tests/house.sh tests/tap.sh
TESTS += tests/house.sh

if WITH_BATS
dist_check_SCRIPTS += tests/e2e_sync.bats tests/e2e_daemon.bats tests/e2e_exact.bats
EXTRA_DIST += tests/lib.bash
TESTS += tests/e2e_sync.bats tests/e2e_daemon.bats tests/e2e_exact.bats
endif

if WITH_CMOCKA
include tests/agents.mk
include tests/bundle.mk
include tests/common.mk
include tests/ctctl.mk
include tests/ipc.mk
include tests/server.mk
include tests/watcher.mk
endif
