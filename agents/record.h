#ifndef AGENTS_RECORD_H
#define AGENTS_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "agents/usage.h"
#include "common/base/buf.h"
#include "common/data/jscan.h"

/*
 * One record of a transcript: what the rules for metadata ask for, picked from the token stream of
 * one line by the agent (record_ops of its row), which says it in these words whatever its own are.
 * Of a member that comes twice, the last counts.
 */

#define RECORD_TITLE 804 /* bytes that hold 200 characters and one more */

enum record_type {
    RECORD_OTHER,
    RECORD_USER,
    RECORD_ASSISTANT,
    RECORD_SUMMARY,
    RECORD_CUSTOM_TITLE,
    RECORD_AI_TITLE,
    RECORD_LAST_PROMPT,
    RECORD_COST_STATE,
    RECORD_TOKENS, /* of one call of the model, beside the answer */
};

enum record_title { TITLE_CUSTOM, TITLE_AI, TITLE_LAST_PROMPT, TITLE_SUMMARY, TITLE_KINDS };

/* A block of message.content[]. */
struct record_block {
    uint8_t type; /* the agent's own number */
    uint8_t tool; /* the same */
    char text[RECORD_TITLE + 1];
    char file_path[JSCAN_TEXT + 1];
    char notebook_path[JSCAN_TEXT + 1];
};

struct record {
    uint32_t known; /* how many containers from the outside are on a path that we know */
    uint8_t type;   /* enum record_type */
    uint8_t is_meta, is_sidechain, is_compact_summary;
    uint8_t has_tool_result;
    uint8_t is_fork;      /* copied from the session that this one began in */
    uint8_t is_in_usage;  /* where there are two ways down from a message */
    uint8_t has_usage;    /* of the message */
    uint8_t is_total;     /* ${tokens} are those of the session so far */
    uint8_t is_cost_open; /* the price of something was not known */
    int64_t start_time;   /* when it began to count what it spent */
    int64_t total_micros; /* spent since then, or -1 */
    int64_t cost_micros;  /* of this message, or -1 */
    struct usage_tokens tokens;
    int64_t tool_calls;
    char timestamp[64];
    char session_id[64];
    char cwd[JSCAN_TEXT + 1];
    char relocated[JSCAN_TEXT + 1]; /* where the session went on */
    char git_branch[256];
    char slug[256];
    char title[TITLE_KINDS][RECORD_TITLE + 1];
    char model[128];
    char message_id[JSCAN_TEXT + 1];
    char text[RECORD_TITLE + 1]; /* of the message: its string, or its first text block */
    struct record_block block;
};

struct record_form;

struct record_reader {
    struct record *record;
    struct buf *paths;  /* files that its tool calls modify, each with a NUL behind it */
    struct buf *pastes; /* contentHash values, the same way */
    struct buf *calls; /* ids of tool calls that can come again, the same way; others are counted */

    const struct record_form *form; /* of the agent, or NULL */

    /* The record is one of several that the line holds, and ends here: take it.  The agent clears
     * it then. */
    void (*part)(struct record_reader *rr);
    void *arg; /* of who made the reader */
};

/**
 * record_clear(r):
 * Get ready for a new line.
 */
void record_clear(struct record *r);

#endif
