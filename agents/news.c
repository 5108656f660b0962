#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/agent.h"
#include "agents/body.h"
#include "agents/seen.h"
#include "common/base/buf.h"
#include "common/data/jscan.h"
#include "common/base/file.h"
#include "common/base/now.h"
#include "common/base/str.h"

#include "agents/news.h"

#define WINDOW (256 << 10)
#define TEXT_BEGINNING 512 /* enough of a message to know a local command and what is behind it */
#define UNNAMED_MAX (1 << 16) /* records without a uuid that are told apart, of one copy */

/* Records by their ids, and by their ids and what they say. */
struct record_set {
    struct seen *ids, *bodies;
};

/* How far down a way (agent.h) the value under way is, in containers. */
struct descent {
    const char *const *way;
    uint32_t known;
};

/* A record within a line: it counts when the line is whole. */
struct part {
    enum agent_news kind;
    int is_idle, has_tool_result, has_more;
    char type[64];
    char uuid[64];
    char message_id[64];
    char timestamp[64];
    unsigned char said[HASH_SHA256_BYTES];
};

struct news {
    const struct agent *agent;
    const struct agent_record_names *names; /* of that */
    enum trust trust;                       /* who vouches for it */
    struct record_set records;              /* of conversation */
    struct record_set beside;               /* others that have a uuid */
    struct seen *times;
    struct record_set messages; /* of those in ${records}: a prompt, or all of one answer */
    size_t unnamed;             /* records without a uuid so far: they are known by their place */
    int is_incomplete;          /* there were too many of them */
    int is_glance;              /* the sets stay empty */
    int is_something;           /* as news_is_something() */
    struct strlist begins;      /* as news_begins() */
    struct seen *begun;         /* the same */
    char *project;              /* the project folder whose cwd is looked for, or NULL */
    char first_cwd[JSCAN_TEXT + 1];
    char project_cwd[JSCAN_TEXT + 1]; /* the last one that ${project} is named after */
    char judged_cwd[JSCAN_TEXT + 1];
    char last_branch[256];

    void (*each)(void *arg, const struct news_line *l);
    void *each_arg;

    /* The line under way. */
    int64_t line_at, line_len;
    struct jscan scan;
    const char *piece; /* of it that is fed */
    uint32_t base;     /* the depth of the object that holds what was said */
    uint32_t top;      /* the depth of the record's own members */
    uint32_t list;     /* the depth of the records that the line holds, 0: of none */
    struct buf parts;  /* of these: struct part */
    struct descent to_cwd, to_branch, to_list;
    struct body *body;
    uint64_t body_at;    /* what is fed to ${body} next, if something is */
    uint32_t body_depth; /* something is: it ends at that depth */
    int is_body_string;  /* ... with a string, and else with what holds it */
    int is_text_wanted;  /* the string is wanted for itself */
    int in_item;
    int in_message, in_attachment, in_content; /* of the message, where that is a list */
    int is_meta, is_compact_summary, is_sidechain, has_tool_result;
    int has_more;               /* it says more than it did when it came first */
    int is_text_cut, has_other; /* the message is more than ${text} */
    int blocks;                 /* that its content has so far */
    char type[64];
    char subtype[64];
    char attachment[32];
    char model[64];
    char block[32]; /* the type of a block of the message */
    char message_id[64];
    char call[64];
    char uuid[64];
    char parent[64];
    char owner[64];
    char timestamp[64];
    char cwd[JSCAN_TEXT + 1];
    char branch[256];
    char text[TEXT_BEGINNING + 1]; /* of the message: its string, or its first text block */
};

static void count_block(struct news *n, int is_text)
{
    n->blocks += n->blocks < 2;
    n->has_other |= !is_text;
}

/* ---- what a record says -------------------------------------------------------------------------
 */

static int is_among(const char *const *list, const char *key)
{
    for (; list != NULL && *list != NULL; list++) {
        if (strcmp(*list, key) == 0)
            return 1;
    }
    return 0;
}

/* Is that a value by which two records are told apart?  What may be lost on its way home is none
 * (agents/claude/allow.c). */
