#include "common/base/str.h"

#include "bundle/relocate/relocate_lex.h"

size_t lex_run(const struct window *w, size_t at)
{
    size_t n = 0;

    while (at + n < w->n && n < LEX_RUN_MAX && w->p[at + n] == '\\')
        n++;
    return n;
}

int lex_hex(const struct window *w, size_t at, uint32_t *ret)
{
    uint32_t v = 0;

    if (at + 4 > w->n)
        return -1;
    for (size_t i = at; i < at + 4; i++) {
        int d = str_hex_digit(w->p[i]);
        if (d < 0)
            return -1;
        v = v << 4 | (uint32_t)d;
    }
    *ret = v;
    return 0;
}

int lex_is_power_of_2(size_t n)
{
    return n > 0 && (n & (n - 1)) == 0;
}

int lex_is_alnum(uint32_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

enum match lex_escape(const struct window *w, size_t at, size_t run, uint32_t *ret, size_t *ret_end)
{
    size_t i = at + run + 1, j;
    uint32_t c, low;

    if (w->n - i < 4)
        return lex_end(w);
    if (lex_hex(w, i, &c) != 0)
        return MATCH_NO;
    i += 4;
    if (c >= 0xD800 && c < 0xDC00) {
        j = i + lex_run(w, i);
        if (j - i == run && w->n - j >= 5 && w->p[j] == 'u' && lex_hex(w, j + 1, &low) == 0 &&
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

enum match lex_end(const struct window *w)
{
    return w->is_end ? MATCH_NO : MATCH_MORE;
}
