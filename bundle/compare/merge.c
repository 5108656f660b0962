#include <string.h>

#include "agents/seen.h"

#include "bundle/compare/merge.h"

/* Cut the next line off ${text}: its length without the newline, be that one of Windows. */
static size_t next_line(const struct buf *text, size_t *at, const char **ret)
{
    const char *p = text->data + *at;
    size_t left = text->len - *at;
    const char *newline = memchr(p, '\n', left);
    size_t n = newline != NULL ? (size_t)(newline - p) : left;

    *ret = p;
    *at += n + (newline != NULL);
    return n > 0 && p[n - 1] == '\r' ? n - 1 : n;
}

/* How the lines of ${text} end. */
static const char *ending(const struct buf *text)
{
    const char *newline = text->len > 0 ? memchr(text->data, '\n', text->len) : NULL;

    return newline != NULL && newline > text->data && newline[-1] == '\r' ? "\r\n" : "\n";
}

int merge_lines(const struct buf *ours, const struct buf *theirs, struct buf *ret)
{
    struct seen *have = seen_new();
    const char *line;
    int has_more = 0;

    buf_add(ret, ours->data, ours->len);
    for (size_t at = 0; at < ours->len;) {
        size_t n = next_line(ours, &at, &line);
        seen_add(have, line, n);
    }
    for (size_t at = 0; at < theirs->len;) {
        size_t n = next_line(theirs, &at, &line);
        if (n == 0 || !seen_add(have, line, n))
            continue;
        if (ret->len > 0 && ret->data[ret->len - 1] != '\n')
            buf_addstr(ret, ending(ours));
        buf_add(ret, line, n);
        buf_addstr(ret, ending(ours));
        has_more = 1;
    }
    seen_free(have);
    return has_more;
}
