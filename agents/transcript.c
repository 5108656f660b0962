#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/data/jscan.h"
#include "common/base/now.h"
#include "common/base/str.h"

#include "agents/agent.h"
#include "agents/record.h"
#include "agents/seen.h"

#include "agents/transcript.h"

/* Bytes of paths that are kept for filesModified; their number is always exact. */
#define FILES_BYTES (512 << 10)

/* Saved states of another layout are refused.  Raise it with any change in what is gathered. */
#define STATE_VERSION 6

/* What has been gathered; without pointers, so that it can be written down. */
struct totals {
    int64_t lines, bad_lines;
    int64_t user_messages, tool_calls;
    int64_t started_ms, ended_ms;
    int32_t has_times;
    int32_t is_line_begun; /* something other than white space has come since the last newline */
    char title[TITLE_KINDS][RECORD_TITLE + 1]; /* the last of each kind */
    char prompt[RECORD_TITLE + 1];             /* the first real one */
    char model[128];
    char cwd[JSCAN_TEXT + 1];
    char relocated[JSCAN_TEXT + 1];
    char git_branch[256];
    char slug[256];
    char session_id[64];
    struct usage usage;
};

struct transcript {
    const struct agent *agent;
    struct totals totals;
    struct record record;
    struct jscan scan;
    struct buf paths, pastes, calls; /* of the line under way */
    const struct transcript *main;   /* that it is beside, or NULL */
    struct seen *messages;
    struct seen *once; /* prompts and calls with an id, for they can come again */
    struct seen *files;
    struct strlist file_names;
    size_t file_bytes;
    struct strlist slugs;
    struct strlist paste_names;
};

void record_clear(struct record *r)
{
    /* First characters instead of whole arrays: this runs for every line. */
    r->known = 0;
    r->type = RECORD_OTHER;
    r->is_meta = r->is_sidechain = r->is_compact_summary = r->has_tool_result = 0;
    r->tool_calls = 0;
    r->is_fork = r->is_in_usage = r->has_usage = r->is_total = r->is_cost_open = 0;
    r->start_time = 0;
    r->total_micros = r->cost_micros = -1;
    r->timestamp[0] = r->session_id[0] = r->cwd[0] = r->relocated[0] = r->git_branch[0] =
        r->slug[0] = '\0';
    for (int i = 0; i < TITLE_KINDS; i++)
        r->title[i][0] = '\0';
    r->model[0] = r->message_id[0] = r->text[0] = '\0';
}

struct transcript *transcript_new(const struct agent *agent)
{
    struct transcript *t = str_calloc(1, sizeof(*t));

    t->agent = agent;
    record_clear(&t->record);
    jscan_init(&t->scan);
    t->messages = seen_new();
    t->once = seen_new();
    t->files = seen_new();
    return t;
}

struct transcript *transcript_beside(const struct transcript *main)
{
    struct transcript *t = transcript_new(main->agent);

    t->main = main;
    return t;
}

void transcript_free(struct transcript *t)
{
    if (t == NULL)
        return;
    buf_free(&t->paths);
    buf_free(&t->pastes);
    buf_free(&t->calls);
    seen_free(t->messages);
    seen_free(t->once);
    seen_free(t->files);
    strlist_free(&t->file_names);
    strlist_free(&t->slugs);
    strlist_free(&t->paste_names);
    free(t);
}

/* Both fields have the same size where this is used. */
#define TAKE(to, from) \
    do { \
        _Static_assert(sizeof(to) == sizeof(from), "fields of one size"); \
        if ((from)[0] != '\0') \
            memcpy(to, from, sizeof(to)); \
    } while (0)

static int is_user_message(const struct transcript *t)
{
    const struct record *r = &t->record;

    return r->type == RECORD_USER && !r->is_meta && !r->is_sidechain && !r->is_compact_summary &&
           !r->has_tool_result &&
           (t->agent->record_is_prompt == NULL || t->agent->record_is_prompt(r));
}

/* Copy a title, cut on a character boundary. */
static void cut_title(char *to, const char *from)
{
    size_t n = str_utf8_cut(from, strlen(from), TRANSCRIPT_TITLE);

    memcpy(to, from, n);
    to[n] = '\0';
}

