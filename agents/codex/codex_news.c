#include <stdio.h>
#include <string.h>

#include "agents/codex/codex.h"

/*
 * What of a rollout is conversation: what was said, told by events in one form for each history
 * mode, and what tools were asked and answered.  That an agent rewrites a rollout from one mode
 * into the other changes none of it.
 */
static int is_one_of(const char *s, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strcmp(s, *words) == 0)
            return 1;
    }
    return 0;
}

/* The subtype is the payload's type. */
static int is_prompt(const struct agent_record *r)
{
    return strcmp(r->subtype, "user_message") == 0 ||
           (strcmp(r->subtype, "item_completed") == 0 && strcmp(r->attachment, "UserMessage") == 0);
}

static int is_answer(const struct agent_record *r)
{
    return strcmp(r->subtype, "agent_message") == 0 || (strcmp(r->subtype, "item_completed") == 0 &&
                                                        strcmp(r->attachment, "AgentMessage") == 0);
}

enum agent_news codex_record_news(const struct agent_record *r)
{
    static const char *const silent[] = {"message", "reasoning", "compaction", NULL};

    if (strcmp(r->type, "response_item") == 0)
        return is_one_of(r->subtype, silent) ? AGENT_NO_NEWS : AGENT_IS_STEP;
    if (strcmp(r->type, "event_msg") == 0)
        return is_prompt(r) || is_answer(r) ? AGENT_IS_NEWS : AGENT_NO_NEWS;
    return AGENT_NO_NEWS;
}

/* No record has an identity of its own: it is known by its time, and by who spoke or which call it
 * is. */
void codex_record_identity(const struct agent_record *r, char *ret, size_t size)
{
    *ret = '\0';
    if (strcmp(r->type, "event_msg") == 0 && (is_prompt(r) || is_answer(r)))
        snprintf(ret, size, "%s", is_prompt(r) ? "prompt" : "answer");
    else if (codex_record_news(r) == AGENT_IS_STEP)
        snprintf(ret, size, "%.12s %.40s", strstr(r->subtype, "output") != NULL ? "output" : "call",
                 r->call);
}

int codex_record_is_idle(const struct agent_record *r)
{
    static const char *const types[] = {"session_meta", "turn_context",       "world_state",
                                        "compacted",    "token_usage_record", NULL};
    static const char *const events[] = {"task_started", "task_complete",           "turn_aborted",
                                         "token_count",  "thread_settings_applied", NULL};

    if (strcmp(r->type, "response_item") == 0)
        return strcmp(r->subtype, "message") == 0;
    if (strcmp(r->type, "event_msg") == 0)
        return is_one_of(r->subtype, events);
    return is_one_of(r->type, types);
}
