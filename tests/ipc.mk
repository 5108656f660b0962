check_PROGRAMS += tests/unit_ipc tests/unit_ipc_client
TESTS += tests/unit_ipc tests/unit_ipc_client
tests_unit_ipc_SOURCES = tests/unit_ipc.c
tests_unit_ipc_LDADD = ipc/libipc.a $(common_LIBS) $(EVENT_LIBS) $(CMOCKA_LIBS)
tests_unit_ipc_client_SOURCES = tests/unit_ipc_client.c
tests_unit_ipc_client_LDADD = ipc/libipc.a $(common_LIBS) $(EVENT_LIBS) $(CMOCKA_LIBS)
