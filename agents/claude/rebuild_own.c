#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"

#include "agents/claude/rebuild_inside.h"

/* One's own record: all of it stays, but for a few places. */
struct place {
    uint32_t begin, end;
    enum { IS_EXACT, IS_LINK, IS_CALL, IS_RESULT, IS_RESULT_DATA } what;
    uint32_t value;
};

struct places {
    struct place *v;
    size_t n, cap;
};

static void add_place(struct places *p, const struct rebuild *r, uint32_t value, int what)
{
    if (p->n == p->cap) {
        p->cap = p->cap == 0 ? 16 : p->cap * 2;
        p->v = str_realloc(p->v, p->cap, sizeof(*p->v));
    }
    p->v[p->n].begin = r->tree.values[value].begin;
    p->v[p->n].end = r->tree.values[value].end;
    p->v[p->n].what = what;
    p->v[p->n++].value = value;
}

static int by_begin(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    return x->begin < y->begin ? -1 : x->begin > y->begin;
}

/* What was signed is signed to the byte, wherever it is quoted. */
static void find_signed(const struct rebuild *r, uint32_t object, struct places *p)
{
    static const char *const names[] = {"thinking", "signature", "data"};
    uint32_t type = jtree_member(&r->tree, object, "type"), value;

    if (!(jtree_is(&r->tree, type, "thinking") &&
          jtree_member(&r->tree, object, "signature") != JTREE_NONE) &&
        !jtree_is(&r->tree, type, "redacted_thinking"))
        return;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        value = jtree_member(&r->tree, object, names[i]);
        if (value != JTREE_NONE && r->tree.values[value].type == JSCAN_STRING)
            add_place(p, r, value, IS_EXACT);
    }
}

static int is_result(struct rebuild *r, uint32_t block)
{
    return map_size(r->calls) > 0 &&
           jtree_is(&r->tree, jtree_member(&r->tree, block, "type"), "tool_result") &&
           jtree_string(&r->tree, jtree_member(&r->tree, block, "tool_use_id"), &r->word) == 0 &&
           map_get(r->calls, r->word.data) != NULL;
}

static void find_calls(struct rebuild *r, struct places *p)
{
    uint32_t content = jtree_member(&r->tree, jtree_member(&r->tree, 0, "message"), "content");
    uint32_t data = jtree_member(&r->tree, 0, "toolUseResult");
    int has_result = 0;

    if (content == JTREE_NONE || r->tree.values[content].type != JSCAN_ARRAY)
        return;
    for (uint32_t i = r->tree.values[content].child; i != JTREE_NONE; i = r->tree.values[i].next) {
        if (rebuild_is_call(r, i))
            add_place(p, r, i, IS_CALL);
        if (is_result(r, i)) {
            add_place(p, r, i, IS_RESULT);
            has_result = 1;
        }
    }
    if (has_result && data != JTREE_NONE)
        add_place(p, r, data, IS_RESULT_DATA);
}

static void find_links(struct rebuild *r, struct places *p)
{
    static const char *const names[] = {"parentUuid", "logicalParentUuid", "leafUuid",
                                        "sourceToolAssistantUUID"};

    for (size_t i = 0; map_size(r->gone) > 0 && i < sizeof(names) / sizeof(names[0]); i++) {
        uint32_t value = jtree_member(&r->tree, 0, names[i]);
        if (value != JTREE_NONE && rebuild_link(r, value) != NULL)
            add_place(p, r, value, IS_LINK);
    }
}

static void write_place(struct rebuild *r, const struct place *at)
{
    const char *link;
    size_t begin = r->out.len;

    switch (at->what) {
    case IS_EXACT:
        rebuild_add_exact(r, r->tree.text + at->begin, at->end - at->begin);
        break;
    case IS_LINK:
        link = rebuild_link(r, at->value);
        if (*link == '\0')
            buf_addstr(&r->out, "null");
        else
            rebuild_add_quoted(r, link);
        break;
    case IS_CALL:
        (void)rebuild_call(r, at->value);
        break;
    case IS_RESULT:
        (void)rebuild_result(r, at->value);
        if (r->out.len == begin)
            buf_addstr(&r->out, "{\"type\":\"text\",\"text\":\"(no result)\"}");
        break;
    case IS_RESULT_DATA:
        buf_addstr(&r->out, "null");
        break;
    }
}

void rebuild_own(struct rebuild *r)
{
    struct places p = {0};
    uint32_t at = 0;

    for (uint32_t i = 0; i < r->tree.n_values; i++) {
        if (r->tree.values[i].type == JSCAN_OBJECT)
            find_signed(r, i, &p);
    }
    find_calls(r, &p);
    find_links(r, &p);
    if (p.n > 1)
        qsort(p.v, p.n, sizeof(*p.v), by_begin);
    for (size_t i = 0; i < p.n; i++) {
        if (p.v[i].begin < at)
            continue; /* within one that is written anew */
        buf_add(&r->out, r->tree.text + at, p.v[i].begin - at);
        write_place(r, &p.v[i]);
        at = p.v[i].end;
    }
    buf_add(&r->out, r->tree.text + at, r->tree.n - at);
    free(p.v);
}
