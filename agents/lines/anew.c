#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/path.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"
#include "common/data/jscan.h"

#include "agents/lines/anew.h"

#define ID_MAX 64
#define PLACES_MAX 256 /* in one line; in further ones paths are moved */

static int put(const struct rebuild *r, const char *p, size_t n, int is_exact, struct ct_err *err)
{
    return n > 0 ? r->opts.put(r->opts.arg, p, n, is_exact, err) : 0;
}

/* Places of a line in which nothing is moved. */
struct places {
    const struct anew_rules *rules;
    int in_message, in_list, is_signed; /* of one's own */
    int is_cwd;                         /* of what was made anew */
    uint32_t in_depth; /* that far down is the object that has it; 0: it is not open */
    uint64_t begun_at;

    struct {
        uint64_t begin, end;
    } v[PLACES_MAX];
    size_t n;
};

static void add_place(struct places *x, uint64_t end)
{
    if (x->n == PLACES_MAX)
        return;
    x->v[x->n].begin = x->begun_at;
    x->v[x->n++].end = end;
}

static int put_but(const struct rebuild *r, const char *p, size_t n, const struct places *x,
                   struct ct_err *err)
{
    size_t at = 0;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < x->n; i++) {
        rc = put(r, p + at, (size_t)x->v[i].begin - at, 0, err);
        at = (size_t)x->v[i].begin;
        if (rc == 0)
            rc = put(r, p + at, (size_t)x->v[i].end - at, 1, err);
        at = (size_t)x->v[i].end;
    }
    return rc == 0 ? put(r, p + at, n - at, 0, err) : -1;
}

/* ---- one's own ----------------------------------------------------------------------------------
 */

static size_t on_begin(void *arg, const struct jscan *s, enum jscan_type type)
{
    struct places *x = arg;

    if (s->depth == 1)
        x->in_message = type == JSCAN_OBJECT && strcmp(s->key, "message") == 0;
    else if (s->depth == 2)
        x->in_list = x->in_message && type == JSCAN_ARRAY && strcmp(s->key, x->rules->content) == 0;
    else if (s->depth == 3 && x->in_list) {
        x->begun_at = s->at;
        x->is_signed = 0;
    } else if (s->depth == 4 && x->in_list && strcmp(s->key, x->rules->signature) == 0)
        x->is_signed = type == JSCAN_STRING;
    return 0;
}

static void on_close(void *arg, const struct jscan *s)
{
    struct places *x = arg;

    if (s->depth == 4 && x->in_list && x->is_signed)
        add_place(x, s->at + 1);
    if (s->depth == 4)
        x->is_signed = 0;
    else if (s->depth <= 3)
        x->in_list = 0;
}

static int put_as_it_is(const struct rebuild *r, const char *p, size_t n, struct ct_err *err)
{
    static const struct jscan_ops ops = {on_begin, NULL, on_close, NULL};
    struct places x = {.rules = r->rules};
    struct jscan scan;

    if (r->rules->signature != NULL) {
        jscan_init(&scan);
        jscan_feed(&scan, &ops, &x, p, n);
    }
    return put_but(r, p, n, &x, err);
}

static int put_own(struct rebuild *r, const char *p, size_t n, struct ct_err *err)
{
    struct json_object *o = r->rules->make_own != NULL ? r->rules->make_own(r, p, n) : NULL;
    const char *text = o != NULL ? jdoc_text(o) : p;
    int rc = put_as_it_is(r, text, o != NULL ? strlen(text) : n, err);

    json_object_put(o);
    return rc;
}

/* ---- what of others' ----------------------------------------------------------------------------
 */

int anew_is_word(const char *s)
{
    size_t n = strlen(s);

    for (size_t i = 0; i < n; i++) {
        if (!isalnum((unsigned char)s[i]) && strchr("-_./:@|+=#", s[i]) == NULL)
            return 0;
    }
    return n > 0 && n <= 512;
}

static struct json_object *made(struct json_object *v, const struct anew_member *m);

