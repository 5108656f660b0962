#ifndef AGENTS_ROWS_H
#define AGENTS_ROWS_H

#include "agents/agent.h"

/* The rows of the table in agent.c; each lies in its agent's own folder. */
extern const struct agent claude_agent;
extern const struct agent codex_agent;
extern const struct agent copilot_agent;
extern const struct agent gemini_agent;
extern const struct agent opencode_agent;
extern const struct agent pi_agent;
extern const struct agent qwen_agent;

#endif
