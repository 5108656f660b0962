#include <stdlib.h>
#include <string.h>

#include "agents/agent.h"
#include "agents/seen.h"
#include "agents/unite_lines.h"
#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/str.h"

/*
 * Agents go on from the last record of a transcript and from the latest one, so the branch
 * that was worked on last is the file, line by line; what only the other one has comes before the
 * first record that is its own.  A branch of Claude Code's that was compacted begins anew with a
 * boundary, and it skips what stands before the last boundary of a large file: so the other one's
 * boundary and all that hangs on it comes before everything.  No branch is cut in two where that
 * can be helped.
 */

#define WINDOW (256 << 10)
#define RENAMED_MAX (64 << 20) /* a line in which names are replaced is in memory once */

struct unite_ref {
    struct unite_lines *of;
    size_t i;
};

struct weaving {
    const struct unite_opts *opts;
    struct unite_lines ours, theirs;
    struct unite_lines *base, *other; /* the active one first */
    struct unite_lines *kept;         /* whose bytes stay, of what both have */
    char *is_top;                     /* of the other's lines: it hangs on a boundary of its own */
    struct seen *bad;                 /* lines of the base that can't be read */
    struct unite_ref *stack;
    size_t depth, room;

    int out_fd;
    const struct unite_side *from; /* what is to be copied next */
    int64_t at, end;
    char *window;
};

/* ---- out ---------------------------------------------------------------------------------------
 */

static int put(struct weaving *w, const void *p, size_t n, struct ct_err *err)
{
    if (file_write_all(w->out_fd, p, n) != 0)
        return err_sys(err, "can't write the merged transcript");
    return 0;
}

static int flush(struct weaving *w, struct ct_err *err)
{
    while (w->at < w->end) {
        size_t want = w->end - w->at < WINDOW ? (size_t)(w->end - w->at) : WINDOW;
        ssize_t n = file_pread_all(w->from->fd, w->window, want, (off_t)w->at);
        if (n != (ssize_t)want)
            return n < 0 ? err_sys(err, "can't read a transcript")
                         : err_set(err, ERR_RETRY, "a transcript became shorter; try again");
        if (put(w, w->window, want, err) != 0)
            return -1;
        w->at += n;
        if (w->opts->cancel != NULL && *w->opts->cancel)
            return err_set(err, ERR_CANCELLED, "broken off");
    }
    return 0;
}

/* Lines that stand together are copied together. */
static int copy_line(struct weaving *w, const struct unite_lines *of, const struct unite_line *line,
                     struct ct_err *err)
{
    int64_t end = line->at + line->len;
    int is_whole = end < of->side->end; /* its newline is there */

    if (w->from != of->side || w->end != line->at) {
        if (flush(w, err) != 0)
            return -1;
        w->from = of->side;
        w->at = line->at;
    }
    w->end = end + is_whole;
    if (is_whole)
        return 0;
    return flush(w, err) == 0 ? put(w, "\n", 1, err) : -1;
}

/* In quotes a name is whole; nothing else in such a record looks like one. */
static void replace(struct buf *line, const char *from, const char *to)
{
    char *quoted = str_printf("\"%s\"", from);
    size_t n = strlen(quoted);
    struct buf b = {0};
    const char *p = line->data, *end = line->data + line->len, *hit;

    while ((hit = memmem(p, (size_t)(end - p), quoted, n)) != NULL) {
        buf_add(&b, p, (size_t)(hit - p));
        buf_printf(&b, "\"%s\"", to);
        p = hit + n;
    }
    buf_add(&b, p, (size_t)(end - p));
    buf_free(line);
    *line = b;
    free(quoted);
}

