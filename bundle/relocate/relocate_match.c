#include <string.h>

#include <utf8proc.h>

#include "common/base/percent.h"
#include "common/base/str.h"

#include "bundle/relocate/relocate_match.h"

/* ---- the root itself ---------------------------------------------------------------------------
 */

/* ${n} bytes as they are. */
static enum match match_bytes(const struct window *w, size_t *at, const char *bytes, size_t n)
{
    size_t have = w->n - *at < n ? w->n - *at : n;

    if (memcmp(w->p + *at, bytes, have) != 0)
        return MATCH_NO;
    if (have < n)
        return lex_end(w);
    *at += n;
    return MATCH_YES;
}

/* %XX for each byte. */
static enum match match_percent(const struct window *w, size_t *at, const char *bytes, size_t n)
{
    static const char upper[] = "0123456789ABCDEF", lower[] = "0123456789abcdef";
    size_t i = *at;

    for (size_t b = 0; b < n; b++, i += 3) {
        unsigned char c = (unsigned char)bytes[b];
        const char high[] = {upper[c >> 4], lower[c >> 4]}, low[] = {upper[c & 15], lower[c & 15]};
        if (i >= w->n)
            return lex_end(w);
        if (w->p[i] != '%')
            return MATCH_NO;
        if (w->n - i < 3)
            return lex_end(w);
        if (memchr(high, w->p[i + 1], 2) == NULL || memchr(low, w->p[i + 2], 2) == NULL)
            return MATCH_NO;
    }
    *at = i;
    return MATCH_YES;
}

/* The character ${c}, spelled with backslashes. */
static enum match match_escaped(const struct window *w, size_t *at, uint32_t c, struct hit *hit)
{
    size_t run = lex_run(w, *at), i = *at + run, end;
    uint32_t value;
    enum match m;

    if (i == w->n && !w->is_end)
        return MATCH_MORE;
    if (i < w->n && w->p[i] == 'u' && lex_is_power_of_2(run)) {
        m = lex_escape(w, *at, run, &value, &end);
        if (m == MATCH_MORE)
            return m;
        if (m == MATCH_YES && value == c) {
            hit->is_ascii |= c >= 0x80;
            *at = end;
            return MATCH_YES;
        }
    }
    if (c == '\\' && run >= 2 && lex_is_power_of_2(run)) {
        *at = i;
        return MATCH_YES;
    }
    if (i < w->n && (c == '/' || c == '"') && w->p[i] == (char)c &&
        lex_is_power_of_2(c == '/' ? run : run + 1)) {
        *at = i + 1;
        return MATCH_YES;
    }
    return MATCH_NO;
}

static enum match match_char(const struct window *w, size_t *at, uint32_t c, struct hit *hit)
{
    char bytes[4];
    size_t n = (size_t)utf8proc_encode_char((utf8proc_int32_t)c, (utf8proc_uint8_t *)bytes);

    if (*at >= w->n)
        return lex_end(w);
    if (w->p[*at] == '\\')
        return match_escaped(w, at, c, hit);
    if (w->p[*at] == '%' && hit->is_url && c != '/')
        return match_percent(w, at, bytes, n);
    if (c == '"' || c == '\\')
        return MATCH_NO;
    return match_bytes(w, at, bytes, n);
}

/* A separator of Windows: a slash, or as many backslashes as the others are. */
static enum match match_separator(const struct window *w, size_t *at, struct hit *hit)
{
    size_t run, i;
    uint32_t c;

    if (*at >= w->n)
        return lex_end(w);
    if (w->p[*at] == '/') {
        ++*at;
        return MATCH_YES;
    }
    run = lex_run(w, *at);
    i = *at + run;
    if (run == 0)
        return MATCH_NO;
    if (i == w->n && !w->is_end)
        return MATCH_MORE;
    if (i < w->n && w->p[i] == 'u') {
        if (w->n - i < 5 && !w->is_end)
            return MATCH_MORE;
        if (lex_is_power_of_2(run) && lex_hex(w, i + 1, &c) == 0 && c == '\\') {
            *at = i + 5;
            return MATCH_YES;
        }
        /* The name behind it begins with an escape of its own. */
        if (run % 3 == 0)
            run = run / 3 * 2;
    } else if (i < w->n && w->p[i] == '/' && lex_is_power_of_2(run)) {
        *at = i + 1;
        return MATCH_YES;
    }
    if (!lex_is_power_of_2(run) || (hit->backslash != 0 && hit->backslash != run))
        return MATCH_NO;
    hit->backslash = (unsigned int)run;
    *at += run;
    return MATCH_YES;
}

static enum match match_slash(const struct window *w, size_t *at, struct hit *hit, int *is_first)
{
    size_t run = lex_run(w, *at);
    enum match m = match_char(w, at, '/', hit);

    /* The first one inside the root tells how they are spelled. */
    if (m == MATCH_YES && *is_first) {
        *is_first = 0;
        hit->slash = w->p[*at - 1] == '/' ? (unsigned int)run : 0;
    }
    return m;
}

static enum match match_drive(const struct window *w, size_t *at, uint32_t letter, struct hit *hit)
{
    size_t i = *at;
    enum match m = match_char(w, at, letter, hit);

    if (m != MATCH_NO)
        return m;
    *at = i;
    return match_char(w, at, letter ^ 0x20, hit);
}

/* The two separators before a server's name: slashes, or twice as many backslashes as the others.
 */
static enum match match_share(const struct window *w, size_t *at, struct hit *hit)
{
    size_t run = lex_run(w, *at);

