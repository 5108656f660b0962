#include <stdlib.h>
#include <string.h>

#include "agents/claude/claude.h"
#include "agents/record.h"

/* What one record can grow in memory, however hostile the line. */
#define PATHS_MAX (1 << 20)
#define PASTES_MAX (64 << 10)

#define NUMBER_TEXT 64 /* a longer number is none of ours */

/* Containers on a path that we know, from the outside.  They form one chain, so that a number says
 * all: the record, its message, the content of that, a block of it, the input of a tool; but for
 * the message's usage, which is as deep as its content. */
enum level { IN_NOTHING, IN_RECORD, IN_MESSAGE, IN_CONTENT, IN_BLOCK, IN_INPUT, IN_USAGE };

enum block_type { BLOCK_OTHER, BLOCK_TEXT, BLOCK_TOOL_USE, BLOCK_TOOL_RESULT };
enum block_tool { TOOL_OTHER, TOOL_FILE, TOOL_NOTEBOOK };

enum member {
    M_NONE,
    M_TYPE,
    M_IS_META,
    M_IS_SIDECHAIN,
    M_IS_COMPACT_SUMMARY,
    M_TIMESTAMP,
    M_SESSION_ID,
    M_CWD,
    M_RELOCATED,
    M_GIT_BRANCH,
    M_SLUG,
    M_CUSTOM_TITLE,
    M_AI_TITLE,
    M_LAST_PROMPT,
    M_SUMMARY,
    M_MESSAGE,
    M_MODEL,
    M_MESSAGE_ID,
    M_CONTENT,
    M_BLOCK_TYPE,
    M_NAME,
    M_TEXT,
    M_INPUT,
    M_FILE_PATH,
    M_NOTEBOOK_PATH,
    M_FORKED_FROM,
    M_COST,
    M_TOTAL_COST,
    M_START_TIME,
    M_UNKNOWN_COST,
    M_USAGE,
    M_INPUT_TOKENS,
    M_OUTPUT_TOKENS,
    M_CACHE_READ,
    M_CACHE_WRITE,
    M_CONTENT_HASH,
};

static const struct {
    enum level level;
    enum member member;
    uint32_t len;
    const char *key;
} members[] = {
#define KEY(name) sizeof(name) - 1, name
    {IN_RECORD, M_TYPE, KEY("type")},
    {IN_RECORD, M_IS_META, KEY("isMeta")},
    {IN_RECORD, M_IS_SIDECHAIN, KEY("isSidechain")},
    {IN_RECORD, M_IS_COMPACT_SUMMARY, KEY("isCompactSummary")},
    {IN_RECORD, M_TIMESTAMP, KEY("timestamp")},
    {IN_RECORD, M_SESSION_ID, KEY("sessionId")},
    {IN_RECORD, M_CWD, KEY("cwd")},
    {IN_RECORD, M_RELOCATED, KEY("relocatedCwd")},
    {IN_RECORD, M_GIT_BRANCH, KEY("gitBranch")},
    {IN_RECORD, M_SLUG, KEY("slug")},
    {IN_RECORD, M_CUSTOM_TITLE, KEY("customTitle")},
    {IN_RECORD, M_AI_TITLE, KEY("aiTitle")},
    {IN_RECORD, M_LAST_PROMPT, KEY("lastPrompt")},
    {IN_RECORD, M_SUMMARY, KEY("summary")},
    {IN_RECORD, M_MESSAGE, KEY("message")},
    {IN_MESSAGE, M_MODEL, KEY("model")},
    {IN_MESSAGE, M_MESSAGE_ID, KEY("id")},
    {IN_MESSAGE, M_CONTENT, KEY("content")},
    {IN_BLOCK, M_BLOCK_TYPE, KEY("type")},
    {IN_BLOCK, M_NAME, KEY("name")},
    {IN_BLOCK, M_TEXT, KEY("text")},
    {IN_BLOCK, M_INPUT, KEY("input")},
    {IN_INPUT, M_FILE_PATH, KEY("file_path")},
    {IN_INPUT, M_NOTEBOOK_PATH, KEY("notebook_path")},
    {IN_RECORD, M_FORKED_FROM, KEY("forkedFrom")},
    {IN_RECORD, M_COST, KEY("costUSD")},
    {IN_RECORD, M_TOTAL_COST, KEY("totalCostUSD")},
    {IN_RECORD, M_START_TIME, KEY("startTime")},
    {IN_RECORD, M_UNKNOWN_COST, KEY("hasUnknownModelCost")},
    {IN_MESSAGE, M_USAGE, KEY("usage")},
    {IN_USAGE, M_INPUT_TOKENS, KEY("input_tokens")},
    {IN_USAGE, M_OUTPUT_TOKENS, KEY("output_tokens")},
    {IN_USAGE, M_CACHE_READ, KEY("cache_read_input_tokens")},
    {IN_USAGE, M_CACHE_WRITE, KEY("cache_creation_input_tokens")},
#undef KEY
};

