#include <string.h>

#include <utf8proc.h>

#include "common/str.h"

#include "bundle/relocate_match.h"

#define DOTS_MAX 4 /* full stops at the end of a sentence */

size_t match_run(const struct window *w, size_t at)
{
    size_t n = 0;

    while (at + n < w->n && n < MATCH_RUN_MAX && w->p[at + n] == '\\')
        n++;
    return n;
}

int match_hex(const struct window *w, size_t at, uint32_t *ret)
{
    uint32_t v = 0;

    if (at + 4 > w->n)
        return -1;
    for (size_t i = at; i < at + 4; i++) {
        char c = w->p[i];
        int d = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
        if (d < 0)
            return -1;
        v = v << 4 | (uint32_t)d;
    }
    *ret = v;
    return 0;
}

static int is_power_of_2(size_t n)
{
    return n > 0 && (n & (n - 1)) == 0;
}

static int is_alnum(uint32_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

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

/* Would a name that began before ${at} go on there?  Then no path begins. */
static int is_in_name(const struct window *w, size_t low, size_t at)
{
    uint32_t c, n = 1;

    if (at == low)
        return low > 0; /* beyond what we look at: rather not */
    c = (unsigned char)w->p[at - 1];
    if (c >= 0x80) {
        while (n < 4 && at - n > low && ((unsigned char)w->p[at - n] & 0xC0) == 0x80)
            n++;
        if (str_utf8_len(w->p + at - n, n) != n)
            return 1;
        utf8proc_iterate((const utf8proc_uint8_t *)w->p + at - n, n, (utf8proc_int32_t *)&c);
        return is_wide_name(c);
    }
    /* \n, \t: a letter that is none.  \\n may be JSON within JSON. */
    if (at - low >= 2 && w->p[at - 2] == '\\' && strchr("bfnrt", (int)c) != NULL)
        return 0;
    if (at - low >= 6 && w->p[at - 6] == '\\' && w->p[at - 5] == 'u' &&
        match_hex(w, at - 4, &c) == 0)
        return c < 0x80 ? is_alnum(c) || strchr("_.~-+", (int)c) != NULL : is_wide_name(c);
    return is_alnum(c) || strchr("_.~-+)}*", (int)c) != NULL;
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
    return is_alnum((unsigned char)c) && at - low >= 2 && w->p[at - 2] == '-' &&
           !is_in_name(w, low, at - 2);
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

/* Can a path begin at ${at}?  Fills what is seen from before. */
static int look_back(const struct window *w, size_t at, struct hit *hit)
{
    size_t low = at > MATCH_CONTEXT ? at - MATCH_CONTEXT : 0, slashes, i;
    unsigned int run;

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
        hit->slash = w->p[at] == '/' && is_power_of_2(run) ? run : 0;
    hit->level = quote_level(w, low, i);
    hit->is_whole = hit->level > 0 && slashes == 0;
    return hit->is_url || begins_path(w, low, i);
}

/* ---- the root itself ---------------------------------------------------------------------------
 */

static enum match end_of(const struct window *w)
{
    return w->is_end ? MATCH_NO : MATCH_MORE;
}

/* ${n} bytes as they are. */
static enum match match_bytes(const struct window *w, size_t *at, const char *bytes, size_t n)
{
    size_t have = w->n - *at < n ? w->n - *at : n;

    if (memcmp(w->p + *at, bytes, have) != 0)
        return MATCH_NO;
    if (have < n)
        return end_of(w);
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
            return end_of(w);
        if (w->p[i] != '%')
            return MATCH_NO;
        if (w->n - i < 3)
            return end_of(w);
        if (memchr(high, w->p[i + 1], 2) == NULL || memchr(low, w->p[i + 2], 2) == NULL)
            return MATCH_NO;
    }
    *at = i;
    return MATCH_YES;
}

/* What ${run} backslashes at ${at} and "uXXXX" behind them stand for; the other half of a pair is
 * spelled in the same way. */
static enum match read_escape(const struct window *w, size_t at, size_t run, uint32_t *ret,
                              size_t *ret_end)
{
    size_t i = at + run + 1, j;
    uint32_t c, low;

    if (w->n - i < 4)
        return end_of(w);
    if (match_hex(w, i, &c) != 0)
        return MATCH_NO;
    i += 4;
    if (c >= 0xD800 && c < 0xDC00) {
        j = i + match_run(w, i);
        if (j - i == run && w->n - j >= 5 && w->p[j] == 'u' && match_hex(w, j + 1, &low) == 0 &&
            low >= 0xDC00 && low < 0xE000) {
            c = 0x10000U + ((c - 0xD800U) << 10) + (low - 0xDC00U);
            i = j + 5;
        } else if (w->n - i < run + 5 && !w->is_end) {
            return MATCH_MORE;
        }
    }
    *ret = c;
    *ret_end = i;
    return MATCH_YES;
}

/* The character ${c}, spelled with backslashes. */
static enum match match_escaped(const struct window *w, size_t *at, uint32_t c, struct hit *hit)
{
    size_t run = match_run(w, *at), i = *at + run, end;
    uint32_t value;
    enum match m;

    if (i == w->n && !w->is_end)
        return MATCH_MORE;
    if (i < w->n && w->p[i] == 'u' && is_power_of_2(run)) {
        m = read_escape(w, *at, run, &value, &end);
        if (m == MATCH_MORE)
            return m;
        if (m == MATCH_YES && value == c) {
            hit->is_ascii |= c >= 0x80;
            *at = end;
            return MATCH_YES;
        }
    }
    if (c == '\\' && run >= 2 && is_power_of_2(run)) {
        *at = i;
        return MATCH_YES;
    }
    if (i < w->n && (c == '/' || c == '"') && w->p[i] == (char)c &&
        is_power_of_2(c == '/' ? run : run + 1)) {
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
        return end_of(w);
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
        return end_of(w);
    if (w->p[*at] == '/') {
        ++*at;
        return MATCH_YES;
    }
    run = match_run(w, *at);
    i = *at + run;
    if (run == 0)
        return MATCH_NO;
    if (i == w->n && !w->is_end)
        return MATCH_MORE;
    if (i < w->n && w->p[i] == 'u') {
        if (w->n - i < 5)
            return end_of(w);
        if (is_power_of_2(run) && match_hex(w, i + 1, &c) == 0 && c == '\\') {
            *at = i + 5;
            return MATCH_YES;
        }
        /* The name behind it begins with an escape of its own. */
        if (run % 3 == 0)
            run = run / 3 * 2;
    } else if (i < w->n && w->p[i] == '/' && is_power_of_2(run)) {
        *at = i + 1;
        return MATCH_YES;
    }
    if (!is_power_of_2(run) || (hit->backslash != 0 && hit->backslash != run))
        return MATCH_NO;
    hit->backslash = (unsigned int)run;
    *at += run;
    return MATCH_YES;
}

static enum match match_slash(const struct window *w, size_t *at, struct hit *hit, int *is_first)
{
    size_t run = match_run(w, *at);
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

static enum match match_all(const struct window *w, size_t *at, const struct root *r,
                            struct hit *hit)
{
    enum match m = MATCH_YES;
    int is_first = 1;

    for (size_t i = 0; m == MATCH_YES && i < r->n_chars; i++) {
        uint32_t c = r->chars[i];
        if (r->is_windows && i == 0)
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

/* ---- behind it ---------------------------------------------------------------------------------
 */

static enum match yes_if(int is_true)
{
    return is_true ? MATCH_YES : MATCH_NO;
}

static enum match ends_in_backslashes(const struct window *w, size_t at)
{
    size_t run = match_run(w, at), i = at + run, end;
    uint32_t c;
    enum match m;

    if (i == w->n && !w->is_end)
        return MATCH_MORE;
    if (run != 1 || i == w->n || w->p[i] != 'u')
        return MATCH_YES;
    m = read_escape(w, at, run, &c, &end);
    if (m != MATCH_YES)
        return m;
    if (c < 0x80)
        return yes_if(!is_alnum(c) && strchr("_.~-+@%", (int)c) == NULL);
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
        run = match_run(w, i);
        if (i + run == w->n && !w->is_end)
            return MATCH_MORE;
        return yes_if(run == 1 && (i + 1 == w->n || strchr("bfnrt\"", w->p[i + 1]) != NULL));
    }
    return yes_if((unsigned char)c < 0x80 && !is_alnum((unsigned char)c) &&
                  strchr("/_.~-+@%", c) == NULL);
}

static int is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static enum match ends_in_percent(const struct window *w, size_t at)
{
    if (w->n - at < 3 && !w->is_end)
        return MATCH_MORE;
    return yes_if(w->n - at < 3 || !is_hex(w->p[at + 1]) || !is_hex(w->p[at + 2]));
}

/* Does the root's last name end at ${at}? */
static enum match match_end(const struct window *w, size_t at)
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
        return yes_if(!is_alnum((unsigned char)w->p[at]) && strchr("_~-+@", w->p[at]) == NULL);
    if (left < 4 && !w->is_end)
        return MATCH_MORE;
    n = str_utf8_len(w->p + at, left);
    if (n == 0)
        return MATCH_NO;
    utf8proc_iterate((const utf8proc_uint8_t *)w->p + at, (utf8proc_ssize_t)n, &c);
    return yes_if(!is_wide_name((uint32_t)c));
}

/* A root of one name has no slash but its first, and what stands before that may be no part of it:
 * the next slash tells. */
static void spell_slash_as_next(const struct window *w, size_t at, struct hit *hit)
{
    size_t run = match_run(w, at);

    if (hit->root->is_windows || strchr(hit->root->source + 1, '/') != NULL)
        return;
    if (at + run < w->n && w->p[at + run] == '/')
        hit->slash = is_power_of_2(run) ? (unsigned int)run : 0;
    else if (hit->slash > 1)
        hit->slash = 0;
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

    if (!look_back(w, at, &hit))
        return MATCH_NO;
    m = match_all(w, &at, r, &hit);
    if (m == MATCH_YES)
        m = match_end(w, at);
    if (m != MATCH_YES)
        return m;
    hit.end = at;
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
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        if (is_alnum(c) || strchr("/-._~@+,=:", c) != NULL)
            buf_addc(ret, p[i]);
        else
            buf_printf(ret, "%%%02X", c);
    }
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
    if (!hit->root->is_windows || hit->is_url)
        p++;
    for (left = strlen(p); left > 0; p += n, left -= n) {
        n = str_utf8_len(p, left);
        if (hit->is_url)
            spell_url(hit, p, n, ret);
        else
            spell_char(hit, p, n, ret);
    }
}
