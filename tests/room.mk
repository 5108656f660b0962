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
  PATH="$(PYTHON_PATH)$$PATH"; export PATH; \
  CT_SRC='$(abs_top_srcdir)'; export CT_SRC; \
  CT_BUILD='$(abs_top_builddir)'; export CT_BUILD; \
  CT_SAMPLES="$${CT_SAMPLES:-$(abs_top_srcdir)/../shared/samples}"; export CT_SAMPLES; \
  CT_SANITIZERS='$(enable_sanitizers)'; export CT_SANITIZERS;

# LONG_TESTS take more than some 20 s and come first, so that none of them is alone at the end.
# HEAVY_TESTS is what `make check-all` runs besides: real S3 servers, a libSQL server, systemd.
# FULL_TESTS is what `make check-full` runs: what is long by nature, with CT_FULL=yes; CI runs a short
# form of each.  FUZZ_TARGETS are libFuzzer programs, with their seeds in tests/seeds/NAME/; they are
# built and run where configure has --enable-fuzzing, each for $CT_FUZZ_SECONDS.
LONG_TESTS =
HEAVY_TESTS =
FULL_TESTS =
FUZZ_TARGETS =
EXTRA_PROGRAMS =
TESTS += $(LONG_TESTS)

dist_check_SCRIPTS += tests/house.sh tests/cures.sh tests/packages.sh tests/launchd.sh tests/elsewhere.sh tests/tap.sh tests/fuzz.sh
EXTRA_DIST += tests/portable.h tests/README.md
TESTS += tests/house.sh tests/cures.sh tests/packages.sh tests/launchd.sh tests/elsewhere.sh
dist_check_SCRIPTS += tests/e2e/heavy_systemd.sh tests/e2e/systemd_inside.sh \
  tests/e2e/heavy_readme.sh tests/e2e/full_readme.sh
EXTRA_DIST += tests/e2e/trees.bash
dist_check_SCRIPTS += tests/full_systems.sh
EXTRA_DIST += tests/musl_shim.c
FULL_TESTS += tests/full_systems.sh
if ON_LINUX
HEAVY_TESTS += tests/e2e/heavy_systemd.sh tests/e2e/heavy_readme.sh
FULL_TESTS += tests/e2e/full_readme.sh
endif

include tests/net.mk
include tests/durable.mk

if WITH_BATS
# What lib.bash uses for the sake of time: servers' data folders to copy.
check_DATA = tests/e2e/made/stamp
tests/e2e/made/stamp: tests/e2e/tools/made_server.sh bin/codeteleport-server
	$(AM_V_GEN)$(AM_TESTS_ENVIRONMENT) bash $(srcdir)/tests/e2e/tools/made_server.sh $(@D)
dist_check_SCRIPTS += tests/e2e/tools/made_server.sh
dist_check_SCRIPTS += tests/e2e/e2e_sync.bats tests/e2e/e2e_daemon.bats tests/e2e/e2e_exact.bats \
  tests/e2e/e2e_stock.bats tests/e2e/e2e_kept.bats tests/e2e/e2e_library.bats tests/e2e/e2e_watch.bats tests/e2e/e2e_secrets.bats \
  tests/e2e/e2e_sealed.bats tests/e2e/e2e_update.bats tests/e2e/e2e_key.bats tests/e2e/e2e_key_secret.bats tests/e2e/e2e_scan.bats tests/e2e/heavy_exact.bats
EXTRA_DIST += tests/e2e/exact.bash tests/e2e/tools/capture_find.py tests/bundle/make_keyring.py tests/e2e/tools/qr_picture.py
EXTRA_DIST += tests/e2e/tools/memscan.py tests/e2e/tools/schema.py tests/e2e/lib.bash tests/e2e/tools/stock_server.py
LONG_TESTS += tests/e2e/e2e_sealed.bats tests/e2e/e2e_key.bats tests/e2e/e2e_daemon.bats tests/e2e/e2e_exact.bats
TESTS += tests/e2e/e2e_sync.bats tests/e2e/e2e_stock.bats tests/e2e/e2e_kept.bats tests/e2e/e2e_watch.bats \
  tests/e2e/e2e_secrets.bats tests/e2e/e2e_update.bats \
  tests/e2e/e2e_key_secret.bats tests/e2e/e2e_scan.bats
