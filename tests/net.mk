if WITH_BATS
dist_check_SCRIPTS += tests/e2e/e2e_retry.bats tests/e2e/e2e_net.bats tests/e2e/e2e_own_machine.bats tests/e2e/e2e_stall.bats tests/e2e/e2e_clock.bats tests/e2e/e2e_alone.bats tests/e2e/e2e_deleted.bats tests/e2e/e2e_story.bats tests/e2e/e2e_model.bats tests/e2e/soak.sh
EXTRA_DIST += tests/e2e/tools/story_model.py tests/e2e/tools/story_servers.py tests/e2e/tools/faultproxy.py tests/e2e/tools/connectproxy.py tests/e2e/soak.py
LONG_TESTS += tests/e2e/e2e_retry.bats tests/e2e/e2e_story.bats tests/e2e/e2e_model.bats tests/e2e/e2e_net.bats
TESTS += tests/e2e/e2e_own_machine.bats tests/e2e/e2e_clock.bats tests/e2e/e2e_alone.bats tests/e2e/e2e_deleted.bats
HEAVY_TESTS += tests/e2e/e2e_stall.bats tests/e2e/soak.sh
FULL_TESTS += tests/e2e/soak.sh tests/e2e/e2e_model.bats tests/e2e/e2e_alone.bats
endif

if WITH_CMOCKA
check_PROGRAMS += tests/uploader/unit_retry
TESTS += tests/uploader/unit_retry
tests_uploader_unit_retry_SOURCES = tests/uploader/unit_retry.c
tests_uploader_unit_retry_LDADD = uploader/libuploader.a api/libapi.a net/libnet.a $(CURL_LIBS) $(common_LIBS) \
  $(CMOCKA_LIBS)
endif

if WITH_SYSTEMD
check_PROGRAMS += tests/e2e/tools/logind tests/e2e/tools/networkmanager tests/e2e/tools/desktop
tests_e2e_tools_desktop_SOURCES = tests/e2e/tools/desktop.c
tests_e2e_tools_desktop_LDADD = $(SYSTEMD_LIBS)
tests_e2e_tools_logind_SOURCES = tests/e2e/tools/logind.c
tests_e2e_tools_logind_LDADD = $(SYSTEMD_LIBS)
tests_e2e_tools_networkmanager_SOURCES = tests/e2e/tools/networkmanager.c
tests_e2e_tools_networkmanager_LDADD = $(SYSTEMD_LIBS)
endif
EXTRA_DIST += tests/e2e/tools/logind.c tests/e2e/tools/networkmanager.c tests/e2e/tools/desktop.c