static void take_title(struct totals *to, const struct record *r)
{
    static const uint8_t of_type[TITLE_KINDS] = {
        [TITLE_CUSTOM] = RECORD_CUSTOM_TITLE,
        [TITLE_AI] = RECORD_AI_TITLE,
        [TITLE_LAST_PROMPT] = RECORD_LAST_PROMPT,
        [TITLE_SUMMARY] = RECORD_SUMMARY,
    };

    for (int i = 0; i < TITLE_KINDS; i++) {
        if (r->type == of_type[i] && r->title[i][0] != '\0')
            cut_title(to->title[i], r->title[i]);
    }
}

static void take_time(struct totals *to, const char *timestamp)
{
    int64_t ms;

    if (timestamp[0] == '\0' || now_parse_rfc3339(timestamp, &ms) != 0)
        return;
    if (!to->has_times || ms < to->started_ms)
        to->started_ms = ms;
    if (!to->has_times || ms > to->ended_ms)
        to->ended_ms = ms;
    to->has_times = 1;
}

/* Several processes may write one transcript in turns, so slugs and pastes recur: lists without
 * doubles, short enough to search. */
static void take_names(struct strlist *l, const char *p, size_t n, size_t max)
{
    for (size_t i = 0; i < n; i += strlen(p + i) + 1) {
        if (l->n < max)
            strlist_add_once(l, p + i);
    }
}

static void take_files(struct transcript *t)
{
    for (size_t i = 0; i < t->paths.len;) {
        const char *path = t->paths.data + i;
        size_t n = strlen(path);
        if (seen_add(t->files, path, n) && t->file_names.n < TRANSCRIPT_FILES &&
            t->file_bytes + n < FILES_BYTES) {
            strlist_add(&t->file_names, path);
            t->file_bytes += n;
        }
        i += n + 1;
    }
}

/* FNV-1a; it has to tell apart a few messages in a row. */
static uint64_t number_of(const char *id)
{
    uint64_t h = 14695981039346656037ULL;

    for (; *id != '\0'; id++)
        h = (h ^ (unsigned char)*id) * 1099511628211ULL;
    return h;
}

/* Of a message that comes several times, block by block, the last record knows all. */
static void take_usage(struct transcript *t, int is_new)
{
    struct usage *u = &t->totals.usage;
    const struct record *r = &t->record;

    if (r->type == RECORD_COST_STATE && r->total_micros >= 0) {
        usage_counter(u, r->start_time, r->total_micros);
        u->is_at_least = r->is_cost_open;
    }
    if (r->is_total)
        usage_total(u, t->totals.model, &r->tokens);
    if ((r->type != RECORD_ASSISTANT && r->type != RECORD_TOKENS) || r->is_fork ||
        r->message_id[0] == '\0' || strcmp(r->model, "<synthetic>") == 0)
        return;
    if (t->main != NULL && seen_has(t->main->messages, r->message_id, strlen(r->message_id)))
        return;
    if (r->has_usage)
        usage_message(u, number_of(r->message_id), is_new, r->model, &r->tokens);
    if (is_new && r->cost_micros >= 0)
        usage_spent(u, r->cost_micros);
}

/* Return how many of the calls are new. */
static int64_t take_calls(struct transcript *t)
{
    int64_t n = 0;

    for (size_t i = 0; i < t->calls.len; i += strlen(t->calls.data + i) + 1)
        n += seen_add(t->once, t->calls.data + i, strlen(t->calls.data + i));
    return n;
}

static void take_record(struct transcript *t)
{
    struct totals *to = &t->totals;
    const struct record *r = &t->record;
    int is_new = 0;

    take_time(to, r->timestamp);
    take_title(to, r);
    if (is_user_message(t) &&
        (r->message_id[0] == '\0' || seen_add(t->once, r->message_id, strlen(r->message_id) + 1))) {
        to->user_messages++;
        if (to->prompt[0] == '\0')
            cut_title(to->prompt, r->text);
    }
    if (r->type == RECORD_ASSISTANT && r->message_id[0] != '\0')
        is_new = seen_add(t->messages, r->message_id, strlen(r->message_id));
    take_usage(t, is_new || r->type == RECORD_TOKENS);
    to->tool_calls += r->tool_calls + take_calls(t);
    if (strcmp(r->model, "<synthetic>") != 0)
        TAKE(to->model, r->model);
    if (to->cwd[0] == '\0')
        TAKE(to->cwd, r->cwd);
    TAKE(to->relocated, r->relocated);
    if (to->session_id[0] == '\0')
        TAKE(to->session_id, r->session_id);
    TAKE(to->git_branch, r->git_branch);
    TAKE(to->slug, r->slug);
    if (r->slug[0] != '\0')
        take_names(&t->slugs, r->slug, strlen(r->slug) + 1, TRANSCRIPT_SLUGS);
    take_names(&t->paste_names, t->pastes.data, t->pastes.len, TRANSCRIPT_PASTES);
    take_files(t);
}

