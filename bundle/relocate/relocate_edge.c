#include <string.h>

#include <utf8proc.h>

#include "common/base/str.h"

#include "bundle/relocate/relocate_edge.h"

#define DOTS_MAX 4         /* full stops at the end of a sentence */
#define MARKS_MAX 3        /* of Markdown's emphasis */
#define EMPHASIS_MAX 1024U /* bytes in it that are looked at */

/* Letters, digits, marks and symbols beyond ASCII; punctuation, spaces and controls not. */
static int is_wide_name(uint32_t c)
{
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO:
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_CC:
        return 0;
    default:
        return 1;
    }
}

/* ---- before it ---------------------------------------------------------------------------------
 */

/* Is the letter before ${at} the end of an escape sequence of a terminal, \u001b[32m?  (ESC itself
 * stands in a text that is no JSON.) */
static int ends_colour(const struct window *w, size_t low, size_t at)
{
    static const char esc[] = "\\u001b[";
    size_t i = at - 1, n = sizeof(esc) - 1;

    if (!lex_is_alnum((unsigned char)w->p[i]) || (unsigned char)w->p[i] <= '9')
        return 0;
    while (i > low && ((w->p[i - 1] >= '0' && w->p[i - 1] <= '9') || w->p[i - 1] == ';'))
        i--;
    if (i - low >= 2 && w->p[i - 1] == '[' && w->p[i - 2] == 0x1B)
        return 1;
    if (i - low < n)
        return 0;
    for (size_t k = 0; k < n; k++) {
        char c = w->p[i - n + k];
        if (c != esc[k] && !(k == 5 && c == 'B'))
            return 0;
    }
    return 1;
}

/* Would a name that began before ${at} go on there?  Then no path begins. */
static int is_in_name(const struct window *w, size_t low, size_t at)
{
    uint32_t c, n = 1;

    if (at == low)
        return low > 0 || !w->is_begin; /* beyond what we look at: rather not */
    c = (unsigned char)w->p[at - 1];
    if (c >= 0x80) {
        while (n < 4 && at - n > low && ((unsigned char)w->p[at - n] & 0xC0) == 0x80)
            n++;
        if (str_utf8_len(w->p + at - n, n) != n)
            return 1;
        utf8proc_iterate((const utf8proc_uint8_t *)w->p + at - n, n, (utf8proc_int32_t *)&c);
        return is_wide_name(c);
    }
    if (ends_colour(w, low, at))
        return 0;
    /* \n, \t: a letter that is none.  \\n may be JSON within JSON. */
    if (at - low >= 2 && w->p[at - 2] == '\\' && strchr("bfnrt", (int)c) != NULL)
        return 0;
    if (at - low >= 6 && w->p[at - 6] == '\\' && w->p[at - 5] == 'u' && lex_hex(w, at - 4, &c) == 0)
        return c < 0x80 ? lex_is_alnum(c) || strchr("_.~-+", (int)c) != NULL : is_wide_name(c);
    return lex_is_alnum(c) || strchr("_.~-+)}*", (int)c) != NULL;
}

/* Before a path: no name, but a sign (+/home/al in a diff) or an option of one letter (-I/home/al)
 * may stand there. */
static int begins_path(const struct window *w, size_t low, size_t at)
{
    char c;

    if (!is_in_name(w, low, at))
        return 1;
    if (at == low)
        return 0;
    c = w->p[at - 1];
    if (c == '-' || c == '+')
        return !is_in_name(w, low, at - 1);
    return lex_is_alnum((unsigned char)c) && at - low >= 2 && w->p[at - 2] == '-' &&
           !is_in_name(w, low, at - 2);
}

/* Is there Markdown's emphasis before a path?  A glob looks nearly the same (see relocate.h). */
static int opens_emphasis(const struct window *w, size_t low, size_t at, struct hit *hit)
{
    char mark = at > low ? w->p[at - 1] : '\0', c;
    unsigned int n = 0;

    if (mark != '*' && mark != '_')
        return 0;
    while (at > low && w->p[at - 1] == mark && n <= MARKS_MAX) {
        at--;
        n++;
    }
    if (n > MARKS_MAX)
        return 0;
    hit->mark = mark;
    hit->marks = n;
    if (at == low)
        return low == 0 && w->is_begin;
    c = w->p[at - 1];
    if (lex_is_alnum((unsigned char)c) || (unsigned char)c >= 0x80)
        return !is_in_name(w, low, at);
    return (unsigned char)c <= ' ' || strchr("([|>", c) != NULL || (c == '"' && n > 1);
}

