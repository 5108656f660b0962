check_PROGRAMS += tests/openone tests/packone tests/unit_bundle tests/unit_bundle_cache \
  tests/unit_bundle_limits tests/unit_storm
TESTS += tests/unit_bundle tests/unit_bundle_cache tests/unit_bundle_limits tests/unit_storm
tests_openone_SOURCES = tests/openone.c
tests_openone_LDADD = $(bundle_LIBS) $(common_LIBS)
tests_packone_SOURCES = tests/packone.c
tests_packone_LDADD = $(bundle_LIBS) $(common_LIBS)
bundle_lab = tests/bundle_lab.c tests/bundle_lab.h tests/scratch.c tests/scratch.h
tests_unit_bundle_SOURCES = tests/unit_bundle.c $(bundle_lab)
tests_unit_bundle_LDADD = $(bundle_LIBS) $(common_LIBS) $(CMOCKA_LIBS)
tests_unit_bundle_cache_SOURCES = tests/unit_bundle_cache.c $(bundle_lab)
tests_unit_bundle_cache_LDADD = $(bundle_LIBS) $(common_LIBS) $(CMOCKA_LIBS)
tests_unit_bundle_limits_SOURCES = tests/unit_bundle_limits.c $(bundle_lab)
tests_unit_bundle_limits_LDADD = $(bundle_LIBS) $(common_LIBS) $(CMOCKA_LIBS)
tests_unit_storm_SOURCES = tests/unit_storm.c tests/scratch.c tests/scratch.h
tests_unit_storm_LDADD = $(bundle_LIBS) $(common_LIBS) $(CMOCKA_LIBS)
# Against python3, tar and gzip.
dist_check_SCRIPTS += tests/bundle.sh tests/bundle_oracle.py tests/metadata_oracle.py
TESTS += tests/bundle.sh

check_PROGRAMS += tests/unit_relocate
TESTS += tests/unit_relocate
tests_unit_relocate_SOURCES = tests/unit_relocate.c
tests_unit_relocate_LDADD = $(bundle_LIBS) $(common_LIBS) $(CMOCKA_LIBS)
dist_check_SCRIPTS += tests/hostile.sh tests/hostile_bundles.py
TESTS += tests/hostile.sh
FUZZ_TARGETS += tests/fuzz_open tests/fuzz_relocate
tests_fuzz_open_SOURCES = tests/fuzz_open.c
tests_fuzz_open_LDADD = $(bundle_LIBS) $(common_LIBS)
tests_fuzz_open_LDFLAGS = $(FUZZ_FLAGS)
tests_fuzz_relocate_SOURCES = tests/fuzz_relocate.c
tests_fuzz_relocate_LDADD = $(bundle_LIBS) $(common_LIBS)
tests_fuzz_relocate_LDFLAGS = $(FUZZ_FLAGS)
dist_check_SCRIPTS += tests/open_big.sh
HEAVY_TESTS += tests/open_big.sh
if WITH_BATS
dist_check_SCRIPTS += tests/stock_client.bats
EXTRA_DIST += tests/stock_client.mjs
HEAVY_TESTS += tests/stock_client.bats
endif
# Installing.
check_PROGRAMS += tests/unit_install
TESTS += tests/unit_install
tests_unit_install_SOURCES = tests/unit_install.c
tests_unit_install_LDADD = $(bundle_LIBS) $(common_LIBS) $(CMOCKA_LIBS)
# Credentials in what leaves.
check_PROGRAMS += tests/unit_leak
TESTS += tests/unit_leak
tests_unit_leak_SOURCES = tests/unit_leak.c
tests_unit_leak_LDADD = $(bundle_LIBS) $(common_LIBS) $(CMOCKA_LIBS)
FUZZ_TARGETS += tests/fuzz_rules
tests_fuzz_rules_SOURCES = tests/fuzz_rules.c
tests_fuzz_rules_LDADD = $(bundle_LIBS) $(common_LIBS)
tests_fuzz_rules_LDFLAGS = $(FUZZ_FLAGS)
