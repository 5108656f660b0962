check_PROGRAMS += tests/unit_common tests/unit_migrate tests/unit_secret tests/unit_state
TESTS += tests/unit_common tests/unit_migrate tests/unit_secret tests/unit_state
EXTRA_DIST += tests/unit.h
tests_unit_common_SOURCES = tests/unit_common.c
tests_unit_common_LDADD = $(common_LIBS) $(CMOCKA_LIBS)
tests_unit_migrate_SOURCES = tests/unit_migrate.c
tests_unit_migrate_LDADD = $(common_LIBS) $(CMOCKA_LIBS)
tests_unit_secret_SOURCES = tests/unit_secret.c
tests_unit_secret_LDADD = $(common_LIBS) $(CMOCKA_LIBS)
tests_unit_state_SOURCES = tests/unit_state.c
tests_unit_state_LDADD = daemon/libdaemon.a uploader/libuploader.a api/libapi.a net/libnet.a \
  $(CURL_LIBS) $(common_LIBS) $(CMOCKA_LIBS)
FUZZ_TARGETS += tests/fuzz_jscan
tests_fuzz_jscan_SOURCES = tests/fuzz_jscan.c
tests_fuzz_jscan_LDADD = $(common_LIBS)
tests_fuzz_jscan_LDFLAGS = $(FUZZ_FLAGS)
