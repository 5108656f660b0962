#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/transcript.h"
#include "agents/news.h"
#include "bundle/pack/content.h"
#include "common/base/file.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "bundle/pack/origin.h"

#define PIECE (256 << 10)
#define TRANSCRIPT_SEARCH (4 << 20) /* how far into a transcript a cwd is looked for */
#define SIDECHAIN_SEARCH PIECE      /* ... and into a sidechain */

static int take(const char *cwd, char ret[ORIGIN_SIZE])
{
    if (cwd == NULL || cwd[0] == '\0' || strlen(cwd) >= ORIGIN_SIZE)
        return 0;
    memcpy(ret, cwd, strlen(cwd) + 1);
    return 1;
}

/* Return whether the first ${limit} bytes of the transcript or sidechain say it. */
static int look(const struct snapshot *s, const struct content *c, int64_t limit,
                char ret[ORIGIN_SIZE])
{
    struct transcript_facts facts = {0};
    struct transcript *t;
    int64_t end = c->length < limit ? c->length : limit;
    int fd = content_open(s, c, NULL), found = 0;
    char *p;

    if (fd < 0)
        return 0;
    p = str_calloc(PIECE, 1);
    t = transcript_new(s->agent);
    for (int64_t at = 0; at < end && !found; at += PIECE) {
        size_t n = end - at < PIECE ? (size_t)(end - at) : PIECE;
        if (content_read(c, fd, p, n, at, NULL) != 0)
            break;
        transcript_feed(t, p, n);
        transcript_facts(t, &facts);
        found = take(facts.cwd, ret);
    }
    transcript_free(t);
    free(p);
    close(fd);
    return found;
}

char *origin_slug(const struct snapshot *s)
{
    const struct content *c = content_transcript(s);
    int64_t end = c->length < TRANSCRIPT_SEARCH ? c->length : TRANSCRIPT_SEARCH;
    struct transcript *t = transcript_new(s->agent);
    struct transcript_facts facts;
    int fd = content_open(s, c, NULL);
    char *p = str_calloc(PIECE, 1), *slug;

    for (int64_t at = 0; fd >= 0 && at < end; at += PIECE) {
        size_t n = end - at < PIECE ? (size_t)(end - at) : PIECE;
        if (content_read(c, fd, p, n, at, NULL) != 0)
            break;
        transcript_feed(t, p, n);
    }
    transcript_facts(t, &facts);
    slug = facts.slug != NULL ? str_dup(facts.slug) : NULL;
    transcript_free(t);
    free(p);
    if (fd >= 0)
        close(fd);
    return slug;
}

/* ---- all that it names --------------------------------------------------------------------------
 */

#define KEY "\"cwd\""
#define NAME_ROOM (6 * ORIGIN_SIZE) /* every byte of it can be escaped */

/* Where the string that begins at ${p} (with its quote) ends, behind its quote; NULL: not here. */
static const char *string_end(const char *p, const char *end)
{
    for (p++; p < end; p++) {
        if (*p == '\\')
            p++;
        else if (*p == '"')
            return p + 1;
    }
    return NULL;
}

static void add_cwd(const char *p, size_t n, struct strlist *ret)
{
    char *text = str_printf("{\"cwd\":%.*s}", (int)n, p);
    struct json_object *o = NULL;
    const char *cwd;

    if (jdoc_parse(text, strlen(text), &o, NULL) == 0 && (cwd = jdoc_str(o, "cwd")) != NULL &&
        cwd[0] == '/')
        strlist_add_once(ret, cwd);
    json_object_put(o);
    free(text);
}

/* Look through ${n} bytes; return how many of them need not be seen again with those that follow.
 */
static size_t find_cwds(const char *p, size_t n, struct strlist *ret)
{
    const char *at = p, *end = p + n, *hit, *value, *stop;

    while ((hit = memmem(at, (size_t)(end - at), KEY, sizeof(KEY) - 1)) != NULL) {
        value = hit + sizeof(KEY) - 1;
        while (value < end && (*value == ':' || *value == ' '))
            value++;
        at = hit + 1;
        stop = value < end && *value == '"' ? string_end(value, end) : NULL;
        if (stop != NULL)
            add_cwd(value, (size_t)(stop - value), ret);
        else if ((size_t)(end - hit) < NAME_ROOM && (value == end || *value == '"'))
            return (size_t)(hit - p);
    }
    return n < sizeof(KEY) ? 0 : n - sizeof(KEY);
}