static int is_said(const struct news *n, const struct jscan *s, enum jscan_type type)
{
    static const char *const names[] = {"text", "thinking", "name", "source", NULL};
    int is_string = type == JSCAN_STRING;
    uint32_t depth = s->depth - n->base;

    if (s->depth == n->top && is_string && strcmp(s->key, "content") == 0)
        return 1;
    if (n->in_attachment && s->depth == 2 && strcmp(s->key, "prompt") == 0)
        return is_string || type == JSCAN_ARRAY;
    if (!n->in_message || (!is_string && type != JSCAN_OBJECT && type != JSCAN_ARRAY))
        return 0;
    if (is_string && (depth == 1 || depth == 3) && strcmp(s->key, n->names->content) == 0)
        return 1;
    if (depth != 1 && depth != 3 && depth != 5)
        return 0;
    return (depth != 1 && is_among(names, s->key)) || is_among(n->names->said, s->key);
}

static void begin_body(struct news *n, const struct jscan *s, enum jscan_type type)
{
    if (n->is_glance || n->body_depth != 0 || !is_said(n, s, type))
        return;
    body_begin(n->body, s->key);
    n->body_at = s->at;
    n->is_body_string = type == JSCAN_STRING;
    n->body_depth = s->depth + !n->is_body_string;
}

/* Take what came of it, before ${end} of the line. */
static void feed_body(struct news *n, uint64_t end)
{
    if (n->body_depth != 0 && end > n->body_at)
        body_feed(n->body, n->piece + (n->body_at - (uint64_t)n->line_len),
                  (size_t)(end - n->body_at));
    n->body_at = end;
}

static void end_body(struct news *n, const struct jscan *s, int is_string)
{
    if (n->body_depth != s->depth || n->is_body_string != is_string)
        return;
    feed_body(n, s->at + 1);
    n->body_depth = 0;
}

/* ---- the line under way ------------------------------------------------------------------------
 */

/* The container under way opens; it closes. */
static void descend(struct descent *d, const struct jscan *s, enum jscan_type type)
{
    if (d->way != NULL && type == JSCAN_OBJECT && s->depth == d->known + 1 &&
        d->way[s->depth] != NULL && strcmp(s->key, d->way[d->known]) == 0)
        d->known++;
}

static void ascend(struct descent *d, const struct jscan *s)
{
    if (d->known + 2 > s->depth)
        d->known = s->depth > 2 ? s->depth - 2 : 0;
}

static int is_at_end(const struct descent *d, const struct jscan *s)
{
    return d->way != NULL && s->depth == d->known + 1 && d->way[s->depth] == NULL &&
           strcmp(s->key, d->way[d->known]) == 0;
}

/* Is it that member of the message? */
static int is_of_message(const struct news *n, const struct jscan *s, const char *key)
{
    return n->in_message && s->depth == n->base + 1 && key != NULL && strcmp(s->key, key) == 0;
}

static int is_of_block(const struct news *n, const struct jscan *s, const char *key)
{
    return n->in_message && s->depth == n->base + 3 && strcmp(s->key, key) == 0;
}

/* Is it the type of the item in the message? */
static int is_item_type(const struct news *n, const struct jscan *s)
{
    return n->in_item && s->depth == n->base + 2 && strcmp(s->key, "type") == 0;
}

/* How much of a string is wanted. */
static size_t wanted(struct news *n, const struct jscan *s)
{
    /* Words of what is no message: of a prompt that waits, of the last one. */
    if (s->depth == n->top && (strcmp(s->key, "content") == 0 || strcmp(s->key, "lastPrompt") == 0))
        return n->text[0] == '\0' ? TEXT_BEGINNING : 0;
    if (s->depth == n->top && (strcmp(s->key, "type") == 0 || strcmp(s->key, "subtype") == 0))
        return sizeof(n->type) - 1;
    if (s->depth == n->top &&
        (strcmp(s->key, n->names->id) == 0 || strcmp(s->key, "timestamp") == 0 ||
         strcmp(s->key, n->names->parent) == 0 || strcmp(s->key, "messageId") == 0))
        return sizeof(n->uuid) - 1;
    if (is_at_end(&n->to_branch, s))
        return sizeof(n->branch) - 1;
    if (is_at_end(&n->to_cwd, s))
        return n->first_cwd[0] == '\0' || n->project != NULL ? JSCAN_TEXT : 0;
    if ((s->depth == 2 && n->in_attachment && strcmp(s->key, "type") == 0) || is_item_type(n, s))
        return sizeof(n->attachment) - 1;
    if (is_of_message(n, s, n->names->call))
        return sizeof(n->call) - 1;
    if (is_of_message(n, s, "model"))
        return sizeof(n->model) - 1;
    if (is_of_message(n, s, n->names->role))
        return sizeof(n->subtype) - 1;
    if (is_of_message(n, s, "id"))
        return sizeof(n->message_id) - 1;
    if (is_of_block(n, s, "type"))
        return sizeof(n->block) - 1;
    if (n->text[0] != '\0')
        return 0;
    if (!is_of_message(n, s, n->names->content) && !is_of_block(n, s, "text"))
        return 0;
    return n->names->cwd_in != NULL && n->first_cwd[0] == '\0' ? JSCAN_TEXT : TEXT_BEGINNING;
}

