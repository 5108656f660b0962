#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"

#include "common/data/jtree.h"

/* Where we are in a text. */
struct reading {
    struct jtree *t;
    const char *p;
    uint32_t at, n;
    uint32_t depth;
    uint32_t open[JSCAN_DEPTH]; /* the containers around */
    uint32_t last[JSCAN_DEPTH]; /* the last child of each */
};

/* ---- tokens ------------------------------------------------------------------------------------
 */

static void skip_space(struct reading *r)
{
    while (r->at < r->n && (r->p[r->at] == ' ' || r->p[r->at] == '\t' || r->p[r->at] == '\n' ||
                            r->p[r->at] == '\r'))
        r->at++;
}

static int take(struct reading *r, char c)
{
    if (r->at == r->n || r->p[r->at] != c)
        return 0;
    r->at++;
    return 1;
}

/* The four digits at ${at}, or -1. */
static int32_t hex4(const char *p, uint32_t at, uint32_t n)
{
    int32_t c = 0;

    if (n - at < 4)
        return -1;
    for (uint32_t i = at; i < at + 4; i++) {
        int d = str_hex_digit(p[i]);
        if (d < 0)
            return -1;
        c = c << 4 | d;
    }
    return c;
}

static int skip_escape(struct reading *r)
{
    char c;

    r->at++;
    if (r->at == r->n)
        return -1;
    c = r->p[r->at++];
    if (c == 'u') {
        if (hex4(r->p, r->at, r->n) < 0)
            return -1;
        r->at += 4;
        return 0;
    }
    return c != '\0' && strchr("\"\\/bfnrt", c) != NULL ? 0 : -1;
}

/* From behind its first quote to behind its last. */
static int skip_string(struct reading *r)
{
    size_t n;

    for (;;) {
        r->at += (uint32_t)jscan_plain(r->p + r->at, r->n - r->at);
        if (r->at == r->n || (unsigned char)r->p[r->at] < 0x20)
            return -1;
        if (r->p[r->at] == '"') {
            r->at++;
            return 0;
        }
        if (r->p[r->at] == '\\') {
            if (skip_escape(r) != 0)
                return -1;
            continue;
        }
        n = str_utf8_len(r->p + r->at, r->n - r->at);
        if (n == 0)
            return -1;
        r->at += (uint32_t)n;
    }
}

static int skip_digits(struct reading *r)
{
    uint32_t from = r->at;

    while (r->at < r->n && r->p[r->at] >= '0' && r->p[r->at] <= '9')
        r->at++;
    return r->at > from ? 0 : -1;
}

static int skip_number(struct reading *r)
{
    (void)take(r, '-');
    if (!take(r, '0') && skip_digits(r) != 0)
        return -1;
    if (take(r, '.') && skip_digits(r) != 0)
        return -1;
    if (take(r, 'e') || take(r, 'E')) {
        if (!take(r, '+'))
            (void)take(r, '-');
        return skip_digits(r);
    }
    return 0;
}

static int skip_word(struct reading *r, const char *word)
{
    size_t n = strlen(word);

    if (r->n - r->at < n || memcmp(r->p + r->at, word, n) != 0)
        return -1;
    r->at += (uint32_t)n;
    return 0;
}

/* ---- values ------------------------------------------------------------------------------------
 */

static uint32_t add_value(struct reading *r)
{
    struct jtree *t = r->t;
    struct jvalue *v;

    if (t->n_values == JTREE_VALUES_MAX)
        return JTREE_NONE;
    if (t->n_values == t->cap) {
        t->cap = t->cap == 0 ? 64 : t->cap * 2;
        t->values = str_realloc(t->values, t->cap, sizeof(*t->values));
    }
    v = &t->values[t->n_values];
    memset(v, 0, sizeof(*v));
    v->begin = r->at;
    v->child = v->next = JTREE_NONE;
    return (uint32_t)t->n_values++;
}

static void join(struct reading *r, uint32_t value)
{
    uint32_t parent, *last;

    if (r->depth == 0)
        return;
    parent = r->open[r->depth - 1];
    last = &r->last[r->depth - 1];
    if (*last == JTREE_NONE)
        r->t->values[parent].child = value;
    else
        r->t->values[*last].next = value;
    *last = value;
}