void anew_take(struct json_object *from, const struct anew_member *members, struct json_object *to)
{
    json_object_object_foreach(from, key, value)
    {
        const struct anew_member *m = members;
        struct json_object *copy;
        while (m->key != NULL && strcmp(m->key, key) != 0)
            m++;
        copy = m->key != NULL ? made(value, m) : NULL;
        if (copy != NULL)
            json_object_object_add(to, key, copy);
    }
}

static struct json_object *made_object(struct json_object *v, const struct anew_member *of)
{
    struct json_object *o = json_object_new_object();

    anew_take(v, of, o);
    if (json_object_object_length(o) > 0 || json_object_object_length(v) == 0)
        return o;
    json_object_put(o);
    return NULL;
}

static struct json_object *made_block(struct json_object *v, const struct anew_type *types)
{
    const char *type = jdoc_str(v, "type");
    struct json_object *o;

    for (; type != NULL && types->type != NULL; types++) {
        if (strcmp(type, types->type) != 0)
            continue;
        o = json_object_new_object();
        jdoc_set_str(o, "type", type);
        anew_take(v, types->members, o);
        return o;
    }
    return NULL;
}

static struct json_object *made_item(struct json_object *v, const struct anew_member *m)
{
    enum json_type type = json_object_get_type(v);

    if (m->kind == ANEW_BLOCKS)
        return made_block(v, m->types);
    if (type == json_type_string)
        return json_object_get(v);
    return type == json_type_object ? made_object(v, m->of) : NULL;
}

static struct json_object *made_list(struct json_object *v, const struct anew_member *m)
{
    struct json_object *list, *item;

    if (json_object_get_type(v) == json_type_string)
        return json_object_get(v);
    if (json_object_get_type(v) != json_type_array)
        return NULL;
    list = json_object_new_array();
    for (size_t i = 0; i < json_object_array_length(v); i++) {
        item = made_item(json_object_array_get_idx(v, i), m);
        if (item != NULL)
            json_object_array_add(list, item);
    }
    return list;
}

static struct json_object *made_numbers(struct json_object *v, int depth)
{
    enum json_type type = json_object_get_type(v);
    struct json_object *o, *copy;

    if (type != json_type_object)
        return type == json_type_int || type == json_type_double ? json_object_get(v) : NULL;
    if (depth == 0)
        return NULL;
    o = json_object_new_object();
    json_object_object_foreach(v, key, value)
    {
        copy = anew_is_word(key) ? made_numbers(value, depth - 1) : NULL;
        if (copy != NULL)
            json_object_object_add(o, key, copy);
    }
    return o;
}

/* Return a new reference, or NULL if it is not of that kind. */
static struct json_object *made(struct json_object *v, const struct anew_member *m)
{
    enum json_type type = json_object_get_type(v);

    switch (m->kind) {
    case ANEW_TEXT:
        return type == json_type_string ? json_object_get(v) : NULL;
    case ANEW_WORD:
        return type == json_type_string && anew_is_word(json_object_get_string(v))
                   ? json_object_get(v)
                   : NULL;
    case ANEW_NUMBER:
        return type == json_type_int || type == json_type_double ? json_object_get(v) : NULL;
    case ANEW_YES_OR_NO:
        return type == json_type_boolean ? json_object_get(v) : NULL;
    case ANEW_NUMBERS:
        return type == json_type_object ? made_numbers(v, 3) : NULL;
    case ANEW_VALUE:
        return type == json_type_object ? json_object_get(v) : NULL;
    case ANEW_OBJECT:
        return type == json_type_object ? made_object(v, m->of) : NULL;
    case ANEW_LIST:
    case ANEW_BLOCKS:
        return made_list(v, m);
    }
    return NULL;
}

/* ---- the tree -----------------------------------------------------------------------------------
 */

/* What stands for the record ${id} among what comes, "" for nothing. */
static const char *standing_for(const struct rebuild *r, const char *id)
{
    const char *above = map_get(r->gone, id);

    return above != NULL ? above : id;
}

const char *anew_link(const struct rebuild *r, const char *id)
{
    const char *above = standing_for(r, id), *next = map_get(r->next, id);

    return above != id && next != NULL ? next : above;
}

const char *anew_id(const struct json_object *o, const char *key)
{
    const char *id = jdoc_str(o, key);

    return id != NULL && anew_is_word(id) && strlen(id) <= ID_MAX ? id : "";
}