/* A line of the side that gives way, with the new names of its files. */
static int copy_renamed(struct weaving *w, const struct unite_line *line, struct ct_err *err)
{
    const struct strlist *names = w->opts->renamed;
    size_t which = w->other == &w->ours ? 1 : 2;
    struct buf b = {0};
    int rc;

    if (line->len > RENAMED_MAX)
        return err_set(err, ERR_REFUSED, "a record of file versions is too large to be merged");
    if (flush(w, err) != 0)
        return -1;
    buf_reserve(&b, (size_t)line->len + 1);
    if (file_pread_all(w->other->side->fd, b.data, (size_t)line->len, (off_t)line->at) !=
        (ssize_t)line->len) {
        buf_free(&b);
        return err_set(err, ERR_RETRY, "a transcript became shorter; try again");
    }
    b.len = (size_t)line->len;
    for (size_t i = 0; i + 2 < names->n; i += 3)
        replace(&b, names->v[i], names->v[i + which]);
    buf_addc(&b, '\n');
    rc = put(w, b.data, b.len, err);
    buf_free(&b);
    return rc;
}

/* ---- one line ----------------------------------------------------------------------------------
 */

static int write_line(struct weaving *w, struct unite_lines *of, size_t i, struct ct_err *err)
{
    struct unite_line *line = &of->v[i], *own;

    if (line->flags & UNITE_OUT)
        return 0;
    line->flags |= UNITE_OUT;
    if (line->id != 0 && (line->flags & UNITE_SHARED) && of != w->kept) {
        own = &w->kept->v[unite_lines_find(w->kept, line->id)];
        if (own->flags & UNITE_OUT)
            return 0;
        own->flags |= UNITE_OUT;
        return copy_line(w, w->kept, &w->kept->v[own->last], err);
    }
    if (of == w->other && line->id == 0 && line->parent != 0 && w->opts->renamed != NULL &&
        w->opts->renamed->n > 0)
        return copy_renamed(w, line, err);
    return copy_line(w, of, line, err);
}

/* The parent that is not written yet. */
static int find_parent(struct weaving *w, const struct unite_ref *r, struct unite_ref *ret)
{
    const struct unite_line *line = &r->of->v[r->i];
    uint64_t parent = line->parent;

    if ((line->flags & UNITE_SHARED) && r->of != w->kept)
        parent = w->kept->v[unite_lines_find(w->kept, line->id)].parent;
    ret->of = w->base;
    ret->i = unite_lines_find(w->base, parent);
    if (ret->i == UNITE_NONE) {
        ret->of = w->other;
        ret->i = unite_lines_find(w->other, parent);
    }
    return ret->i != UNITE_NONE && !(ret->of->v[ret->i].flags & (UNITE_OUT | UNITE_PATH));
}

static void push(struct weaving *w, struct unite_ref r)
{
    if (w->depth == w->room) {
        w->room = w->room > 0 ? w->room * 2 : 64;
        w->stack = str_realloc(w->stack, w->room, sizeof(*w->stack));
    }
    r.of->v[r.i].flags |= UNITE_PATH;
    w->stack[w->depth++] = r;
}

/* A record after its parents.  A circle of them is cut where it was entered. */
static int write_record(struct weaving *w, struct unite_lines *of, size_t i, struct ct_err *err)
{
    struct unite_ref r = {of, i}, parent;

    push(w, r);
    while (w->depth > 0) {
        r = w->stack[w->depth - 1];
        if (find_parent(w, &r, &parent)) {
            push(w, parent);
            continue;
        }
        w->depth--;
        r.of->v[r.i].flags &= ~(unsigned)UNITE_PATH;
        if (write_line(w, r.of, r.i, err) != 0)
            return -1;
    }
    return 0;
}

static int write_any(struct weaving *w, struct unite_lines *of, size_t i, struct ct_err *err)
{
    return of->v[i].id != 0 ? write_record(w, of, i, err) : write_line(w, of, i, err);
}

/* ---- what the other one adds -------------------------------------------------------------------
 */

enum { TOP_UNKNOWN, TOP_NO, TOP_YES, TOP_PATH };

static int is_own(const struct unite_line *line)
{
    return line->id != 0 && !(line->flags & UNITE_SHARED);
}

