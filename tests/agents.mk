check_PROGRAMS += tests/agents/unit_agents tests/agents/unit_inventory tests/agents/unit_transcript tests/agents/unit_turns tests/agents/unit_unite
TESTS += tests/agents/unit_agents tests/agents/unit_inventory tests/agents/unit_transcript tests/agents/unit_turns tests/agents/unit_unite
tests_agents_unit_agents_SOURCES = tests/agents/unit_agents.c tests/scratch.c tests/scratch.h
tests_agents_unit_agents_LDADD = agents/libagents.a $(common_LIBS) $(CMOCKA_LIBS)
tests_agents_unit_inventory_SOURCES = tests/agents/unit_inventory.c tests/scratch.c tests/scratch.h
tests_agents_unit_inventory_LDADD = agents/libagents.a $(common_LIBS) $(CMOCKA_LIBS)
tests_agents_unit_turns_SOURCES = tests/agents/unit_turns.c
tests_agents_unit_turns_LDADD = agents/libagents.a $(common_LIBS) $(CMOCKA_LIBS)
tests_agents_unit_transcript_SOURCES = tests/agents/unit_transcript.c tests/scratch.c tests/scratch.h
tests_agents_unit_transcript_LDADD = agents/libagents.a $(common_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/agents/unit_allow
TESTS += tests/agents/unit_allow
tests_agents_unit_allow_SOURCES = tests/agents/unit_allow.c
tests_agents_unit_allow_LDADD = agents/libagents.a $(common_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/agents/unit_news
TESTS += tests/agents/unit_news
tests_agents_unit_news_SOURCES = tests/agents/unit_news.c
tests_agents_unit_news_LDADD = agents/libagents.a $(common_LIBS) $(CMOCKA_LIBS)
tests_agents_unit_unite_SOURCES = tests/agents/unit_unite.c
tests_agents_unit_unite_LDADD = agents/libagents.a $(common_LIBS) $(CMOCKA_LIBS)
FULL_TESTS += tests/agents/unit_unite
EXTRA_DIST += tests/fixtures
if ON_LINUX
check_PROGRAMS += tests/agents/unit_agents_linux
TESTS += tests/agents/unit_agents_linux
tests_agents_unit_agents_linux_SOURCES = tests/agents/unit_agents_linux.c
tests_agents_unit_agents_linux_LDADD = agents/libagents.a $(common_LIBS) $(CMOCKA_LIBS)
endif
