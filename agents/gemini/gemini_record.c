#include <string.h>

#include "agents/gemini/gemini.h"
#include "agents/lines/form.h"
#include "common/base/str.h"

/*
 * A record of Gemini CLI, in the words that lists go by.  A message comes again, under its id, when
 * more of it is known; and {"$set": {"messages": []}} says all messages anew, each of which is told
 * as a part of its line.
 */

/* Where we are, as bits of record.known; and what was met. */
enum {
    IN_SET = 1 << 0,
    IN_LIST = 1 << 1, /* of messages that are set */
    IN_MESSAGE = 1 << 2,
    IN_CONTENT = 1 << 3,
    IN_CALLS = 1 << 4,
    IN_CALL = 1 << 5, /* in a block of the content */
    IN_ARGS = 1 << 6,
    IN_TOKENS = 1 << 7,
    IS_USER = 1 << 8,
    IS_GEMINI = 1 << 9,
    IS_HEADER = 1 << 10,
    IS_EDIT = 1 << 11,
    IS_RESULT = 1 << 12,
    IS_CONTEXT = 1 << 13,
};

#define IN_ALL_OF_MESSAGE (IN_CONTENT | IN_CALLS | IN_CALL | IN_ARGS | IN_TOKENS)

static int key_is(const struct jscan *s, const char *key)
{
    return strcmp(s->key, key) == 0;
}

/* How deep in its message the value is: 1 for the message's own members. */
static uint32_t depth_in(const struct record *r, const struct jscan *s)
{
    return r->known & IN_MESSAGE ? s->depth - 3 : s->depth;
}

static void enter_message(struct record *r, const struct jscan *s, enum jscan_type type)
{
    uint32_t depth = depth_in(r, s);
    int is_object = type == JSCAN_OBJECT, is_array = type == JSCAN_ARRAY;

    if (depth == 1 && is_array && key_is(s, "content"))
        r->known |= IN_CONTENT;
    else if (depth == 1 && is_array && key_is(s, "toolCalls"))
        r->known |= IN_CALLS;
    else if (depth == 1 && is_object && key_is(s, "tokens")) {
        r->known |= IN_TOKENS;
        memset(&r->tokens, 0, sizeof(r->tokens));
    } else if (depth == 3 && r->known & IN_CONTENT && is_object && key_is(s, "functionCall"))
        r->known |= IN_CALL;
    else if (depth == 3 && r->known & IN_CONTENT && is_object && key_is(s, "functionResponse"))
        r->known |= IS_RESULT;
    else if (is_object && key_is(s, "args") &&
             ((depth == 3 && r->known & IN_CALLS) || (depth == 4 && r->known & IN_CALL)))
        r->known |= IN_ARGS;
}

static void enter(struct record *r, const struct jscan *s, enum jscan_type type)
{
    if (s->depth == 1 && type == JSCAN_OBJECT && key_is(s, "$set"))
        r->known |= IN_SET;
    else if (s->depth == 2 && r->known & IN_SET && type == JSCAN_ARRAY && key_is(s, "messages"))
        r->known |= IN_LIST;
    else if (s->depth == 3 && r->known & IN_LIST && type == JSCAN_OBJECT)
        r->known |= IN_MESSAGE;
    else if (!(r->known & IN_SET) || r->known & IN_MESSAGE)
        enter_message(r, s, type);
}

/* Where a number goes, or NULL. */
static int64_t *count_of(struct record *r, const struct jscan *s)
{
    if (depth_in(r, s) != 2 || !(r->known & IN_TOKENS))
        return NULL;
    if (key_is(s, "input"))
        return &r->tokens.input;
    if (key_is(s, "output"))
        return &r->tokens.output;
    if (key_is(s, "thoughts"))
        return &r->tokens.cache_write; /* until the message ends */
    return key_is(s, "cached") ? &r->tokens.cache_read : NULL;
}

/* Where a string goes, and how much of it. */
static char *place_of(struct record *r, const struct jscan *s, size_t *ret_max)
{
    static const struct {
        uint32_t depth, in;
        const char *key;
        size_t at, size;
    } members[] = {
#define AT(member) offsetof(struct record, member), sizeof(((struct record *)NULL)->member)
        {1, 0, "id", AT(message_id)},
        {1, 0, "type", AT(block.text)},
        {1, 0, "timestamp", AT(timestamp)},
        {1, 0, "startTime", AT(timestamp)},
        {1, 0, "sessionId", AT(session_id)},
        {1, 0, "projectHash", AT(block.text)},
        {1, 0, "summary", AT(title[TITLE_AI])},
        {1, 0, "model", AT(model)},
        {1, 0, "content", AT(text)},
        {3, IN_CONTENT, "text", AT(text)},
        {3, IN_CALLS, "id", AT(block.notebook_path)},
        {3, IN_CALLS, "name", AT(block.text)},
        {4, IN_CALL, "id", AT(block.notebook_path)},
        {4, IN_CALL, "name", AT(block.text)},
        {4, IN_CALLS | IN_ARGS, "file_path", AT(block.file_path)},
        {5, IN_CALL | IN_ARGS, "file_path", AT(block.file_path)},
#undef AT
    };
    uint32_t depth = depth_in(r, s);

    if (r->known & IN_SET && !(r->known & IN_MESSAGE)) {
        *ret_max = s->depth == 2 && key_is(s, "summary") ? RECORD_TITLE : sizeof(r->timestamp) - 1;
        if (s->depth == 2 && key_is(s, "summary"))
            return r->title[TITLE_AI];
        return s->depth == 2 && key_is(s, "lastUpdated") ? r->timestamp : NULL;
    }
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (depth != members[i].depth || (r->known & members[i].in) != members[i].in ||
            !key_is(s, members[i].key))
            continue;
        *ret_max = members[i].size - 1;
        return (char *)r + members[i].at;
    }
    return NULL;
}

