#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/copilot/copilot.h"
#include "agents/record.h"

/*
 * An event of Copilot CLI, in the words that lists go by.  Its type stands before or behind what
 * belongs to it: all is settled when it ends.  Tokens are in events of their own.
 */

#define PATHS_MAX (1 << 20)

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
};

static int key_is(const struct jscan *s, const char *key)
{
    return strcmp(s->key, key) == 0;
}

static void enter(struct record *r, const struct jscan *s, enum jscan_type type)
{
    static const struct {
        uint32_t depth;
        const char *key;
        enum jscan_type type;
        uint32_t in, bit;
    } ways[] = {
        {1, "data", JSCAN_OBJECT, 0, IN_DATA},
        {2, "context", JSCAN_OBJECT, IN_DATA, IN_CONTEXT},
        {2, "usage", JSCAN_OBJECT, IN_DATA, IN_USAGE},
        {2, "toolRequests", JSCAN_ARRAY, IN_DATA, IN_REQUESTS},
        {4, "arguments", JSCAN_OBJECT, IN_REQUESTS, IN_ARGUMENTS},
    };

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (s->depth == ways[i].depth && type == ways[i].type && key_is(s, ways[i].key) &&
            (r->known & ways[i].in) == ways[i].in)
            r->known |= ways[i].bit;
    }
    if (s->depth == 2 && type == JSCAN_OBJECT && r->known & IN_USAGE)
        memset(&r->tokens, 0, sizeof(r->tokens));
    if (s->depth == 2 && r->known & IN_DATA && type == JSCAN_TRUE &&
        key_is(s, "isAutopilotContinuation"))
        r->known |= IS_PUT_IN;
}

/* Where a number goes, or NULL. */
static int64_t *count_of(struct record *r, const struct jscan *s)
{
    if (s->depth != 3 || !(r->known & IN_USAGE))
        return NULL;
    if (key_is(s, "inputTokens"))
        return &r->tokens.input;
    if (key_is(s, "outputTokens"))
        return &r->tokens.output;
    if (key_is(s, "cacheReadTokens"))
        return &r->tokens.cache_read;
    return key_is(s, "cacheWriteTokens") ? &r->tokens.cache_write : NULL;
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
        {1, 0, "type", AT(block.text)},
        {1, 0, "id", AT(message_id)},
        {1, 0, "timestamp", AT(timestamp)},
        {1, 0, "agentId", AT(block.text)},
        {2, IN_DATA, "sessionId", AT(session_id)},
        {2, IN_DATA, "content", AT(text)},
        {2, IN_DATA, "title", AT(title[TITLE_CUSTOM])},
        {2, IN_DATA, "model", AT(model)},
        {2, IN_DATA, "source", AT(block.text)},
        {2, IN_DATA, "parentToolCallId", AT(block.text)},
        {3, IN_CONTEXT, "cwd", AT(cwd)},
        {3, IN_CONTEXT, "branch", AT(git_branch)},
        {3, IN_USAGE, "model", AT(model)},
        {4, IN_REQUESTS, "name", AT(block.text)},
        {5, IN_ARGUMENTS, "path", AT(block.file_path)},
#undef AT
    };

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (s->depth != members[i].depth || (r->known & members[i].in) != members[i].in ||
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

    enter(r, s, type);
    if (type == JSCAN_NUMBER)
        return count_of(r, s) != NULL ? 32 : 0;
    return type == JSCAN_STRING && place_of(r, s, &max) != NULL ? max : 0;
}

static void note_word(struct record *r, const struct jscan *s, const char *text)
{
    static const struct {
        uint32_t depth;
        const char *key, *word; /* NULL: any */
        uint32_t bits;
    } words[] = {
        {1, "type", "session.start", IS_START},
        {1, "type", "user.message", IS_USER},
        {1, "type", "assistant.message", IS_ANSWER},
        {1, "type", "session.title_changed", IS_TITLE},
        {1, "type", "session.usage_record", IS_TOKENS},
        {2, "source", NULL, IS_PUT_IN},
        {4, "name", "create", IS_EDIT},
        {4, "name", "edit", IS_EDIT},
        {4, "name", "str_replace_editor", IS_EDIT},
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (s->depth == words[i].depth && key_is(s, words[i].key) &&
            (words[i].word == NULL || strcmp(text, words[i].word) == 0))
            r->known |= words[i].bits;
    }
    if (key_is(s, s->depth == 1 ? "agentId" : "parentToolCallId") && s->depth <= 2)
        r->is_sidechain = 1;
}

static void on_string(void *arg, const struct jscan *s, const char *text, size_t len, int is_cut)
{
    struct record *r = ((struct record_reader *)arg)->record;
    size_t max;
    char *to = place_of(r, s, &max);

    if (to == NULL || (is_cut && to != r->text && to != r->title[TITLE_CUSTOM]))
        return;
    memcpy(to, text, len + 1);
    note_word(r, s, text);
}

static void on_number(void *arg, const struct jscan *s, const char *text, size_t len, int is_cut)
{
    struct record *r = ((struct record_reader *)arg)->record;
    int64_t *to = count_of(r, s);

    if (to == NULL || is_cut || len > 15 || strspn(text, "0123456789") != len)
        return;
    r->has_usage = 1;
    *to = strtoll(text, NULL, 10);
}

static void end_request(struct record_reader *rr)
{
    struct record *r = rr->record;
    size_t n = strlen(r->block.file_path);

    r->tool_calls++;
    if (r->known & IS_EDIT && n > 0 && rr->paths->len + n < PATHS_MAX)
        buf_add(rr->paths, r->block.file_path, n + 1);
    r->block.file_path[0] = '\0';
    r->known &= ~(uint32_t)IS_EDIT;
}

static void settle(struct record_reader *rr)
{
    struct record *r = rr->record;

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

static void on_close(void *arg, const struct jscan *s)
{
    struct record_reader *rr = arg;
    struct record *r = rr->record;
    uint32_t left = 0; /* what is open no longer */

    if (s->depth == 1)
        settle(rr);
    if (s->depth == 4 && r->known & IN_REQUESTS)
        end_request(rr);
    if (s->depth <= 2)
        left |= IN_DATA;
    if (s->depth <= 3)
        left |= IN_CONTEXT | IN_USAGE | IN_REQUESTS;
    if (s->depth <= 5)
        left |= IN_ARGUMENTS;
    r->known &= ~left;
}

const struct jscan_ops copilot_record_ops = {on_begin, on_string, on_close, on_number};
