#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "bundle/relocate/relocate_match.h"
#include "common/base/buf.h"
#include "common/base/str.h"

#include "bundle/relocate/relocate.h"

#define PATH_BYTES_MAX 4096
#define PIECE (256 << 10) /* of a text that is looked at at once */
#define HELD_BACK 8       /* bytes at a piece's end in which what we look for may just begin */
#define ROOTS (2 + RELOCATION_MORE)

struct relocation {
    struct root roots[ROOTS]; /* the longest one first */
    size_t n;
    int has_posix, has_drive, has_share;
    char *cwd, *home; /* targets */
};

/* ---- the roots ---------------------------------------------------------------------------------
 */

static int is_drive(const char *s)
{
    return ((s[0] >= 'A' && s[0] <= 'Z') || (s[0] >= 'a' && s[0] <= 'z')) && s[1] == ':' &&
           (s[2] == '\\' || s[2] == '/');
}

static int is_share(const char *s)
{
    return s[0] == '\\' && s[1] == '\\';
}

/* A server alone is no place. */
static int names_share(const char *s)
{
    const char *share = strchr(s + 2, '\\');

    return share != NULL && share > s + 2 && share[1] != '\0';
}

static int has_control(const char *s)
{
    for (; *s != '\0'; s++) {
        if ((unsigned char)*s < 0x20 || *s == 0x7F)
            return 1;
    }
    return 0;
}

static int check_path(const char *s, int may_be_windows, struct ct_err *err)
{
    size_t n = strlen(s);
    const char *wrong = NULL;
    char text[256];

    if (s[0] != '/' && !(may_be_windows && (is_drive(s) || is_share(s))))
        wrong = "not absolute";
    else if (n > PATH_BYTES_MAX)
        wrong = "too long";
    else if (!str_is_utf8(s, n))
        wrong = "not UTF-8";
    else if (has_control(s))
        wrong = "written with control characters";
    if (wrong == NULL)
        return 0;
    str_escape(s, n, text, sizeof(text));
    return err_set(err, ERR_REFUSED, "a project's folder can't be a path that is %s: %s", wrong,
                   text);
}

/* Without slashes at its end; separators of Windows all alike. */
static char *plain_path(const char *s, int is_windows)
{
    char *p = str_dup(s);
    size_t n = strlen(p);

    for (size_t i = 0; is_windows && i < n; i++) {
        if (p[i] == '/')
            p[i] = '\\';
    }
    while (n > 1 && p[n - 1] == (is_windows ? '\\' : '/'))
        p[--n] = '\0';
    return p;
}

static void free_root(struct root *r)
{
    free(r->source);
    free(r->chars);
    free(r->target);
}

static void split_chars(struct root *r)
{
    size_t left = strlen(r->source), n;
    utf8proc_int32_t c;

    r->chars = str_calloc(left, sizeof(*r->chars));
    for (const char *p = r->source; left > 0; p += n, left -= n) {
        n = str_utf8_len(p, left);
        utf8proc_iterate((const utf8proc_uint8_t *)p, (utf8proc_ssize_t)n, &c);
        r->chars[r->n_chars++] = (uint32_t)c;
    }
}

static int is_known(const struct relocation *r, const char *source)
{
    for (size_t i = 0; i < r->n; i++) {
        if (strcmp(r->roots[i].source, source) == 0)
            return 1;
    }
    return 0;
}

static int by_length(const void *a, const void *b)
{
    const struct root *x = a, *y = b;

    return x->n_chars > y->n_chars ? -1 : x->n_chars < y->n_chars;
}

static int add_root(struct relocation *r, const char *source, const char *target,
                    struct ct_err *err)
{
    struct root root = {0};

