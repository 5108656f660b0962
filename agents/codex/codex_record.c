#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/codex/codex.h"
#include "agents/record.h"

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
    IN_ANY = IN_ITEM | IN_CONTENT | IN_GIT | IN_SETTINGS | IN_INFO | IN_TOTAL,

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

static int key_is(const struct jscan *s, const char *key)
{
    return strcmp(s->key, key) == 0;
}

static void enter(struct record *r, const struct jscan *s, enum jscan_type type)
{
    static const struct {
        uint32_t depth, in;
        enum jscan_type type;
        const char *key;
        uint32_t bit;
    } places[] = {
        {1, 0, JSCAN_OBJECT, "payload", IN_PAYLOAD},
        {2, IN_PAYLOAD, JSCAN_OBJECT, "item", IN_ITEM},
        {2, IN_PAYLOAD, JSCAN_OBJECT, "git", IN_GIT},
        {2, IN_PAYLOAD, JSCAN_OBJECT, "thread_settings", IN_SETTINGS},
        {2, IN_PAYLOAD, JSCAN_OBJECT, "info", IN_INFO},
        {3, IN_ITEM, JSCAN_ARRAY, "content", IN_CONTENT},
        {3, IN_INFO, JSCAN_OBJECT, "total_token_usage", IN_TOTAL},
    };

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (s->depth == places[i].depth && type == places[i].type &&
            (places[i].in == 0 || r->known & places[i].in) && key_is(s, places[i].key))
            r->known |= places[i].bit;
    }
}

/* Where a number goes, or NULL. */
static int64_t *count_of(struct record *r, const struct jscan *s)
{
    if (s->depth != 4 || !(r->known & IN_TOTAL))
        return NULL;
    if (key_is(s, "input_tokens"))
        return &r->tokens.input;
    if (key_is(s, "output_tokens"))
        return &r->tokens.output;
    if (key_is(s, "cached_input_tokens"))
        return &r->tokens.cache_read;
    return key_is(s, "cache_write_input_tokens") ? &r->tokens.cache_write : NULL;
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
        {1, 0, "timestamp", AT(timestamp)},
        {2, IN_PAYLOAD, "type", AT(block.text)},
        {2, IN_PAYLOAD, "name", AT(block.text)},
        {2, IN_PAYLOAD, "id", AT(session_id)},
        {2, IN_PAYLOAD, "cwd", AT(cwd)},
        {2, IN_PAYLOAD, "model", AT(model)},
        {2, IN_PAYLOAD, "message", AT(text)},
        {2, IN_PAYLOAD, "input", AT(block.file_path)},
        {3, IN_ITEM, "type", AT(block.text)},
        {3, IN_GIT, "branch", AT(git_branch)},
        {3, IN_SETTINGS, "model", AT(model)},
        {5, IN_CONTENT, "text", AT(text)},
#undef AT
    };

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (s->depth != members[i].depth || !key_is(s, members[i].key) ||
            (members[i].in != 0 && !(r->known & members[i].in)))
            continue;
        if (s->depth == 5 && r->text[0] != '\0')
            return NULL; /* the first block of text counts */
        *ret_max = members[i].size - 1;
        return (char *)r + members[i].at;
    }
    return NULL;
}

static size_t on_begin(void *arg, const struct jscan *s, enum jscan_type type)
{
    struct record *r = ((struct record_reader *)arg)->record;
    size_t max;

    if (type == JSCAN_OBJECT && s->depth == 3 && r->known & IN_INFO &&
        key_is(s, "total_token_usage"))
        memset(&r->tokens, 0, sizeof(r->tokens));
    enter(r, s, type);
    if (type == JSCAN_NUMBER)
        return count_of(r, s) != NULL ? 32 : 0;
    return type == JSCAN_STRING && place_of(r, s, &max) != NULL ? max : 0;
}

static void note_type(struct record *r, const struct jscan *s, const char *text)
{
    static const struct {
        uint32_t depth;
        const char *key, *word;
        uint32_t bit;
    } words[] = {
        {1, "type", "session_meta", IS_META},     {1, "type", "turn_context", IS_CONTEXT},
        {1, "type", "event_msg", IS_EVENT},       {1, "type", "response_item", IS_RESPONSE},
        {2, "type", "user_message", IS_USER},     {2, "type", "agent_message", IS_AGENT},
        {2, "type", "item_completed", IS_ITEM},   {2, "name", "apply_patch", IS_PATCH},
        {3, "type", "UserMessage", IS_USER_ITEM}, {3, "type", "AgentMessage", IS_AGENT_ITEM},
    };
    size_t n = strlen(text);

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (s->depth == words[i].depth && key_is(s, words[i].key) &&
            strcmp(text, words[i].word) == 0)
            r->known |= words[i].bit;
    }
    if (s->depth == 2 && key_is(s, "type") && n > 5 && strcmp(text + n - 5, "_call") == 0)
        r->known |= IS_CALL;
}

static void on_string(void *arg, const struct jscan *s, const char *text, size_t len, int is_cut)
{
    struct record *r = ((struct record_reader *)arg)->record;
    size_t max;
    char *to = place_of(r, s, &max);

    if (to == NULL || (is_cut && to != r->text && to != r->block.file_path))
        return;
    memcpy(to, text, len + 1);
    note_type(r, s, text);
}

static void on_number(void *arg, const struct jscan *s, const char *text, size_t len, int is_cut)
{
    struct record *r = ((struct record_reader *)arg)->record;
    int64_t *to = count_of(r, s);

    if (to == NULL || is_cut || len > 15 || strspn(text, "0123456789") != len)
        return;
    r->is_total = 1;
    *to = strtoll(text, NULL, 10);
}

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

static void on_close(void *arg, const struct jscan *s)
{
    struct record_reader *rr = arg;
    struct record *r = rr->record;

    if (s->depth == 1)
        settle(rr);
    else if (s->depth == 2)
        r->known &= ~(uint32_t)(IN_PAYLOAD | IN_ANY);
    else if (s->depth == 3)
        r->known &= ~(uint32_t)IN_ANY;
    else if (s->depth == 4)
        r->known &= ~(uint32_t)(IN_CONTENT | IN_TOTAL);
}

const struct jscan_ops codex_record_ops = {on_begin, on_string, on_close, on_number};