/* Does line ${i}, one of the other's own, hang on a boundary of its own? */
static void judge_top(struct weaving *w, size_t i)
{
    const struct unite_lines *o = w->other;
    size_t at = i, next;
    char verdict = TOP_NO;

    for (;;) {
        w->is_top[at] = TOP_PATH;
        next = unite_lines_find(o, o->v[at].parent);
        if (next == UNITE_NONE && unite_lines_find(w->base, o->v[at].parent) == UNITE_NONE)
            verdict = o->v[at].flags & UNITE_BOUNDARY ? TOP_YES : TOP_NO;
        if (next == UNITE_NONE || !is_own(&o->v[next]) || w->is_top[next] == TOP_PATH)
            break;
        if (w->is_top[next] != TOP_UNKNOWN) {
            verdict = w->is_top[next];
            break;
        }
        at = next;
    }
    for (at = i; at != UNITE_NONE && w->is_top[at] == TOP_PATH;
         at = unite_lines_find(o, o->v[at].parent))
        w->is_top[at] = verdict;
}

static void find_top(struct weaving *w)
{
    struct unite_lines *o = w->other;

    w->is_top = str_calloc(o->n + 1, 1);
    for (size_t i = 0; i < o->n; i++) {
        if (is_own(&o->v[i]) && w->is_top[unite_lines_find(o, o->v[i].id)] == TOP_UNKNOWN)
            judge_top(w, unite_lines_find(o, o->v[i].id));
    }
}

/* The record that a line of the other's stands for in this: itself, or the one that it belongs to.
 * UNITE_NONE if that is none of the other's own. */
static size_t subject(const struct weaving *w, const struct unite_line *line)
{
    size_t i = unite_lines_find(w->other, line->id != 0 ? line->id : line->parent);

    return i != UNITE_NONE && is_own(&w->other->v[i]) ? i : UNITE_NONE;
}

/* Does the base lack the line, which nobody can read?  1, 0, or -1. */
static int is_lacking(struct weaving *w, size_t i, struct ct_err *err)
{
    unsigned char d[HASH_SHA256_BYTES];

    if (w->bad == NULL) {
        w->bad = seen_new();
        for (size_t k = 0; k < w->base->n; k++) {
            if (!(w->base->v[k].flags & UNITE_BAD))
                continue;
            if (unite_lines_digest(w->base, k, d, err) != 0)
                return -1;
            seen_add(w->bad, d, sizeof(d));
        }
    }
    return unite_lines_digest(w->other, i, d, err) == 0 ? seen_add(w->bad, d, sizeof(d)) : -1;
}

static int add_other(struct weaving *w, int is_top, struct ct_err *err)
{
    for (size_t i = 0; i < w->other->n; i++) {
        const struct unite_line *line = &w->other->v[i];
        size_t of = subject(w, line);
        int wants = of != UNITE_NONE && (w->is_top[of] == TOP_YES) == is_top;
        if (!is_top && (line->flags & UNITE_BAD) && !(line->flags & UNITE_OUT))
            wants = is_lacking(w, i, err);
        if (wants < 0 || (wants && write_any(w, w->other, i, err) != 0))
            return -1;
    }
    return 0;
}

static int weave(struct weaving *w, struct ct_err *err)
{
    int has_begun = 0, is_apart = 0;

    for (size_t i = 0; i < w->base->n; i++) {
        const struct unite_line *line = &w->base->v[i];
        if (line->id != 0 && !has_begun) {
            has_begun = 1;
            if (add_other(w, 1, err) != 0)
                return -1;
        }
        if (is_own(line) && !is_apart) {
            is_apart = 1;
            if (add_other(w, 0, err) != 0)
                return -1;
        }
        if (write_any(w, w->base, i, err) != 0)
            return -1;
    }
    if (!is_apart && add_other(w, 0, err) != 0)
        return -1;
    return flush(w, err);
}

