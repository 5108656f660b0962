noinst_LIBRARIES += agents/libagents.a
agents_libagents_a_SOURCES = \
  agents/agent.c agents/agent.h \
  agents/beneath.c agents/beneath.h \
  agents/claude.c agents/claude.h \
  agents/claude_entry.c \
  agents/claude_list.c \
  agents/encode.c agents/encode.h \
  agents/history.c agents/history.h \
  agents/news.c agents/news.h \
  agents/process.h \
  agents/record.c agents/record.h \
  agents/seen.c agents/seen.h \
  agents/transcript.c agents/transcript.h
# One file per system.
agents_linux = agents/beneath_linux.c agents/process_linux.c
agents_posix = agents/beneath_posix.c agents/process_posix.c
if ON_LINUX
agents_libagents_a_SOURCES += $(agents_linux)
EXTRA_DIST += $(agents_posix)
else
agents_libagents_a_SOURCES += $(agents_posix)
EXTRA_DIST += $(agents_linux)
endif
