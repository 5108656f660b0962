check_PROGRAMS += tests/unit_watcher tests/unit_watcher_storm tests/unit_debounce
TESTS += tests/unit_watcher tests/unit_watcher_storm tests/unit_debounce
watcher_test_LIBS = watcher/libwatcher.a agents/libagents.a $(common_LIBS) $(EVENT_LIBS) $(CMOCKA_LIBS)
tests_unit_watcher_SOURCES = tests/unit_watcher.c tests/watcher_picture.c tests/watcher_picture.h
tests_unit_watcher_LDADD = $(watcher_test_LIBS)
tests_unit_watcher_storm_SOURCES = \
  tests/unit_watcher_storm.c tests/watcher_picture.c tests/watcher_picture.h
tests_unit_watcher_storm_LDADD = $(watcher_test_LIBS)
tests_unit_debounce_SOURCES = tests/unit_debounce.c
tests_unit_debounce_LDADD = watcher/libwatcher.a $(common_LIBS) $(CMOCKA_LIBS)