/* A record's members are next; what is around it says nothing more. */
static void begin_record(struct news *n, uint32_t top)
{
    n->top = top;
    n->base = top - 1 + (n->names->message != NULL);
    n->body_depth = 0;
    body_clear(n->body);
    n->in_message = n->names->message == NULL;
    n->in_item = n->in_attachment = n->in_content = n->is_meta = n->is_compact_summary = 0;
    n->is_sidechain = n->has_tool_result = n->is_text_cut = n->has_other = n->blocks = 0;
    n->has_more = 0;
    n->attachment[0] = n->model[0] = n->block[0] = n->message_id[0] = n->call[0] = '\0';
    n->type[0] = n->subtype[0] = n->uuid[0] = n->timestamp[0] = n->text[0] = '\0';
    n->parent[0] = n->owner[0] = '\0';
}

static void begin_part(struct news *n)
{
    begin_record(n, n->list + 1);
}

static struct agent_record record_of(const struct news *n)
{
    return (struct agent_record){
        .id = n->uuid,
        .type = n->type,
        .subtype = n->subtype,
        .attachment = n->attachment,
        .model = n->model,
        .call = n->call,
        .text = n->text,
        .is_text_cut = n->is_text_cut,
        .has_more = n->has_other || n->blocks > 1,
        .is_meta = n->is_meta,
        .is_compact_summary = n->is_compact_summary,
    };
}

/* What it says, as a digest. */
static void say(struct news *n, unsigned char ret[HASH_SHA256_BYTES])
{
    body_begin(n->body, n->type);
    body_begin(n->body, n->is_sidechain ? "aside" : ""); /* which nobody sees */
    body_final(n->body, ret);
}

static void end_part(struct news *n)
{
    const struct agent_record r = record_of(n);
    struct part p = {
        .kind = n->agent->record_news(&r),
        .is_idle = n->agent->record_is_idle(&r),
        .has_tool_result = n->has_tool_result,
        .has_more = n->has_more,
    };

    memcpy(p.type, n->type, sizeof(p.type));
    memcpy(p.uuid, n->uuid, sizeof(p.uuid));
    memcpy(p.message_id, n->message_id, sizeof(p.message_id));
    memcpy(p.timestamp, n->timestamp, sizeof(p.timestamp));
    say(n, p.said);
    buf_add(&n->parts, &p, sizeof(p));
    begin_record(n, 1);
}

static size_t on_begin(void *arg, const struct jscan *s, enum jscan_type type)
{
    struct news *n = arg;
    size_t max;

    begin_body(n, s, type);
    descend(&n->to_cwd, s, type);
    descend(&n->to_branch, s, type);
    descend(&n->to_list, s, type);
    if (type == JSCAN_ARRAY && is_at_end(&n->to_list, s))
        n->list = s->depth + 1;
    else if (type == JSCAN_OBJECT && n->list != 0 && s->depth == n->list)
        begin_part(n);
    if (s->depth == n->top && n->names->more != NULL)
        n->has_more |= strcmp(s->key, n->names->more) == 0;
    if (type == JSCAN_OBJECT && n->names->result != NULL)
        n->has_tool_result |= is_of_block(n, s, n->names->result);
    if (s->depth == n->top && type == JSCAN_OBJECT && n->names->message != NULL)
        n->in_message = strcmp(s->key, n->names->message) == 0;
    if (s->depth == n->top && type == JSCAN_OBJECT)
        n->in_attachment = strcmp(s->key, "attachment") == 0;
    if (s->depth == n->top && strcmp(s->key, "isMeta") == 0)
        n->is_meta = type == JSCAN_TRUE;
    if (s->depth == n->top && strcmp(s->key, "isCompactSummary") == 0)
        n->is_compact_summary = type == JSCAN_TRUE;
    if (s->depth == n->top && strcmp(s->key, "isSidechain") == 0)
        n->is_sidechain = type == JSCAN_TRUE;
    if (is_of_message(n, s, n->names->item))
        n->in_item = type == JSCAN_OBJECT;
    if (n->in_content && s->depth == n->base + 2)
        count_block(n, type == JSCAN_OBJECT);
    if ((s->depth == n->top && strcmp(s->key, "content") == 0) ||
        is_of_message(n, s, n->names->content)) {
        n->in_content = s->depth == n->base + 1 && type == JSCAN_ARRAY;
        if (!n->in_content)
            count_block(n, type == JSCAN_STRING);
    }
    if (type != JSCAN_STRING)
        return 0;
    max = wanted(n, s);
    n->is_text_wanted = max > 0;
    /* Of what is fed the end has to be told. */
    return max == 0 && n->body_depth == s->depth && n->is_body_string ? 1 : max;
}