    if (*at >= w->n)
        return lex_end(w);
    if (w->p[*at] == '/') {
        if (hit->is_url)
            hit->start = *at + 2;
        return match_bytes(w, at, "//", 2);
    }
    if (*at + run == w->n && !w->is_end)
        return MATCH_MORE;
    if (run < 4 || !lex_is_power_of_2(run))
        return MATCH_NO;
    hit->backslash = (unsigned int)run / 2;
    *at += run;
    return MATCH_YES;
}

static enum match match_all(const struct window *w, size_t *at, const struct root *r,
                            struct hit *hit)
{
    enum match m = MATCH_YES;
    int is_first = 1;

    for (size_t i = 0; m == MATCH_YES && i < r->n_chars; i++) {
        uint32_t c = r->chars[i];
        if (r->is_share && i == 0)
            m = match_share(w, at, hit), i++;
        else if (r->is_windows && i == 0)
            m = match_drive(w, at, c, hit);
        else if (r->is_windows && c == '\\')
            m = match_separator(w, at, hit);
        else if (!r->is_windows && c == '/' && i > 0)
            m = match_slash(w, at, hit, &is_first);
        else
            m = match_char(w, at, c, hit);
        if (i == 0 && !r->is_windows)
            hit->start = *at;
    }
    return m;
}

/* A root of one name has no slash but its first, and what stands before that may be no part of it:
 * the next slash tells. */
static void spell_slash_as_next(const struct window *w, size_t at, struct hit *hit)
{
    size_t run = lex_run(w, at);

    if (hit->root->is_windows || strchr(hit->root->source + 1, '/') != NULL)
        return;
    if (at + run < w->n && w->p[at + run] == '/')
        hit->slash = lex_is_power_of_2(run) ? (unsigned int)run : 0;
    else if (hit->slash > 1)
        hit->slash = 0;
}

/* "/" and "/x": the slash behind the root goes with it where the target has no name of its own. */
static enum match take_next_slash(const struct window *w, struct hit *hit)
{
    struct hit next = *hit;
    size_t at = hit->end;
    enum match m;

    if (hit->root->target[1] != '\0')
        return MATCH_YES;
    m = hit->root->is_windows ? match_separator(w, &at, &next) : match_char(w, &at, '/', &next);
    if (m == MATCH_YES)
        hit->end = at;
    return m == MATCH_MORE ? m : MATCH_YES;
}

/* No quote told: \/ and \\ do, and are doubled with each level. */
static unsigned int spelled_level(const struct hit *hit)
{
    unsigned int run = hit->slash > 0 ? 2 * hit->slash : hit->backslash, level = 1;

    for (; run > 2; run /= 2)
        level++;
    return level;
}

enum match match_root(const struct window *w, size_t at, const struct root *r, struct hit *ret)
{
    struct hit hit = {.root = r, .start = at};
    enum match m;

    if (!edge_before(w, at, &hit))
        return MATCH_NO;
    m = match_all(w, &at, r, &hit);
    if (m == MATCH_YES)
        m = edge_behind(w, at);
    if (m == MATCH_YES && hit.marks > 0)
        m = edge_closes(w, at, &hit);
    hit.end = at;
    if (m == MATCH_YES)
        m = take_next_slash(w, &hit);
    if (m != MATCH_YES)
        return m;
    spell_slash_as_next(w, at, &hit);
    if (hit.level == 0)
        hit.level = spelled_level(&hit);
    *ret = hit;
    return MATCH_YES;
}

/* ---- the other one -----------------------------------------------------------------------------
 */

static void add_backslashes(struct buf *ret, size_t n)
{
    while (n-- > 0)
        buf_addc(ret, '\\');
}

static void spell_escape(const struct hit *hit, uint32_t unit, struct buf *ret)
{
    add_backslashes(ret, (size_t)1 << (hit->level - 1));
    buf_printf(ret, "u%04x", unit);
}

static void spell_url(const struct hit *hit, const char *p, size_t n, struct buf *ret)
{
    if (*p == '/')
        add_backslashes(ret, hit->slash);
    percent_add(ret, p, n, "/@+,=:");
}

static void spell_char(const struct hit *hit, const char *p, size_t n, struct buf *ret)
{
    utf8proc_int32_t c;

    utf8proc_iterate((const utf8proc_uint8_t *)p, (utf8proc_ssize_t)n, &c);
    if (c == '/')
        add_backslashes(ret, hit->slash);
    else if (c == '"')
        add_backslashes(ret, ((size_t)1 << hit->level) - 1);
    else if (c == '\\')
        add_backslashes(ret, ((size_t)1 << hit->level) - 1);
    if (c < 0x80 || !hit->is_ascii) {
        buf_add(ret, p, n);
    } else if (c < 0x10000) {
        spell_escape(hit, (uint32_t)c, ret);
    } else {
        spell_escape(hit, 0xD800U + (((uint32_t)c - 0x10000U) >> 10), ret);
        spell_escape(hit, 0xDC00U + (((uint32_t)c - 0x10000U) & 0x3FFU), ret);
    }
}

void match_spell(const struct hit *hit, struct buf *ret)
{
    const char *p = hit->root->target;
    size_t left, n;

    /* The first slash is still there: a root of POSIX keeps its own, a URL of a drive has one. */
    if (!hit->root->is_windows || (hit->is_url && !hit->root->is_share))
        p++;
    for (left = strlen(p); left > 0; p += n, left -= n) {
        n = str_utf8_len(p, left);
        if (hit->is_url)
            spell_url(hit, p, n, ret);
        else
            spell_char(hit, p, n, ret);
    }
}
