check_PROGRAMS += tests/ctctl/unit_ctctl_status tests/ctctl/unit_ctctl_text tests/ctctl/unit_ctctl_verbs \
  tests/ctctl/unit_ctctl_cloud
TESTS += tests/ctctl/unit_ctctl_status tests/ctctl/unit_ctctl_text tests/ctctl/unit_ctctl_verbs tests/ctctl/unit_ctctl_cloud
tests_ctctl_unit_ctctl_status_SOURCES = tests/ctctl/unit_ctctl_status.c
tests_ctctl_unit_ctctl_status_LDADD = $(ctctl_LIBS) $(CMOCKA_LIBS)
tests_ctctl_unit_ctctl_text_SOURCES = tests/ctctl/unit_ctctl_text.c
tests_ctctl_unit_ctctl_text_LDADD = $(ctctl_LIBS) $(CMOCKA_LIBS)
ctctl_room = tests/ctctl/ctctl_room.c tests/ctctl/ctctl_room.h
tests_ctctl_unit_ctctl_verbs_SOURCES = tests/ctctl/unit_ctctl_verbs.c $(ctctl_room)
tests_ctctl_unit_ctctl_verbs_LDADD = $(ctctl_LIBS) $(CMOCKA_LIBS)
tests_ctctl_unit_ctctl_cloud_SOURCES = tests/ctctl/unit_ctctl_cloud.c $(ctctl_room)
tests_ctctl_unit_ctctl_cloud_LDADD = $(ctctl_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/ctctl/unit_ctctl_web
TESTS += tests/ctctl/unit_ctctl_web
tests_ctctl_unit_ctctl_web_SOURCES = tests/ctctl/unit_ctctl_web.c
tests_ctctl_unit_ctctl_web_LDADD = $(ctctl_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/ctctl/unit_ctctl_launchd
TESTS += tests/ctctl/unit_ctctl_launchd
tests_ctctl_unit_ctctl_launchd_SOURCES = tests/ctctl/unit_ctctl_launchd.c
tests_ctctl_unit_ctctl_launchd_LDADD = $(ctctl_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/ctctl/unit_ctctl_progress
TESTS += tests/ctctl/unit_ctctl_progress
tests_ctctl_unit_ctctl_progress_SOURCES = tests/ctctl/unit_ctctl_progress.c
tests_ctctl_unit_ctctl_progress_LDADD = $(ctctl_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/daemon/unit_rules
TESTS += tests/daemon/unit_rules
tests_daemon_unit_rules_SOURCES = tests/daemon/unit_rules.c tests/scratch.c tests/scratch.h
tests_daemon_unit_rules_LDADD = daemon/libdaemon.a agents/libagents.a $(common_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/common/unit_state_dir
TESTS += tests/common/unit_state_dir
tests_common_unit_state_dir_SOURCES = tests/common/unit_state_dir.c tests/scratch.c tests/scratch.h
tests_common_unit_state_dir_LDADD = $(common_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/ctctl/unit_ctctl_folder
TESTS += tests/ctctl/unit_ctctl_folder
tests_ctctl_unit_ctctl_folder_SOURCES = tests/ctctl/unit_ctctl_folder.c
tests_ctctl_unit_ctctl_folder_LDADD = $(ctctl_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/ctctl/unit_ctctl_key
TESTS += tests/ctctl/unit_ctctl_key
tests_ctctl_unit_ctctl_key_SOURCES = tests/ctctl/unit_ctctl_key.c
tests_ctctl_unit_ctctl_key_LDADD = $(ctctl_LIBS) $(CMOCKA_LIBS)
