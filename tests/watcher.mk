check_PROGRAMS += tests/watcher/unit_debounce
TESTS += tests/watcher/unit_debounce
tests_watcher_unit_debounce_SOURCES = tests/watcher/unit_debounce.c
tests_watcher_unit_debounce_LDADD = $(watcher_LIBS) $(common_LIBS) $(CMOCKA_LIBS)
watcher_picture = tests/watcher/watcher_picture.c tests/watcher/watcher_picture.h tests/watcher/exchange.h
watcher_picture_LIBS = \
  $(watcher_LIBS) agents/libagents.a $(common_LIBS) $(EVENT_LIBS) $(CMOCKA_LIBS)
if ON_LINUX
watcher_picture += tests/watcher/exchange_linux.c
else
watcher_picture += tests/watcher/exchange_posix.c
endif
EXTRA_DIST += tests/watcher/exchange_linux.c tests/watcher/exchange_posix.c
check_PROGRAMS += tests/watcher/unit_watcher tests/watcher/unit_watcher_roots tests/watcher/unit_watcher_links tests/watcher/unit_watcher_trouble \
  tests/watcher/unit_watcher_storm tests/watcher/unit_resume
TESTS += tests/watcher/unit_watcher tests/watcher/unit_watcher_roots tests/watcher/unit_watcher_links tests/watcher/unit_watcher_trouble \
  tests/watcher/unit_resume
LONG_TESTS += tests/watcher/unit_watcher_storm
FULL_TESTS += tests/watcher/unit_watcher_storm
tests_watcher_unit_watcher_SOURCES = tests/watcher/unit_watcher.c $(watcher_picture)
tests_watcher_unit_watcher_LDADD = $(watcher_picture_LIBS)
tests_watcher_unit_watcher_roots_SOURCES = tests/watcher/unit_watcher_roots.c $(watcher_picture)
tests_watcher_unit_watcher_roots_LDADD = $(watcher_picture_LIBS)
tests_watcher_unit_watcher_links_SOURCES = tests/watcher/unit_watcher_links.c $(watcher_picture)
tests_watcher_unit_watcher_links_LDADD = $(watcher_picture_LIBS)
tests_watcher_unit_watcher_trouble_SOURCES = tests/watcher/unit_watcher_trouble.c $(watcher_picture)
tests_watcher_unit_watcher_trouble_LDADD = $(watcher_picture_LIBS)
tests_watcher_unit_watcher_storm_SOURCES = tests/watcher/unit_watcher_storm.c $(watcher_picture)
tests_watcher_unit_watcher_storm_LDADD = $(watcher_picture_LIBS)
tests_watcher_unit_resume_SOURCES = tests/watcher/unit_resume.c $(watcher_picture)
tests_watcher_unit_resume_LDADD = $(watcher_picture_LIBS)
if WITH_INOTIFY
# The watcher's suite on macOS's backend, with a stand-in for FSEvents that is made of inotify: the
# programs take backend_system() from here, not from libwatcher.a.
fsevents_tests = tests/watcher/fsevents_watcher tests/watcher/fsevents_watcher_roots \
  tests/watcher/fsevents_watcher_links tests/watcher/fsevents_watcher_trouble tests/watcher/fsevents_watcher_storm
check_LIBRARIES += tests/watcher/libfsevents.a
tests_watcher_libfsevents_a_SOURCES = watcher/backend/fsevents_darwin.c tests/watcher/fake_fsevents.c \
  tests/watcher/apple/CoreServices/CoreServices.h
tests_watcher_libfsevents_a_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/watcher/apple
fsevents_LIBS = tests/watcher/libfsevents.a $(watcher_picture_LIBS) -lpthread
check_PROGRAMS += $(fsevents_tests)
tests_watcher_fsevents_watcher_SOURCES = $(tests_watcher_unit_watcher_SOURCES)
tests_watcher_fsevents_watcher_LDADD = $(fsevents_LIBS)
tests_watcher_fsevents_watcher_LDFLAGS = -Wl,-u,backend_system
tests_watcher_fsevents_watcher_roots_SOURCES = $(tests_watcher_unit_watcher_roots_SOURCES)
tests_watcher_fsevents_watcher_roots_LDADD = $(fsevents_LIBS)
tests_watcher_fsevents_watcher_roots_LDFLAGS = -Wl,-u,backend_system
tests_watcher_fsevents_watcher_links_SOURCES = $(tests_watcher_unit_watcher_links_SOURCES)
tests_watcher_fsevents_watcher_links_LDADD = $(fsevents_LIBS)
tests_watcher_fsevents_watcher_links_LDFLAGS = -Wl,-u,backend_system
tests_watcher_fsevents_watcher_trouble_SOURCES = $(tests_watcher_unit_watcher_trouble_SOURCES)
tests_watcher_fsevents_watcher_trouble_LDADD = $(fsevents_LIBS)
tests_watcher_fsevents_watcher_trouble_LDFLAGS = -Wl,-u,backend_system
tests_watcher_fsevents_watcher_storm_SOURCES = $(tests_watcher_unit_watcher_storm_SOURCES)
tests_watcher_fsevents_watcher_storm_LDADD = $(fsevents_LIBS)
tests_watcher_fsevents_watcher_storm_LDFLAGS = -Wl,-u,backend_system
dist_check_SCRIPTS += tests/watcher/fsevents.sh
LONG_TESTS += tests/watcher/fsevents.sh
FULL_TESTS += tests/watcher/fsevents.sh
endif
EXTRA_DIST += tests/watcher/apple/CoreServices/CoreServices.h
if ON_LINUX
check_PROGRAMS += tests/watcher/unit_resume_linux
TESTS += tests/watcher/unit_resume_linux
tests_watcher_unit_resume_linux_SOURCES = tests/watcher/unit_resume_linux.c
tests_watcher_unit_resume_linux_LDADD = $(watcher_picture_LIBS)
endif
check_PROGRAMS += tests/daemon/unit_growth
TESTS += tests/daemon/unit_growth
tests_daemon_unit_growth_SOURCES = tests/daemon/unit_growth.c
tests_daemon_unit_growth_LDADD = daemon/libdaemon.a $(common_LIBS) $(CMOCKA_LIBS)
if WITH_BATS
dist_check_SCRIPTS += tests/e2e/heavy_watch.bats tests/e2e/heavy_suspend.bats
HEAVY_TESTS += tests/e2e/heavy_watch.bats tests/e2e/heavy_suspend.bats
endif
if WITH_BATS
dist_check_SCRIPTS += tests/e2e/e2e_links.bats tests/e2e/e2e_stay.bats
TESTS += tests/e2e/e2e_links.bats tests/e2e/e2e_stay.bats
endif