/* Where a wanted string goes. */
static char *place_of(struct news *n, const struct jscan *s)
{
    const struct {
        const char *key;
        char *to;
    } places[] = {
        {"type", n->type},           {"subtype", n->subtype},       {n->names->id, n->uuid},
        {"timestamp", n->timestamp}, {n->names->parent, n->parent}, {"messageId", n->owner},
        {"content", n->text},        {"lastPrompt", n->text},
    };

    if (is_at_end(&n->to_branch, s))
        return n->branch;
    if (is_at_end(&n->to_cwd, s))
        return n->cwd;
    for (size_t i = 0; s->depth == n->top && i < sizeof(places) / sizeof(places[0]); i++) {
        if (strcmp(s->key, places[i].key) == 0)
            return places[i].to;
    }
    if ((s->depth == 2 && n->in_attachment) || is_item_type(n, s))
        return n->attachment;
    if (is_of_message(n, s, n->names->call))
        return n->call;
    if (is_of_message(n, s, "model"))
        return n->model;
    if (is_of_message(n, s, n->names->role))
        return n->subtype;
    if (is_of_message(n, s, "id"))
        return n->message_id;
    return is_of_block(n, s, "type") ? n->block : n->text;
}

static void take_text(struct news *n, const char *text, size_t len, int is_cut)
{
    if (n->names->cwd_in != NULL && n->cwd[0] == '\0')
        n->names->cwd_in(text, n->cwd, sizeof(n->cwd));
    n->is_text_cut |= is_cut || len > TEXT_BEGINNING;
    len = len < TEXT_BEGINNING ? len : TEXT_BEGINNING;
    memcpy(n->text, text, len);
    n->text[len] = '\0';
}

static void on_string(void *arg, const struct jscan *s, const char *text, size_t len, int is_cut)
{
    struct news *n = arg;
    char *place = place_of(n, s);

    end_body(n, s, 1);
    if (!n->is_text_wanted)
        return;
    if (place == n->text)
        take_text(n, text, len, is_cut);
    else if (!is_cut || (s->depth > n->top && place != n->cwd && place != n->branch))
        memcpy(place, text, len + 1);
    if (place == n->block) {
        n->has_tool_result |= strcmp(text, "tool_result") == 0;
        n->has_other |= strcmp(text, "text") != 0;
    }
}

static void on_close(void *arg, const struct jscan *s)
{
    struct news *n = arg;

    end_body(n, s, 0);
    ascend(&n->to_cwd, s);
    ascend(&n->to_branch, s);
    ascend(&n->to_list, s);
    if (n->list != 0 && s->depth == n->top)
        end_part(n);
    else if (n->list != 0 && s->depth == n->list)
        n->list = 0;
    if (s->depth == 2) {
        n->in_message = n->names->message == NULL;
        n->in_attachment = 0;
    }
    if (s->depth <= n->base + 2)
        n->in_content = n->in_item = 0;
}

static const struct jscan_ops ops = {on_begin, on_string, on_close, NULL};

static void begin_line(struct news *n)
{
    jscan_init(&n->scan);
    n->line_len = 0;
    n->to_cwd.known = n->to_branch.known = n->to_list.known = 0;
    n->list = 0;
    buf_reset(&n->parts);
    n->cwd[0] = n->branch[0] = '\0';
    begin_record(n, 1);
}

