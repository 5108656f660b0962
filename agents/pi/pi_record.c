#include <stdio.h>

#include "agents/pi/pi.h"
#include "agents/lines/form.h"

/*
 * A record of pi, in the words that lists go by.  What it is stands in its type and in its
 * message's role, which may come in any order: both are settled when it ends.
 */

/* Where we are, as bits of record.known; and what was met. */
enum {
    IN_MESSAGE = 1 << 0,
    IN_CONTENT = 1 << 1,
    IN_ARGUMENTS = 1 << 2,
    IN_USAGE = 1 << 3,
    IN_COST = 1 << 4,
    IS_SESSION = 1 << 8,
    IS_MESSAGE = 1 << 9,
    IS_INFO = 1 << 10,
    IS_USER = 1 << 11,
    IS_ASSISTANT = 1 << 12,
    IS_CALL = 1 << 13, /* the block is a tool call */
    IS_EDIT = 1 << 14, /* ... that writes a file */
};

static const struct form_way ways[] = {
    {1, 0, JSCAN_OBJECT, "message", IN_MESSAGE},
    {2, IN_MESSAGE, JSCAN_ARRAY, "content", IN_CONTENT},
    {2, IN_MESSAGE, JSCAN_OBJECT, "usage", IN_USAGE},
    {3, IN_USAGE, JSCAN_OBJECT, "cost", IN_COST},
    {4, IN_CONTENT, JSCAN_OBJECT, "arguments", IN_ARGUMENTS},
};

static const struct form_place strings[] = {
    {1, 0, "type", FORM_AT(block.text), 0},
    {1, 0, "id", FORM_AT(session_id), 0},
    {1, 0, "timestamp", FORM_AT(timestamp), 0},
    {1, 0, "cwd", FORM_AT(cwd), 0},
    {1, 0, "name", FORM_AT(title[TITLE_CUSTOM]), FORM_CUT},
    {2, IN_MESSAGE, "model", FORM_AT(model), 0},
    {2, IN_MESSAGE, "role", FORM_AT(block.text), 0},
    {2, IN_MESSAGE, "content", FORM_AT(text), FORM_CUT},
    {4, IN_CONTENT, "type", FORM_AT(block.text), 0},
    {4, IN_CONTENT, "name", FORM_AT(block.text), 0},
    {4, IN_CONTENT, "text", FORM_AT(text), FORM_FIRST | FORM_CUT},
    {5, IN_ARGUMENTS, "path", FORM_AT(block.file_path), 0},
};

static const struct form_place numbers[] = {
    {3, IN_USAGE, "input", FORM_AT(tokens.input), 0},
    {3, IN_USAGE, "output", FORM_AT(tokens.output), 0},
    {3, IN_USAGE, "cacheRead", FORM_AT(tokens.cache_read), 0},
    {3, IN_USAGE, "cacheWrite", FORM_AT(tokens.cache_write), 0},
    {4, IN_COST, "total", FORM_AT(cost_micros), FORM_MONEY},
};

static const struct form_word words[] = {
    {1, "type", "session", IS_SESSION},     {1, "type", "message", IS_MESSAGE},
    {1, "type", "session_info", IS_INFO},   {2, "role", "user", IS_USER},
    {2, "role", "assistant", IS_ASSISTANT}, {4, "type", "toolCall", IS_CALL},
    {4, "name", "write", IS_EDIT},          {4, "name", "edit", IS_EDIT},
};

static void end_block(struct record_reader *rr)
{
    struct record *r = rr->record;
    int is_call = (r->known & IS_CALL) != 0;

    r->tool_calls += is_call;
    form_take_file(rr, is_call && r->known & IS_EDIT);
    r->known &= ~(uint32_t)(IS_CALL | IS_EDIT);
}

/* Only the header names the session; an answer is one record, known by its id and its time. */
static void settle(struct record_reader *rr)
{
    struct record *r = rr->record;
    int is_answer = r->known & IS_MESSAGE && r->known & IS_ASSISTANT;

    r->type = RECORD_OTHER;
    if (r->known & IS_MESSAGE && r->known & IS_USER)
        r->type = RECORD_USER;
    else if (is_answer)
        r->type = RECORD_ASSISTANT;
    else if (r->known & IS_INFO)
        r->type = RECORD_CUSTOM_TITLE;
    if (is_answer)
        snprintf(r->message_id, sizeof(r->message_id), "%s %s", r->session_id, r->timestamp);
    else
        r->model[0] = '\0';
    if (!(r->known & IS_INFO))
        r->title[TITLE_CUSTOM][0] = '\0';
    if (!(r->known & IS_SESSION))
        r->session_id[0] = r->cwd[0] = '\0';
    if (!is_answer) {
        r->has_usage = 0;
        r->tool_calls = 0;
        r->cost_micros = -1;
        buf_reset(rr->paths);
    }
}

const struct record_form pi_record_form = {
    FORM_TABLE(ways, ways),
    FORM_TABLE(strings, strings),
    FORM_TABLE(numbers, numbers),
    FORM_TABLE(words, words),
    .usage = IN_USAGE,
    .item_depth = 4,
    .item_in = IN_CONTENT,
    .end_item = end_block,
    .settle = settle,
};
