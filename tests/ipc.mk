check_PROGRAMS += tests/unit_ipc
TESTS += tests/unit_ipc
tests_unit_ipc_SOURCES = tests/unit_ipc.c
tests_unit_ipc_LDADD = ipc/libipc.a $(common_LIBS) $(EVENT_LIBS) $(CMOCKA_LIBS)