    if (source == NULL || target == NULL)
        return 0;
    if (check_path(source, 1, err) != 0 || check_path(target, 0, err) != 0)
        return -1;
    root.is_share = is_share(source);
    root.is_windows = root.is_share || is_drive(source);
    root.source = plain_path(source, root.is_windows);
    root.target = plain_path(target, 0);
    /* All of a file system is no root. */
    if (strlen(root.source) <= (root.is_windows ? 2 : 1) ||
        (root.is_share && !names_share(root.source)) || is_known(r, root.source)) {
        free_root(&root);
        return 0;
    }
    split_chars(&root);
    r->has_drive |= root.is_windows && !root.is_share;
    r->has_share |= root.is_share;
    r->has_posix |= !root.is_windows;
    r->roots[r->n++] = root;
    return 0;
}

int relocation_new(const struct relocation_roots *roots, struct relocation **ret,
                   struct ct_err *err)
{
    struct relocation *r = str_calloc(1, sizeof(*r));
    int is_idle = 1;

    if (add_root(r, roots->source_cwd, roots->target_cwd, err) != 0 ||
        add_root(r, roots->source_home, roots->target_home, err) != 0) {
        relocation_free(r);
        return -1;
    }
    for (size_t i = 0; i < roots->n_more && r->n < ROOTS; i++) {
        if (add_root(r, roots->more[i].source, roots->more[i].target, err) != 0) {
            relocation_free(r);
            return -1;
        }
    }
    qsort(r->roots, r->n, sizeof(r->roots[0]), by_length);
    for (size_t i = 0; i < r->n; i++)
        is_idle = is_idle && strcmp(r->roots[i].source, r->roots[i].target) == 0;
    while (is_idle && r->n > 0)
        free_root(&r->roots[--r->n]);
    if (roots->target_cwd != NULL)
        r->cwd = plain_path(roots->target_cwd, 0);
    if (roots->target_home != NULL)
        r->home = plain_path(roots->target_home, 0);
    *ret = r;
    return 0;
}

void relocation_free(struct relocation *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->n; i++)
        free_root(&r->roots[i]);
    free(r->cwd);
    free(r->home);
    free(r);
}

const char *relocation_cwd(const struct relocation *r)
{
    return r->cwd;
}

const char *relocation_home(const struct relocation *r)
{
    return r->home;
}

int relocation_is_idle(const struct relocation *r)
{
    return r->n == 0;
}

/* Is the plain path the root, or below it? */
static int is_below(const struct root *root, const char *path)
{
    size_t n = strlen(root->source);

    if (!root->is_windows)
        return strncmp(path, root->source, n) == 0 && (path[n] == '\0' || path[n] == '/');
    for (size_t i = 0; i < n; i++) {
        char c = path[i] == '/' ? '\\' : path[i]; /* at the end it differs */
        if (c != root->source[i] && !(i == 0 && !root->is_share && (c ^ 0x20) == root->source[i]))
            return 0;
    }
    return path[n] == '\0' || path[n] == '\\' || path[n] == '/';
}

char *relocation_path(const struct relocation *r, const char *path)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct root *root = &r->roots[i];
        const char *rest = path + strlen(root->source);
        char *moved;
        size_t n = strlen(root->target);
        if (!is_below(root, path))
            continue;
        n -= n == 1 && *rest != '\0'; /* "/" and "/x" */
        moved = str_printf("%.*s%s", (int)n, root->target, rest);
        for (char *p = moved + n; root->is_windows && *p != '\0'; p++) {
            if (*p == '\\')
                *p = '/';
        }
        return moved;
    }
    return str_dup(path);
}

/* ---- a text ------------------------------------------------------------------------------------
 */

struct relocator {
    const struct relocation *r;
    relocate_fn out;
    void *arg;
    struct buf text; /* context, and what is not through yet */
    size_t at;       /* where that begins */
    int is_begun;    /* the text began before the context */
    int is_end;
    int is_in_rest;         /* in the rest of a path of Windows... */
    unsigned int backslash; /* ...whose separators are so many backslashes */
    int is_whole;           /* ...and which may have spaces */
    struct buf spelled;
};

/* Places where a root may begin, as far as they are known: the next at or behind the present one.
 */
#define NOWHERE SIZE_MAX
#define UNKNOWN (SIZE_MAX - 1)
struct places {
    size_t slash, share, slashes, colon, percent, escape;
};

