ledger_TESTS = tests/unit_ledger tests/unit_ledger_file tests/unit_ledger_trash \
  tests/unit_ledger_who
ledger_lab = tests/ledger_lab.c tests/ledger_lab.h tests/ledger_place.h
check_PROGRAMS += tests/unit_sigv4 tests/unit_jwt tests/unit_api_msg $(ledger_TESTS) \
  tests/unit_store tests/unit_attempts tests/unit_tls tests/unit_accounts tests/server_routes
TESTS += tests/unit_sigv4 tests/unit_jwt tests/unit_api_msg $(ledger_TESTS) \
  tests/unit_store tests/unit_attempts tests/unit_tls tests/unit_accounts
tests_unit_sigv4_SOURCES = tests/unit_sigv4.c
tests_unit_sigv4_LDADD = $(server_LIBS) $(CMOCKA_LIBS)
tests_unit_jwt_SOURCES = tests/unit_jwt.c
tests_unit_jwt_LDADD = $(server_LIBS) $(CMOCKA_LIBS)
tests_unit_api_msg_SOURCES = tests/unit_api_msg.c
tests_unit_api_msg_LDADD = $(server_LIBS) $(CMOCKA_LIBS)
tests_unit_ledger_SOURCES = tests/unit_ledger.c $(ledger_lab)
tests_unit_ledger_LDADD = $(server_LIBS) $(CMOCKA_LIBS)
tests_unit_ledger_file_SOURCES = tests/unit_ledger_file.c $(ledger_lab)
tests_unit_ledger_file_LDADD = $(server_LIBS) $(CMOCKA_LIBS)
tests_unit_ledger_trash_SOURCES = tests/unit_ledger_trash.c $(ledger_lab)
tests_unit_ledger_trash_LDADD = $(server_LIBS) $(CMOCKA_LIBS)
tests_unit_ledger_who_SOURCES = tests/unit_ledger_who.c $(ledger_lab)
tests_unit_ledger_who_LDADD = $(server_LIBS) $(CMOCKA_LIBS)
tests_unit_store_SOURCES = tests/unit_store.c
tests_unit_store_LDADD = $(server_LIBS) $(CMOCKA_LIBS)
tests_unit_attempts_SOURCES = tests/unit_attempts.c
tests_unit_attempts_LDADD = $(server_LIBS) $(CMOCKA_LIBS)
tests_unit_tls_SOURCES = tests/unit_tls.c
tests_unit_tls_LDADD = $(server_LIBS) $(CMOCKA_LIBS)
tests_unit_accounts_SOURCES = tests/unit_accounts.c tests/ledger_place.h
tests_unit_accounts_LDADD = $(server_LIBS) $(CMOCKA_LIBS)
tests_server_routes_SOURCES = tests/server_routes.c
tests_server_routes_LDADD = $(server_LIBS)

if WITH_BATS
dist_check_SCRIPTS += tests/server_api.bats tests/server_objects.bats \
  tests/server_operation.bats tests/server_accounts.bats tests/server_github.bats \
  tests/server_hostile.bats tests/server_drip.bats tests/server_crash.bats \
  tests/server_stock.bats
EXTRA_DIST += tests/crash_client.py tests/hostile.py tests/activate.py tests/github_provider.py tests/sigv4_oracle.py tests/server_lib.bash
TESTS += tests/server_api.bats tests/server_objects.bats tests/server_operation.bats \
  tests/server_accounts.bats tests/server_github.bats tests/server_hostile.bats \
  tests/server_crash.bats tests/server_stock.bats
HEAVY_TESTS += tests/server_drip.bats
endif
FUZZ_TARGETS += tests/fuzz_request
tests_fuzz_request_SOURCES = tests/fuzz_request.c
tests_fuzz_request_LDADD = $(server_LIBS)
tests_fuzz_request_LDFLAGS = $(FUZZ_FLAGS)