static size_t on_begin(void *arg, const struct jscan *s, enum jscan_type type)
{
    struct record *r = ((struct record_reader *)arg)->record;
    size_t max;
    char *to;

    enter(r, s, type);
    if (type == JSCAN_NUMBER)
        return count_of(r, s) != NULL ? 32 : 0;
    to = type == JSCAN_STRING ? place_of(r, s, &max) : NULL;
    if (to == NULL)
        return 0;
    /* What tells the folder is longer than what is kept. */
    return to == r->text ? (r->text[0] == '\0' ? JSCAN_TEXT : 0) : max;
}

static void note_text(struct record *r, const char *text, size_t len)
{
    size_t n = str_utf8_cut(text, len, RECORD_TITLE / 4);

    memcpy(r->text, text, n);
    r->text[n] = '\0';
    if (gemini_is_context(text))
        r->known |= IS_CONTEXT;
    gemini_context_cwd(text, r->cwd, sizeof(r->cwd));
}

static void note_word(struct record *r, const struct jscan *s, const char *text)
{
    uint32_t depth = depth_in(r, s);

    if (depth == 1 && key_is(s, "type") && strcmp(text, "user") == 0)
        r->known |= IS_USER;
    else if (depth == 1 && key_is(s, "type") && strcmp(text, "gemini") == 0)
        r->known |= IS_GEMINI;
    else if (depth == 1 && key_is(s, "projectHash"))
        r->known |= IS_HEADER;
    else if (depth >= 3 && key_is(s, "name") &&
             (strcmp(text, "write_file") == 0 || strcmp(text, "replace") == 0))
        r->known |= IS_EDIT;
}

static void on_string(void *arg, const struct jscan *s, const char *text, size_t len, int is_cut)
{
    struct record *r = ((struct record_reader *)arg)->record;
    size_t max;
    char *to = place_of(r, s, &max);

    if (to == r->text) {
        note_text(r, text, len);
        return;
    }
    if (to == NULL || (is_cut && to != r->title[TITLE_AI]))
        return;
    memcpy(to, text, len + 1);
    note_word(r, s, text);
}

static void on_number(void *arg, const struct jscan *s, const char *text, size_t len, int is_cut)
{
    struct record *r = ((struct record_reader *)arg)->record;
    int64_t *to = count_of(r, s);

    if (to != NULL && form_count(text, len, is_cut, to) == 0)
        r->has_usage = 1;
}

/* A call ends: it is known by its id, for it comes again. */
static void end_call(struct record_reader *rr)
{
    struct record *r = rr->record;

    form_take_call(rr);
    form_take_file(rr, (r->known & IS_EDIT) != 0);
    r->known &= ~(uint32_t)(IN_CALL | IN_ARGS | IS_EDIT);
}

static void settle(struct record *r)
{
    r->type = RECORD_OTHER;
    if (r->known & IS_USER && !(r->known & IS_CONTEXT))
        r->type = RECORD_USER;
    else if (r->known & IS_GEMINI)
        r->type = RECORD_ASSISTANT;
    else if (r->title[TITLE_AI][0] != '\0')
        r->type = RECORD_AI_TITLE;
    r->has_tool_result = (r->known & IS_RESULT) != 0;
    if (!(r->known & IS_HEADER))
        r->session_id[0] = '\0';
    if (!(r->known & IS_USER))
        r->cwd[0] = '\0';
    if (!(r->known & IS_GEMINI)) {
        r->model[0] = '\0';
        r->has_usage = 0;
    }
    /* What it thought is output; what it found in its cache is in the input. */
    r->tokens.output += r->tokens.cache_write;
    r->tokens.cache_write = 0;
    r->tokens.input -= r->tokens.cache_read < r->tokens.input ? r->tokens.cache_read : 0;
}

/* A message that is set says when it was set, and not when it was said. */
static void end_part(struct record_reader *rr)
{
    struct record *r = rr->record;
    char summary[sizeof(r->title[TITLE_AI])];

    memcpy(summary, r->title[TITLE_AI], sizeof(summary));
    settle(r);
    r->timestamp[0] = r->title[TITLE_AI][0] = '\0';
    rr->part(rr);
    record_clear(r);
    r->known = IN_SET | IN_LIST;
    memcpy(r->title[TITLE_AI], summary, sizeof(summary));
}

static void on_close(void *arg, const struct jscan *s)
{
    struct record_reader *rr = arg;
    struct record *r = rr->record;
    uint32_t depth = depth_in(r, s);

    if (s->depth == 1) {
        settle(r);
    } else if (s->depth == 4 && r->known & IN_MESSAGE) {
        end_part(rr);
    } else if (s->depth <= 3 && r->known & IN_SET) {
        r->known &= s->depth == 3 ? ~(uint32_t)IN_LIST : 0;
    } else if (depth == 2) {
        r->known &= ~(uint32_t)IN_ALL_OF_MESSAGE;
    } else if ((depth == 3 && r->known & IN_CALLS) || (depth == 4 && r->known & IN_CALL)) {
        end_call(rr);
    } else if ((depth == 4 && r->known & IN_CALLS) || (depth == 5 && r->known & IN_CALL)) {
        r->known &= ~(uint32_t)IN_ARGS;
    }
}

const struct jscan_ops gemini_record_ops = {on_begin, on_string, on_close, on_number};