static void clear_names(struct transcript *t)
{
    buf_reset(&t->paths);
    buf_reset(&t->pastes);
    buf_reset(&t->calls);
}

static void take_part(struct record_reader *rr)
{
    take_record(rr->arg);
    clear_names(rr->arg);
}

static int is_blank(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] != ' ' && p[i] != '\t' && p[i] != '\r')
            return 0;
    }
    return 1;
}

static void end_line(struct transcript *t)
{
    if (jscan_is_object(&t->scan)) {
        t->totals.lines++;
        take_record(t);
    } else if (t->totals.is_line_begun)
        t->totals.bad_lines++;
    t->totals.is_line_begun = 0;
    record_clear(&t->record);
    clear_names(t);
    jscan_init(&t->scan);
}

void transcript_feed(struct transcript *t, const char *p, size_t n)
{
    struct record_reader rr = {.record = &t->record,
                               .paths = &t->paths,
                               .pastes = &t->pastes,
                               .calls = &t->calls,
                               .form = t->agent->record_form,
                               .part = take_part,
                               .arg = t};

    while (n > 0) {
        const char *end = memchr(p, '\n', n);
        size_t piece = end != NULL ? (size_t)(end - p) : n;

        if (!t->totals.is_line_begun && !is_blank(p, piece))
            t->totals.is_line_begun = 1;
        jscan_feed(&t->scan, t->agent->record_ops, &rr, p, piece);
        if (end == NULL)
            return;
        end_line(t);
        p += piece + 1;
        n -= piece + 1;
    }
}

static const char *title_of(const struct totals *to)
{
    for (int i = 0; i < TITLE_KINDS; i++) {
        if (to->title[i][0] != '\0')
            return to->title[i];
    }
    return to->prompt[0] != '\0' ? to->prompt : NULL;
}

static const char *or_null(const char *s)
{
    return s[0] != '\0' ? s : NULL;
}

void transcript_facts(const struct transcript *t, struct transcript_facts *ret)
{
    const struct totals *to = &t->totals;

    memset(ret, 0, sizeof(*ret));
    ret->lines = to->lines;
    ret->bad_lines = to->bad_lines;
    ret->user_messages = to->user_messages;
    ret->assistant_messages = (int64_t)seen_count(t->messages);
    ret->tool_calls = to->tool_calls;
    ret->files_modified = (int64_t)seen_count(t->files);
    ret->has_times = to->has_times;
    ret->started_ms = to->started_ms;
    ret->ended_ms = to->ended_ms;
    ret->model = or_null(to->model);
    ret->title = title_of(to);
    ret->cwd = or_null(to->cwd);
    ret->relocated = or_null(to->relocated);
    ret->git_branch = or_null(to->git_branch);
    ret->slug = or_null(to->slug);
    ret->session_id = or_null(to->session_id);
    ret->usage = to->usage;
}

const struct strlist *transcript_files(const struct transcript *t)
{
    return &t->file_names;
}

const struct strlist *transcript_slugs(const struct transcript *t)
{
    return &t->slugs;
}

const struct strlist *transcript_pastes(const struct transcript *t)
{
    return &t->paste_names;
}

/* ---- the state, written down -------------------------------------------------------------------
 */

static void save_names(const struct strlist *l, struct buf *ret)
{
    uint64_t n = l->n;

    buf_add(ret, &n, sizeof(n));
    for (size_t i = 0; i < l->n; i++)
        buf_add(ret, l->v[i], strlen(l->v[i]) + 1);
}

static int load_names(struct strlist *l, const char **p, size_t *n)
{
    uint64_t count;

    if (*n < sizeof(count))
        return -1;
    memcpy(&count, *p, sizeof(count));
    *p += sizeof(count);
    *n -= sizeof(count);
    for (; count > 0; count--) {
        size_t len = strnlen(*p, *n);
        if (len == *n)
            return -1;
        strlist_add(l, *p);
        *p += len + 1;
        *n -= len + 1;
    }
    return 0;
}