/* ---- which is which ----------------------------------------------------------------------------
 */

/* Mark what both have; count what only ${l} has, and say when it was worked on last. */
static size_t mark(struct unite_lines *l, const struct unite_lines *other, int64_t *ret_ms)
{
    size_t own = 0;

    *ret_ms = -1;
    for (size_t i = 0; i < l->n; i++) {
        struct unite_line *line = &l->v[i];
        if (line->id == 0)
            continue;
        if (unite_lines_find(other, line->id) != UNITE_NONE) {
            line->flags |= UNITE_SHARED;
            continue;
        }
        own += unite_lines_find(l, line->id) == i;
        if ((line->flags & UNITE_NEWS) && line->ms > *ret_ms)
            *ret_ms = line->ms;
    }
    return own;
}

static int refuse(struct ct_err *err)
{
    return err_set(err, ERR_REFUSED,
                   "it has messages without an ID, so nobody can tell which of them both have; "
                   "--as-copy installs the other one beside it");
}

/* Short ids can come twice: is there a record here with the id of another one there? */
static int has_twins(const struct unite_lines *ours, const struct unite_lines *theirs)
{
    size_t other;

    for (size_t i = 0; i < ours->n; i++) {
        other = ours->v[i].id != 0 ? unite_lines_find(theirs, ours->v[i].id) : UNITE_NONE;
        if (other != UNITE_NONE && ours->v[i].ms != theirs->v[other].ms)
            return 1;
    }
    return 0;
}

static size_t count_fuller(const struct unite_lines *ours, const struct unite_lines *theirs)
{
    size_t n = 0, other;

    for (size_t i = 0; i < ours->n; i++) {
        other = ours->v[i].id != 0 ? unite_lines_find(theirs, ours->v[i].id) : UNITE_NONE;
        n += other != UNITE_NONE && ours->v[i].len > theirs->v[other].len;
    }
    return n;
}

static void choose(struct weaving *w, struct unite_result *r)
{
    int64_t ours_ms, theirs_ms;

    r->only_ours = mark(&w->ours, &w->theirs, &ours_ms);
    r->only_theirs = mark(&w->theirs, &w->ours, &theirs_ms);
    r->shared = w->ours.n_ids - r->only_ours;
    r->fuller = count_fuller(&w->ours, &w->theirs);
    r->is_ours_active = r->only_theirs == 0 || (r->only_ours > 0 && ours_ms >= theirs_ms);
    w->base = r->is_ours_active ? &w->ours : &w->theirs;
    w->other = r->is_ours_active ? &w->theirs : &w->ours;
    w->kept = w->opts->is_theirs_better ? &w->theirs : &w->ours;
}

int unite_tree(const struct unite_opts *opts, int out_fd, struct unite_result *ret,
               struct ct_err *err)
{
    struct weaving w = {.opts = opts, .out_fd = out_fd};
    struct unite_result r = {0};
    int rc = unite_lines_read(opts->agent, &opts->ours, opts->cancel, &w.ours, err);

    if (rc == 0)
        rc = unite_lines_read(opts->agent, &opts->theirs, opts->cancel, &w.theirs, err);
    if (rc == 0 && (w.ours.has_unnamed || w.theirs.has_unnamed))
        rc = refuse(err);
    if (rc == 0 && opts->agent->record_names.is_id_short && has_twins(&w.ours, &w.theirs))
        rc = err_set(err, ERR_REFUSED,
                     "two records of it have one ID, so they can't be in one tree; --as-copy "
                     "installs the other one beside it");
    if (rc == 0) {
        choose(&w, &r);
        find_top(&w);
        w.window = str_calloc(WINDOW, 1);
        rc = weave(&w, err);
    }
    if (rc == 0)
        *ret = r;
    unite_lines_clear(&w.ours);
    unite_lines_clear(&w.theirs);
    seen_free(w.bad);
    free(w.is_top);
    free(w.stack);
    free(w.window);
    return rc;
}
