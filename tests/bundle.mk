check_PROGRAMS += tests/bundle/unit_bundle tests/bundle/unit_bundle_cache \
  tests/bundle/unit_bundle_limits tests/bundle/unit_contains tests/bundle/unit_storm
TESTS += tests/bundle/unit_bundle tests/bundle/unit_bundle_cache tests/bundle/unit_bundle_limits
TESTS += tests/bundle/unit_contains
LONG_TESTS += tests/bundle/unit_storm
FULL_TESTS += tests/bundle/unit_storm
bundle_lab = tests/bundle/bundle_lab.c tests/bundle/bundle_lab.h tests/scratch.c tests/scratch.h
tests_bundle_unit_bundle_SOURCES = tests/bundle/unit_bundle.c $(bundle_lab)
tests_bundle_unit_bundle_LDADD = $(bundle_LIBS) $(common_LIBS) $(CMOCKA_LIBS)
tests_bundle_unit_bundle_cache_SOURCES = tests/bundle/unit_bundle_cache.c $(bundle_lab)
tests_bundle_unit_bundle_cache_LDADD = $(bundle_LIBS) $(common_LIBS) $(CMOCKA_LIBS)
tests_bundle_unit_contains_SOURCES = tests/bundle/unit_contains.c $(bundle_lab)
tests_bundle_unit_contains_LDADD = $(bundle_LIBS) $(common_LIBS) $(CMOCKA_LIBS)
tests_bundle_unit_bundle_limits_SOURCES = tests/bundle/unit_bundle_limits.c $(bundle_lab)
tests_bundle_unit_bundle_limits_LDADD = $(bundle_LIBS) $(common_LIBS) $(CMOCKA_LIBS)
tests_bundle_unit_storm_SOURCES = tests/bundle/unit_storm.c tests/scratch.c tests/scratch.h
tests_bundle_unit_storm_LDADD = $(bundle_LIBS) $(common_LIBS) $(CMOCKA_LIBS)
# Against python3, tar and gzip.
dist_check_SCRIPTS += tests/bundle/bundle.sh tests/bundle/bundle_oracle.py tests/bundle/metadata_oracle.py
LONG_TESTS += tests/bundle/bundle.sh

check_PROGRAMS += tests/bundle/unit_relocate
TESTS += tests/bundle/unit_relocate
tests_bundle_unit_relocate_SOURCES = tests/bundle/unit_relocate.c
tests_bundle_unit_relocate_LDADD = $(bundle_LIBS) $(common_LIBS) $(CMOCKA_LIBS)
dist_check_SCRIPTS += tests/bundle/hostile.sh tests/bundle/hostile.py tests/bundle/hostile_bundles.py
dist_check_SCRIPTS += tests/bundle/stranger.sh tests/bundle/stranger_bundles.py
LONG_TESTS += tests/bundle/stranger.sh
LONG_TESTS += tests/bundle/hostile.sh
FUZZ_TARGETS += tests/bundle/fuzz_open tests/bundle/fuzz_relocate
tests_bundle_fuzz_open_SOURCES = tests/bundle/fuzz_open.c
tests_bundle_fuzz_open_LDADD = $(bundle_LIBS) $(common_LIBS)
tests_bundle_fuzz_open_LDFLAGS = $(FUZZ_FLAGS)
tests_bundle_fuzz_relocate_SOURCES = tests/bundle/fuzz_relocate.c
tests_bundle_fuzz_relocate_LDADD = $(bundle_LIBS) $(common_LIBS)
tests_bundle_fuzz_relocate_LDFLAGS = $(FUZZ_FLAGS)
dist_check_SCRIPTS += tests/bundle/open_big.sh
HEAVY_TESTS += tests/bundle/open_big.sh
if WITH_BATS
dist_check_SCRIPTS += tests/e2e/stock_client.bats
EXTRA_DIST += tests/e2e/tools/stock_client.mjs
HEAVY_TESTS += tests/e2e/stock_client.bats
endif
# What of two copies is news, and installing.
check_PROGRAMS += tests/bundle/unit_compare
TESTS += tests/bundle/unit_compare
tests_bundle_unit_compare_SOURCES = tests/bundle/unit_compare.c
tests_bundle_unit_compare_LDADD = $(bundle_LIBS) $(common_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/bundle/unit_install
TESTS += tests/bundle/unit_install
tests_bundle_unit_install_SOURCES = tests/bundle/unit_install.c
tests_bundle_unit_install_LDADD = $(bundle_LIBS) $(common_LIBS) $(CMOCKA_LIBS)
# Credentials in what leaves.
check_PROGRAMS += tests/bundle/unit_leak
TESTS += tests/bundle/unit_leak
tests_bundle_unit_leak_SOURCES = tests/bundle/unit_leak.c
tests_bundle_unit_leak_LDADD = $(bundle_LIBS) $(common_LIBS) $(CMOCKA_LIBS)
FUZZ_TARGETS += tests/bundle/fuzz_rules
tests_bundle_fuzz_rules_SOURCES = tests/bundle/fuzz_rules.c
tests_bundle_fuzz_rules_LDADD = $(bundle_LIBS) $(common_LIBS)
tests_bundle_fuzz_rules_LDFLAGS = $(FUZZ_FLAGS)