static void save_bytes(const struct buf *b, struct buf *ret)
{
    uint64_t n = b->len;

    buf_add(ret, &n, sizeof(n));
    buf_add(ret, b->data, b->len);
}

static int load_bytes(struct buf *b, const char **p, size_t *n)
{
    uint64_t len;

    if (*n < sizeof(len))
        return -1;
    memcpy(&len, *p, sizeof(len));
    if (len > *n - sizeof(len))
        return -1;
    buf_add(b, *p + sizeof(len), (size_t)len);
    *p += sizeof(len) + (size_t)len;
    *n -= sizeof(len) + (size_t)len;
    return 0;
}

/* Tells one layout from another. */
static uint64_t layout(const struct agent *agent)
{
    return hash_quick(0, agent->id) ^ (uint64_t)STATE_VERSION << 48 ^
           (uint64_t)sizeof(struct totals) << 32 ^ (uint64_t)sizeof(struct record) << 16 ^
           sizeof(struct jscan);
}

void transcript_save(const struct transcript *t, struct buf *ret)
{
    uint64_t mark = layout(t->agent);

    buf_add(ret, &mark, sizeof(mark));
    buf_add(ret, &t->totals, sizeof(t->totals));
    buf_add(ret, &t->record, sizeof(t->record));
    buf_add(ret, &t->scan, sizeof(t->scan));
    save_bytes(&t->paths, ret);
    save_bytes(&t->pastes, ret);
    save_bytes(&t->calls, ret);
    save_names(&t->file_names, ret);
    save_names(&t->slugs, ret);
    save_names(&t->paste_names, ret);
    seen_save(t->messages, ret);
    seen_save(t->once, ret);
    seen_save(t->files, ret);
}

static int load_sets(struct transcript *t, const char *p, size_t n)
{
    struct seen **const sets[] = {&t->messages, &t->once, &t->files};
    size_t used;

    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        seen_free(*sets[i]);
        *sets[i] = seen_load(p, n, &used);
        if (*sets[i] == NULL)
            return -1;
        p += used;
        n -= used;
    }
    return 0;
}

struct transcript *transcript_load(const struct agent *agent, const char *p, size_t n)
{
    const size_t fixed =
        sizeof(uint64_t) + sizeof(struct totals) + sizeof(struct record) + sizeof(struct jscan);
    uint64_t mark;
    struct transcript *t;

    if (n < fixed)
        return NULL;
    memcpy(&mark, p, sizeof(mark));
    if (mark != layout(agent))
        return NULL;
    t = transcript_new(agent);
    p += sizeof(mark);
    memcpy(&t->totals, p, sizeof(t->totals));
    p += sizeof(t->totals);
    memcpy(&t->record, p, sizeof(t->record));
    p += sizeof(t->record);
    memcpy(&t->scan, p, sizeof(t->scan));
    p += sizeof(t->scan);
    n -= fixed;
    if (load_bytes(&t->paths, &p, &n) != 0 || load_bytes(&t->pastes, &p, &n) != 0 ||
        load_bytes(&t->calls, &p, &n) != 0 || load_names(&t->file_names, &p, &n) != 0 ||
        load_names(&t->slugs, &p, &n) != 0 || load_names(&t->paste_names, &p, &n) != 0 ||
        load_sets(t, p, n) != 0) {
        transcript_free(t);
        return NULL;
    }
    for (size_t i = 0; i < t->file_names.n; i++)
        t->file_bytes += strlen(t->file_names.v[i]);
    return t;
}

const char *transcript_project_name(const char *cwd, char *buf, size_t size)
{
    size_t n = strlen(cwd), start;
    /* A Windows path, told by its drive letter or its server; elsewhere a backslash is a letter. */
    int is_windows = (n > 2 && cwd[1] == ':' && cwd[2] == '\\') || strncmp(cwd, "\\\\", 2) == 0;

    while (n > 1 && (cwd[n - 1] == '/' || (is_windows && cwd[n - 1] == '\\')))
        n--;
    for (start = n; start > 0; start--) {
        if (n > 1 && (cwd[start - 1] == '/' || (is_windows && cwd[start - 1] == '\\')))
            break;
    }
    n -= start;
    if (n >= size)
        n = size - 1;
    memcpy(buf, cwd + start, n);
    buf[n] = '\0';
    return buf;
}