struct relocator *relocator_new(const struct relocation *r, relocate_fn out, void *arg)
{
    struct relocator *t = str_calloc(1, sizeof(*t));

    t->r = r;
    t->out = out;
    t->arg = arg;
    return t;
}

void relocator_free(struct relocator *t)
{
    if (t == NULL)
        return;
    buf_free(&t->text);
    buf_free(&t->spelled);
    free(t);
}

/* Everything before ${to} is through. */
static int pass(struct relocator *t, size_t to, struct ct_err *err)
{
    int rc = 0;

    if (to > t->at)
        rc = t->out(t->arg, t->text.data + t->at, to - t->at, err);
    t->at = to;
    return rc;
}

static int replace(struct relocator *t, const struct hit *hit, struct ct_err *err)
{
    if (pass(t, hit->start, err) != 0)
        return -1;
    buf_reset(&t->spelled);
    match_spell(hit, &t->spelled);
    t->at = hit->end;
    if (hit->root->is_windows) {
        t->is_in_rest = 1;
        t->backslash = hit->backslash;
        t->is_whole = hit->is_whole;
    }
    return t->out(t->arg, t->spelled.data, t->spelled.len, err);
}

static size_t find(const struct window *w, size_t at, size_t known, const char *needle, size_t n)
{
    const char *p;

    if (known != UNKNOWN && known >= at)
        return known;
    if (at >= w->n)
        return NOWHERE;
    p = n == 1 ? memchr(w->p + at, *needle, w->n - at) : memmem(w->p + at, w->n - at, needle, n);
    return p != NULL ? (size_t)(p - w->p) : NOWHERE;
}

/* The next place, or NOWHERE.  (Of a drive it is the letter; that one before a colon may have been
 * passed is why bytes are held back.) */
static size_t next_place(const struct relocator *t, const struct window *w, size_t at,
                         struct places *k)
{
    size_t first;

    if (t->r->has_posix)
        k->slash = find(w, at, k->slash, "/", 1);
    if (t->r->has_share) {
        k->share = find(w, at, k->share, "\\\\\\\\", 4);
        k->slashes = find(w, at, k->slashes, "//", 2);
    }
    if (t->r->has_drive) {
        k->colon = find(w, at + 1, k->colon, ":", 1);
        k->percent = find(w, at + 1, k->percent, "%3", 2);
    }
    k->escape = find(w, at, k->escape, "\\u00", 4);
    first = k->escape;
    /* It may spell the colon. */
    if (t->r->has_drive && first != NOWHERE && first > at)
        first--;
    if (t->r->has_posix && k->slash < first)
        first = k->slash;
    if (t->r->has_share && k->share < first)
        first = k->share;
    if (t->r->has_share && k->slashes < first)
        first = k->slashes;
    if (t->r->has_drive && k->colon != NOWHERE && k->colon - 1 < first)
        first = k->colon - 1;
    if (t->r->has_drive && k->percent != NOWHERE && k->percent - 1 < first)
        first = k->percent - 1;
    return first;
}

/* Quick: can a root begin there? */
static int is_likely(const struct root *root, const struct window *w, size_t at)
{
    char c = w->p[at];

    if (c == '\\')
        return 1;
    if (root->is_share)
        return c == '/';
    if (root->is_windows)
        return (c | 0x20) == (char)(root->chars[0] | 0x20U);
    if (c != '/')
        return 0;
    if (at + 1 == w->n)
        return 1;
    c = w->p[at + 1];
    return c == root->source[1] || c == '\\' || c == '%';
}

/* Return MATCH_YES with ${hit} filled, or the others. */
static enum match look(const struct relocator *t, const struct window *w, size_t at,
                       struct hit *hit)
{
    enum match m = MATCH_NO;

    for (size_t i = 0; m == MATCH_NO && i < t->r->n; i++) {
        if (is_likely(&t->r->roots[i], w, at))
            m = match_root(w, at, &t->r->roots[i], hit);
    }
    return m;
}

