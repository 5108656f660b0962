#include <string.h>

#include "ctctl/pull/pull_adopt.h"
#include "ctctl/pull/pull_apart.h"
#include "ctctl/pull/pull_heads.h"

#include "ctctl/pull/pull_merge.h"

/* The head that adds the most, the current one before others; NULL if none adds anything. */
static struct head *choose(const struct heads *h)
{
    struct head *best = NULL;

    for (size_t i = 0; i < h->n; i++) {
        struct head *head = &h->v[i];
        if (!head->is_known || head->is_pinned || head->records + head->files == 0)
            continue;
        if (best == NULL || (!best->is_current && head->records > best->records))
            best = head;
    }
    return best;
}

/* First what would come of it, then, if that is agreed to, the deed. */
static int merge(struct ctx *c, const struct heads *h, struct pull_opts *opts,
                 int (*agree)(void *arg, const struct pull_sides *sides), void *arg,
                 struct pull_result *ret, struct ct_err *err)
{
    const struct head *head = opts->version > 0 ? heads_find(h, opts->version)
                              : h->n > 0        ? &h->v[0]
                                                : NULL;
    struct pull_sides sides = {ret, head != NULL ? heads_machine(head->item) : NULL, 0};
    struct pull_opts rehearsal = *opts;

    rehearsal.is_rehearsal = 1;
    if (pull_session(c, h->wire_id, &rehearsal, ret, err) != 0)
        return -1;
    if (opts->is_rehearsal)
        return 0;
    sides.version = ret->version;
    if (ret->installed.outcome == INSTALL_MERGED && !agree(arg, &sides))
        return err_set(err, ERR_CANCELLED, "nothing was merged");
    pull_result_clear(ret);
    return pull_session(c, h->wire_id, opts, ret, err);
}

int pull_merge(struct ctx *c, const char *wire_id, const struct pull_opts *opts,
               int (*agree)(void *arg, const struct pull_sides *sides), void *arg,
               struct pull_result *ret, struct ct_err *err)
{
    struct pull_opts own = *opts;
    struct head *other = NULL;
    struct heads h;
    int rc = 0, is_here;

    memset(ret, 0, sizeof(*ret));
    heads_ask(c, wire_id, &h);
    heads_look(c, &h);
    is_here = pull_judge(c, opts, NULL, &h);
    own.is_merge = 1;
    if (!is_here && !opts->is_rehearsal) {
        struct head *first = heads_fullest(&h);
        own.version = first != NULL && !first->is_current ? first->version : 0;
        rc = pull_session(c, wire_id, &own, ret, err);
        if (rc == 0)
            pull_judge(c, opts, first, &h);
    }
    own.version = opts->version;
    if (rc == 0 && opts->version == 0 && h.n > 1)
        other = choose(&h);
    if (other != NULL)
        own.version = other->version;
    if (rc == 0 && (is_here || opts->is_rehearsal || own.version > 0)) {
        pull_result_clear(ret);
        rc = merge(c, &h, &own, agree, arg, ret, err);
    }
    if (rc == 0 && !own.is_rehearsal) {
        if (other != NULL && pull_judge(c, opts, other, &h))
            pull_adopt_heads(c, &h);
        pull_adopt_tell(c, h.session_id, 0);
        pull_apart_forget(c, h.session_id);
    }
    if (h.n > 1)
        pull_judge(c, opts, NULL, &h);
    ret->heads = h;
    return rc;
}