static enum level level_of(const struct record *r)
{
    return r->is_in_usage && r->known == IN_CONTENT ? IN_USAGE : (enum level)r->known;
}

static enum member find(const struct record *r, const struct jscan *s)
{
    enum level level = level_of(r);

    if (s->depth == r->known) {
        for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
            if (members[i].level == level && members[i].len == s->key_len &&
                memcmp(s->key, members[i].key, s->key_len) == 0)
                return members[i].member;
        }
    }
    return s->key_len == 11 && memcmp(s->key, "contentHash", 11) == 0 ? M_CONTENT_HASH : M_NONE;
}

static void clear_block(struct record_block *b)
{
    b->type = BLOCK_OTHER;
    b->tool = TOOL_OTHER;
    b->text[0] = b->file_path[0] = b->notebook_path[0] = '\0';
}

static void clear_content(struct record_reader *rr)
{
    rr->record->has_tool_result = 0;
    rr->record->tool_calls = 0;
    rr->record->text[0] = '\0';
    buf_reset(rr->paths);
}

static void clear_usage(struct record *r)
{
    r->has_usage = 0;
    memset(&r->tokens, 0, sizeof(r->tokens));
}

/* Where the number of ${m} is kept, what it is if there is none, and what one of it is there. */
static int64_t *number_of(struct record *r, enum member m, int64_t *ret_none, int *ret_is_money)
{
    *ret_none = 0;
    *ret_is_money = 0;
    switch (m) {
    case M_START_TIME:
        return &r->start_time;
    case M_INPUT_TOKENS:
        return &r->tokens.input;
    case M_OUTPUT_TOKENS:
        return &r->tokens.output;
    case M_CACHE_READ:
        return &r->tokens.cache_read;
    case M_CACHE_WRITE:
        return &r->tokens.cache_write;
    case M_COST:
    case M_TOTAL_COST:
        *ret_none = -1;
        *ret_is_money = 1;
        return m == M_COST ? &r->cost_micros : &r->total_micros;
    default:
        return NULL;
    }
}

/* Where the string of ${m} is kept, and how much of it. */
static char *place(struct record *r, enum member m, size_t *size)
{
#define PLACE(field) (*size = sizeof(field), (field))
    switch (m) {
    case M_TIMESTAMP:
        return PLACE(r->timestamp);
    case M_SESSION_ID:
        return PLACE(r->session_id);
    case M_CWD:
        return PLACE(r->cwd);
    case M_RELOCATED:
        return PLACE(r->relocated);
    case M_GIT_BRANCH:
        return PLACE(r->git_branch);
    case M_SLUG:
        return PLACE(r->slug);
    case M_CUSTOM_TITLE:
        return PLACE(r->title[TITLE_CUSTOM]);
    case M_AI_TITLE:
        return PLACE(r->title[TITLE_AI]);
    case M_LAST_PROMPT:
        return PLACE(r->title[TITLE_LAST_PROMPT]);
    case M_SUMMARY:
        return PLACE(r->title[TITLE_SUMMARY]);
    case M_MODEL:
        return PLACE(r->model);
    case M_MESSAGE_ID:
        return PLACE(r->message_id);
    case M_CONTENT:
        return PLACE(r->text);
    case M_TEXT:
        return PLACE(r->block.text);
    case M_FILE_PATH:
        return PLACE(r->block.file_path);
    case M_NOTEBOOK_PATH:
        return PLACE(r->block.notebook_path);
    default:
        return NULL;
    }
#undef PLACE
}

