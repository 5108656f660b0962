# Coming home, between two machines.
dist_check_SCRIPTS += tests/e2e_pull.bats tests/e2e_choices.bats tests/make_session.py
EXTRA_DIST += tests/pull_lib.bash
TESTS += tests/e2e_pull.bats tests/e2e_choices.bats