static int open_container(struct reading *r, uint32_t value)
{
    if (r->depth == JSCAN_DEPTH)
        return -1;
    r->open[r->depth] = value;
    r->last[r->depth++] = JTREE_NONE;
    r->at++;
    return 0;
}

/* A value begins: all of it, or up to behind its bracket. */
static int begin_value(struct reading *r, uint32_t key, uint32_t key_end)
{
    char c = r->at < r->n ? r->p[r->at] : '\0';
    uint32_t value = add_value(r);
    struct jvalue *v;
    int rc;

    if (value == JTREE_NONE)
        return -1;
    join(r, value);
    v = &r->t->values[value];
    v->key = key;
    v->key_end = key_end;
    switch (c) {
    case '{':
    case '[':
        v->type = c == '{' ? JSCAN_OBJECT : JSCAN_ARRAY;
        return open_container(r, value);
    case '"':
        v->type = JSCAN_STRING;
        r->at++;
        rc = skip_string(r);
        break;
    case 't':
        v->type = JSCAN_TRUE;
        rc = skip_word(r, "true");
        break;
    case 'f':
        v->type = JSCAN_FALSE;
        rc = skip_word(r, "false");
        break;
    case 'n':
        v->type = JSCAN_NULL;
        rc = skip_word(r, "null");
        break;
    default:
        v->type = JSCAN_NUMBER;
        rc = skip_number(r);
    }
    v->end = r->at;
    return rc;
}

static int member(struct reading *r)
{
    uint32_t key, key_end;

    skip_space(r);
    if (!take(r, '"'))
        return -1;
    key = r->at;
    if (skip_string(r) != 0)
        return -1;
    key_end = r->at - 1;
    skip_space(r);
    if (!take(r, ':'))
        return -1;
    skip_space(r);
    return begin_value(r, key, key_end);
}

/* One step within the innermost container. */
static int step(struct reading *r)
{
    uint32_t parent = r->open[r->depth - 1];
    int is_object = r->t->values[parent].type == JSCAN_OBJECT;
    int is_first = r->last[r->depth - 1] == JTREE_NONE;

    skip_space(r);
    if (take(r, is_object ? '}' : ']')) {
        r->t->values[parent].end = r->at;
        r->depth--;
        return 0;
    }
    if (!is_first && !take(r, ','))
        return -1;
    skip_space(r);
    return is_object ? member(r) : begin_value(r, 0, 0);
}

int jtree_parse(struct jtree *t, const char *text, size_t n)
{
    struct reading r;

    t->text = text;
    t->n = n;
    t->n_values = 0;
    if (n > JTREE_TEXT_MAX)
        return -1;
    r.t = t;
    r.p = text;
    r.at = r.depth = 0;
    r.n = (uint32_t)n;
    skip_space(&r);
    if (r.at == r.n || (text[r.at] != '{' && text[r.at] != '[') || begin_value(&r, 0, 0) != 0)
        return -1;
    while (r.depth > 0) {
        if (step(&r) != 0)
            return -1;
    }
    skip_space(&r);
    return r.at == r.n ? 0 : -1;
}

void jtree_free(struct jtree *t)
{
    free(t->values);
    memset(t, 0, sizeof(*t));
}

/* ---- what it says ------------------------------------------------------------------------------
 */

static void add_code(struct buf *ret, uint32_t c)
{
    if (c < 0x80) {
        buf_addc(ret, (char)c);
        return;
    }
    if (c < 0x800) {
        buf_addc(ret, (char)(0xC0 | c >> 6));
    } else {
        if (c < 0x10000) {
            buf_addc(ret, (char)(0xE0 | c >> 12));
        } else {
            buf_addc(ret, (char)(0xF0 | c >> 18));
            buf_addc(ret, (char)(0x80 | (c >> 12 & 0x3F)));
        }
        buf_addc(ret, (char)(0x80 | (c >> 6 & 0x3F)));
    }
    buf_addc(ret, (char)(0x80 | (c & 0x3F)));
}

