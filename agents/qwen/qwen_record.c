#include "agents/qwen/qwen.h"
#include "agents/lines/form.h"

/*
 * A record of Qwen Code, in the words that lists go by.  What it is stands in several members,
 * which may come in any order: all is settled when it ends.  An answer is one record.
 */

/* Where we are, as bits of record.known; and what was met. */
enum {
    IN_MESSAGE = 1 << 0,
    IN_PARTS = 1 << 1,
    IN_CALL = 1 << 2,
    IN_ARGS = 1 << 3,
    IN_USAGE = 1 << 4,
    IN_PAYLOAD = 1 << 5,
    IS_USER = 1 << 8,
    IS_ASSISTANT = 1 << 9,
    IS_TITLE = 1 << 10,
    IS_TYPED = 1 << 11,  /* by a person */
    IS_MARKED = 1 << 12, /* where it is from is said */
    IS_EDIT = 1 << 13,   /* the call writes a file */
};

static const struct form_way ways[] = {
    {1, 0, JSCAN_OBJECT, "message", IN_MESSAGE},
    {1, 0, JSCAN_OBJECT, "usageMetadata", IN_USAGE},
    {1, 0, JSCAN_OBJECT, "systemPayload", IN_PAYLOAD},
    {2, IN_MESSAGE, JSCAN_ARRAY, "parts", IN_PARTS},
    {4, IN_PARTS, JSCAN_OBJECT, "functionCall", IN_CALL},
    {5, IN_CALL, JSCAN_OBJECT, "args", IN_ARGS},
};

static const struct form_place strings[] = {
    {1, 0, "type", FORM_AT(block.text), 0},
    {1, 0, "subtype", FORM_AT(block.text), 0},
    {1, 0, "provenance", FORM_AT(block.text), 0},
    {1, 0, "uuid", FORM_AT(message_id), 0},
    {1, 0, "model", FORM_AT(model), 0},
    {1, 0, "sessionId", FORM_AT(session_id), 0},
    {1, 0, "timestamp", FORM_AT(timestamp), 0},
    {1, 0, "cwd", FORM_AT(cwd), 0},
    {1, 0, "gitBranch", FORM_AT(git_branch), 0},
    {2, IN_PAYLOAD, "customTitle", FORM_AT(title[TITLE_CUSTOM]), FORM_CUT},
    {4, IN_PARTS, "text", FORM_AT(text), FORM_FIRST | FORM_CUT},
    {5, IN_CALL, "name", FORM_AT(block.text), 0},
    {6, IN_ARGS, "file_path", FORM_AT(block.file_path), 0},
    {6, IN_ARGS, "notebook_path", FORM_AT(block.file_path), 0},
};

static const struct form_place numbers[] = {
    {2, IN_USAGE, "promptTokenCount", FORM_AT(tokens.input), 0},
    {2, IN_USAGE, "candidatesTokenCount", FORM_AT(tokens.output), 0},
    {2, IN_USAGE, "cachedContentTokenCount", FORM_AT(tokens.cache_read), 0},
    {2, IN_USAGE, "totalTokenCount", FORM_AT(tokens.cache_write), 0}, /* until the record ends */
};

static const struct form_word words[] = {
    {1, "type", "user", IS_USER},          {1, "type", "assistant", IS_ASSISTANT},
    {1, "subtype", NULL, IS_MARKED},       {1, "subtype", "custom_title", IS_TITLE},
    {1, "provenance", NULL, IS_MARKED},    {1, "provenance", "real_user", IS_TYPED},
    {5, "name", "write_file", IS_EDIT},    {5, "name", "edit", IS_EDIT},
    {5, "name", "notebook_edit", IS_EDIT},
};

static void end_call(struct record_reader *rr)
{
    struct record *r = rr->record;

    r->tool_calls++;
    form_take_file(rr, (r->known & IS_EDIT) != 0);
    r->known &= ~(uint32_t)IS_EDIT;
}

/* What came from the cache is counted in the prompt, thoughts in the total alone. */
static void settle_tokens(struct usage_tokens *t)
{
    if (t->cache_write > t->input)
        t->output = t->cache_write - t->input;
    t->cache_write = 0;
    if (t->cache_read > t->input)
        t->cache_read = t->input;
    t->input -= t->cache_read;
}

static void settle(struct record_reader *rr)
{
    struct record *r = rr->record;

    r->type = RECORD_OTHER;
    if (r->known & IS_USER && (r->known & IS_TYPED || !(r->known & IS_MARKED)))
        r->type = RECORD_USER;
    else if (r->known & IS_ASSISTANT)
        r->type = RECORD_ASSISTANT;
    else if (r->known & IS_TITLE)
        r->type = RECORD_CUSTOM_TITLE;
    if (r->type == RECORD_ASSISTANT) {
        settle_tokens(&r->tokens);
        return;
    }
    r->has_usage = 0;
    r->tool_calls = 0;
    r->model[0] = '\0';
    buf_reset(rr->paths);
}

const struct record_form qwen_record_form = {
    FORM_TABLE(ways, ways),
    FORM_TABLE(strings, strings),
    FORM_TABLE(numbers, numbers),
    FORM_TABLE(words, words),
    .usage = IN_USAGE,
    .item_depth = 5,
    .item_in = IN_CALL,
    .end_item = end_call,
    .settle = settle,
};
