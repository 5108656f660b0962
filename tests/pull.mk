# Coming home, between two machines.
dist_check_SCRIPTS += tests/e2e_pull.bats tests/e2e_choices.bats tests/e2e_kill.bats tests/e2e_download.bats \
  tests/make_session.py tests/kill_install.py tests/kill_all.sh
EXTRA_DIST += tests/pull_lib.bash
TESTS += tests/e2e_pull.bats tests/e2e_choices.bats tests/e2e_kill.bats tests/e2e_download.bats
# The same for what is sealed, whoever sealed it.
check_PROGRAMS += tests/sealone
tests_sealone_SOURCES = tests/sealone.c
tests_sealone_LDADD = $(bundle_LIBS) $(common_LIBS)
dist_check_SCRIPTS += tests/e2e_sealed_pull.bats
TESTS += tests/e2e_sealed_pull.bats
HEAVY_TESTS += tests/kill_all.sh