/* The escape at ${*at}, which is valid.  Return 0, or -1 if it is no text. */
static int unescape(const char *p, uint32_t *at, uint32_t end, struct buf *ret)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    char c = p[*at + 1];
    const char *found;
    uint32_t code, low;

    if (c != 'u') {
        found = strchr(from, c);
        buf_addc(ret, found != NULL ? to[found - from] : c);
        *at += 2;
        return 0;
    }
    code = (uint32_t)hex4(p, *at + 2, end);
    *at += 6;
    if (code >= 0xD800 && code < 0xDC00 && end - *at >= 6 && p[*at] == '\\' && p[*at + 1] == 'u') {
        low = (uint32_t)hex4(p, *at + 2, end);
        if (low >= 0xDC00 && low < 0xE000) {
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            *at += 6;
        }
    }
    if (code == 0 || (code >= 0xD800 && code < 0xE000))
        return -1;
    add_code(ret, code);
    return 0;
}

static int text_of(const char *p, uint32_t at, uint32_t end, struct buf *ret)
{
    const char *slash;

    buf_reset(ret);
    while (at < end) {
        slash = memchr(p + at, '\\', end - at);
        if (slash == NULL) {
            buf_add(ret, p + at, end - at);
            break;
        }
        buf_add(ret, p + at, (size_t)(slash - p) - at);
        at = (uint32_t)(slash - p);
        if (unescape(p, &at, end, ret) != 0)
            return -1;
    }
    buf_reserve(ret, 1); /* a string, also if it is empty */
    ret->data[ret->len] = '\0';
    return 0;
}

int jtree_string(const struct jtree *t, uint32_t value, struct buf *ret)
{
    const struct jvalue *v;

    if (value == JTREE_NONE || t->values[value].type != JSCAN_STRING)
        return -1;
    v = &t->values[value];
    return text_of(t->text, v->begin + 1, v->end - 1, ret);
}

int jtree_key(const struct jtree *t, uint32_t value, struct buf *ret)
{
    return text_of(t->text, t->values[value].key, t->values[value].key_end, ret);
}

/* Does what is spelled there say ${word}? */
static int says(const char *p, uint32_t begin, uint32_t end, const char *word)
{
    size_t n = strlen(word);
    struct buf b = {0};
    int is_so;

    if (memchr(p + begin, '\\', end - begin) == NULL)
        return end - begin == n && memcmp(p + begin, word, n) == 0;
    is_so = text_of(p, begin, end, &b) == 0 && strcmp(b.data, word) == 0;
    buf_free(&b);
    return is_so;
}

uint32_t jtree_member(const struct jtree *t, uint32_t object, const char *name)
{
    uint32_t found = JTREE_NONE;

    if (object == JTREE_NONE || t->values[object].type != JSCAN_OBJECT)
        return JTREE_NONE;
    for (uint32_t i = t->values[object].child; i != JTREE_NONE; i = t->values[i].next) {
        if (says(t->text, t->values[i].key, t->values[i].key_end, name))
            found = i;
    }
    return found;
}

int jtree_is(const struct jtree *t, uint32_t value, const char *word)
{
    const struct jvalue *v;

    if (value == JTREE_NONE || t->values[value].type != JSCAN_STRING)
        return 0;
    v = &t->values[value];
    return says(t->text, v->begin + 1, v->end - 1, word);
}

int jtree_is_true(const struct jtree *t, uint32_t value)
{
    return value != JTREE_NONE && t->values[value].type == JSCAN_TRUE;
}

void jtree_quote(struct buf *ret, const char *p, size_t n)
{
    static const char from[] = "\b\f\n\r\t\"\\", to[] = "bfnrt\"\\";

    buf_addc(ret, '"');
    while (n > 0) {
        size_t run = jscan_plain(p, n);
        const char *found;
        buf_add(ret, p, run);
        p += run;
        n -= run;
        if (n == 0)
            break;
        found = *p != '\0' ? strchr(from, *p) : NULL;
        if (found != NULL)
            buf_printf(ret, "\\%c", to[found - from]);
        else if ((unsigned char)*p < 0x20)
            buf_printf(ret, "\\u%04x", (unsigned int)(unsigned char)*p);
        else
            buf_addc(ret, *p);
        p++;
        n--;
    }
    buf_addc(ret, '"');
}
