#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "common/base/now.h"
#include "common/base/str.h"

#include "ctctl/ui/text.h"

char *text_clean(const struct text_style *st, const char *s)
{
    char *clean = str_printable(s != NULL ? s : "");
    size_t len = strlen(clean), at = 0, o = 0;

    if (st->is_utf8)
        return clean;
    while (at < len) {
        size_t n = str_utf8_len(clean + at, len - at);
        clean[o++] = n == 1 ? clean[at] : '?';
        at += n > 0 ? n : 1;
    }
    clean[o] = '\0';
    return clean;
}

char *text_line(const struct text_style *st, const char *s)
{
    static const char breaks[] = "\n\r\t";
    char *clean, *one = str_dup(s != NULL ? s : "");
    size_t o = 0;

    for (const char *p = one; *p != '\0'; p++) {
        if (strchr(breaks, *p) == NULL)
            one[o++] = *p;
        else if (o > 0 && one[o - 1] != ' ')
            one[o++] = ' ';
    }
    one[o] = '\0';
    clean = text_clean(st, one);
    free(one);
    return clean;
}

/* The character at ${s}, of ${n} bytes. */
static wchar_t decode(const char *s, size_t n)
{
    static const unsigned char mask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    unsigned int c = (unsigned char)s[0] & mask[n];

    for (size_t i = 1; i < n; i++)
        c = c << 6 | ((unsigned char)s[i] & 0x3F);
    return (wchar_t)c;
}

/* Return the length in bytes of the longest beginning of the clean text ${s} that fits ${columns}
 * columns; how many it takes goes to ${ret_columns}, which may be NULL. */
static size_t cut(const char *s, size_t columns, size_t *ret_columns)
{
    size_t len = strlen(s), at = 0, used = 0;

    while (at < len) {
        size_t n = str_utf8_len(s + at, len - at);
        int w = n > 1 ? wcwidth(decode(s + at, n)) : 1;
        /* What the C library does not know the terminal shows somehow, most likely in one column.
         */
        size_t take = w < 0 ? 1 : (size_t)w;
        if (used + take > columns)
            break;
        used += take;
        at += n > 0 ? n : 1;
    }
    if (ret_columns != NULL)
        *ret_columns = used;
    return at;
}

size_t text_columns(const char *s)
{
    size_t columns;

    cut(s, SIZE_MAX, &columns);
    return columns;
}

char *text_fit(const struct text_style *st, const char *s, size_t columns)
{
    const char *dots = st->is_utf8 ? "\xE2\x80\xA6" : "...";
    size_t dots_columns = st->is_utf8 ? 1 : 3;

    if (text_columns(s) <= columns)
        return str_dup(s);
    if (columns <= dots_columns)
        return str_printf("%.*s", (int)cut(s, columns, NULL), s);
    return str_printf("%.*s%s", (int)cut(s, columns - dots_columns, NULL), s, dots);
}

void text_add(struct buf *b, const struct text_style *st, enum text_colour colour, const char *s)
{
    static const char *const codes[] = {
        [TEXT_PLAIN] = "",     [TEXT_BOLD] = "1",      [TEXT_DIM] = "2",     [TEXT_RED] = "1;31",
        [TEXT_GREEN] = "1;32", [TEXT_YELLOW] = "1;33", [TEXT_CYAN] = "1;36",
    };

    if (!st->has_colour || colour == TEXT_PLAIN || s[0] == '\0')
        buf_addstr(b, s);
    else
        buf_printf(b, "\033[%sm%s\033[0m", codes[colour], s);
}

/* How much of ${s} goes on a line of ${columns}; always more than nothing. */
static size_t line_length(const char *s, size_t columns)
{
    size_t n = cut(s, columns, NULL);
    size_t space = n;

    if (s[n] == '\0' || s[n] == ' ')
        return n;
    while (space > 0 && s[space - 1] != ' ')
        space--;
    while (space > 0 && s[space - 1] == ' ')
        space--;
    if (space > 0)
        return space;
    return n > 0 ? n : str_utf8_cut(s, strlen(s), 1);
}

void text_wrap(struct buf *b, const struct text_style *st, enum text_colour colour,
               const char *first, const char *rest, const char *s)
{
    const char *prefix = first;

    do {
        size_t used = text_columns(prefix), width = (size_t)st->width;
        size_t room = width == 0 ? SIZE_MAX : width > used + 8 ? width - used : 8;
        size_t n = line_length(s, room);
        char *line = str_printf("%.*s", (int)n, s);
        buf_addstr(b, prefix);
        text_add(b, st, colour, line);
        buf_addc(b, '\n');
        free(line);
        s += n;
        while (*s == ' ')
            s++;
        prefix = rest;
    } while (*s != '\0');
}

const char *text_ago(const struct text_style *st, int64_t wall_ms, char *buf, size_t size)
{
    int64_t s = (st->now_ms - wall_ms) / 1000;
    char d[64];

    if (s >= -5 && s < 5)
        snprintf(buf, size, "just now");
    else if (s > 0)
        snprintf(buf, size, "%s ago", str_human_duration(s, d, sizeof(d)));
    else
        /* A minute that has begun counts: what ends in an hour does not end in 59 minutes. */
        snprintf(buf, size, "in %s",
                 str_human_duration(-s >= 60 ? (-s + 59) / 60 * 60 : -s, d, sizeof(d)));
    return buf;
}

const char *text_ago_of(const struct text_style *st, const char *rfc3339, char *buf, size_t size)
{
    int64_t t;

    if (rfc3339 == NULL || now_parse_rfc3339(rfc3339, &t) != 0) {
        snprintf(buf, size, "never");
        return buf;
    }
    return text_ago(st, t, buf, size);
}

const char *text_clock(const char *rfc3339, const char *fmt, char *buf, size_t size)
{
    int64_t ms;
    time_t t;
    struct tm tm;

    if (rfc3339 == NULL || now_parse_rfc3339(rfc3339, &ms) != 0)
        goto none;
    t = (time_t)(ms / 1000);
    if (localtime_r(&t, &tm) == NULL)
        goto none;
/* The formats are ours, each a literal at its caller. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    if (strftime(buf, size, fmt, &tm) == 0)
        goto none;
#pragma GCC diagnostic pop
    return buf;

none:
    snprintf(buf, size, "-");
    return buf;
}

const char *text_short_id(const char *id, char buf[9])
{
    snprintf(buf, 9, "%s", id != NULL ? id : "");
    return buf;
}

char *text_count(int64_t n, const char *one, const char *many)
{
    return str_printf("%" PRId64 " %s", n, n == 1 ? one : many);
}
