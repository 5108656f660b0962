if WITH_BATS
dist_check_SCRIPTS += tests/e2e_durable.bats tests/e2e_fuller.bats tests/e2e_crash.bats \
  tests/crash_full.bats tests/crash_verify.py
EXTRA_DIST += tests/crash.bash
TESTS += tests/e2e_durable.bats tests/e2e_fuller.bats
if ON_LINUX
check_PROGRAMS += tests/killat
tests_killat_SOURCES = tests/killat_linux.c
tests_killat_LDADD =
TESTS += tests/e2e_crash.bats
HEAVY_TESTS += tests/crash_full.bats
endif
endif

if WITH_CMOCKA
check_PROGRAMS += tests/unit_uploader
TESTS += tests/unit_uploader
tests_unit_uploader_SOURCES = tests/unit_uploader.c
tests_unit_uploader_LDADD = uploader/libuploader.a bundle/libbundle.a api/libapi.a \
  agents/libagents.a net/libnet.a $(bundle_LIBS) $(CURL_LIBS) $(common_LIBS) $(EVENT_LIBS) \
  $(CMOCKA_LIBS)
endif
