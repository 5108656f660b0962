#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "agents/pi/pi.h"
#include "common/base/buf.h"
#include "common/base/map.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"
#include "common/data/jscan.h"

/*
 * A session of pi on its way home.  One's own comes line by line as it is, but for its paths; a
 * thinking block that bears a signature is not touched at all, for the API refuses one that says
 * something else.  Of what others wrote each record is made anew, from what the tables below name.
 * Records hang on one another: what hung on one that is left out hangs on what that hung on.
 */
#define ID_MAX 64
#define SIGNED_MAX 256 /* blocks of one record; of further ones paths are moved */

struct span {
    uint64_t begin, end;
};

struct rebuild {
    struct rebuild_opts opts;
    struct buf line;
    int is_overlong; /* the line under way was let through, or is left out */
    int has_header;
    struct map *gone; /* id of a record that was left out -> what it hung on (owned), "": nothing */
    struct map *next; /* ... -> the first that hung on it and came (owned) */

    /* Of the line that is looked through for signatures. */
    int in_message, in_content, is_signed;
    uint64_t block_at;
    struct span spans[SIGNED_MAX];
    size_t n_spans;
};

/* ---- one's own ----------------------------------------------------------------------------------
 */

static size_t on_begin(void *arg, const struct jscan *s, enum jscan_type type)
{
    struct rebuild *r = arg;

    if (s->depth == 1)
        r->in_message = type == JSCAN_OBJECT && strcmp(s->key, "message") == 0;
    else if (s->depth == 2)
        r->in_content = r->in_message && type == JSCAN_ARRAY && strcmp(s->key, "content") == 0;
    else if (s->depth == 3 && r->in_content) {
        r->block_at = s->at;
        r->is_signed = 0;
    } else if (s->depth == 4 && r->in_content && strcmp(s->key, "thinkingSignature") == 0)
        r->is_signed = type == JSCAN_STRING;
    return 0;
}

static void on_close(void *arg, const struct jscan *s)
{
    struct rebuild *r = arg;

    if (s->depth == 4 && r->in_content && r->is_signed && r->n_spans < SIGNED_MAX)
        r->spans[r->n_spans++] = (struct span){r->block_at, s->at + 1};
    if (s->depth == 4)
        r->is_signed = 0;
    else if (s->depth <= 3)
        r->in_content = 0;
}

static int put(const struct rebuild *r, const char *p, size_t n, int is_exact, struct ct_err *err)
{
    return n > 0 ? r->opts.put(r->opts.arg, p, n, is_exact, err) : 0;
}

static int put_own(struct rebuild *r, const char *p, size_t n, struct ct_err *err)
{
    static const struct jscan_ops ops = {on_begin, NULL, on_close, NULL};
    struct jscan scan;
    size_t at = 0;
    int rc = 0;

    r->n_spans = 0;
    r->in_message = r->in_content = r->is_signed = 0;
    jscan_init(&scan);
    jscan_feed(&scan, &ops, r, p, n);
    for (size_t i = 0; rc == 0 && i < r->n_spans; i++) {
        rc = put(r, p + at, (size_t)r->spans[i].begin - at, 0, err);
        at = (size_t)r->spans[i].begin;
        if (rc == 0)
            rc = put(r, p + at, (size_t)r->spans[i].end - at, 1, err);
        at = (size_t)r->spans[i].end;
    }
    return rc == 0 ? put(r, p + at, n - at, 0, err) : -1;
}

/* ---- what of others' ----------------------------------------------------------------------------
 */

enum kind { TEXT, NUMBER, YES_OR_NO, WORD, CONTENT, USAGE, ARGUMENTS };

struct member {
    const char *key;
    enum kind kind;
};

static const struct member user_members[] = {
    {"content", CONTENT}, {"timestamp", NUMBER}, {NULL, 0}};
static const struct member assistant_members[] = {
    {"content", CONTENT},   {"api", WORD},         {"provider", WORD},
    {"model", WORD},        {"usage", USAGE},      {"stopReason", WORD},
    {"errorMessage", TEXT}, {"timestamp", NUMBER}, {NULL, 0}};