struct news *news_new(const struct agent *agent)
{
    struct news *n = news_new_glance(agent);

    n->is_glance = 0;
    return n;
}

struct news *news_new_glance(const struct agent *agent)
{
    struct news *n = str_calloc(1, sizeof(*n));

    n->is_glance = 1;
    n->agent = agent;
    n->names = &agent->record_names;
    n->to_cwd.way = n->names->cwd;
    n->to_branch.way = n->names->branch;
    n->to_list.way = n->names->list;
    n->records = (struct record_set){seen_new(), seen_new()};
    n->beside = (struct record_set){seen_new(), seen_new()};
    n->body = body_new();
    n->times = seen_new();
    n->messages = (struct record_set){seen_new(), seen_new()};
    n->begun = seen_new();
    begin_line(n);
    return n;
}

void news_free(struct news *n)
{
    if (n == NULL)
        return;
    seen_free(n->records.ids);
    seen_free(n->records.bodies);
    seen_free(n->beside.ids);
    seen_free(n->beside.bodies);
    body_free(n->body);
    seen_free(n->times);
    seen_free(n->messages.ids);
    seen_free(n->messages.bodies);
    seen_free(n->begun);
    strlist_free(&n->begins);
    buf_free(&n->parts);
    free(n->project);
    free(n);
}

static void judge_cwd(struct news *n)
{
    if (n->project == NULL || n->cwd[0] == '\0' || strcmp(n->cwd, n->judged_cwd) == 0)
        return;
    memcpy(n->judged_cwd, n->cwd, sizeof(n->cwd));
    if (agent_is_named(n->agent, n->project, n->cwd))
        memcpy(n->project_cwd, n->cwd, sizeof(n->cwd));
}

/* ${said} is what its record says. */
static void add_to(struct record_set *set, const char *id, const unsigned char *said)
{
    unsigned char both[160 + HASH_SHA256_BYTES];
    size_t n = strlen(id);

    memcpy(both, said, HASH_SHA256_BYTES);
    memcpy(both + HASH_SHA256_BYTES, id, n);
    seen_add(set->ids, id, n);
    seen_add(set->bodies, both, HASH_SHA256_BYTES + n);
}

/* In constant memory, however many there are: who wrote them all is no Claude Code. */
static void add_unnamed(struct news *n, const unsigned char *said)
{
    char place[160];

    if (n->unnamed == UNNAMED_MAX) {
        n->is_incomplete = 1;
        return;
    }
    snprintf(place, sizeof(place), "%s %s %zu", n->type, n->timestamp, n->unnamed++);
    add_to(&n->records, place, said);
}

/* Short ids come twice now and then, but not at one moment. */
static const char *identity(const struct news *n, char *buf, size_t size)
{
    if (!n->names->is_id_short || n->uuid[0] == '\0')
        return n->uuid;
    snprintf(buf, size, "%s %s", n->uuid, n->timestamp);
    return buf;
}

/* What people count: a prompt, and an answer once, in however many records it came. */
static void add_message(struct news *n, const unsigned char *said)
{
    char id[sizeof(n->uuid) + sizeof(n->timestamp)];
    const char *result = n->names->result;
    const char *key = strcmp(n->type, "assistant") == 0 && n->message_id[0] != '\0'
                          ? n->message_id
                          : identity(n, id, sizeof(id));

    if (result != NULL && (strcmp(n->subtype, result) == 0 || strcmp(n->type, result) == 0))
        return;
    if (!n->is_sidechain && !n->has_tool_result && key[0] != '\0')
        add_to(&n->messages, key, said);
}

static int is_conversation(const struct news *n, enum agent_news kind)
{
    return kind == AGENT_IS_NEWS || kind == AGENT_IS_STEP ||
           (kind == AGENT_CANT_TELL && n->uuid[0] != '\0');
}

/* ... and what came with it when it came again, if it did. */
static void add_named(struct news *n, enum agent_news kind, const unsigned char *said)
{
    struct record_set *to = kind == AGENT_NO_NEWS ? &n->beside : &n->records;
    char id[sizeof(n->uuid) + sizeof(n->timestamp)], more[sizeof(id) + 64];

    add_to(to, identity(n, id, sizeof(id)), said);
    if (!n->has_more)
        return;
    snprintf(more, sizeof(more), "%s %.32s", identity(n, id, sizeof(id)), n->names->more);
    add_to(to, more, said);
}

