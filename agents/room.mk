noinst_LIBRARIES += agents/libagents.a
agents_libagents_a_SOURCES = \
  agents/agent.c agents/agent.h \
  agents/lines/anew.c agents/lines/anew.h \
  agents/disk/beneath.c agents/disk/beneath.h \
  agents/body.c agents/body.h \
  agents/claude/allow.c agents/claude/allow.h \
  agents/claude/claude.c agents/claude/claude.h \
  agents/claude/claude_cites.c \
  agents/claude/claude_cleanup.c \
  agents/claude/claude_entry.c \
  agents/claude/claude_list.c \
  agents/claude/claude_memory.c \
  agents/claude/claude_names.c \
  agents/claude/claude_news.c \
  agents/claude/claude_profile.c \
  agents/claude/claude_turns.c \
  agents/claude/claude_walk.c agents/claude/claude_walk.h \
  agents/claude/history.c agents/claude/history.h \
  agents/claude/rebuild.c agents/claude/rebuild.h \
  agents/claude/rebuild_call.c \
  agents/claude/rebuild_inside.h \
  agents/claude/rebuild_own.c \
  agents/claude/rebuild_uses.c \
  agents/claude/rebuild_value.c \
  agents/claude/record.c \
  agents/claude/claude_words.c \
  agents/claude/worktree.c agents/claude/worktree.h \
  agents/codex/codex.c agents/codex/codex.h \
  agents/codex/codex_database.c \
  agents/codex/codex_list.c \
  agents/codex/codex_news.c \
  agents/codex/codex_rebuild.c \
  agents/codex/codex_record.c \
  agents/codex/codex_turns.c \
  agents/codex/codex_words.c \
  agents/copilot/copilot.c agents/copilot/copilot.h \
  agents/copilot/copilot_beside.c \
  agents/copilot/copilot_rebuild.c \
  agents/copilot/copilot_record.c \
  agents/copilot/copilot_turns.c \
  agents/copilot/copilot_words.c \
  agents/disk/encode.c agents/disk/encode.h \
  agents/lines/form.c agents/lines/form.h \
  agents/gemini/gemini.c agents/gemini/gemini.h \
  agents/gemini/gemini_project.c \
  agents/gemini/gemini_rebuild.c \
  agents/gemini/gemini_record.c \
  agents/gemini/gemini_turns.c \
  agents/gemini/gemini_words.c \
  agents/inventory.c agents/inventory.h \
  agents/linked.c agents/linked.h \
  agents/lines/names.c agents/lines/names.h \
  agents/news.c agents/news.h \
  agents/opencode/opencode.c agents/opencode/opencode.h \
  agents/opencode/opencode_copy.c agents/opencode/opencode_copy.h \
  agents/opencode/opencode_gather.c \
  agents/opencode/opencode_import.c \
  agents/opencode/opencode_rebuild.c \
  agents/opencode/opencode_record.c \
  agents/opencode/opencode_turns.c \
  agents/opencode/opencode_words.c \
  agents/pi/pi.c agents/pi/pi.h \
  agents/pi/pi_rebuild.c \
  agents/pi/pi_record.c \
  agents/pi/pi_turns.c \
  agents/pi/pi_words.c \
  agents/lines/places.c agents/lines/places.h \
  agents/lines/plain.c agents/lines/plain.h \
  agents/disk/process.h \
  agents/record.h \
  agents/qwen/qwen.c agents/qwen/qwen.h \
  agents/qwen/qwen_rebuild.c \
  agents/qwen/qwen_record.c \
  agents/qwen/qwen_turns.c \
  agents/qwen/qwen_words.c \
  agents/rebuild.c agents/rebuild.h \
  agents/roots.c agents/roots.h \
  agents/rows.h \
  agents/seen.c agents/seen.h \
  agents/trust.c agents/trust.h \
  agents/transcript.c agents/transcript.h \
  agents/turns.c agents/turns.h \
  agents/unite.c agents/unite.h \
  agents/unite_lines.c agents/unite_lines.h \
  agents/unpack.c agents/unpack.h \
  agents/usage.c agents/usage.h \
  agents/words.c agents/words.h
# One library, or none.
if WITH_ZSTD
agents_libagents_a_SOURCES += agents/unpack_zstd.c
EXTRA_DIST += agents/unpack_none.c
else
agents_libagents_a_SOURCES += agents/unpack_none.c
EXTRA_DIST += agents/unpack_zstd.c
endif
# One file per system.
agents_linux = agents/disk/encode_linux.c agents/disk/beneath_linux.c agents/disk/process_linux.c agents/unpack_linux.c
agents_posix = agents/disk/encode_posix.c agents/disk/beneath_posix.c agents/disk/process_posix.c agents/unpack_posix.c
if ON_LINUX
agents_libagents_a_SOURCES += $(agents_linux)
EXTRA_DIST += $(agents_posix)
else
agents_libagents_a_SOURCES += $(agents_posix)
EXTRA_DIST += $(agents_linux)
endif
EXTRA_DIST += agents/README.md agents/disk/README.md agents/lines/README.md agents/claude/README.md agents/codex/README.md agents/copilot/README.md agents/gemini/README.md agents/opencode/README.md agents/pi/README.md agents/qwen/README.md