void anew_add_base(struct rebuild *r, struct json_object *in, struct json_object *out)
{
    const char *id = anew_id(in, r->rules->id), *parent = anew_id(in, r->rules->parent);
    const char *above = standing_for(r, parent), *at = jdoc_str(in, "timestamp");

    if (id[0] == '\0') /* the list is the order */
        return;
    jdoc_set_str(out, r->rules->id, id);
    jdoc_set_str(out, r->rules->parent, above[0] != '\0' ? above : NULL);
    if (at != NULL && anew_is_word(at))
        jdoc_set_str(out, "timestamp", at);
    if (parent[0] != '\0' && above != parent && map_get(r->next, parent) == NULL)
        map_put(r->next, parent, str_dup(id));
}

char *anew_cwd(const struct rebuild *r, const struct json_object *in)
{
    const char *cwd = jdoc_str(in, "cwd");
    char *moved;

    if (r->opts.cwd == NULL)
        return str_dup(cwd != NULL ? cwd : "/");
    moved = cwd != NULL ? r->opts.moved(r->opts.arg, cwd) : NULL;
    if (moved != NULL && path_stays_below(moved, r->opts.cwd))
        return moved;
    free(moved);
    return str_dup(r->opts.cwd);
}

/* ---- records ------------------------------------------------------------------------------------
 */

static void leave_out(struct rebuild *r, const struct json_object *in, const char *type)
{
    const char *id = anew_id(in, r->rules->id), *subtype = jdoc_str(in, "subtype");
    const char *what = in == NULL        ? "damaged"
                       : subtype != NULL ? subtype
                       : type != NULL    ? type
                                         : "unnamed";

    if (r->opts.losses != NULL) {
        losses_add(r->opts.losses, "record", what);
        r->opts.losses->is_news |= in != NULL && r->rules->is_said(in, type);
    }
    if (id[0] != '\0' && map_get(r->gone, id) == NULL)
        map_put(r->gone, id, str_dup(standing_for(r, anew_id(in, r->rules->parent))));
}

/* "cwd" is where it should be: it is not moved again. */
static size_t on_made_begin(void *arg, const struct jscan *s, enum jscan_type type)
{
    struct places *x = arg;
    const char *in = x->rules->cwd_in;

    if (s->depth <= x->in_depth)
        x->in_depth = 0;
    if (in != NULL && s->depth >= 1 && s->depth <= 2 && type == JSCAN_OBJECT &&
        strcmp(s->key, in) == 0)
        x->in_depth = s->depth;
    x->is_cwd = type == JSCAN_STRING && strcmp(s->key, "cwd") == 0 && s->depth == x->in_depth + 1 &&
                (in == NULL || x->in_depth > 0);
    x->begun_at = s->at;
    return x->is_cwd ? 1 : 0;
}

static void on_made_string(void *arg, const struct jscan *s, const char *text, size_t len,
                           int is_cut)
{
    struct places *x = arg;

    (void)text, (void)len, (void)is_cut;
    if (x->is_cwd)
        add_place(x, s->at + 1);
    x->is_cwd = 0;
}

static void on_made_close(void *arg, const struct jscan *s)
{
    (void)arg, (void)s;
}

static int put_made(const struct rebuild *r, struct json_object *o, struct ct_err *err)
{
    static const struct jscan_ops ops = {on_made_begin, on_made_string, on_made_close, NULL};
    const char *text = jdoc_text(o);
    struct places x = {.rules = r->rules};
    struct jscan scan;

    jscan_init(&scan);
    jscan_feed(&scan, &ops, &x, text, strlen(text));
    return put_but(r, text, strlen(text), &x, err);
}

static int put_anew(struct rebuild *r, const char *p, size_t n, struct ct_err *err)
{
    struct json_object *in = NULL, *out;
    const char *type;
    int rc = 0;

    if (jdoc_parse(p, n, &in, NULL) != 0) {
        if (n > 0)
            leave_out(r, NULL, NULL);
        return 0;
    }
    type = jdoc_str(in, "type");
    out = r->rules->make(r, in, type);
    if (out == NULL) {
        leave_out(r, in, type);
    } else {
        rc = put_made(r, out, err);
        if (rc == 0)
            rc = put(r, "\n", 1, 1, err);
        json_object_put(out);
    }
    json_object_put(in);
    return rc;
}

