#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/claude/transcript.h"
#include "bundle/pack/content.h"
#include "common/base/str.h"

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
    t = transcript_new();
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

void origin_elsewhere(const struct snapshot *s, char ret[ORIGIN_SIZE])
{
    ret[0] = '\0';
    for (size_t i = 0; i < s->n; i++) {
        const struct content *c = &s->contents[i];
        if (strncmp(c->entry, "session-subdir/subagents/agent-", 31) == 0 &&
            look(s, c, SIDECHAIN_SEARCH, ret))
            return;
    }
    take(s->history_project, ret);
}

void origin_cwd(const struct snapshot *s, char ret[ORIGIN_SIZE])
{
    const struct content *c = content_transcript(s);

    if (!look(s, c, TRANSCRIPT_SEARCH, ret))
        origin_elsewhere(s, ret);
}
