#include <stdlib.h>
#include <string.h>

#include "agents/qwen/qwen.h"
#include "agents/record.h"

/*
 * A record of Qwen Code, in the words that lists go by.  What it is stands in several members,
 * which may come in any order: all is settled when it ends.  An answer is one record.
 */

#define PATHS_MAX (1 << 20)

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
        {1, "message", JSCAN_OBJECT, 0, IN_MESSAGE},
        {1, "usageMetadata", JSCAN_OBJECT, 0, IN_USAGE},
        {1, "systemPayload", JSCAN_OBJECT, 0, IN_PAYLOAD},
        {2, "parts", JSCAN_ARRAY, IN_MESSAGE, IN_PARTS},
        {4, "functionCall", JSCAN_OBJECT, IN_PARTS, IN_CALL},
        {5, "args", JSCAN_OBJECT, IN_CALL, IN_ARGS},
    };

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (s->depth == ways[i].depth && type == ways[i].type && key_is(s, ways[i].key) &&
            (r->known & ways[i].in) == ways[i].in)
            r->known |= ways[i].bit;
    }
    if (s->depth == 1 && type == JSCAN_OBJECT && r->known & IN_USAGE)
        memset(&r->tokens, 0, sizeof(r->tokens));
}

/* Where a number goes, or NULL.  The total stays in cache_write until the record ends. */
static int64_t *count_of(struct record *r, const struct jscan *s)
{
    if (s->depth != 2 || !(r->known & IN_USAGE))
        return NULL;
    if (key_is(s, "promptTokenCount"))
        return &r->tokens.input;
    if (key_is(s, "candidatesTokenCount"))
        return &r->tokens.output;
    if (key_is(s, "cachedContentTokenCount"))
        return &r->tokens.cache_read;
    return key_is(s, "totalTokenCount") ? &r->tokens.cache_write : NULL;
}

/* Where a string goes, and how much of it. */
static char *place_of(struct record *r, const struct jscan *s, size_t *ret_max)
{
    static const struct {
        const char *key;
        size_t at, size;
    } members[] = {
#define AT(member) offsetof(struct record, member), sizeof(((struct record *)NULL)->member)
        {"type", AT(block.text)},       {"subtype", AT(block.text)},
        {"provenance", AT(block.text)}, {"uuid", AT(message_id)},
        {"model", AT(model)},           {"sessionId", AT(session_id)},
        {"timestamp", AT(timestamp)},   {"cwd", AT(cwd)},
        {"gitBranch", AT(git_branch)},
#undef AT
    };

    for (size_t i = 0; s->depth == 1 && i < sizeof(members) / sizeof(members[0]); i++) {
        if (!key_is(s, members[i].key))
            continue;
        *ret_max = members[i].size - 1;
        return (char *)r + members[i].at;
    }
    *ret_max = sizeof(r->text) - 1;
    if (s->depth == 4 && r->known & IN_PARTS && key_is(s, "text"))
        return r->text[0] == '\0' ? r->text : NULL;
    if (s->depth == 2 && r->known & IN_PAYLOAD && key_is(s, "customTitle"))
        return r->title[TITLE_CUSTOM];
    if (s->depth == 5 && r->known & IN_CALL && key_is(s, "name"))
        return r->block.text;
    *ret_max = sizeof(r->block.file_path) - 1;
    if (s->depth == 6 && r->known & IN_ARGS &&
        (key_is(s, "file_path") || key_is(s, "notebook_path")))
        return r->block.file_path;
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
        {1, "type", "user", IS_USER},          {1, "type", "assistant", IS_ASSISTANT},
        {1, "subtype", NULL, IS_MARKED},       {1, "subtype", "custom_title", IS_TITLE},
        {1, "provenance", NULL, IS_MARKED},    {1, "provenance", "real_user", IS_TYPED},
        {5, "name", "write_file", IS_EDIT},    {5, "name", "edit", IS_EDIT},
        {5, "name", "notebook_edit", IS_EDIT},
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (s->depth == words[i].depth && key_is(s, words[i].key) &&
            (words[i].word == NULL || strcmp(text, words[i].word) == 0))
            r->known |= words[i].bits;
    }
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

static void end_call(struct record_reader *rr)
{
    struct record *r = rr->record;
    size_t n = strlen(r->block.file_path);

    r->tool_calls++;
    if (r->known & IS_EDIT && n > 0 && rr->paths->len + n < PATHS_MAX)
        buf_add(rr->paths, r->block.file_path, n + 1);
    r->block.file_path[0] = '\0';
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

static void on_close(void *arg, const struct jscan *s)
{
    struct record_reader *rr = arg;
    struct record *r = rr->record;
    uint32_t left = 0; /* what is open no longer */

    if (s->depth == 1)
        settle(rr);
    if (s->depth == 5 && r->known & IN_CALL)
        end_call(rr);
    if (s->depth <= 2)
        left |= IN_MESSAGE | IN_USAGE | IN_PAYLOAD;
    if (s->depth <= 3)
        left |= IN_PARTS;
    if (s->depth <= 5)
        left |= IN_CALL;
    if (s->depth <= 6)
        left |= IN_ARGS;
    r->known &= ~left;
}

const struct jscan_ops qwen_record_ops = {on_begin, on_string, on_close, on_number};
