#include <string.h>

#include "agents/opencode/opencode.h"
#include "agents/lines/form.h"

/*
 * A line of a session of opencode, in the words that lists go by.  A message comes again when there
 * is more of it: it is known by its id, and so are its calls.
 */

/* Where we are, as bits of record.known; and what was met. */
enum {
    IN_INFO = 1 << 0,
    IN_TOKENS = 1 << 1,
    IN_CACHE = 1 << 2,
    IN_PARTS = 1 << 3,
    IN_STATE = 1 << 4,
    IN_INPUT = 1 << 5,
    IS_MESSAGE = 1 << 8,
    IS_SESSION = 1 << 9,
    IS_USER = 1 << 10,
    IS_ASSISTANT = 1 << 11,
    IS_CALL = 1 << 12, /* the part is a call */
    IS_EDIT = 1 << 13, /* ... that writes a file */
};

static const struct form_way ways[] = {
    {1, 0, JSCAN_OBJECT, "info", IN_INFO},
    {1, 0, JSCAN_ARRAY, "parts", IN_PARTS},
    {2, IN_INFO, JSCAN_OBJECT, "tokens", IN_TOKENS},
    {3, IN_TOKENS, JSCAN_OBJECT, "cache", IN_CACHE},
    {3, IN_PARTS, JSCAN_OBJECT, "state", IN_STATE},
    {4, IN_STATE, JSCAN_OBJECT, "input", IN_INPUT},
};

static const struct form_place strings[] = {
    {1, 0, "type", FORM_AT(block.text), 0},
    {1, 0, "role", FORM_AT(block.text), 0},
    {1, 0, "id", FORM_AT(message_id), 0},
    {1, 0, "timestamp", FORM_AT(timestamp), 0},
    {1, 0, "cwd", FORM_AT(cwd), 0},
    {2, IN_INFO, "title", FORM_AT(title[TITLE_CUSTOM]), FORM_CUT},
    {2, IN_INFO, "modelID", FORM_AT(model), 0},
    {3, IN_PARTS, "type", FORM_AT(block.text), 0},
    {3, IN_PARTS, "tool", FORM_AT(block.text), 0},
    {3, IN_PARTS, "callID", FORM_AT(block.notebook_path), 0},
    {3, IN_PARTS, "text", FORM_AT(text), FORM_FIRST | FORM_CUT},
    {5, IN_INPUT, "filePath", FORM_AT(block.file_path), 0},
};

/* What it thought is output. */
static const struct form_place numbers[] = {
    {2, IN_INFO, "cost", FORM_AT(cost_micros), FORM_MONEY},
    {3, IN_TOKENS, "input", FORM_AT(tokens.input), FORM_ADD},
    {3, IN_TOKENS, "output", FORM_AT(tokens.output), FORM_ADD},
    {3, IN_TOKENS, "reasoning", FORM_AT(tokens.output), FORM_ADD},
    {4, IN_CACHE, "read", FORM_AT(tokens.cache_read), FORM_ADD},
    {4, IN_CACHE, "write", FORM_AT(tokens.cache_write), FORM_ADD},
};

static const struct form_word words[] = {
    {1, "type", "session", IS_SESSION}, {1, "type", "message", IS_MESSAGE},
    {1, "role", "user", IS_USER},       {1, "role", "assistant", IS_ASSISTANT},
    {3, "type", "tool", IS_CALL},       {3, "tool", "write", IS_EDIT},
    {3, "tool", "edit", IS_EDIT},
};

static void end_part(struct record_reader *rr)
{
    struct record *r = rr->record;
    int is_call = (r->known & IS_CALL) != 0;

    if (is_call)
        form_take_call(rr);
    form_take_file(rr, is_call && r->known & IS_EDIT);
    r->block.notebook_path[0] = '\0';
    r->known &= ~(uint32_t)(IS_CALL | IS_EDIT);
}

static void settle(struct record_reader *rr)
{
    struct record *r = rr->record;
    int is_message = (r->known & IS_MESSAGE) != 0;

    r->type = RECORD_OTHER;
    if (is_message && r->known & IS_USER)
        r->type = RECORD_USER;
    else if (is_message && r->known & IS_ASSISTANT)
        r->type = RECORD_ASSISTANT;
    else if (r->known & IS_SESSION && strncmp(r->title[TITLE_CUSTOM], "New session - ", 14) != 0)
        r->type = RECORD_CUSTOM_TITLE;
    if (r->cost_micros == 0) /* of what costs nothing the price is not known */
        r->cost_micros = -1;
    if (r->type != RECORD_ASSISTANT) {
        r->model[0] = '\0';
        r->has_usage = 0;
        r->cost_micros = -1;
    }
    if (!(r->known & IS_SESSION))
        r->cwd[0] = r->title[TITLE_CUSTOM][0] = '\0';
    if (r->type == RECORD_OTHER)
        r->timestamp[0] = r->message_id[0] = '\0';
}

const struct record_form opencode_record_form = {
    FORM_TABLE(ways, ways),   FORM_TABLE(strings, strings), FORM_TABLE(numbers, numbers),
    FORM_TABLE(words, words), .usage = IN_TOKENS,           .item_depth = 3,
    .item_in = IN_PARTS,      .end_item = end_part,         .settle = settle,
};