void origin_each_cwd(int fd, const struct content *c, int64_t limit, struct strlist *ret)
{
    int64_t end = c->length < limit ? c->length : limit;
    char *p = str_calloc(PIECE + NAME_ROOM, 1);
    size_t kept = 0, done;

    for (int64_t at = 0; at < end;) {
        size_t n = end - at < PIECE ? (size_t)(end - at) : PIECE;
        if (content_read(c, fd, p + kept, n, at, NULL) != 0)
            break;
        at += (int64_t)n;
        kept += n;
        done = find_cwds(p, kept, ret);
        kept -= done;
        memmove(p, p + done, kept);
    }
    free(p);
}

void origin_last_in(int fd, int64_t length, char ret[ORIGIN_SIZE])
{
    size_t n = length < PIECE ? (size_t)length : PIECE;
    struct strlist last = {0};
    char *p = str_calloc(PIECE, 1);

    ret[0] = '\0';
    if (file_pread_all(fd, p, n, (off_t)(length - (int64_t)n)) == (ssize_t)n) {
        for (size_t end = n, at = n; end > 0 && last.n == 0; end = at) {
            for (at = end - 1; at > 0 && p[at - 1] != '\n';)
                at--;
            find_cwds(p + at, end - at, &last);
        }
    }
    if (last.n > 0)
        take(last.v[last.n - 1], ret);
    strlist_free(&last);
    free(p);
}

void origin_last_cwd(const struct snapshot *s, char ret[ORIGIN_SIZE])
{
    const struct content *c = content_transcript(s);
    int fd = content_open(s, c, NULL);

    ret[0] = '\0';
    if (fd < 0)
        return;
    origin_last_in(fd, c->length, ret);
    close(fd);
}

/* ---- */

void origin_elsewhere(const struct snapshot *s, char ret[ORIGIN_SIZE])
{
    ret[0] = '\0';
    for (size_t i = 0; i < s->n; i++) {
        const struct content *c = &s->contents[i];
        if (strncmp(c->entry, "session-subdir/subagents/agent-", 31) == 0 &&
            look(s, c, SIDECHAIN_SEARCH, ret))
            return;
    }
    if (!take(s->history_project, ret))
        agent_marked_cwd(s->agent, s->root_fd, s->project, ret, ORIGIN_SIZE);
}

void origin_cwd(const struct snapshot *s, char ret[ORIGIN_SIZE])
{
    const struct content *c = content_transcript(s);

    if (!look(s, c, TRANSCRIPT_SEARCH, ret))
        origin_elsewhere(s, ret);
}

struct beginnings {
    struct strlist *ret;
    int is_first;    /* a record has to come yet */
    int has_parents; /* records name what they hang on */
};

static void on_line(void *arg, const struct news_line *l)
{
    struct beginnings *b = arg;

    if (!l->is_record || l->uuid[0] == '\0')
        return;
    if ((b->is_first || (b->has_parents && l->parent[0] == '\0')) && b->ret->n < NEWS_BEGINS_MAX)
        strlist_add(b->ret, l->uuid);
    b->is_first = 0;
}

void origin_begins(const struct snapshot *s, int64_t from, struct strlist *ret)
{
    struct beginnings b = {ret, from == 0, s->agent->record_names.parent[0] != '\0'};
    const struct content *c = content_transcript(s);
    struct news *news = news_new_glance(s->agent);
    int fd = content_open(s, c, NULL);
    char *p = str_calloc(PIECE, 1);

    news_each(news, on_line, &b);
    for (int64_t at = from; fd >= 0 && at < c->length; at += PIECE) {
        size_t n = c->length - at < PIECE ? (size_t)(c->length - at) : PIECE;
        if (content_read(c, fd, p, n, at, NULL) != 0)
            break;
        news_feed(news, p, n);
    }
    news_end(news);
    if (fd >= 0)
        close(fd);
    free(p);
    news_free(news);
}