/* Backslashes in the rest of a path of Windows.  Return MATCH_YES if the path goes on. */
static enum match rest_backslashes(struct relocator *t, const struct window *w, size_t *at,
                                   struct ct_err *err)
{
    size_t run = lex_run(w, *at), i = *at + run, k = t->backslash;

    if (i == w->n && !w->is_end)
        return MATCH_MORE;
    if (run >= k && k > 0 && run < 2 * k) {
        if (pass(t, *at, err) != 0 || t->out(t->arg, "/", 1, err) != 0)
            return MATCH_NO;
        t->at = *at = *at + k;
        run -= k;
        if (run == 0)
            return MATCH_YES;
    }
    /* An escape that stands for a character of the name. */
    if (run > 0 && run < k && i < w->n && w->p[i] == 'u') {
        *at = i + 1;
        return MATCH_YES;
    }
    return MATCH_NO;
}

static int ends_rest(const struct relocator *t, char c)
{
    return (unsigned char)c < 0x20 || strchr("\"<>|?*:", c) != NULL || (c == ' ' && !t->is_whole);
}

/* Go through the rest of a path.  Return 0, or -1 with the error set. */
static int run_rest(struct relocator *t, const struct window *w, struct ct_err *err)
{
    struct ct_err e = {0};
    enum match m = MATCH_YES;
    size_t at = t->at;

    while (m == MATCH_YES && at < w->n && !ends_rest(t, w->p[at])) {
        if (w->p[at] == '\\')
            m = rest_backslashes(t, w, &at, &e);
        else
            at++;
    }
    if (e.code != ERR_NONE) {
        if (err != NULL)
            *err = e;
        return -1;
    }
    if (pass(t, at, err) != 0)
        return -1;
    t->is_in_rest = m == MATCH_MORE || (m == MATCH_YES && at == w->n);
    return 0;
}

/* Look at what there is, as far as that can be said. */
static int run(struct relocator *t, struct ct_err *err)
{
    const struct window w = {t->text.data, t->text.len, !t->is_begun, t->is_end};
    size_t limit = t->is_end ? w.n : w.n < HELD_BACK ? 0 : w.n - HELD_BACK, at;
    struct places k = {UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN};
    enum match m = MATCH_NO;
    struct hit hit;

    for (at = t->at; m != MATCH_MORE;) {
        if (t->is_in_rest) {
            if (run_rest(t, &w, err) != 0)
                return -1;
            if (t->is_in_rest)
                return 0;
            at = t->at;
        }
        at = next_place(t, &w, at, &k);
        if (at >= limit)
            break;
        m = look(t, &w, at, &hit);
        if (m == MATCH_YES) {
            if (replace(t, &hit, err) != 0)
                return -1;
            at = t->at;
        } else if (m == MATCH_NO) {
            at++;
        }
    }
    return m == MATCH_MORE ? pass(t, at, err) : limit > t->at ? pass(t, limit, err) : 0;
}

int relocator_feed(struct relocator *t, const void *p, size_t n, struct ct_err *err)
{
    const char *from = p;

    if (t->r->n == 0)
        return t->out(t->arg, p, n, err);
    while (n > 0) {
        size_t part = n < PIECE ? n : PIECE;
        buf_add(&t->text, from, part);
        from += part;
        n -= part;
        if (run(t, err) != 0)
            return -1;
        if (t->at > LEX_CONTEXT) {
            buf_consume(&t->text, t->at - LEX_CONTEXT);
            t->at = LEX_CONTEXT;
            t->is_begun = 1;
        }
    }
    return 0;
}

int relocator_end(struct relocator *t, struct ct_err *err)
{
    t->is_end = 1;
    return t->text.len > 0 ? run(t, err) : 0;
}

int relocator_exact(struct relocator *t, const void *p, size_t n, struct ct_err *err)
{
    if (relocator_end(t, err) != 0)
        return -1;
    buf_reset(&t->text);
    t->at = 0;
    t->is_begun = t->is_end = t->is_in_rest = 0;
    return t->out(t->arg, p, n, err);
}