/* A member that we know begins (perhaps once more): forget what it said before. */
static void forget(struct record_reader *rr, enum member m)
{
    struct record *r = rr->record;
    int64_t none, *number;
    size_t size;
    char *at = place(r, m, &size);
    int is_money;

    if (at != NULL)
        at[0] = '\0';
    number = number_of(r, m, &none, &is_money);
    if (number != NULL)
        *number = none;
    switch (m) {
    case M_TYPE:
        r->type = RECORD_OTHER;
        break;
    case M_MESSAGE:
        r->model[0] = r->message_id[0] = '\0';
        clear_content(rr);
        clear_usage(r);
        break;
    case M_USAGE:
        clear_usage(r);
        break;
    case M_CONTENT:
        clear_content(rr);
        break;
    case M_BLOCK_TYPE:
        r->block.type = BLOCK_OTHER;
        break;
    case M_NAME:
        r->block.tool = TOOL_OTHER;
        break;
    case M_INPUT:
        r->block.file_path[0] = r->block.notebook_path[0] = '\0';
        break;
    default:
        break;
    }
}

/* Does the container that begins lead on along the chain? */
static int leads_on(const struct record *r, const struct jscan *s, enum member m,
                    enum jscan_type type)
{
    if (s->depth != r->known)
        return 0;
    switch (level_of(r)) {
    case IN_NOTHING:
        return type == JSCAN_OBJECT;
    case IN_RECORD:
        return m == M_MESSAGE && type == JSCAN_OBJECT;
    case IN_MESSAGE:
        return (m == M_CONTENT && type == JSCAN_ARRAY) || (m == M_USAGE && type == JSCAN_OBJECT);
    case IN_CONTENT:
        return type == JSCAN_OBJECT;
    case IN_BLOCK:
        return m == M_INPUT && type == JSCAN_OBJECT;
    default:
        return 0;
    }
}

static size_t on_begin(void *arg, const struct jscan *s, enum jscan_type type)
{
    struct record_reader *rr = arg;
    struct record *r = rr->record;
    enum member m = level_of(r) == IN_CONTENT && s->depth == r->known ? M_NONE : find(r, s);
    int64_t none;
    int is_money;
    size_t size;

    if (m != M_NONE)
        forget(rr, m);
    switch (m) {
    case M_IS_META:
        r->is_meta = type == JSCAN_TRUE;
        break;
    case M_IS_SIDECHAIN:
        r->is_sidechain = type == JSCAN_TRUE;
        break;
    case M_IS_COMPACT_SUMMARY:
        r->is_compact_summary = type == JSCAN_TRUE;
        break;
    case M_FORKED_FROM:
        r->is_fork = type == JSCAN_OBJECT;
        break;
    case M_UNKNOWN_COST:
        r->is_cost_open = type == JSCAN_TRUE;
        break;
    default:
        break;
    }
    if (type == JSCAN_NUMBER)
        return number_of(r, m, &none, &is_money) != NULL ? NUMBER_TEXT : 0;
    if (type == JSCAN_OBJECT || type == JSCAN_ARRAY) {
        if (leads_on(r, s, m, type)) {
            r->is_in_usage = m == M_USAGE;
            r->has_usage = r->has_usage || r->is_in_usage;
            r->known++;
            if (r->known == IN_BLOCK)
                clear_block(&r->block);
        }
        return 0;
    }
    if (type != JSCAN_STRING)
        return 0;
    if (m == M_TYPE || m == M_BLOCK_TYPE || m == M_NAME)
        return 32;
    if (m == M_CONTENT_HASH)
        return 128;
    return place(r, m, &size) != NULL ? size - 1 : 0;
}

static uint8_t record_type(const char *text)
{
    static const struct {
        const char *name;
        enum record_type type;
    } types[] = {
        {"user", RECORD_USER},
        {"assistant", RECORD_ASSISTANT},
        {"summary", RECORD_SUMMARY},
        {"custom-title", RECORD_CUSTOM_TITLE},
        {"ai-title", RECORD_AI_TITLE},
        {"last-prompt", RECORD_LAST_PROMPT},
        {"cost-state", RECORD_COST_STATE},
    };

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(text, types[i].name) == 0)
            return (uint8_t)types[i].type;
    }
    return RECORD_OTHER;
}

