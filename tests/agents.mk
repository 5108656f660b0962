check_PROGRAMS += tests/unit_agents tests/unit_transcript
TESTS += tests/unit_agents tests/unit_transcript
tests_unit_agents_SOURCES = tests/unit_agents.c tests/scratch.c tests/scratch.h
tests_unit_agents_LDADD = agents/libagents.a $(common_LIBS) $(CMOCKA_LIBS)
tests_unit_transcript_SOURCES = tests/unit_transcript.c tests/scratch.c tests/scratch.h
tests_unit_transcript_LDADD = agents/libagents.a $(common_LIBS) $(CMOCKA_LIBS)
EXTRA_DIST += tests/fixtures
if ON_LINUX
check_PROGRAMS += tests/unit_agents_linux
TESTS += tests/unit_agents_linux
tests_unit_agents_linux_SOURCES = tests/unit_agents_linux.c
tests_unit_agents_linux_LDADD = agents/libagents.a $(common_LIBS) $(CMOCKA_LIBS)
endif
