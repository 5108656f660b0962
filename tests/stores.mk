# The server's stores and databases.
check_PROGRAMS += tests/unit_race tests/unit_s3 tests/unit_sql
TESTS += tests/unit_race tests/unit_s3 tests/unit_sql
tests_unit_s3_SOURCES = tests/unit_s3.c
tests_unit_s3_LDADD = $(server_LIBS) $(CMOCKA_LIBS)
tests_unit_race_SOURCES = tests/unit_race.c tests/ledger_place.h
tests_unit_race_LDADD = $(server_LIBS) $(CMOCKA_LIBS)
tests_unit_sql_SOURCES = tests/unit_sql.c tests/ledger_place.h
tests_unit_sql_LDADD = $(server_LIBS) $(CMOCKA_LIBS)

# Beside Amazon's own SDK.
check_PROGRAMS += tests/sigv4_say
tests_sigv4_say_SOURCES = tests/sigv4_say.c
tests_sigv4_say_LDADD = $(server_LIBS)
HEAVY_TESTS += tests/sigv4_sdk.sh
dist_check_SCRIPTS += tests/sigv4_sdk.sh
EXTRA_DIST += tests/sigv4_sdk.mjs

if WITH_BATS
dist_check_SCRIPTS += tests/server_places.bats
TESTS += tests/server_places.bats
HEAVY_TESTS += tests/s3_radosgw.bats tests/s3_r2sim.bats tests/libsql.bats
dist_check_SCRIPTS += tests/s3_radosgw.bats tests/s3_r2sim.bats tests/libsql.bats
dist_check_SCRIPTS += tests/radosgw.sh tests/r2sim.sh tests/sqld.sh tests/npm.sh
EXTRA_DIST += tests/backend.bash tests/s3_lib.bash
endif

FUZZ_TARGETS += tests/fuzz_sigv4
tests_fuzz_sigv4_SOURCES = tests/fuzz_sigv4.c
tests_fuzz_sigv4_LDADD = $(server_LIBS)
tests_fuzz_sigv4_LDFLAGS = $(FUZZ_FLAGS)