static uint8_t block_type(const char *text)
{
    if (strcmp(text, "text") == 0)
        return BLOCK_TEXT;
    if (strcmp(text, "tool_use") == 0)
        return BLOCK_TOOL_USE;
    return strcmp(text, "tool_result") == 0 ? BLOCK_TOOL_RESULT : BLOCK_OTHER;
}

static uint8_t block_tool(const char *text)
{
    if (strcmp(text, "Edit") == 0 || strcmp(text, "Write") == 0 || strcmp(text, "MultiEdit") == 0)
        return TOOL_FILE;
    return strcmp(text, "NotebookEdit") == 0 ? TOOL_NOTEBOOK : TOOL_OTHER;
}

static void add_name(struct buf *b, const char *name, size_t max)
{
    size_t n = strlen(name) + 1;

    if (n > 1 && b->len + n <= max)
        buf_add(b, name, n);
}

static void on_string(void *arg, const struct jscan *s, const char *text, size_t len, int is_cut)
{
    struct record_reader *rr = arg;
    struct record *r = rr->record;
    enum member m = find(r, s);
    size_t size;
    char *at;

    switch (m) {
    case M_TYPE:
        r->type = is_cut ? RECORD_OTHER : record_type(text);
        return;
    case M_BLOCK_TYPE:
        r->block.type = is_cut ? BLOCK_OTHER : block_type(text);
        return;
    case M_NAME:
        r->block.tool = is_cut ? TOOL_OTHER : block_tool(text);
        return;
    case M_CONTENT_HASH:
        if (!is_cut)
            add_name(rr->pastes, text, PASTES_MAX);
        return;
    case M_TIMESTAMP:
    case M_SESSION_ID:
    case M_CWD:
    case M_SLUG:
        /* Half of one of these would be another one. */
        if (is_cut)
            return;
        break;
    default:
        break;
    }
    at = place(r, m, &size);
    if (at != NULL && len < size)
        memcpy(at, text, len + 1);
}

static void end_block(struct record_reader *rr)
{
    struct record *r = rr->record;

    switch (r->block.type) {
    case BLOCK_TEXT:
        if (r->text[0] == '\0')
            memcpy(r->text, r->block.text, sizeof(r->text));
        break;
    case BLOCK_TOOL_RESULT:
        r->has_tool_result = 1;
        break;
    case BLOCK_TOOL_USE:
        r->tool_calls++;
        if (r->block.tool == TOOL_FILE)
            add_name(rr->paths, r->block.file_path, PATHS_MAX);
        else if (r->block.tool == TOOL_NOTEBOOK)
            add_name(rr->paths, r->block.notebook_path, PATHS_MAX);
        break;
    default:
        break;
    }
}

/* Whole numbers, and sums of money; of others none. */
static void on_number(void *arg, const struct jscan *s, const char *text, size_t len, int is_cut)
{
    struct record *r = ((struct record_reader *)arg)->record;
    int64_t none, *at;
    int is_money;
    double money;

    at = number_of(r, find(r, s), &none, &is_money);
    if (at == NULL || is_cut)
        return;
    if (is_money) {
        money = strtod(text, NULL) * 1e6;
        *at = money >= 0 && money <= (double)USAGE_MICROS_MAX ? (int64_t)(money + 0.5) : none;
    } else if (len <= 15 && strspn(text, "0123456789") == len) {
        *at = strtoll(text, NULL, 10);
    }
}

static void on_close(void *arg, const struct jscan *s)
{
    struct record_reader *rr = arg;

    if (s->depth != rr->record->known)
        return;
    if (rr->record->known == IN_BLOCK)
        end_block(rr);
    rr->record->known--;
}

const struct jscan_ops claude_record_ops = {on_begin, on_string, on_close, on_number};

int claude_record_is_prompt(const struct record *r)
{
    return strncmp(r->text, "<command-name>", 14) != 0 &&
           strncmp(r->text, "<local-command-stdout>", 22) != 0;
}
