check_PROGRAMS += tests/unit_debounce
TESTS += tests/unit_debounce
tests_unit_debounce_SOURCES = tests/unit_debounce.c
tests_unit_debounce_LDADD = watcher/libwatcher.a $(common_LIBS) $(CMOCKA_LIBS)
watcher_picture = tests/watcher_picture.c tests/watcher_picture.h tests/exchange.h
watcher_picture_LIBS = \
  watcher/libwatcher.a agents/libagents.a $(common_LIBS) $(EVENT_LIBS) $(CMOCKA_LIBS)
if ON_LINUX
watcher_picture += tests/exchange_linux.c
else
watcher_picture += tests/exchange_posix.c
endif
EXTRA_DIST += tests/exchange_linux.c tests/exchange_posix.c
check_PROGRAMS += tests/unit_watcher tests/unit_watcher_roots tests/unit_watcher_trouble \
  tests/unit_watcher_storm tests/unit_resume
TESTS += tests/unit_watcher tests/unit_watcher_roots tests/unit_watcher_trouble \
  tests/unit_watcher_storm tests/unit_resume
tests_unit_watcher_SOURCES = tests/unit_watcher.c $(watcher_picture)
tests_unit_watcher_LDADD = $(watcher_picture_LIBS)
tests_unit_watcher_roots_SOURCES = tests/unit_watcher_roots.c $(watcher_picture)
tests_unit_watcher_roots_LDADD = $(watcher_picture_LIBS)
tests_unit_watcher_trouble_SOURCES = tests/unit_watcher_trouble.c $(watcher_picture)
tests_unit_watcher_trouble_LDADD = $(watcher_picture_LIBS)
tests_unit_watcher_storm_SOURCES = tests/unit_watcher_storm.c $(watcher_picture)
tests_unit_watcher_storm_LDADD = $(watcher_picture_LIBS)
tests_unit_resume_SOURCES = tests/unit_resume.c $(watcher_picture)
tests_unit_resume_LDADD = $(watcher_picture_LIBS)
if ON_LINUX
check_PROGRAMS += tests/unit_resume_linux
TESTS += tests/unit_resume_linux
tests_unit_resume_linux_SOURCES = tests/unit_resume_linux.c
tests_unit_resume_linux_LDADD = $(watcher_picture_LIBS)
endif
check_PROGRAMS += tests/unit_growth
TESTS += tests/unit_growth
tests_unit_growth_SOURCES = tests/unit_growth.c
tests_unit_growth_LDADD = daemon/libdaemon.a $(common_LIBS) $(CMOCKA_LIBS)
if WITH_BATS
dist_check_SCRIPTS += tests/heavy_watch.bats tests/heavy_suspend.bats
HEAVY_TESTS += tests/heavy_watch.bats tests/heavy_suspend.bats
endif
