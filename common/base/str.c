#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"

size_t str_utf8_len(const char *str, size_t len)
{
    const unsigned char *s = (const unsigned char *)str;
    unsigned char lo = 0x80, hi = 0xBF;
    size_t n;

    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xC2 && s[0] <= 0xDF) {
        n = 2;
    } else if (s[0] >= 0xE0 && s[0] <= 0xEF) {
        n = 3;
        if (s[0] == 0xE0)
            lo = 0xA0; /* no overlong form */
        else if (s[0] == 0xED)
            hi = 0x9F; /* no surrogate */
    } else if (s[0] >= 0xF0 && s[0] <= 0xF4) {
        n = 4;
        if (s[0] == 0xF0)
            lo = 0x90;
        else if (s[0] == 0xF4)
            hi = 0x8F; /* at most U+10FFFF */
    } else {
        return 0;
    }
    if (len < n || s[1] < lo || s[1] > hi)
        return 0;
    for (size_t i = 2; i < n; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    }
    return n;
}

int str_is_utf8(const char *s, size_t len)
{
    while (len > 0) {
        size_t n = str_utf8_len(s, len);
        if (n == 0)
            return 0;
        s += n;
        len -= n;
    }
    return 1;
}

static unsigned int decode(const unsigned char *s, size_t n)
{
    static const unsigned char mask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    unsigned int c = s[0] & mask[n];

    for (size_t i = 1; i < n; i++)
        c = c << 6 | (s[i] & 0x3F);
    return c;
}

/* What moves a terminal's cursor, turns its text around, or can't be seen at all has no place in a
 * table or a log.  What joins letters and emoji stays. */
static int is_unprintable(unsigned int c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x061C || c == 0x200E || c == 0x200F ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF ||
           c == 0x00AD || c == 0x180E || c == 0x200B || (c >= 0xE0000 && c <= 0xE00FF);
}

static size_t escape_one(const char *s, size_t n, char out[16])
{
    unsigned int c = n > 0 ? decode((const unsigned char *)s, n) : 0;

    if (n == 0)
        return (size_t)snprintf(out, 16, "\\x%02x", (unsigned char)s[0]);
    if (c == '\n')
        return (size_t)snprintf(out, 16, "\\n");
    if (c == '\t')
        return (size_t)snprintf(out, 16, "\\t");
    if (c == '"' || c == '\\')
        return (size_t)snprintf(out, 16, "\\%c", (int)c);
    if (is_unprintable(c))
        return (size_t)snprintf(out, 16, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
    memcpy(out, s, n);
    out[n] = '\0';
    return n;
}

void str_escape(const char *s, size_t len, char *buf, size_t size)
{
    size_t o = 0, good = 0; /* good: up to where "..." still fits */
    char one[16];

    while (len > 0) {
        size_t n = str_utf8_len(s, len);
        size_t m = escape_one(s, n, one);
        if (o + m + 1 > size) {
            memcpy(buf + good, "...", 4);
            return;
        }
        memcpy(buf + o, one, m);
        o += m;
        if (o + 4 <= size)
            good = o;
        s += n > 0 ? n : 1;
        len -= n > 0 ? n : 1;
    }
    buf[o] = '\0';
}

char *str_printable(const char *s)
{
    size_t len = strlen(s), o = 0;
    char *out = str_calloc(len * 3 + 1, 1);

    while (len > 0) {
        size_t n = str_utf8_len(s, len);
        if (n == 0 || is_unprintable(decode((const unsigned char *)s, n))) {
            memcpy(out + o, "\xEF\xBF\xBD", 3);
            o += 3;
            n = n > 0 ? n : 1;
        } else {
            memcpy(out + o, s, n);
            o += n;
        }
        s += n;
        len -= n;
    }
    out[o] = '\0';
    return out;
}

size_t str_utf8_cut(const char *s, size_t len, size_t max)
{
    size_t at = 0;

    while (at < len && max-- > 0) {
        size_t n = str_utf8_len(s + at, len - at);
        at += n > 0 ? n : 1;
    }
    return at;
}

static size_t edit_distance(const char *a, const char *b)
{
    size_t la = strlen(a), lb = strlen(b);
    size_t row[64];

    if (la >= 64 || lb >= 64)
        return 64;
    for (size_t j = 0; j <= lb; j++)
        row[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[lb];
}

const char *str_resembles(const char *word, const char *const *candidates, size_t n)
{
    const char *best = NULL;
    size_t best_distance = strlen(word) / 3 + 2;

    for (size_t i = 0; i < n; i++) {
        size_t d = edit_distance(word, candidates[i]);
        if (d < best_distance) {
            best_distance = d;
            best = candidates[i];
        }
    }
    return best;
}

static void *must(void *p)
{
    /* Nothing sensible can go on without a few bytes; a service manager starts us anew. */
    if (p == NULL) {
        fputs("out of memory\n", stderr);
        abort();
    }
    return p;
}

char *str_dup(const char *s)
{
    return must(strdup(s));
}

char *str_printf(const char *fmt, ...)
{
    char *s = NULL;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&s, fmt, ap);
    va_end(ap);
    return must(n < 0 ? NULL : s);
}

void *str_calloc(size_t n, size_t size)
{
    return must(calloc(n > 0 ? n : 1, size > 0 ? size : 1));
}

void *str_realloc(void *p, size_t n, size_t size)
{
    if (size > 0 && n > SIZE_MAX / size)
        must(NULL);
    return must(realloc(p, n * size > 0 ? n * size : 1));
}

void str_wipe(void *p, size_t n)
{
    if (n == 0)
        return;
    memset(p, 0, n);
    /* Whatever the compiler knows of ${p}, somebody may look at it now. */
    __asm__ __volatile__("" : : "r"(p) : "memory");
}

const char *str_human_bytes(unsigned long long n, char *buf, size_t size)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    double v = (double)n;
    int u = 0;

    while (v >= 999.5 && u < 6) {
        v /= 1000;
        u++;
    }
    snprintf(buf, size, u == 0 || v >= 99.95 ? "%.0f %s" : "%.1f %s", v, units[u]);
    return buf;
}

const char *str_human_duration(long long s, char *buf, size_t size)
{
    if (s < 60)
        snprintf(buf, size, "%lld s", s < 0 ? 0 : s);
    else if (s < 3600)
        snprintf(buf, size, "%lld min", s / 60);
    else if (s < 86400 && s / 60 % 60 != 0)
        snprintf(buf, size, "%lld h %lld min", s / 3600, s / 60 % 60);
    else if (s < 86400)
        snprintf(buf, size, "%lld h", s / 3600);
    else
        snprintf(buf, size, s / 86400 == 1 ? "%lld day" : "%lld days", s / 86400);
    return buf;
}

int str_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int str_parse_u64(const char *s, unsigned long long *ret)
{
    char *end;
    unsigned long long v;

    if (*s < '0' || *s > '9')
        return -1;
    errno = 0;
    v = strtoull(s, &end, 10);
    if (errno != 0 || *end != '\0')
        return -1;
    *ret = v;
    return 0;
}
