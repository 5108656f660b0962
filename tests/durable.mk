if WITH_BATS
dist_check_SCRIPTS += tests/e2e/e2e_durable.bats tests/e2e/e2e_fuller.bats tests/e2e/e2e_crash.bats \
  tests/e2e/crash_full.bats tests/e2e/tools/crash_verify.py
EXTRA_DIST += tests/e2e/crash.bash
LONG_TESTS += tests/e2e/e2e_durable.bats
TESTS += tests/e2e/e2e_fuller.bats
if ON_LINUX
check_PROGRAMS += tests/e2e/tools/killat
tests_e2e_tools_killat_SOURCES = tests/e2e/tools/killat_linux.c
tests_e2e_tools_killat_LDADD =
TESTS += tests/e2e/e2e_crash.bats
HEAVY_TESTS += tests/e2e/crash_full.bats
FULL_TESTS += tests/e2e/crash_full.bats
endif
endif

if WITH_CMOCKA
check_PROGRAMS += tests/uploader/unit_uploader tests/uploader/unit_beside
TESTS += tests/uploader/unit_uploader tests/uploader/unit_beside
tests_uploader_unit_uploader_SOURCES = tests/uploader/unit_uploader.c
tests_uploader_unit_uploader_LDADD = uploader/libuploader.a bundle/libbundle.a api/libapi.a \
  agents/libagents.a net/libnet.a $(bundle_LIBS) $(CURL_LIBS) $(common_LIBS) $(EVENT_LIBS) \
  $(CMOCKA_LIBS)
tests_uploader_unit_beside_SOURCES = tests/uploader/unit_beside.c
tests_uploader_unit_beside_LDADD = $(tests_uploader_unit_uploader_LDADD)
endif