static void add_record(struct news *n, enum agent_news kind, int64_t ms, const unsigned char *said)
{
    if (ms >= 0)
        seen_add(n->times, &ms, sizeof(ms));
    if (n->uuid[0] == '\0' && (kind == AGENT_IS_NEWS || kind == AGENT_IS_STEP))
        add_unnamed(n, said);
    else if (n->uuid[0] != '\0')
        add_named(n, kind, said);
    if (kind != AGENT_NO_NEWS && kind != AGENT_IS_STEP)
        add_message(n, said);
}

static void tell_line(struct news *n, const struct agent_record *r, int is_record,
                      enum agent_news kind, int64_t ms)
{
    const struct news_line l = {
        .at = n->line_at,
        .len = n->line_len,
        .is_record = is_record,
        .uuid = n->uuid,
        .parent = n->parent,
        .type = n->type,
        .subtype = n->subtype,
        .owner = n->owner,
        .is_news = is_conversation(n, kind),
        .is_idle = is_record ? n->agent->record_is_idle(r) : n->line_len == 0,
        .ms = ms,
    };

    n->each(n->each_arg, &l);
}

static void note_beginning(struct news *n)
{
    int is_first = n->begins.n == 0 || (n->parent[0] == '\0' && n->names->parent[0] != '\0');

    if (n->uuid[0] != '\0' && is_first && n->begins.n < NEWS_BEGINS_MAX &&
        seen_add(n->begun, n->uuid, strlen(n->uuid)))
        strlist_add(&n->begins, n->uuid);
}

/* The records that the line held: when they were set tells nothing. */
static void add_parts(struct news *n)
{
    struct part p;

    for (size_t i = 0; i < n->parts.len; i += sizeof(p)) {
        memcpy(&p, n->parts.data + i, sizeof(p));
        memcpy(n->type, p.type, sizeof(p.type));
        memcpy(n->uuid, p.uuid, sizeof(p.uuid));
        memcpy(n->message_id, p.message_id, sizeof(p.message_id));
        memcpy(n->timestamp, p.timestamp, sizeof(p.timestamp));
        n->has_tool_result = p.has_tool_result;
        n->has_more = p.has_more;
        n->is_something |= !p.is_idle;
        if (!n->is_glance)
            add_record(n, p.kind, -1, p.said);
    }
}

static void end_line(struct news *n)
{
    unsigned char said[HASH_SHA256_BYTES];
    int is_record = jscan_is_object(&n->scan);
    const struct agent_record r = record_of(n);
    enum agent_news kind = is_record ? n->agent->record_news(&r) : AGENT_NO_NEWS;
    int64_t ms;

    if (!is_record || now_parse_rfc3339(n->timestamp, &ms) != 0)
        ms = -1;
    if (n->each != NULL)
        tell_line(n, &r, is_record, kind, ms);
    if (!is_record) {
        n->is_something |= n->line_len > 0;
        return;
    }
    n->is_something |= !n->agent->record_is_idle(&r);
    if (n->names->cwd_type != NULL && strcmp(n->type, n->names->cwd_type) != 0)
        n->cwd[0] = '\0';
    judge_cwd(n);
    note_beginning(n);
    if (n->agent->record_identity != NULL)
        n->agent->record_identity(&r, n->uuid, sizeof(n->uuid));
    if (n->first_cwd[0] == '\0')
        memcpy(n->first_cwd, n->cwd, sizeof(n->cwd));
    if (n->branch[0] != '\0')
        memcpy(n->last_branch, n->branch, sizeof(n->branch));
    say(n, said);
    if (!n->is_glance)
        add_record(n, kind, ms, said);
    add_parts(n);
}

void news_feed(struct news *n, const char *p, size_t len)
{
    while (len > 0) {
        const char *newline = memchr(p, '\n', len);
        size_t part = newline != NULL ? (size_t)(newline - p) : len;
        n->piece = p;
        if (part > 0)
            jscan_feed(&n->scan, &ops, n, p, part);
        if (n->body_depth != 0)
            feed_body(n, (uint64_t)n->line_len + part);
        n->line_len += (int64_t)part;
        if (newline == NULL)
            break;
        end_line(n);
        n->line_at += n->line_len + 1;
        begin_line(n);
        p += part + 1;
        len -= part + 1;
    }
}

