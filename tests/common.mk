check_PROGRAMS += tests/common/unit_common tests/common/unit_migrate tests/common/unit_secret tests/daemon/unit_state
TESTS += tests/common/unit_common tests/common/unit_migrate tests/common/unit_secret tests/daemon/unit_state
EXTRA_DIST += tests/unit.h
tests_common_unit_common_SOURCES = tests/common/unit_common.c
tests_common_unit_common_LDADD = $(common_LIBS) $(CMOCKA_LIBS)
tests_common_unit_migrate_SOURCES = tests/common/unit_migrate.c
tests_common_unit_migrate_LDADD = $(common_LIBS) $(CMOCKA_LIBS)
tests_common_unit_secret_SOURCES = tests/common/unit_secret.c
tests_common_unit_secret_LDADD = $(common_LIBS) $(CMOCKA_LIBS)
tests_daemon_unit_state_SOURCES = tests/daemon/unit_state.c
tests_daemon_unit_state_LDADD = daemon/libdaemon.a uploader/libuploader.a api/libapi.a net/libnet.a \
  $(CURL_LIBS) $(common_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/common/unit_names
TESTS += tests/common/unit_names
tests_common_unit_names_SOURCES = tests/common/unit_names.c
tests_common_unit_names_LDADD = $(common_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/common/unit_log
TESTS += tests/common/unit_log
tests_common_unit_log_SOURCES = tests/common/unit_log.c
tests_common_unit_log_LDADD = $(common_LIBS) $(CMOCKA_LIBS) -lpthread
FUZZ_TARGETS += tests/common/fuzz_jscan
tests_common_fuzz_jscan_SOURCES = tests/common/fuzz_jscan.c
tests_common_fuzz_jscan_LDADD = $(common_LIBS)
tests_common_fuzz_jscan_LDFLAGS = $(FUZZ_FLAGS)
if ON_LINUX
# Sockets as launchd hands them over.
check_PROGRAMS += tests/common/unit_service
TESTS += tests/common/unit_service
tests_common_unit_service_SOURCES = tests/common/unit_service.c common/sys/service_darwin.c tests/common/apple/launch.h
tests_common_unit_service_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/common/apple
tests_common_unit_service_LDADD = $(common_LIBS) $(CMOCKA_LIBS)
endif
EXTRA_DIST += tests/common/apple/launch.h
