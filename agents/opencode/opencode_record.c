#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/opencode/opencode.h"
#include "agents/record.h"

/*
 * A line of a session of opencode, in the words that lists go by.  A message comes again when there
 * is more of it: it is known by its id, and so are its calls.
 */

#define PATHS_MAX (1 << 20)

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

static int key_is(const struct jscan *s, const char *key)
{
    return strcmp(s->key, key) == 0;
}

static void enter(struct record *r, const struct jscan *s, enum jscan_type type)
{
    int is_object = type == JSCAN_OBJECT;

    if (s->depth == 1 && is_object && key_is(s, "info"))
        r->known |= IN_INFO;
    else if (s->depth == 1 && type == JSCAN_ARRAY && key_is(s, "parts"))
        r->known |= IN_PARTS;
    else if (s->depth == 2 && r->known & IN_INFO && is_object && key_is(s, "tokens")) {
        r->known |= IN_TOKENS;
        memset(&r->tokens, 0, sizeof(r->tokens));
    } else if (s->depth == 3 && r->known & IN_TOKENS && is_object && key_is(s, "cache"))
        r->known |= IN_CACHE;
    else if (s->depth == 3 && r->known & IN_PARTS && is_object && key_is(s, "state"))
        r->known |= IN_STATE;
    else if (s->depth == 4 && r->known & IN_STATE && is_object && key_is(s, "input"))
        r->known |= IN_INPUT;
}

/* Where a number goes, or NULL.  What it thought is output. */
static int64_t *count_of(struct record *r, const struct jscan *s)
{
    if (s->depth == 2 && r->known & IN_INFO && key_is(s, "cost"))
        return &r->cost_micros;
    if (s->depth == 4 && r->known & IN_CACHE)
        return key_is(s, "read")    ? &r->tokens.cache_read
               : key_is(s, "write") ? &r->tokens.cache_write
                                    : NULL;
    if (s->depth != 3 || !(r->known & IN_TOKENS))
        return NULL;
    if (key_is(s, "input"))
        return &r->tokens.input;
    return key_is(s, "output") || key_is(s, "reasoning") ? &r->tokens.output : NULL;
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
        {1, 0, "role", AT(block.text)},
        {1, 0, "id", AT(message_id)},
        {1, 0, "timestamp", AT(timestamp)},
        {1, 0, "cwd", AT(cwd)},
        {2, IN_INFO, "title", AT(title[TITLE_CUSTOM])},
        {2, IN_INFO, "modelID", AT(model)},
        {3, IN_PARTS, "type", AT(block.text)},
        {3, IN_PARTS, "tool", AT(block.text)},
        {3, IN_PARTS, "callID", AT(block.notebook_path)},
        {5, IN_INPUT, "filePath", AT(block.file_path)},
#undef AT
    };

    if (s->depth == 3 && r->known & IN_PARTS && key_is(s, "text")) {
        *ret_max = RECORD_TITLE;
        return r->text[0] == '\0' ? r->text : NULL;
    }
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
        const char *key, *word;
        uint32_t bit;
    } words[] = {
        {1, "type", "session", IS_SESSION}, {1, "type", "message", IS_MESSAGE},
        {1, "role", "user", IS_USER},       {1, "role", "assistant", IS_ASSISTANT},
        {3, "type", "tool", IS_CALL},       {3, "tool", "write", IS_EDIT},
        {3, "tool", "edit", IS_EDIT},
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
    note_word(r, s, text);
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
        *to = money > 0 && money <= (double)USAGE_MICROS_MAX ? (int64_t)(money + 0.5) : -1;
    } else if (len <= 15 && strspn(text, "0123456789") == len) {
        r->has_usage = 1;
        *to += strtoll(text, NULL, 10);
    }
}

static void end_part(struct record_reader *rr)
{
    struct record *r = rr->record;
    size_t n = strlen(r->block.file_path);

    if (r->known & IS_CALL && r->block.notebook_path[0] != '\0' && rr->calls->len < PATHS_MAX)
        buf_add(rr->calls, r->block.notebook_path, strlen(r->block.notebook_path) + 1);
    else if (r->known & IS_CALL)
        r->tool_calls++;
    if (r->known & IS_CALL && r->known & IS_EDIT && n > 0 && rr->paths->len + n < PATHS_MAX)
        buf_add(rr->paths, r->block.file_path, n + 1);
    r->block.file_path[0] = r->block.notebook_path[0] = '\0';
    r->known &= ~(uint32_t)(IS_CALL | IS_EDIT | IN_STATE | IN_INPUT);
}

static void settle(struct record *r)
{
    int is_message = (r->known & IS_MESSAGE) != 0;

    r->type = RECORD_OTHER;
    if (is_message && r->known & IS_USER)
        r->type = RECORD_USER;
    else if (is_message && r->known & IS_ASSISTANT)
        r->type = RECORD_ASSISTANT;
    else if (r->known & IS_SESSION && strncmp(r->title[TITLE_CUSTOM], "New session - ", 14) != 0)
        r->type = RECORD_CUSTOM_TITLE;
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

static void on_close(void *arg, const struct jscan *s)
{
    struct record_reader *rr = arg;
    struct record *r = rr->record;

    if (s->depth == 1)
        settle(r);
    else if (s->depth == 2)
        r->known &= ~(uint32_t)(IN_INFO | IN_TOKENS | IN_CACHE | IN_PARTS | IN_STATE | IN_INPUT);
    else if (s->depth == 3 && r->known & IN_PARTS)
        end_part(rr);
    else if (s->depth == 3)
        r->known &= ~(uint32_t)(IN_TOKENS | IN_CACHE);
    else if (s->depth == 4)
        r->known &= ~(uint32_t)(IN_CACHE | IN_STATE | IN_INPUT);
    else if (s->depth == 5)
        r->known &= ~(uint32_t)IN_INPUT;
}

const struct jscan_ops opencode_record_ops = {on_begin, on_string, on_close, on_number};
