if WITH_BATS
dist_check_SCRIPTS += tests/e2e_durable.bats
TESTS += tests/e2e_durable.bats
endif

if WITH_CMOCKA
check_PROGRAMS += tests/unit_uploader
TESTS += tests/unit_uploader
tests_unit_uploader_SOURCES = tests/unit_uploader.c
tests_unit_uploader_LDADD = uploader/libuploader.a bundle/libbundle.a api/libapi.a \
  agents/libagents.a net/libnet.a $(bundle_LIBS) $(CURL_LIBS) $(common_LIBS) $(EVENT_LIBS) \
  $(CMOCKA_LIBS)
endif
