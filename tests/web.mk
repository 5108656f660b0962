if WITH_BATS
dist_check_SCRIPTS += tests/e2e/e2e_web.bats tests/e2e/heavy_web.bats
EXTRA_DIST += tests/e2e/web_lib.bash tests/e2e/tools/browse.mjs tests/e2e/tools/hostile_transcripts.py
TESTS += tests/e2e/e2e_web.bats
HEAVY_TESTS += tests/e2e/heavy_web.bats
FULL_TESTS += tests/e2e/heavy_web.bats
endif