/* Walk back over slashes, each with the backslashes that spell it. */
static size_t before_slashes(const struct window *w, size_t low, size_t at, size_t *ret_slashes,
                             unsigned int *ret_run)
{
    size_t slashes = 0;

    *ret_run = 0;
    for (;;) {
        while (at > low && w->p[at - 1] == '\\') {
            at--;
            *ret_run += slashes == 0;
        }
        if (at == low || w->p[at - 1] != '/')
            break;
        at--;
        slashes++;
    }
    *ret_slashes = slashes;
    return at;
}

static int follows(const struct window *w, size_t low, size_t at, const char *word)
{
    size_t n = strlen(word);

    return at - low >= n && memcmp(w->p + at - n, word, n) == 0;
}

/* How deep is the string that begins before ${at}: " is 1, \" is 2, \\\" is 3.  0: none does. */
static unsigned int quote_level(const struct window *w, size_t low, size_t at)
{
    size_t run = 0;
    unsigned int level = 1;

    if (at == low || w->p[at - 1] != '"')
        return 0;
    while (at - 1 - run > low && w->p[at - 2 - run] == '\\')
        run++;
    for (size_t n = run + 1; n > 1; n /= 2)
        level++;
    return level;
}

/* Before the two slashes or backslashes of a share: what follows another scheme is a host. */
static int begins_share(const struct window *w, size_t low, size_t at, struct hit *hit)
{
    hit->is_url = w->p[at] == '/' && follows(w, low, at, "file:");
    hit->level = quote_level(w, low, at);
    hit->is_whole = hit->level > 0;
    if (at > low && (w->p[at - 1] == '\\' || w->p[at - 1] == '/' ||
                     (w->p[at - 1] == ':' && w->p[at] == '/' && !hit->is_url)))
        return 0;
    return begins_path(w, low, at) || opens_emphasis(w, low, at, hit);
}

int edge_before(const struct window *w, size_t at, struct hit *hit)
{
    size_t low = at > LEX_CONTEXT ? at - LEX_CONTEXT : 0, slashes, i;
    unsigned int run;

    if (hit->root->is_share)
        return begins_share(w, low, at, hit);
    i = before_slashes(w, low, at, &slashes, &run);
    /* file:///home or file:///C: (of which the third slash is no part of the path) */
    if (slashes >= (hit->root->is_windows ? 3U : 2U) && follows(w, low, i, "file:"))
        hit->is_url = 1;
    else if (slashes == 0 && follows(w, low, i, "file://localhost"))
        return hit->is_url = 1;
    else if (slashes == 1 && i > low && w->p[i - 1] == ':' && !hit->root->is_windows)
        return 0; /* what follows :// is a host */
    if (hit->root->is_windows && !hit->is_url)
        i = at;
    else if (!hit->root->is_windows)
        hit->slash = w->p[at] == '/' && lex_is_power_of_2(run) ? run : 0;
    hit->level = quote_level(w, low, i);
    hit->is_whole = hit->level > 0 && slashes == 0;
    return hit->is_url || begins_path(w, low, i) || opens_emphasis(w, low, i, hit);
}

/* ---- behind it ---------------------------------------------------------------------------------
 */

static enum match yes_if(int is_true)
{
    return is_true ? MATCH_YES : MATCH_NO;
}

static enum match ends_in_backslashes(const struct window *w, size_t at)
{
    size_t run = lex_run(w, at), i = at + run, end;
    uint32_t c;
    enum match m;

    if (i == w->n && !w->is_end)
        return MATCH_MORE;
    if (run != 1 || i == w->n || w->p[i] != 'u')
        return MATCH_YES;
    m = lex_escape(w, at, run, &c, &end);
    if (m != MATCH_YES)
        return m;
    if (c < 0x80)
        return yes_if(!lex_is_alnum(c) && strchr("_.~-+@%", (int)c) == NULL);
    return yes_if(!is_wide_name(c));
}

