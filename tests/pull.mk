# Coming home, between two machines.
dist_check_SCRIPTS += tests/e2e/e2e_whole.bats tests/e2e/e2e_profile.bats tests/e2e/e2e_pull.bats tests/e2e/e2e_choices.bats tests/e2e/e2e_kill.bats tests/e2e/e2e_download.bats \
  tests/e2e/e2e_heads.bats tests/e2e/e2e_merge.bats tests/e2e/e2e_read.bats \
  tests/e2e/tools/make_session.py tests/e2e/kill_install.py tests/e2e/kill_all.sh
EXTRA_DIST += tests/e2e/pull_lib.bash
TESTS += tests/e2e/e2e_whole.bats tests/e2e/e2e_profile.bats tests/e2e/e2e_pull.bats tests/e2e/e2e_choices.bats tests/e2e/e2e_kill.bats \
  tests/e2e/e2e_heads.bats tests/e2e/e2e_merge.bats tests/e2e/e2e_read.bats
LONG_TESTS += tests/e2e/e2e_download.bats
dist_check_SCRIPTS += tests/e2e/e2e_vouched.bats
LONG_TESTS += tests/e2e/e2e_vouched.bats
# The same for what is sealed, whoever sealed it.
check_PROGRAMS += tests/bundle/sealone
tests_bundle_sealone_SOURCES = tests/bundle/sealone.c
tests_bundle_sealone_LDADD = $(bundle_LIBS) $(common_LIBS)
dist_check_SCRIPTS += tests/e2e/e2e_sealed_pull.bats
LONG_TESTS += tests/e2e/e2e_sealed_pull.bats
FULL_TESTS += tests/e2e/kill_all.sh
# A stranger's sessions in the real Claude Code; longer in full.
dist_check_SCRIPTS += tests/agents/e2e_agents.bats tests/agents/heavy_as.bats tests/agents/heavy_codex.bats tests/agents/heavy_copilot.bats tests/agents/heavy_gemini.bats tests/agents/heavy_opencode.bats tests/agents/heavy_pi.bats tests/agents/heavy_qwen.bats
EXTRA_DIST += tests/agents/journey.bash
TESTS += tests/agents/e2e_agents.bats
dist_check_SCRIPTS += tests/e2e/heavy_stranger.bats tests/e2e/heavy_whole.bats
HEAVY_TESTS += tests/e2e/heavy_stranger.bats tests/e2e/heavy_whole.bats tests/agents/heavy_as.bats tests/agents/heavy_codex.bats tests/agents/heavy_copilot.bats tests/agents/heavy_gemini.bats tests/agents/heavy_opencode.bats tests/agents/heavy_pi.bats tests/agents/heavy_qwen.bats
FULL_TESTS += tests/e2e/heavy_stranger.bats
EXTRA_DIST += tests/e2e/tools/model_standin.py tests/e2e/tools/resume.py
# With the real Claude Code, which is some 600 MB from npm.
dist_check_SCRIPTS += tests/e2e/full_claude.bats tests/e2e/full_plugin.bats tests/e2e/tools/messages_standin.py
EXTRA_DIST += tests/e2e/claude_lib.bash
FULL_TESTS += tests/e2e/full_claude.bats tests/e2e/full_plugin.bats