int news_feed_file(struct news *n, int fd, int64_t end, struct ct_err *err)
{
    char *p = str_calloc(WINDOW, 1);
    int64_t at = 0;
    ssize_t got = 1;

    while (at < end && got > 0) {
        size_t want = end - at < WINDOW ? (size_t)(end - at) : WINDOW;
        got = file_pread_all(fd, p, want, (off_t)at);
        if (got > 0)
            news_feed(n, p, (size_t)got);
        at += got;
    }
    free(p);
    news_end(n);
    return got < 0 ? err_sys(err, "can't read the transcript") : 0;
}

void news_each(struct news *n, void (*f)(void *arg, const struct news_line *l), void *arg)
{
    n->each = f;
    n->each_arg = arg;
}

void news_end(struct news *n)
{
    if (n->line_len > 0)
        end_line(n);
    n->line_at += n->line_len;
    begin_line(n);
}

void news_next(struct news *n)
{
    begin_line(n);
    n->line_at = 0;
    n->unnamed = 0;
}

size_t news_count(const struct news *n)
{
    return seen_count(n->records.ids);
}

int news_is_something(const struct news *n)
{
    return n->is_something;
}

void news_look_for(struct news *n, const char *project)
{
    free(n->project);
    n->project = project != NULL ? str_dup(project) : NULL;
    n->judged_cwd[0] = '\0';
}

const char *news_project_cwd(const struct news *n)
{
    return n->project_cwd;
}

const char *news_cwd(const struct news *n)
{
    return n->first_cwd;
}

const char *news_git_branch(const struct news *n)
{
    return n->last_branch;
}

const struct strlist *news_begins(const struct news *n)
{
    return &n->begins;
}

int news_has_time(const struct news *n, int64_t wall_ms)
{
    return seen_has(n->times, &wall_ms, sizeof(wall_ms));
}

static enum news_order order_of(int a_is_in_b, int b_is_in_a)
{
    if (a_is_in_b && b_is_in_a)
        return NEWS_SAME;
    if (a_is_in_b)
        return NEWS_BEHIND;
    return b_is_in_a ? NEWS_AHEAD : NEWS_DIVERGED;
}

/* How many records of ${b} are in ${a}; and ${b}'s all, in the same count.  What somebody vouches
 * for less holds one of the other's only if it says the same: an id is anybody's to write. */
static size_t shared(const struct news *a, const struct news *b, const struct record_set *as,
                     const struct record_set *bs, size_t *ret_all)
{
    int is_strict = a->trust < b->trust;

    *ret_all = seen_count(is_strict ? bs->bodies : bs->ids);
    return is_strict ? seen_shared(as->bodies, bs->bodies) : seen_shared(as->ids, bs->ids);
}

static size_t lacking(const struct news *a, const struct news *b, int is_all)
{
    size_t all, more, n = shared(a, b, &a->records, &b->records, &all);

    n = all - n;
    if (!is_all)
        return n;
    more = shared(a, b, &a->beside, &b->beside, &all);
    return n + all - more;
}

static enum news_order compare(const struct news *a, const struct news *b, int is_all)
{
    return order_of(lacking(b, a, is_all) == 0 && !a->is_incomplete,
                    lacking(a, b, is_all) == 0 && !b->is_incomplete);
}

enum news_order news_compare(const struct news *a, const struct news *b)
{
    return compare(a, b, 0);
}

enum news_order news_compare_all(const struct news *a, const struct news *b)
{
    return compare(a, b, 1);
}

size_t news_lacking(const struct news *a, const struct news *b)
{
    return lacking(a, b, 0);
}

size_t news_messages_lacking(const struct news *a, const struct news *b)
{
    size_t all, n = shared(a, b, &a->messages, &b->messages, &all);

    return all - n;
}

int news_has_bodies(const struct news *a, const struct news *b)
{
    return seen_shared(a->records.bodies, b->records.bodies) == seen_count(b->records.bodies) &&
           seen_shared(a->beside.bodies, b->beside.bodies) == seen_count(b->beside.bodies);
}

void news_vouch(struct news *n, enum trust trust)
{
    n->trust = trust;
}
