noinst_LIBRARIES += agents/libagents.a
agents_libagents_a_SOURCES =
