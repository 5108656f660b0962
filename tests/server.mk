ledger_TESTS = tests/server/unit_ledger tests/server/unit_ledger_file tests/server/unit_ledger_trash \
  tests/server/unit_ledger_who tests/server/unit_heads tests/server/unit_rotate \
  tests/server/unit_room tests/server/unit_share
ledger_lab = tests/server/ledger_lab.c tests/server/ledger_lab.h tests/server/ledger_place.h
check_PROGRAMS += tests/server/unit_sigv4 tests/server/unit_jwt tests/server/unit_jwks tests/api/unit_api_msg $(ledger_TESTS) \
  tests/server/unit_store tests/server/unit_attempts tests/server/unit_tls tests/server/unit_accounts tests/server/server_routes
TESTS += tests/server/unit_sigv4 tests/server/unit_jwt tests/server/unit_jwks tests/api/unit_api_msg $(ledger_TESTS) \
  tests/server/unit_store tests/server/unit_attempts tests/server/unit_tls tests/server/unit_accounts
tests_server_unit_sigv4_SOURCES = tests/server/unit_sigv4.c
tests_server_unit_sigv4_LDADD = $(server_LIBS) $(CMOCKA_LIBS)
tests_server_unit_jwt_SOURCES = tests/server/unit_jwt.c
tests_server_unit_jwt_LDADD = $(server_LIBS) $(CMOCKA_LIBS)
tests_server_unit_jwks_SOURCES = tests/server/unit_jwks.c
tests_server_unit_jwks_LDADD = $(server_LIBS) $(CMOCKA_LIBS)
tests_api_unit_api_msg_SOURCES = tests/api/unit_api_msg.c
tests_api_unit_api_msg_LDADD = $(server_LIBS) $(CMOCKA_LIBS)
tests_server_unit_ledger_SOURCES = tests/server/unit_ledger.c $(ledger_lab)
tests_server_unit_ledger_LDADD = $(server_LIBS) $(CMOCKA_LIBS)
tests_server_unit_ledger_file_SOURCES = tests/server/unit_ledger_file.c $(ledger_lab)
tests_server_unit_ledger_file_LDADD = $(server_LIBS) $(CMOCKA_LIBS)
tests_server_unit_ledger_trash_SOURCES = tests/server/unit_ledger_trash.c $(ledger_lab)
tests_server_unit_ledger_trash_LDADD = $(server_LIBS) $(CMOCKA_LIBS)
tests_server_unit_ledger_who_SOURCES = tests/server/unit_ledger_who.c $(ledger_lab)
tests_server_unit_ledger_who_LDADD = $(server_LIBS) $(CMOCKA_LIBS)
tests_server_unit_heads_SOURCES = tests/server/unit_heads.c $(ledger_lab)
tests_server_unit_heads_LDADD = $(server_LIBS) $(CMOCKA_LIBS)
tests_server_unit_rotate_SOURCES = tests/server/unit_rotate.c $(ledger_lab)
tests_server_unit_rotate_LDADD = $(server_LIBS) $(CMOCKA_LIBS)
tests_server_unit_share_SOURCES = tests/server/unit_share.c $(ledger_lab)
tests_server_unit_share_LDADD = $(server_LIBS) $(CMOCKA_LIBS)
tests_server_unit_room_SOURCES = tests/server/unit_room.c $(ledger_lab)
tests_server_unit_room_LDADD = $(server_LIBS) $(CMOCKA_LIBS)
tests_server_unit_store_SOURCES = tests/server/unit_store.c
tests_server_unit_store_LDADD = $(server_LIBS) $(CMOCKA_LIBS)
tests_server_unit_attempts_SOURCES = tests/server/unit_attempts.c
tests_server_unit_attempts_LDADD = $(server_LIBS) $(CMOCKA_LIBS)
tests_server_unit_tls_SOURCES = tests/server/unit_tls.c
tests_server_unit_tls_LDADD = $(server_LIBS) $(CMOCKA_LIBS)
tests_server_unit_accounts_SOURCES = tests/server/unit_accounts.c tests/server/ledger_place.h
tests_server_unit_accounts_LDADD = $(server_LIBS) $(CMOCKA_LIBS)
tests_server_server_routes_SOURCES = tests/server/server_routes.c
tests_server_server_routes_LDADD = $(server_LIBS)

if WITH_BATS
dist_check_SCRIPTS += tests/e2e/server_api.bats tests/e2e/server_objects.bats \
  tests/e2e/server_operation.bats tests/e2e/server_accounts.bats tests/e2e/server_github.bats \
  tests/e2e/server_hostile.bats tests/e2e/server_drip.bats tests/e2e/server_crash.bats \
  tests/e2e/server_stock.bats tests/e2e/server_heads.bats tests/e2e/server_attack.bats tests/e2e/server_traces.bats tests/e2e/server_dashboard.bats tests/e2e/heavy_proxy.bats
EXTRA_DIST += tests/e2e/tools/unpacked.sh tests/e2e/tools/crash_client.py tests/e2e/tools/hostile.py tests/e2e/tools/connections.py tests/e2e/tools/activate.py tests/e2e/tools/github_provider.py tests/server/sigv4_oracle.py tests/e2e/server_lib.bash
LONG_TESTS += tests/e2e/server_attack.bats tests/e2e/server_api.bats tests/e2e/server_objects.bats tests/e2e/server_hostile.bats \
  tests/e2e/server_github.bats
TESTS += tests/e2e/server_operation.bats tests/e2e/server_accounts.bats tests/e2e/server_crash.bats \
  tests/e2e/server_stock.bats tests/e2e/server_heads.bats tests/e2e/server_traces.bats tests/e2e/server_dashboard.bats
HEAVY_TESTS += tests/e2e/server_drip.bats tests/e2e/heavy_proxy.bats tests/e2e/server_oidc.bats \
  tests/e2e/server_week.bats
FULL_TESTS += tests/e2e/server_week.bats tests/e2e/full_container.sh
dist_check_SCRIPTS += tests/e2e/full_container.sh tests/e2e/server_oidc.bats tests/e2e/server_week.bats
EXTRA_DIST += tests/e2e/tools/oidc_provider.mjs tests/e2e/tools/week.py
endif
FUZZ_TARGETS += tests/server/fuzz_request
tests_server_fuzz_request_SOURCES = tests/server/fuzz_request.c
tests_server_fuzz_request_LDADD = $(server_LIBS)
tests_server_fuzz_request_LDFLAGS = $(FUZZ_FLAGS)