static const struct member result_members[] = {{"toolCallId", WORD},  {"toolName", WORD},
                                               {"content", CONTENT},  {"isError", YES_OR_NO},
                                               {"timestamp", NUMBER}, {NULL, 0}};
static const struct member bash_members[] = {
    {"command", TEXT},        {"output", TEXT},
    {"exitCode", NUMBER},     {"cancelled", YES_OR_NO},
    {"truncated", YES_OR_NO}, {"excludeFromContext", YES_OR_NO},
    {"timestamp", NUMBER},    {NULL, 0}};

static const struct {
    const char *role;
    const struct member *members;
} roles[] = {
    {"user", user_members},
    {"assistant", assistant_members},
    {"toolResult", result_members},
    {"bashExecution", bash_members},
};

static const struct member text_block[] = {{"text", TEXT}, {NULL, 0}};
static const struct member thinking_block[] = {{"thinking", TEXT}, {NULL, 0}};
static const struct member image_block[] = {{"data", TEXT}, {"mimeType", WORD}, {NULL, 0}};
static const struct member call_block[] = {
    {"id", WORD}, {"name", WORD}, {"arguments", ARGUMENTS}, {NULL, 0}};

static const struct {
    const char *type;
    const struct member *members;
} blocks[] = {
    {"text", text_block},
    {"thinking", thinking_block},
    {"image", image_block},
    {"toolCall", call_block},
};

static const struct member thinking_level[] = {{"thinkingLevel", WORD}, {NULL, 0}};
static const struct member model_change[] = {{"provider", WORD}, {"modelId", WORD}, {NULL, 0}};
static const struct member session_info[] = {{"name", TEXT}, {NULL, 0}};
static const struct member label[] = {{"label", TEXT}, {NULL, 0}};
static const struct member compaction[] = {{"summary", TEXT}, {"tokensBefore", NUMBER}, {NULL, 0}};
static const struct member branch_summary[] = {{"summary", TEXT}, {NULL, 0}};

