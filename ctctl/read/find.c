#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/str.h"

#include "ctctl/read/find.h"

#define AROUND 60      /* bytes before the first word that a line begins with */
#define LINE_BYTES 400 /* of it, at most */

/* What stands in a text, and by which of its bytes it is looked for: the rarest. */
struct needle {
    const char *text; /* not ended by a NUL */
    size_t n;
    size_t anchor;
    unsigned char lower, upper;
};

struct word {
    struct needle whole;
    struct needle raw; /* the longest part that JSON has as it is; n is 0 if there is none */
};

struct find {
    struct strlist texts;
    struct word *words;
    size_t n;
    unsigned roles;
    uint64_t seen; /* in this session, a bit for each word */
    struct find_result best;
};

/* ---- one text ----------------------------------------------------------------------------------
 */

/* How common a byte is in conversations and code: by letters of English, the rest in between. */
static int commonness(unsigned char c)
{
    static const char order[] = "zqjxkvbywgpfmucdlhrsnioate ";
    const char *p = c != '\0' ? strchr(order, c | 0x20) : NULL;

    if (p != NULL)
        return (int)(p - order) * 2;
    return c >= 0x80 ? 3 : 7;
}

static struct needle needle_of(const char *text, size_t n)
{
    struct needle ret = {.text = text, .n = n};

    for (size_t i = 1; i < n; i++) {
        if (commonness((unsigned char)text[i]) < commonness((unsigned char)text[ret.anchor]))
            ret.anchor = i;
    }
    if (n > 0) {
        unsigned char c = (unsigned char)text[ret.anchor];
        int is_letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        ret.lower = is_letter ? c | 0x20 : c;
        ret.upper = is_letter ? c & 0xDF : c;
    }
    return ret;
}

static const char *next_of(const char *p, const char *end, unsigned char c)
{
    const char *at = p < end ? memchr(p, c, (size_t)(end - p)) : NULL;

    return at != NULL ? at : end;
}

/* Where the needle stands first in the ${n} bytes at ${p}, or NULL. */
static const char *look(const struct needle *k, const char *p, size_t n)
{
    const char *end = p + n, *low, *up;

    if (n < k->n)
        return NULL;
    end -= k->n - 1 - k->anchor;
    p += k->anchor;
    low = up = NULL;
    for (; p < end; p++) {
        if (low == NULL || low < p)
            low = next_of(p, end, k->lower);
        if (up == NULL || up < p)
            up = k->upper == k->lower ? end : next_of(p, end, k->upper);
        p = low < up ? low : up;
        if (p < end && strncasecmp(p - k->anchor, k->text, k->n) == 0)
            return p - k->anchor;
    }
    return NULL;
}

/* The longest run of characters that no writer of JSON escapes. */
static struct needle raw_part(const char *text, size_t n)
{
    size_t best = 0, best_n = 0, begin = 0;

    for (size_t i = 0; i <= n; i++) {
        unsigned char c = i < n ? (unsigned char)text[i] : '"';
        if (c >= 0x20 && c < 0x7F && strchr("\"\\/<>&'", c) == NULL)
            continue;
        if (i - begin > best_n) {
            best = begin;
            best_n = i - begin;
        }
        begin = i + 1;
    }
    return needle_of(text + best, best_n);
}

struct find *find_new(const struct strlist *words, unsigned roles)
{
    struct find *f = str_calloc(1, sizeof(*f));

    f->roles = roles;
    f->words = str_calloc(words->n + 1, sizeof(*f->words));
    for (size_t i = 0; i < words->n; i++)
        strlist_add(&f->texts, words->v[i]);
    for (; f->n < words->n && f->n < FIND_WORDS_MAX; f->n++) {
        const char *text = f->texts.v[f->n];
        f->words[f->n].whole = needle_of(text, strlen(text));
        f->words[f->n].raw = raw_part(text, strlen(text));
    }
    return f;
}

void find_free(struct find *f)
{
    if (f == NULL)
        return;
    find_clear(&f->best);
    strlist_free(&f->texts);
    free(f->words);
    free(f);
}

/* Words of a person count for more than those of a model, and these for more than what a tool
 * printed. */
