if WITH_BATS
dist_check_SCRIPTS += tests/e2e_retry.bats tests/e2e_net.bats tests/e2e_stall.bats tests/e2e_clock.bats tests/soak.sh
EXTRA_DIST += tests/faultproxy.py tests/connectproxy.py tests/soak.py
TESTS += tests/e2e_retry.bats tests/e2e_net.bats tests/e2e_clock.bats
HEAVY_TESTS += tests/e2e_stall.bats tests/soak.sh
endif

if WITH_CMOCKA
check_PROGRAMS += tests/unit_retry
TESTS += tests/unit_retry
tests_unit_retry_SOURCES = tests/unit_retry.c
tests_unit_retry_LDADD = uploader/libuploader.a net/libnet.a $(CURL_LIBS) $(common_LIBS) \
  $(CMOCKA_LIBS)
endif

if WITH_SYSTEMD
check_PROGRAMS += tests/logind tests/networkmanager
tests_logind_SOURCES = tests/logind.c
tests_logind_LDADD = $(SYSTEMD_LIBS)
tests_networkmanager_SOURCES = tests/networkmanager.c
tests_networkmanager_LDADD = $(SYSTEMD_LIBS)
endif
EXTRA_DIST += tests/logind.c tests/networkmanager.c