FULL_TESTS += tests/e2e/heavy_exact.bats
include tests/pull.mk
endif

include tests/daily.mk
include tests/sandbox.mk

if WITH_CMOCKA
include tests/agents.mk
include tests/bundle.mk
include tests/common.mk
include tests/ctctl.mk
include tests/ipc.mk
include tests/seal.mk
include tests/server.mk
include tests/stores.mk
include tests/watcher.mk
include tests/web.mk
endif

check-all: all
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(HEAVY_TESTS) $(TESTS)'
check-heavy: all
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(HEAVY_TESTS)'
check-full: all
	CT_FULL=yes; export CT_FULL; $(MAKE) $(AM_MAKEFLAGS) check TESTS='$(FULL_TESTS)'

# What a polling watcher and another system can change, for a build with --disable-linux where the rest
# has passed natively: each for its file *_posix.c.
POLLING_TESTS = tests/house.sh tests/launchd.sh
if WITH_CMOCKA
# watcher/backend: poll_posix, fs_posix, resume_posix, system_posix
POLLING_TESTS += tests/watcher/unit_watcher_storm tests/watcher/unit_watcher tests/watcher/unit_watcher_roots \
  tests/watcher/unit_watcher_links tests/watcher/unit_watcher_trouble tests/watcher/unit_resume
# daemon/system: resources_posix
POLLING_TESTS += tests/daemon/unit_growth
# agents: beneath_posix, process_posix
POLLING_TESTS += tests/agents/unit_beneath tests/agents/unit_history tests/agents/unit_transcript
# bundle: packs through agents/disk/beneath_posix, installs without Linux's renameat2
POLLING_TESTS += tests/bundle/unit_bundle tests/bundle/unit_install
# common: secret_posix, file_posix
POLLING_TESTS += tests/common/unit_common tests/common/unit_secret tests/common/unit_keyring tests/common/unit_log
# ipc: peer_posix
POLLING_TESTS += tests/ipc/unit_ipc_peers tests/ipc/unit_ipc_socket
endif
if WITH_BATS
# net: network_posix tells nothing of networks that come and go
POLLING_TESTS += tests/e2e/e2e_net.bats
# the daemon starts, stops and watches as a whole; daemon/system/sandbox_posix
POLLING_TESTS += tests/e2e/e2e_daemon.bats tests/e2e/e2e_watch.bats tests/e2e/e2e_scan.bats tests/e2e/e2e_sync.bats \
  tests/e2e/e2e_kept.bats
# each write is seen before sync answers, whoever looks
POLLING_TESTS += tests/e2e/e2e_exact.bats
# ctctl/here: system_posix; which process has a session open
POLLING_TESTS += tests/e2e/e2e_doctor.bats tests/e2e/service.bats tests/e2e/e2e_mcp.bats tests/e2e/e2e_choices.bats
if WITH_CMOCKA
# the server without systemd's sockets
POLLING_TESTS += tests/e2e/server_operation.bats
endif
endif
distcheck-polling:
	$(MAKE) $(AM_MAKEFLAGS) distcheck TESTS='$(POLLING_TESTS)' \
	  AM_DISTCHECK_CONFIGURE_FLAGS='$(AM_DISTCHECK_CONFIGURE_FLAGS) --disable-linux'
.PHONY: check-all check-heavy check-full distcheck-polling

FUZZ_FLAGS = -fsanitize=fuzzer
EXTRA_PROGRAMS += $(FUZZ_TARGETS)
EXTRA_DIST += tests/seeds
if WITH_FUZZING
check_PROGRAMS += $(FUZZ_TARGETS)
LONG_TESTS += tests/fuzz.sh
FULL_TESTS += tests/fuzz.sh
AM_TESTS_ENVIRONMENT += CT_FUZZ_TARGETS='$(FUZZ_TARGETS)'; export CT_FUZZ_TARGETS;
endif
