#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/strlist.h"
#include "common/data/jdoc.h"
#include "ctctl/read/reading.h"
#include "ctctl/read/search.h"

#include "ctctl/mcp/mcp_read.h"

#define FOUND_LIMIT 20
#define TURNS_LIMIT 40
#define TURN_COLUMNS 2000 /* of one turn */

int mcp_search(const struct mcp *m, const struct json_object *args, struct buf *out,
               struct ct_err *err)
{
    int64_t limit = jdoc_int(args, "limit", FOUND_LIMIT);
    struct search s = {.c = m->c, .project = m->folder};
    struct strlist words = {0};
    struct json_object *list = jdoc_array(args, "words");
    char title[128], ago[64];
    int rc;

    for (size_t i = 0; i < json_object_array_length(list); i++) {
        const char *word = json_object_get_string(json_object_array_get_idx(list, i));
        if (word[0] != '\0')
            strlist_add(&words, word);
    }
    if (words.n == 0 || words.n > FIND_WORDS_MAX) {
        strlist_free(&words);
        return err_set(err, ERR_REFUSED, "words has to name 1 to %d of them", FIND_WORDS_MAX);
    }
    s.find = find_new(&words, ~0U);
    rc = search_run(&s, err);
    if (rc == 0)
        buf_printf(out, "%zu of %" PRId64 " sessions%s hold all of it%s\n", s.n, s.sessions,
                   m->folder != NULL ? " of this project" : "",
                   s.n > 0 ? ", the best first: id, changed, title, the line" : ".");
    if (rc == 0 && s.failed + s.unread > 0)
        buf_printf(out, "%" PRId64 " sessions and %" PRId64 " lines of others could not be read.\n",
                   s.failed, s.unread);
    for (size_t i = 0; rc == 0 && i < s.n && (int64_t)i < limit; i++) {
        const struct hit *h = &s.hits[i];
        buf_printf(out, "%.8s  %s  ", h->id, text_ago(&m->c->out, h->changed_ms, ago, sizeof(ago)));
        mcp_text(m->c, out, search_title(h, title, sizeof(title)), 60);
        buf_addstr(out, "  ");
        mcp_text(m->c, out, h->r.line, 300);
        buf_addc(out, '\n');
    }
    search_clear(&s);
    find_free(s.find);
    strlist_free(&words);
    return rc;
}

/* ---- one session -------------------------------------------------------------------------------
 */

struct telling_mcp {
    const struct mcp *m;
    struct buf *out;
    int64_t from, limit; /* the first turn, from 1, and how many */
    int64_t n;
};

/* What a person and the agent said, and which tools it used; not what those printed. */
static void on_turn(void *arg, const struct turn *t)
{
    struct telling_mcp *x = arg;

    if (t->is_aside || t->kind == TURN_RESULT || t->kind == TURN_THINKING || t->kind == TURN_NOTE)
        return;
    x->n++;
    if (x->n < x->from || x->n >= x->from + x->limit)
        return;
    buf_printf(x->out, "%" PRId64 "  %s  ", x->n, turns_word(t->kind));
    if (t->kind == TURN_CALL) {
        mcp_text(x->m->c, x->out, t->tool, 60);
        buf_addstr(x->out, "  ");
        mcp_text(x->m->c, x->out, t->brief, 200);
    } else {
        mcp_text(x->m->c, x->out, t->text, TURN_COLUMNS);
    }
    buf_addc(x->out, '\n');
}

int mcp_read(const struct mcp *m, const struct json_object *args, struct buf *out,
             struct ct_err *err)
{
    struct reading r = {.word = jdoc_str(args, "sessionId"), .must_be_here = 1};
    struct buf text = {0};
    struct telling_mcp x = {
        .m = m,
        .out = &text,
        .from = jdoc_int(args, "from", 1),
        .limit = jdoc_int(args, "limit", TURNS_LIMIT),
    };
    int rc = reading_do(m->c, &r, on_turn, &x, err);

    if (rc == 0)
        rc = mcp_check_local(m, r.session_id, err);
    if (rc == 0) {
        buf_printf(out, "Session %s has %" PRId64 " turns, tools' output left out", r.session_id,
                   x.n);
        if (r.unread > 0)
            buf_printf(out, "; %" PRId64 " lines could not be read", r.unread);
        if (x.from + x.limit <= x.n)
            buf_printf(out, "; the next ones: from %" PRId64, x.from + x.limit);
        buf_addstr(out, ". Number, kind, text:\n");
        buf_add(out, text.data != NULL ? text.data : "", text.len);
    }
    buf_free(&text);
    return rc;
}
