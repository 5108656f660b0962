#include <stdlib.h>
#include <string.h>

#include "agents/lines/form.h"

#define NAMES_MAX (1 << 20) /* bytes of paths, of ids */

static int key_is(const struct jscan *s, const char *key)
{
    return strcmp(s->key, key) == 0;
}

static int is_in(const struct record *r, uint32_t bits)
{
    return (r->known & bits) == bits;
}

static void enter(const struct record_form *f, struct record *r, const struct jscan *s,
                  enum jscan_type type)
{
    for (size_t i = 0; i < f->n_ways; i++) {
        const struct form_way *w = &f->ways[i];
        if (s->depth != w->depth || type != w->type || !is_in(r, w->in) || !key_is(s, w->key))
            continue;
        r->known |= w->bit;
        if (w->bit == f->usage)
            memset(&r->tokens, 0, sizeof(r->tokens));
    }
}

/* The row of ${places} by which the value is kept, or NULL. */
static const struct form_place *find(const struct form_place *places, size_t n,
                                     const struct record *r, const struct jscan *s)
{
    for (size_t i = 0; i < n; i++) {
        const struct form_place *p = &places[i];
        if (s->depth != p->depth || !is_in(r, p->in) || !key_is(s, p->key))
            continue;
        return p->how & FORM_FIRST && ((const char *)r)[p->at] != '\0' ? NULL : p;
    }
    return NULL;
}

static size_t on_begin(void *arg, const struct jscan *s, enum jscan_type type)
{
    const struct record_reader *rr = arg;
    const struct record_form *f = rr->form;
    const struct form_place *p;

    enter(f, rr->record, s, type);
    if (type == JSCAN_NUMBER)
        return find(f->numbers, f->n_numbers, rr->record, s) != NULL ? 32 : 0;
    p = type == JSCAN_STRING ? find(f->strings, f->n_strings, rr->record, s) : NULL;
    return p != NULL ? p->size - 1 : 0;
}

static int fits(const char *text, size_t len, const char *word)
{
    size_t n;

    if (word == NULL || word[0] != '*')
        return word == NULL || strcmp(text, word) == 0;
    n = strlen(++word);
    return len > n && strcmp(text + len - n, word) == 0;
}

static void on_string(void *arg, const struct jscan *s, const char *text, size_t len, int is_cut)
{
    const struct record_reader *rr = arg;
    const struct record_form *f = rr->form;
    struct record *r = rr->record;
    const struct form_place *p = find(f->strings, f->n_strings, r, s);

    if (p == NULL || (is_cut && !(p->how & FORM_CUT)))
        return;
    memcpy((char *)r + p->at, text, len + 1);
    for (size_t i = 0; i < f->n_words; i++) {
        if (s->depth == f->words[i].depth && key_is(s, f->words[i].key) &&
            fits(text, len, f->words[i].word))
            r->known |= f->words[i].bits;
    }
}

int form_count(const char *text, size_t len, int is_cut, int64_t *ret)
{
    if (is_cut || len > 15 || strspn(text, "0123456789") != len)
        return -1;
    *ret = strtoll(text, NULL, 10);
    return 0;
}

static int64_t micros(const char *text)
{
    double money = strtod(text, NULL) * 1e6;

    return money >= 0 && money <= (double)USAGE_MICROS_MAX ? (int64_t)(money + 0.5) : -1;
}

static void on_number(void *arg, const struct jscan *s, const char *text, size_t len, int is_cut)
{
    const struct record_reader *rr = arg;
    struct record *r = rr->record;
    const struct form_place *p = find(rr->form->numbers, rr->form->n_numbers, r, s);
    int64_t n, *to;

    if (p == NULL)
        return;
    to = (int64_t *)(void *)((char *)r + p->at);
    if (p->how & FORM_MONEY) {
        if (!is_cut)
            *to = micros(text);
    } else if (form_count(text, len, is_cut, &n) == 0) {
        *to = p->how & FORM_ADD ? *to + n : n;
        if (p->how & FORM_TOTAL)
            r->is_total = 1;
        else
            r->has_usage = 1;
    }
}

static void on_close(void *arg, const struct jscan *s)
{
    struct record_reader *rr = arg;
    const struct record_form *f = rr->form;
    struct record *r = rr->record;

    if (s->depth == 1)
        f->settle(rr);
    else if (f->end_item != NULL && s->depth == f->item_depth && is_in(r, f->item_in))
        f->end_item(rr);
    for (size_t i = 0; i < f->n_ways; i++) {
        if ((f->ways[i].type == JSCAN_OBJECT || f->ways[i].type == JSCAN_ARRAY) &&
            s->depth <= f->ways[i].depth + 1)
            r->known &= ~f->ways[i].bit;
    }
}

void form_take_file(struct record_reader *rr, int is_edit)
{
    char *path = rr->record->block.file_path;
    size_t n = strlen(path);

    if (is_edit && n > 0 && rr->paths->len + n < NAMES_MAX)
        buf_add(rr->paths, path, n + 1);
    path[0] = '\0';
}

void form_take_call(struct record_reader *rr)
{
    char *id = rr->record->block.notebook_path;

    if (id[0] != '\0' && rr->calls->len < NAMES_MAX)
        buf_add(rr->calls, id, strlen(id) + 1);
    else
        rr->record->tool_calls++;
    id[0] = '\0';
}

const struct jscan_ops form_ops = {on_begin, on_string, on_close, on_number};
