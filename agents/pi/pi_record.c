#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/pi/pi.h"
#include "agents/record.h"

/*
 * A record of pi, in the words that lists go by.  What it is stands in its type and in its
 * message's role, which may come in any order: both are settled when it ends.
 */

#define PATHS_MAX (1 << 20)

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
    IS_TEXT = 1 << 15,
};

static int key_is(const struct jscan *s, const char *key)
{
    return strcmp(s->key, key) == 0;
}

static void enter(struct record *r, const struct jscan *s, enum jscan_type type)
{
    int is_object = type == JSCAN_OBJECT;

    if (s->depth == 1 && is_object && key_is(s, "message"))
        r->known |= IN_MESSAGE;
    else if (s->depth == 2 && r->known & IN_MESSAGE && type == JSCAN_ARRAY && key_is(s, "content"))
        r->known |= IN_CONTENT;
    else if (s->depth == 2 && r->known & IN_MESSAGE && is_object && key_is(s, "usage")) {
        r->known |= IN_USAGE;
        memset(&r->tokens, 0, sizeof(r->tokens));
    } else if (s->depth == 3 && r->known & IN_USAGE && is_object && key_is(s, "cost"))
        r->known |= IN_COST;
    else if (s->depth == 3 && r->known & IN_CONTENT && is_object)
        r->known &= ~(uint32_t)(IS_CALL | IS_EDIT | IS_TEXT);
    else if (s->depth == 4 && r->known & IN_CONTENT && is_object && key_is(s, "arguments"))
        r->known |= IN_ARGUMENTS;
}

/* Where a number goes, or NULL. */
static int64_t *count_of(struct record *r, const struct jscan *s)
{
    if (s->depth == 4 && r->known & IN_COST && key_is(s, "total"))
        return &r->cost_micros;
    if (s->depth != 3 || !(r->known & IN_USAGE))
        return NULL;
    if (key_is(s, "input"))
        return &r->tokens.input;
    if (key_is(s, "output"))
        return &r->tokens.output;
    if (key_is(s, "cacheRead"))
        return &r->tokens.cache_read;
    return key_is(s, "cacheWrite") ? &r->tokens.cache_write : NULL;
}

/* Where a string goes, and how much of it. */
static char *place_of(struct record *r, const struct jscan *s, size_t *ret_max)
{
    static const struct {
        const char *key;
        size_t at, size;
    } members[] = {
#define AT(member) offsetof(struct record, member), sizeof(((struct record *)NULL)->member)
        {"type", AT(block.text)},          {"id", AT(session_id)},
        {"timestamp", AT(timestamp)},      {"cwd", AT(cwd)},
        {"name", AT(title[TITLE_CUSTOM])},
#undef AT
    };

    for (size_t i = 0; s->depth == 1 && i < sizeof(members) / sizeof(members[0]); i++) {
        if (!key_is(s, members[i].key))
            continue;
        *ret_max = members[i].size - 1;
        return (char *)r + members[i].at;
    }
    *ret_max = sizeof(r->model) - 1;
    if (s->depth == 2 && r->known & IN_MESSAGE && key_is(s, "model"))
        return r->model;
    *ret_max = sizeof(r->block.text) - 1;
    if (s->depth == 2 && r->known & IN_MESSAGE && key_is(s, "role"))
        return r->block.text;
    if (s->depth == 2 && r->known & IN_MESSAGE && key_is(s, "content"))
        return r->text;
    if (s->depth == 4 && r->known & IN_CONTENT && (key_is(s, "type") || key_is(s, "name")))
        return r->block.text;
    if (s->depth == 4 && r->known & IN_CONTENT && key_is(s, "text") && r->text[0] == '\0')
        return r->text;
    *ret_max = sizeof(r->block.file_path) - 1;
    return s->depth == 5 && r->known & IN_ARGUMENTS && key_is(s, "path") ? r->block.file_path
                                                                         : NULL;
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

static void note_type(struct record *r, const struct jscan *s, const char *text)
{
    static const struct {
        uint32_t depth;
        const char *key, *word;
        uint32_t bit;
    } words[] = {
        {1, "type", "session", IS_SESSION},     {1, "type", "message", IS_MESSAGE},
        {1, "type", "session_info", IS_INFO},   {2, "role", "user", IS_USER},
        {2, "role", "assistant", IS_ASSISTANT}, {4, "type", "toolCall", IS_CALL},
        {4, "name", "write", IS_EDIT},          {4, "name", "edit", IS_EDIT},
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (s->depth == words[i].depth && key_is(s, words[i].key) &&
            strcmp(text, words[i].word) == 0)
            r->known |= words[i].bit;
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
    note_type(r, s, text);
}

static void on_number(void *arg, const struct jscan *s, const char *text, size_t len, int is_cut)
{
    struct record *r = ((struct record_reader *)arg)->record;
    int64_t *to = count_of(r, s);
    double money;

    if (to == NULL || is_cut)
        return;
    if (to == &r->cost_micros) {
        money = strtod(text, NULL) * 1e6;
        *to = money >= 0 && money <= (double)USAGE_MAX ? (int64_t)(money + 0.5) : -1;
    } else if (len <= 15 && strspn(text, "0123456789") == len) {
        r->has_usage = 1;
        *to = strtoll(text, NULL, 10);
    }
}

static void end_block(struct record_reader *rr)
{
    struct record *r = rr->record;
    size_t n = strlen(r->block.file_path);

    r->tool_calls += (r->known & IS_CALL) != 0;
    if (r->known & IS_CALL && r->known & IS_EDIT && n > 0 && rr->paths->len + n < PATHS_MAX)
        buf_add(rr->paths, r->block.file_path, n + 1);
    r->block.file_path[0] = '\0';
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

static void on_close(void *arg, const struct jscan *s)
{
    struct record_reader *rr = arg;
    struct record *r = rr->record;

    if (s->depth == 1)
        settle(rr);
    else if (s->depth == 2)
        r->known &= ~(uint32_t)(IN_MESSAGE | IN_CONTENT | IN_ARGUMENTS | IN_USAGE | IN_COST);
    else if (s->depth == 3)
        r->known &= ~(uint32_t)(IN_CONTENT | IN_ARGUMENTS | IN_USAGE | IN_COST);
    else if (s->depth == 4 && r->known & IN_CONTENT)
        end_block(rr);
    if (s->depth == 4)
        r->known &= ~(uint32_t)IN_COST;
    else if (s->depth == 5)
        r->known &= ~(uint32_t)IN_ARGUMENTS;
}

const struct jscan_ops pi_record_ops = {on_begin, on_string, on_close, on_number};
