check_PROGRAMS += tests/unit_ctctl_status tests/unit_ctctl_text tests/unit_ctctl_verbs \
  tests/unit_ctctl_cloud
TESTS += tests/unit_ctctl_status tests/unit_ctctl_text tests/unit_ctctl_verbs tests/unit_ctctl_cloud
tests_unit_ctctl_status_SOURCES = tests/unit_ctctl_status.c
tests_unit_ctctl_status_LDADD = $(ctctl_LIBS) $(CMOCKA_LIBS)
tests_unit_ctctl_text_SOURCES = tests/unit_ctctl_text.c
tests_unit_ctctl_text_LDADD = $(ctctl_LIBS) $(CMOCKA_LIBS)
ctctl_room = tests/ctctl_room.c tests/ctctl_room.h
tests_unit_ctctl_verbs_SOURCES = tests/unit_ctctl_verbs.c $(ctctl_room)
tests_unit_ctctl_verbs_LDADD = $(ctctl_LIBS) $(CMOCKA_LIBS)
tests_unit_ctctl_cloud_SOURCES = tests/unit_ctctl_cloud.c $(ctctl_room)
tests_unit_ctctl_cloud_LDADD = $(ctctl_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit_ctctl_progress
TESTS += tests/unit_ctctl_progress
tests_unit_ctctl_progress_SOURCES = tests/unit_ctctl_progress.c
tests_unit_ctctl_progress_LDADD = $(ctctl_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit_exclude
TESTS += tests/unit_exclude
tests_unit_exclude_SOURCES = tests/unit_exclude.c
tests_unit_exclude_LDADD = daemon/libdaemon.a agents/libagents.a $(common_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit_ctctl_place
TESTS += tests/unit_ctctl_place
tests_unit_ctctl_place_SOURCES = tests/unit_ctctl_place.c
tests_unit_ctctl_place_LDADD = $(ctctl_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit_ctctl_key
TESTS += tests/unit_ctctl_key
tests_unit_ctctl_key_SOURCES = tests/unit_ctctl_key.c
tests_unit_ctctl_key_LDADD = $(ctctl_LIBS) $(CMOCKA_LIBS)
