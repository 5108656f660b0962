if WITH_BATS
dist_check_SCRIPTS += tests/e2e/e2e_share.bats tests/e2e/e2e_web.bats tests/e2e/heavy_web.bats tests/e2e/heavy_share.bats
EXTRA_DIST += tests/e2e/web_lib.bash tests/e2e/tools/browser.mjs tests/e2e/tools/browse.mjs tests/e2e/tools/dashboard.mjs tests/e2e/tools/hostile_transcripts.py \
  tests/e2e/tools/share_open.py tests/e2e/tools/browse_share.mjs
TESTS += tests/e2e/e2e_share.bats tests/e2e/e2e_web.bats
HEAVY_TESTS += tests/e2e/heavy_web.bats tests/e2e/heavy_share.bats
FULL_TESTS += tests/e2e/heavy_web.bats
endif
