#include <string.h>

#include "agents/copilot/copilot.h"
#include "agents/lines/form.h"

/*
 * An event of Copilot CLI, in the words that lists go by.  Its type stands before or behind what
 * belongs to it: all is settled when it ends.  Tokens are in events of their own.
 */

/* Where we are, as bits of record.known; and what was met. */
enum {
    IN_DATA = 1 << 0,
    IN_CONTEXT = 1 << 1,
    IN_USAGE = 1 << 2,
    IN_REQUESTS = 1 << 3,
    IN_ARGUMENTS = 1 << 4,
    IS_START = 1 << 8,
    IS_USER = 1 << 9,
    IS_ANSWER = 1 << 10,
    IS_TITLE = 1 << 11,
    IS_TOKENS = 1 << 12,
    IS_PUT_IN = 1 << 13, /* no person typed it */
    IS_EDIT = 1 << 14,   /* the call writes a file */
    IS_SIDE = 1 << 15,   /* of a subagent */
};

static const struct form_way ways[] = {
    {1, 0, JSCAN_OBJECT, "data", IN_DATA},
    {2, IN_DATA, JSCAN_OBJECT, "context", IN_CONTEXT},
    {2, IN_DATA, JSCAN_OBJECT, "usage", IN_USAGE},
    {2, IN_DATA, JSCAN_ARRAY, "toolRequests", IN_REQUESTS},
    {2, IN_DATA, JSCAN_TRUE, "isAutopilotContinuation", IS_PUT_IN},
    {4, IN_REQUESTS, JSCAN_OBJECT, "arguments", IN_ARGUMENTS},
};

static const struct form_place strings[] = {
    {1, 0, "type", FORM_AT(block.text), 0},
    {1, 0, "id", FORM_AT(message_id), 0},
    {1, 0, "timestamp", FORM_AT(timestamp), 0},
    {1, 0, "agentId", FORM_AT(block.text), 0},
    {2, IN_DATA, "sessionId", FORM_AT(session_id), 0},
    {2, IN_DATA, "content", FORM_AT(text), FORM_CUT},
    {2, IN_DATA, "title", FORM_AT(title[TITLE_CUSTOM]), FORM_CUT},
    {2, IN_DATA, "model", FORM_AT(model), 0},
    {2, IN_DATA, "source", FORM_AT(block.text), 0},
    {2, IN_DATA, "parentToolCallId", FORM_AT(block.text), 0},
    {3, IN_CONTEXT, "cwd", FORM_AT(cwd), 0},
    {3, IN_CONTEXT, "branch", FORM_AT(git_branch), 0},
    {3, IN_USAGE, "model", FORM_AT(model), 0},
    {4, IN_REQUESTS, "name", FORM_AT(block.text), 0},
    {5, IN_ARGUMENTS, "path", FORM_AT(block.file_path), 0},
};

static const struct form_place numbers[] = {
    {3, IN_USAGE, "inputTokens", FORM_AT(tokens.input), 0},
    {3, IN_USAGE, "outputTokens", FORM_AT(tokens.output), 0},
    {3, IN_USAGE, "cacheReadTokens", FORM_AT(tokens.cache_read), 0},
    {3, IN_USAGE, "cacheWriteTokens", FORM_AT(tokens.cache_write), 0},
};

static const struct form_word words[] = {
    {1, "type", "session.start", IS_START},
    {1, "type", "user.message", IS_USER},
    {1, "type", "assistant.message", IS_ANSWER},
    {1, "type", "session.title_changed", IS_TITLE},
    {1, "type", "session.usage_record", IS_TOKENS},
    {1, "agentId", NULL, IS_SIDE},
    {2, "parentToolCallId", NULL, IS_SIDE},
    {2, "source", NULL, IS_PUT_IN},
    {4, "name", "create", IS_EDIT},
    {4, "name", "edit", IS_EDIT},
    {4, "name", "str_replace_editor", IS_EDIT},
};

static void end_request(struct record_reader *rr)
{
    struct record *r = rr->record;

    r->tool_calls++;
    form_take_file(rr, (r->known & IS_EDIT) != 0);
    r->known &= ~(uint32_t)IS_EDIT;
}

static void settle(struct record_reader *rr)
{
    struct record *r = rr->record;

    r->is_sidechain = (r->known & IS_SIDE) != 0;
    r->type = RECORD_OTHER;
    if (r->known & IS_USER && !(r->known & IS_PUT_IN))
        r->type = RECORD_USER;
    else if (r->known & IS_ANSWER)
        r->type = RECORD_ASSISTANT;
    else if (r->known & IS_TITLE)
        r->type = RECORD_CUSTOM_TITLE;
    else if (r->known & IS_TOKENS)
        r->type = RECORD_TOKENS;
    if (r->type != RECORD_CUSTOM_TITLE)
        r->title[TITLE_CUSTOM][0] = '\0';
    if (!(r->known & IS_START))
        r->session_id[0] = '\0';
    if (r->type == RECORD_TOKENS) { /* what came from the cache is counted in the input */
        if (r->tokens.cache_read > r->tokens.input)
            r->tokens.cache_read = r->tokens.input;
        r->tokens.input -= r->tokens.cache_read;
    } else {
        r->has_usage = 0;
    }
    if (r->type != RECORD_ASSISTANT) {
        r->tool_calls = 0;
        buf_reset(rr->paths);
        if (r->type != RECORD_TOKENS)
            r->model[0] = '\0';
    }
}

const struct record_form copilot_record_form = {
    FORM_TABLE(ways, ways),
    FORM_TABLE(strings, strings),
    FORM_TABLE(numbers, numbers),
    FORM_TABLE(words, words),
    .usage = IN_USAGE,
    .item_depth = 4,
    .item_in = IN_REQUESTS,
    .end_item = end_request,
    .settle = settle,
};