/* ---- lines --------------------------------------------------------------------------------------
 */

struct rebuild *anew_new(const struct rebuild_opts *opts, const struct anew_rules *rules)
{
    struct rebuild *r = str_calloc(1, sizeof(*r));

    r->opts = *opts;
    r->rules = rules;
    r->gone = map_new();
    r->next = map_new();
    return r;
}

void anew_free(struct rebuild *r)
{
    if (r == NULL)
        return;
    map_free_all(r->gone);
    map_free_all(r->next);
    if (r->own != NULL)
        r->rules->free_own(r->own);
    buf_free(&r->line);
    free(r);
}

static int end_line(struct rebuild *r, int has_newline, struct ct_err *err)
{
    int rc = 0;

    if (r->opts.trust == TRUST_OWN) {
        if (!r->is_overlong)
            rc = put_own(r, r->line.data != NULL ? r->line.data : "", r->line.len, err);
        if (rc == 0 && has_newline)
            rc = put(r, "\n", 1, 0, err);
    } else if (r->is_overlong) {
        leave_out(r, NULL, NULL);
    } else {
        rc = put_anew(r, r->line.data != NULL ? r->line.data : "", r->line.len, err);
    }
    r->is_overlong = 0;
    buf_reset(&r->line);
    return rc;
}

/* A line that is too long to be looked at: one's own goes through as it is. */
static int overflow(struct rebuild *r, const char *p, size_t n, struct ct_err *err)
{
    int rc = 0;

    if (r->opts.trust == TRUST_OWN) {
        rc = put(r, r->line.data, r->line.len, 0, err);
        if (rc == 0)
            rc = put(r, p, n, 0, err);
    }
    buf_reset(&r->line);
    r->is_overlong = 1;
    return rc;
}

int anew_feed(struct rebuild *r, const void *p, size_t n, struct ct_err *err)
{
    const char *s = p;

    if (r->rules->make_document != NULL) {
        r->is_overlong |= r->line.len + n > REBUILD_DOCUMENT_MAX;
        if (!r->is_overlong)
            buf_add(&r->line, p, n);
        return 0;
    }
    while (n > 0) {
        const char *newline = memchr(s, '\n', n);
        size_t part = newline != NULL ? (size_t)(newline - s) : n;
        int rc = 0;
        if (r->is_overlong || r->line.len + part > REBUILD_LINE_MAX)
            rc = overflow(r, s, part, err);
        else
            buf_add(&r->line, s, part);
        if (rc == 0 && newline != NULL)
            rc = end_line(r, 1, err);
        if (rc != 0)
            return -1;
        part += newline != NULL;
        s += part;
        n -= part;
    }
    return 0;
}

/* Its last line may lack its newline. */
static int add_own(struct rebuild *r, int is_open, struct ct_err *err)
{
    struct json_object *o = r->rules->end_own(r);
    const char *text = jdoc_text(o);
    int rc = 0;

    if (o != NULL && is_open)
        rc = put(r, "\n", 1, 0, err);
    if (o != NULL && rc == 0)
        rc = put(r, text, strlen(text), 0, err);
    if (o != NULL && rc == 0)
        rc = put(r, "\n", 1, 0, err);
    json_object_put(o);
    return rc;
}

int anew_end(struct rebuild *r, struct ct_err *err)
{
    int is_open = r->line.len > 0 || r->is_overlong;

    if (r->rules->make_document != NULL)
        return r->is_overlong || r->line.len == 0
                   ? 1
                   : r->rules->make_document(&r->opts, r->line.data, r->line.len, err);
    if (is_open && end_line(r, 0, err) != 0)
        return -1;
    if (r->opts.trust == TRUST_OWN && r->rules->end_own != NULL && add_own(r, is_open, err) != 0)
        return -1;
    return r->has_begun || r->opts.trust == TRUST_OWN ? 0 : 1;
}
