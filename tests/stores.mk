# The server's stores and databases.
check_PROGRAMS += tests/server/unit_race tests/server/unit_s3 tests/server/unit_sql
TESTS += tests/server/unit_race tests/server/unit_s3 tests/server/unit_sql
tests_server_unit_s3_SOURCES = tests/server/unit_s3.c
tests_server_unit_s3_LDADD = $(server_LIBS) $(CMOCKA_LIBS)
tests_server_unit_race_SOURCES = tests/server/unit_race.c tests/server/ledger_place.h
tests_server_unit_race_LDADD = $(server_LIBS) $(CMOCKA_LIBS)
tests_server_unit_sql_SOURCES = tests/server/unit_sql.c tests/server/ledger_place.h
tests_server_unit_sql_LDADD = $(server_LIBS) $(CMOCKA_LIBS)

# Beside Amazon's own SDK.
check_PROGRAMS += tests/server/sigv4_say
tests_server_sigv4_say_SOURCES = tests/server/sigv4_say.c
tests_server_sigv4_say_LDADD = $(server_LIBS)
HEAVY_TESTS += tests/server/sigv4_sdk.sh
dist_check_SCRIPTS += tests/server/sigv4_sdk.sh
EXTRA_DIST += tests/server/sigv4_sdk.mjs

if WITH_BATS
dist_check_SCRIPTS += tests/e2e/server_places.bats tests/e2e/server_s3.bats
TESTS += tests/e2e/server_places.bats tests/e2e/server_s3.bats
EXTRA_DIST += tests/e2e/tools/odd_s3.py
HEAVY_TESTS += tests/e2e/s3_radosgw.bats tests/e2e/s3_r2sim.bats tests/e2e/libsql.bats
dist_check_SCRIPTS += tests/e2e/s3_radosgw.bats tests/e2e/s3_r2sim.bats tests/e2e/libsql.bats
dist_check_SCRIPTS += tests/e2e/tools/radosgw.sh tests/e2e/tools/r2sim.sh tests/e2e/tools/sqld.sh tests/npm.sh
EXTRA_DIST += tests/e2e/backend.bash tests/e2e/s3_lib.bash
endif

FUZZ_TARGETS += tests/server/fuzz_sigv4
tests_server_fuzz_sigv4_SOURCES = tests/server/fuzz_sigv4.c
tests_server_fuzz_sigv4_LDADD = $(server_LIBS)
tests_server_fuzz_sigv4_LDFLAGS = $(FUZZ_FLAGS)
