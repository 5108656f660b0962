#include <stdio.h>
#include <string.h>

#include "agents/codex/codex.h"
#include "agents/lines/form.h"

/*
 * A record of Codex, in the words that lists go by.  What was said stands in events, in one form
 * for each history mode; what goes to the model (response_item) has the same once more, and with
 * it instructions that nobody typed.  Members may come in any order: what it is is settled when
 * the record ends.
 */

#define PATHS_MAX (1 << 20)

/* Where we are, as bits of record.known; and what was met. */
enum {
    IN_PAYLOAD = 1 << 0,
    IN_ITEM = 1 << 1,
    IN_CONTENT = 1 << 2, /* of that */
    IN_GIT = 1 << 3,
    IN_SETTINGS = 1 << 4,
    IN_INFO = 1 << 5,
    IN_TOTAL = 1 << 6, /* of that */
    IS_META = 1 << 8,
    IS_CONTEXT = 1 << 9,
    IS_EVENT = 1 << 10,
    IS_RESPONSE = 1 << 11,
    IS_USER = 1 << 12,
    IS_AGENT = 1 << 13,
    IS_ITEM = 1 << 14,
    IS_USER_ITEM = 1 << 15,
    IS_AGENT_ITEM = 1 << 16,
    IS_CALL = 1 << 17,
    IS_PATCH = 1 << 18,
};

static const struct form_way ways[] = {
    {1, 0, JSCAN_OBJECT, "payload", IN_PAYLOAD},
    {2, IN_PAYLOAD, JSCAN_OBJECT, "item", IN_ITEM},
    {2, IN_PAYLOAD, JSCAN_OBJECT, "git", IN_GIT},
    {2, IN_PAYLOAD, JSCAN_OBJECT, "thread_settings", IN_SETTINGS},
    {2, IN_PAYLOAD, JSCAN_OBJECT, "info", IN_INFO},
    {3, IN_ITEM, JSCAN_ARRAY, "content", IN_CONTENT},
    {3, IN_INFO, JSCAN_OBJECT, "total_token_usage", IN_TOTAL},
};

static const struct form_place strings[] = {
    {1, 0, "type", FORM_AT(block.text), 0},
    {1, 0, "timestamp", FORM_AT(timestamp), 0},
    {2, IN_PAYLOAD, "type", FORM_AT(block.text), 0},
    {2, IN_PAYLOAD, "name", FORM_AT(block.text), 0},
    {2, IN_PAYLOAD, "id", FORM_AT(session_id), 0},
    {2, IN_PAYLOAD, "cwd", FORM_AT(cwd), 0},
    {2, IN_PAYLOAD, "model", FORM_AT(model), 0},
    {2, IN_PAYLOAD, "message", FORM_AT(text), FORM_CUT},
    {2, IN_PAYLOAD, "input", FORM_AT(block.file_path), FORM_CUT},
    {3, IN_ITEM, "type", FORM_AT(block.text), 0},
    {3, IN_GIT, "branch", FORM_AT(git_branch), 0},
    {3, IN_SETTINGS, "model", FORM_AT(model), 0},
    {5, IN_CONTENT, "text", FORM_AT(text), FORM_FIRST | FORM_CUT},
};

static const struct form_place numbers[] = {
    {4, IN_TOTAL, "input_tokens", FORM_AT(tokens.input), FORM_TOTAL},
    {4, IN_TOTAL, "output_tokens", FORM_AT(tokens.output), FORM_TOTAL},
    {4, IN_TOTAL, "cached_input_tokens", FORM_AT(tokens.cache_read), FORM_TOTAL},
    {4, IN_TOTAL, "cache_write_input_tokens", FORM_AT(tokens.cache_write), FORM_TOTAL},
};

static const struct form_word words[] = {
    {1, "type", "session_meta", IS_META},       {1, "type", "turn_context", IS_CONTEXT},
    {1, "type", "event_msg", IS_EVENT},         {1, "type", "response_item", IS_RESPONSE},
    {2, "type", "user_message", IS_USER},       {2, "type", "agent_message", IS_AGENT},
    {2, "type", "item_completed", IS_ITEM},     {2, "type", "*_call", IS_CALL},
    {2, "name", "apply_patch", IS_PATCH},       {3, "type", "UserMessage", IS_USER_ITEM},
    {3, "type", "AgentMessage", IS_AGENT_ITEM},
};

/* A patch says in lines of its own what it changes. */
static void take_paths(struct record_reader *rr, const char *patch)
{
    static const char *const marks[] = {
        "*** Add File: ", "*** Update File: ", "*** Delete File: ", "*** Move to: "};

    for (const char *p = patch; *p != '\0'; p += strcspn(p, "\n"), p += *p == '\n') {
        size_t n = strcspn(p, "\n");
        for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
            size_t skip = strlen(marks[i]);
            if (n <= skip || strncmp(p, marks[i], skip) != 0 || rr->paths->len + n > PATHS_MAX)
                continue;
            buf_add(rr->paths, p + skip, n - skip);
            buf_addc(rr->paths, '\0');
        }
    }
}

/* Of all input, what was found in the cache or put there is counted beside the rest. */
static void settle_tokens(struct record *r)
{
    int64_t cached = r->tokens.cache_read + r->tokens.cache_write;

    r->tokens.input = r->tokens.input > cached ? r->tokens.input - cached : 0;
}

static int is(const struct record *r, uint32_t bits)
{
    return (r->known & bits) == bits;
}

/* Only the first record names the session and its folder. */
static void settle(struct record_reader *rr)
{
    struct record *r = rr->record;

    r->type = RECORD_OTHER;
    if (is(r, IS_EVENT | IS_USER) || is(r, IS_EVENT | IS_ITEM | IS_USER_ITEM))
        r->type = RECORD_USER;
    else if (is(r, IS_EVENT | IS_AGENT) || is(r, IS_EVENT | IS_ITEM | IS_AGENT_ITEM)) {
        r->type = RECORD_ASSISTANT;
        snprintf(r->message_id, sizeof(r->message_id), "%s", r->timestamp);
    }
    if (!is(r, IS_META))
        r->session_id[0] = r->cwd[0] = r->git_branch[0] = '\0';
    if (!is(r, IS_CONTEXT) && !is(r, IS_EVENT))
        r->model[0] = '\0';
    if (is(r, IS_RESPONSE | IS_CALL)) {
        r->tool_calls = 1;
        if (is(r, IS_PATCH))
            take_paths(rr, r->block.file_path);
    }
    if (r->is_total)
        settle_tokens(r);
    r->block.file_path[0] = '\0';
}

const struct record_form codex_record_form = {
    FORM_TABLE(ways, ways),
    FORM_TABLE(strings, strings),
    FORM_TABLE(numbers, numbers),
    FORM_TABLE(words, words),
    .usage = IN_TOTAL,
    .settle = settle,
};