/* ${id}: the member that names another record. */
static const struct {
    const char *type;
    const struct member *members;
    const char *id;
    int is_accounts; /* not from strangers */
} records[] = {
    {"thinking_level_change", thinking_level, NULL, 0},
    {"model_change", model_change, NULL, 1},
    {"session_info", session_info, NULL, 0},
    {"label", label, "targetId", 0},
    {"compaction", compaction, "firstKeptEntryId", 0},
    {"branch_summary", branch_summary, "fromId", 0},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* A name of something, and nothing else. */
static int is_word(const char *s)
{
    size_t n = strlen(s);

    for (size_t i = 0; i < n; i++) {
        if (!isalnum((unsigned char)s[i]) && strchr("-_./:@|+=", s[i]) == NULL)
            return 0;
    }
    return n > 0 && n <= 512;
}

static struct json_object *made(struct json_object *v, enum kind kind);

/* Copy what ${members} names. */
static void take(struct json_object *from, const struct member *members, struct json_object *to)
{
    struct json_object *v, *copy;

    for (; members->key != NULL; members++) {
        if (!json_object_object_get_ex(from, members->key, &v))
            continue;
        copy = made(v, members->kind);
        if (copy != NULL)
            json_object_object_add(to, members->key, copy);
    }
}

static struct json_object *made_block(struct json_object *v)
{
    const char *type = jdoc_str(v, "type");
    struct json_object *o;

    for (size_t i = 0; type != NULL && i < COUNT(blocks); i++) {
        if (strcmp(type, blocks[i].type) != 0)
            continue;
        o = json_object_new_object();
        jdoc_set_str(o, "type", type);
        take(v, blocks[i].members, o);
        return o;
    }
    return NULL;
}

static struct json_object *made_content(struct json_object *v)
{
    struct json_object *list, *block;

    if (json_object_get_type(v) == json_type_string)
        return json_object_get(v);
    if (json_object_get_type(v) != json_type_array)
        return NULL;
    list = json_object_new_array();
    for (size_t i = 0; i < json_object_array_length(v); i++) {
        block = made_block(json_object_array_get_idx(v, i));
        if (block != NULL)
            json_object_array_add(list, block);
    }
    return list;
}

/* Numbers, and objects of such. */
static struct json_object *made_usage(struct json_object *v, int depth)
{
    struct json_object *o;

    if (json_object_get_type(v) != json_type_object)
        return json_object_get_type(v) == json_type_int ||
                       json_object_get_type(v) == json_type_double
                   ? json_object_get(v)
                   : NULL;
    if (depth == 0)
        return NULL;
    o = json_object_new_object();
    json_object_object_foreach(v, key, value)
    {
        struct json_object *copy = is_word(key) ? made_usage(value, depth - 1) : NULL;
        if (copy != NULL)
            json_object_object_add(o, key, copy);
    }
    return o;
}

/* Return a new reference, or NULL if it is not of that kind. */
static struct json_object *made(struct json_object *v, enum kind kind)
{
    enum json_type type = json_object_get_type(v);

    switch (kind) {
    case TEXT:
        return type == json_type_string ? json_object_get(v) : NULL;
    case WORD:
        return type == json_type_string && is_word(json_object_get_string(v)) ? json_object_get(v)
                                                                              : NULL;
    case NUMBER:
        return type == json_type_int || type == json_type_double ? json_object_get(v) : NULL;
    case YES_OR_NO:
        return type == json_type_boolean ? json_object_get(v) : NULL;
    case ARGUMENTS: /* of a call that was made: it is shown, and sent to the model */
        return type == json_type_object ? json_object_get(v) : NULL;
    case CONTENT:
        return made_content(v);
    case USAGE:
        return type == json_type_object ? made_usage(v, 2) : NULL;
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

static const char *id_of(const struct json_object *o, const char *key)
{
    const char *id = jdoc_str(o, key);

    return id != NULL && is_word(id) && strlen(id) <= ID_MAX ? id : "";
}

static void leave_out(struct rebuild *r, const struct json_object *in, const char *type)
{
    const char *id = id_of(in, "id"), *role = jdoc_str(jdoc_obj(in, "message"), "role");

    if (r->opts.losses != NULL) {
        losses_add(r->opts.losses, "record", type != NULL ? type : "damaged");
        r->opts.losses->is_news |=
            type != NULL &&
            (strcmp(type, "message") == 0
                 ? role == NULL || strcmp(role, "system") != 0
                 : strcmp(type, "custom_message") == 0 || strcmp(type, "context_edit") == 0);
    }
    if (id[0] != '\0' && map_get(r->gone, id) == NULL)
        map_put(r->gone, id, str_dup(standing_for(r, id_of(in, "parentId"))));
}

static void add_base(struct rebuild *r, const struct json_object *in, struct json_object *out)
{
    const char *id = id_of(in, "id"), *parent = id_of(in, "parentId");
    const char *above = standing_for(r, parent), *at = jdoc_str(in, "timestamp");

    if (id[0] == '\0') /* of the first version: the list is the order */
        return;
    jdoc_set_str(out, "id", id);
    jdoc_set_str(out, "parentId", above[0] != '\0' ? above : NULL);
    if (at != NULL && is_word(at))
        jdoc_set_str(out, "timestamp", at);
    if (parent[0] != '\0' && above != parent && map_get(r->next, parent) == NULL)
        map_put(r->next, parent, str_dup(id));
}

/* The folder is at or below the one that the session is to live in. */
static struct json_object *made_header(struct rebuild *r, const struct json_object *in)
{
    struct json_object *o = json_object_new_object();
    const char *cwd = jdoc_str(in, "cwd"), *at = jdoc_str(in, "timestamp");
    char *moved = cwd != NULL && r->opts.cwd != NULL ? r->opts.moved(r->opts.arg, cwd) : NULL;

    jdoc_set_str(o, "type", "session");
    if (jdoc_int(in, "version", 0) > 0)
        jdoc_set_int(o, "version", jdoc_int(in, "version", 0));
    jdoc_set_str(o, "id", r->opts.session_id);
    if (at != NULL && is_word(at))
        jdoc_set_str(o, "timestamp", at);
    if (r->opts.cwd == NULL)
        jdoc_set_str(o, "cwd", cwd != NULL ? cwd : "/");
    else
        jdoc_set_str(o, "cwd",
                     moved != NULL && path_is_below(moved, r->opts.cwd) ? moved : r->opts.cwd);
    free(moved);
    r->has_header = 1;
    return o;
}

static struct json_object *made_message(struct rebuild *r, const struct json_object *in)
{
    struct json_object *message = jdoc_obj(in, "message"), *o, *m;
    const char *role = jdoc_str(message, "role"), *stop = jdoc_str(message, "stopReason");

    if (stop != NULL && strcmp(stop, "deferred") == 0)
        return NULL; /* it would be fetched from wherever it says */
    for (size_t i = 0; role != NULL && i < COUNT(roles); i++) {
        if (strcmp(role, roles[i].role) != 0)
            continue;
        o = json_object_new_object();
        jdoc_set_str(o, "type", "message");
        add_base(r, in, o);
        m = json_object_new_object();
        jdoc_set_str(m, "role", role);
        take(message, roles[i].members, m);
        json_object_object_add(o, "message", m);
        return o;
    }
    return NULL;
}

static struct json_object *made_record(struct rebuild *r, struct json_object *in, const char *type)
{
    struct json_object *o;
    const char *id, *above;

    if (strcmp(type, "session") == 0)
        return r->has_header ? NULL : made_header(r, in);
    if (strcmp(type, "message") == 0)
        return made_message(r, in);
    for (size_t i = 0; i < COUNT(records); i++) {
        if (strcmp(type, records[i].type) != 0 ||
            (records[i].is_accounts && r->opts.trust == TRUST_STRANGER))
            continue;
        o = json_object_new_object();
        jdoc_set_str(o, "type", type);
        add_base(r, in, o);
        take(in, records[i].members, o);
        if (records[i].id == NULL)
            return o;
        id = id_of(in, records[i].id);
        above = standing_for(r, id);
        if (above != id && map_get(r->next, id) != NULL)
            above = map_get(r->next, id);
        jdoc_set_str(o, records[i].id, above);
        return o;
    }
    return NULL;
}

static int put_anew(struct rebuild *r, const char *p, size_t n, struct ct_err *err)
{
    struct json_object *in = NULL, *out;
    const char *type, *text;
    int rc = 0, is_header;

    if (jdoc_parse(p, n, &in, NULL) != 0) {
        if (n > 0)
            leave_out(r, NULL, NULL);
        return 0;
    }
    type = jdoc_str(in, "type");
    out = type != NULL ? made_record(r, in, type) : NULL;
    if (out == NULL) {
        leave_out(r, in, type);
    } else {
        is_header = strcmp(type, "session") == 0;
        text = jdoc_text(out);
        rc = put(r, text, strlen(text), is_header, err);
        if (rc == 0)
            rc = put(r, "\n", 1, 1, err);
        json_object_put(out);
    }
    json_object_put(in);
    return rc;
}

/* ---- lines --------------------------------------------------------------------------------------
 */

struct rebuild *pi_rebuild_new(const struct rebuild_opts *opts, const char *entry)
{
    struct rebuild *r = str_calloc(1, sizeof(*r));

    r->opts = *opts;
    r->has_header = strcmp(entry, "session.jsonl") != 0; /* others' lines have none */
    r->gone = map_new();
    r->next = map_new();
    return r;
}

void pi_rebuild_free(struct rebuild *r)
{
    if (r == NULL)
        return;
    map_free_all(r->gone);
    map_free_all(r->next);
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

int pi_rebuild_feed(struct rebuild *r, const void *p, size_t n, struct ct_err *err)
{
    const char *s = p;

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

int pi_rebuild_end(struct rebuild *r, struct ct_err *err)
{
    if ((r->line.len > 0 || r->is_overlong) && end_line(r, 0, err) != 0)
        return -1;
    return r->has_header || r->opts.trust == TRUST_OWN ? 0 : 1;
}