static int64_t worth(uint64_t bits, enum turn_kind kind)
{
    static const int by_kind[] = {
        [TURN_PROMPT] = 5,   [TURN_ANSWER] = 4, [TURN_SUMMARY] = 3, [TURN_CALL] = 2,
        [TURN_THINKING] = 1, [TURN_RESULT] = 0, [TURN_NOTE] = 0,
    };
    int64_t n = 0;

    for (; bits != 0; bits &= bits - 1)
        n++;
    return n * 10 + by_kind[kind];
}

static uint64_t all_bits(const struct find *f)
{
    return (UINT64_C(1) << f->n) - 1;
}

int find_may_be(void *arg, const char *p, size_t n)
{
    const struct find *f = arg;

    if (f->best.worth == worth(all_bits(f), TURN_PROMPT))
        return 0; /* no line is better than what was found */
    for (size_t i = 0; i < f->n; i++) {
        if (f->words[i].raw.n == 0 || look(&f->words[i].raw, p, n) != NULL)
            return 1;
    }
    return 0;
}

/* Which words stand in ${text}, a bit for each; where the first of them is, and its length. */
static uint64_t words_in(const struct find *f, const char *text, size_t n, const char **ret_first,
                         size_t *ret_n)
{
    uint64_t bits = 0;

    *ret_first = NULL;
    for (size_t i = 0; i < f->n; i++) {
        const char *at = look(&f->words[i].whole, text, n);
        if (at == NULL)
            continue;
        bits |= UINT64_C(1) << i;
        if (*ret_first == NULL || at < *ret_first) {
            *ret_first = at;
            *ret_n = f->words[i].whole.n;
        }
    }
    return bits;
}

int find_text(const struct find *f, const char *text)
{
    const char *first;
    size_t n;
    uint64_t bits = words_in(f, text, strlen(text), &first, &n);

    return bits == (f->n < 64 ? (UINT64_C(1) << f->n) - 1 : UINT64_MAX);
}

/* ---- one session -------------------------------------------------------------------------------
 */

void find_begin(struct find *f)
{
    find_clear(&f->best);
    f->seen = 0;
}

/* The line in which ${at} stands, or as much of it as fits, from some words before; the caller
 * frees it. */
static char *line_around(const char *text, const char *at, size_t n)
{
    const char *begin = at, *end = at + n;
    int is_cut;

    while (begin > text && begin[-1] != '\n' && at - begin < AROUND)
        begin--;
    is_cut = begin > text && begin[-1] != '\n';
    while (is_cut && ((unsigned char)*begin & 0xC0) == 0x80)
        begin++;
    while (*end != '\0' && *end != '\n' && end - begin < LINE_BYTES)
        end++;
    while (((unsigned char)*end & 0xC0) == 0x80)
        end--;
    return str_printf("%s%.*s", is_cut ? "\xE2\x80\xA6" : "", (int)(end - begin), begin);
}

void find_turn(void *arg, const struct turn *t)
{
    struct find *f = arg;
    const char *first;
    uint64_t bits;
    int64_t value;
    size_t n;

    if ((f->roles & (1U << t->kind)) == 0)
        return;
    bits = words_in(f, t->text, strlen(t->text), &first, &n);
    if (bits == 0)
        return;
    f->seen |= bits;
    value = worth(bits, t->kind);
    if (value <= f->best.worth)
        return;
    free(f->best.line);
    free(f->best.at);
    f->best.line = line_around(t->text, first, n);
    f->best.at = t->at != NULL ? str_dup(t->at) : NULL;
    f->best.worth = value;
    f->best.kind = t->kind;
}

void find_end(struct find *f, struct find_result *ret)
{
    *ret = f->best;
    ret->has_all = f->seen == (f->n < 64 ? (UINT64_C(1) << f->n) - 1 : UINT64_MAX);
    memset(&f->best, 0, sizeof(f->best));
}

void find_clear(struct find_result *r)
{
    free(r->line);
    free(r->at);
    memset(r, 0, sizeof(*r));
}

void find_show(const struct find *f, const struct text_style *st, struct buf *b, const char *line)
{
    const char *first;
    size_t n;

    while (words_in(f, line, strlen(line), &first, &n) != 0) {
        char *word = str_printf("%.*s", (int)n, first);
        buf_add(b, line, (size_t)(first - line));
        text_add(b, st, TEXT_BOLD, word);
        line = first + n;
        free(word);
    }
    buf_addstr(b, line);
}