static enum match ends_in_dots(const struct window *w, size_t at)
{
    size_t i = at, run;
    char c;

    while (i < w->n && i - at < DOTS_MAX && w->p[i] == '.')
        i++;
    if (i == w->n)
        return w->is_end ? MATCH_YES : MATCH_MORE;
    c = w->p[i];
    if (c == '\\') {
        run = lex_run(w, i);
        if (i + run == w->n && !w->is_end)
            return MATCH_MORE;
        return yes_if(run == 1 && (i + 1 == w->n || strchr("bfnrt\"", w->p[i + 1]) != NULL));
    }
    return yes_if((unsigned char)c < 0x80 && !lex_is_alnum((unsigned char)c) &&
                  strchr("/_.~-+@%", c) == NULL);
}

static enum match ends_in_percent(const struct window *w, size_t at)
{
    if (w->n - at < 3 && !w->is_end)
        return MATCH_MORE;
    return yes_if(w->n - at < 3 || str_hex_digit(w->p[at + 1]) < 0 ||
                  str_hex_digit(w->p[at + 2]) < 0);
}

enum match edge_behind(const struct window *w, size_t at)
{
    size_t left = w->n - at, n;
    utf8proc_int32_t c;

    if (left == 0)
        return w->is_end ? MATCH_YES : MATCH_MORE;
    switch (w->p[at]) {
    case '\\':
        return ends_in_backslashes(w, at);
    case '.':
        return ends_in_dots(w, at);
    case '%':
        return ends_in_percent(w, at);
    default:
        break;
    }
    if ((unsigned char)w->p[at] < 0x80)
        return yes_if(!lex_is_alnum((unsigned char)w->p[at]) && strchr("_~-+@", w->p[at]) == NULL);
    if (left < 4 && !w->is_end)
        return MATCH_MORE;
    n = str_utf8_len(w->p + at, left);
    if (n == 0)
        return MATCH_NO;
    utf8proc_iterate((const utf8proc_uint8_t *)w->p + at, (utf8proc_ssize_t)n, &c);
    return yes_if(!is_wide_name((uint32_t)c));
}

/* Backslashes: is it the end of the line, or of the string? */
static enum match ends_line(const struct window *w, size_t at, size_t run)
{
    char c;

    if (at + run >= w->n)
        return lex_end(w);
    c = w->p[at + run];
    return yes_if(c == '"' || (run % 2 == 1 && (c == 'n' || c == 'r')));
}

/* ${n} marks stand at ${at}, all there are up to one too many. */
static int is_closed_by(const struct window *w, size_t at, unsigned int n, const struct hit *hit)
{
    char before = w->p[at - 1], c = at + n < w->n ? w->p[at + n] : ' ';

    return n == hit->marks && before != hit->mark && before != '/' && before != ' ' &&
           !lex_is_alnum((unsigned char)c) && strchr("/_*", c) == NULL;
}

enum match edge_closes(const struct window *w, size_t at, const struct hit *hit)
{
    size_t end = at + EMPHASIS_MAX, n;
    enum match m;

    for (; at < end; at += n) {
        n = 1;
        if (at >= w->n)
            return lex_end(w);
        if (w->p[at] == '\\') {
            n = lex_run(w, at);
            m = ends_line(w, at, n);
            if (m != MATCH_NO)
                return m == MATCH_YES ? MATCH_NO : m;
        } else if (w->p[at] == hit->mark) {
            while (n <= hit->marks && at + n < w->n && w->p[at + n] == hit->mark)
                n++;
            if (at + n >= w->n && !w->is_end)
                return MATCH_MORE;
            if (is_closed_by(w, at, (unsigned int)n, hit))
                return MATCH_YES;
        } else if (w->p[at] == '"' || (unsigned char)w->p[at] < ' ' ||
                   (w->p[at] == ' ' && hit->marks == 1)) {
            return MATCH_NO;
        }
    }
    return MATCH_NO;
}
