#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"

#include "bundle/leak/leak_words.h"

struct node {
    uint32_t next[256]; /* 0: none yet; after leak_words_ready() always where to go on */
    uint32_t fail;      /* the longest proper end of this that is a beginning of a word */
    uint32_t said;      /* the nearest on the way of ${fail} that ends a word, or 0 */
    uint32_t *rules;
    size_t n_rules;
};

struct leak_words {
    struct node *nodes; /* 0 is the beginning */
    size_t n, cap;
};

static uint32_t add_node(struct leak_words *w)
{
    if (w->n == w->cap) {
        w->cap = w->cap == 0 ? 64 : w->cap * 2;
        w->nodes = str_realloc(w->nodes, w->cap, sizeof(*w->nodes));
    }
    memset(&w->nodes[w->n], 0, sizeof(*w->nodes));
    return (uint32_t)w->n++;
}

struct leak_words *leak_words_new(void)
{
    struct leak_words *w = str_calloc(1, sizeof(*w));

    add_node(w);
    return w;
}

void leak_words_free(struct leak_words *w)
{
    if (w == NULL)
        return;
    for (size_t i = 0; i < w->n; i++)
        free(w->nodes[i].rules);
    free(w->nodes);
    free(w);
}

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

void leak_words_add(struct leak_words *w, const char *word, uint32_t rule)
{
    struct node *end;
    uint32_t at = 0, next;

    for (; *word != '\0'; word++, at = next) {
        next = w->nodes[at].next[lower(*word)];
        if (next == 0) {
            next = add_node(w);
            w->nodes[at].next[lower(*word)] = next;
        }
    }
    end = &w->nodes[at];
    end->rules = str_realloc(end->rules, end->n_rules + 1, sizeof(*end->rules));
    end->rules[end->n_rules++] = rule;
}

/* Breadth first, so that what a node falls back to is ready before it. */
void leak_words_ready(struct leak_words *w)
{
    uint32_t *queue = str_calloc(w->n, sizeof(*queue));
    size_t head = 0, tail = 0;

    queue[tail++] = 0;
    while (head < tail) {
        uint32_t at = queue[head++];
        struct node *n = &w->nodes[at];
        for (int c = 0; c < 256; c++) {
            uint32_t next = n->next[c], back = at == 0 ? 0 : w->nodes[n->fail].next[c];
            if (next == 0) {
                n->next[c] = back;
                continue;
            }
            w->nodes[next].fail = back;
            w->nodes[next].said = w->nodes[back].n_rules > 0 ? back : w->nodes[back].said;
            queue[tail++] = next;
        }
    }
    free(queue);
}

void leak_words_find(const struct leak_words *w, const char *p, size_t n, unsigned char *ret_hit)
{
    uint32_t at = 0;

    for (size_t i = 0; i < n; i++) {
        at = w->nodes[at].next[lower(p[i])];
        for (uint32_t e = at; e != 0; e = w->nodes[e].said) {
            for (size_t j = 0; j < w->nodes[e].n_rules; j++)
                ret_hit[w->nodes[e].rules[j]] = 1;
        }
    }
}
