#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"
#include "common/data/jdoc.h"
#include "ctctl/read/reading.h"
#include "ctctl/read/telling.h"
#include "ctctl/ui/pager.h"

#include "ctctl/ctx/verb.h"

/* One of the two: its turns, and what they are known by. */
struct side {
    struct reading reading;
    struct json_object *turns;
    struct json_object *keys; /* the same turns by that */
};

/* What a turn is known by: its place in its record; without an identity, its text.  The caller
 * frees it. */
static char *key_of(const struct turn *t)
{
    if (t->record != NULL)
        return str_printf("%s %d", t->record, t->part);
    return str_printf("- %d %s", (int)t->kind, t->text);
}

static void keep(void *arg, const struct turn *t)
{
    struct side *s = arg;
    struct json_object *o = telling_json(t);
    char *key = key_of(t);

    json_object_array_add(s->turns, o);
    json_object_object_add(s->keys, key, json_object_get(o));
    free(key);
}

/* Are both the same words, but that what lay below one folder lies below another?  Which two, their
 * working folders say: the ends that these share are the project's own. */
static int is_moved(const struct turn *a, const struct turn *b)
{
    const char *p = a->text, *q = b->text;
    size_t n, m;

    if (a->cwd == NULL || b->cwd == NULL)
        return 0;
    for (n = strlen(a->cwd), m = strlen(b->cwd); n > 1 && m > 1 && a->cwd[n - 1] == b->cwd[m - 1];
         n--, m--)
        continue;
    while (*p != '\0' || *q != '\0') {
        if (strncmp(p, a->cwd, n) == 0 && strncmp(q, b->cwd, m) == 0) {
            p += n;
            q += m;
        } else if (*p++ != *q++) {
            return 0;
        }
    }
    return 1;
}

/* Return those turns of ${a} that ${b} lacks, or has in other words; the caller owns them. */
static struct json_object *lacking(const struct side *a, const struct side *b)
{
    struct json_object *ret = json_object_new_array(), *other;

    for (size_t i = 0; i < json_object_array_length(a->turns); i++) {
        struct json_object *o = json_object_array_get_idx(a->turns, i);
        struct turn t, its;
        char *key;
        telling_turn(o, &t);
        key = key_of(&t);
        other = jdoc_obj(b->keys, key);
        if (other != NULL)
            telling_turn(other, &its);
        if (other == NULL || (strcmp(t.text, its.text) != 0 && !is_moved(&t, &its)))
            json_object_array_add(ret, json_object_get(o));
        free(key);
    }
    return ret;
}

static char *name_of(const struct side *s)
{
    return s->reading.found == 0 ? str_dup("what is here")
                                 : str_printf("version %" PRId64, s->reading.found);
}

static void add_text(struct ctx *c, struct buf *b, const struct side *s, struct json_object *turns)
{
    struct telling x = {
        .st = &c->out, .out = b, .with_asides = 1, .with_thinking = 1, .with_notes = 1};
    size_t n = json_object_array_length(turns);
    char *name = name_of(s), *head;

    head = str_printf("==== only in %s: %zu turn%s\n", name, n, n == 1 ? "" : "s");
    text_add(b, &c->out, TEXT_BOLD, head);
    for (size_t i = 0; i < n; i++) {
        struct turn t;
        telling_turn(json_object_array_get_idx(turns, i), &t);
        telling_add(&x, &t);
    }
    free(head);
    free(name);
}

static struct json_object *side_json(const struct side *s, struct json_object *turns)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_int(o, "version", s->reading.found);
    jdoc_set_int(o, "turns", (int64_t)json_object_array_length(s->turns));
    json_object_object_add(o, "only", json_object_get(turns));
    return o;
}

static void print(struct ctx *c, const struct side *a, const struct side *b)
{
    struct json_object *in_a = lacking(a, b), *in_b = lacking(b, a), *o;
    size_t n = json_object_array_length(in_a), m = json_object_array_length(in_b);
    struct buf out = {0};

    if (c->json) {
        o = json_object_new_object();
        jdoc_set_str(o, "sessionId", a->reading.session_id);
        json_object_object_add(o, "a", side_json(a, in_a));
        json_object_object_add(o, "b", side_json(b, in_b));
        ctx_json(c, o);
        json_object_put(o);
    } else if (n + m == 0) {
        buf_printf(&out, "Both hold the same conversation (%zu turns)\n",
                   json_object_array_length(a->turns));
        ctx_print(c, &out);
    } else {
        if (n > 0)
            add_text(c, &out, a, in_a);
        if (n > 0 && m > 0)
            buf_addc(&out, '\n');
        if (m > 0)
            add_text(c, &out, b, in_b);
        pager_print(&c->out, &out);
    }
    buf_free(&out);
    json_object_put(in_b);
    json_object_put(in_a);
}

static int compare(struct ctx *c, struct side *a, struct side *b)
{
    struct side *const sides[] = {a, b};
    struct ct_err e;
    int rc = CTX_OK;

    for (size_t i = 0; i < 2; i++) {
        sides[i]->turns = json_object_new_array();
        sides[i]->keys = json_object_new_object();
    }
    for (size_t i = 0; i < 2 && rc == CTX_OK; i++) {
        if (reading_do(c, &sides[i]->reading, keep, sides[i], &e) != 0)
            rc = ctx_fail(c, &e);
    }
    if (rc == CTX_OK)
        print(c, a, b);
    for (size_t i = 0; i < 2; i++) {
        json_object_put(sides[i]->keys);
        json_object_put(sides[i]->turns);
    }
    return rc;
}

/* A version as it is written on the command line: a number. */
static int version_of(const char *word, int64_t *ret)
{
    unsigned long long n;

    if (str_parse_u64(word, &n) != 0 || n == 0 || n > INT32_MAX)
        return -1;
    *ret = (int64_t)n;
    return 0;
}

static int run(struct ctx *c, int argc, char **argv)
{
    struct side a = {0}, b = {0};
    struct strlist words = {0};
    int is_plain = 0;
    const struct opt opts[] = {{"plain", OPT_FLAG, &is_plain}};
    int rc = opts_parse(c, opts, 1, argc, argv, &words);

    if (rc == -1 && (words.n < 1 || words.n > 3))
        rc = ctx_usage(c, "diff wants the ID of one session, and up to two of its versions");
    if (rc == -1 && ((words.n > 1 && version_of(words.v[1], &a.reading.version) != 0) ||
                     (words.n > 2 && version_of(words.v[2], &b.reading.version) != 0)))
        rc = ctx_usage(c, "a version is a number, as ctctl versions shows it");
    if (rc == -1) {
        a.reading.word = b.reading.word = words.v[0];
        a.reading.is_plain = b.reading.is_plain = is_plain;
        a.reading.must_be_here = words.n < 3;
        if (words.n == 2)
            b.reading.version = a.reading.version;
        if (words.n < 3)
            a.reading.version = 0;
        b.reading.is_cloud = 1;
        rc = compare(c, &a, &b);
    }
    strlist_free(&words);
    return rc;
}

const struct verb verb_diff = {
    "diff",
    "ID [VERSION [VERSION]] [--plain]",
    "what one state of a session has that another lacks",
    "Shows, as ctctl cat does, the turns that only one of two states of a session has: what\n"
    "is here and the newest version in the cloud, or that VERSION, or two of the cloud's.\n"
    "Nothing is installed. A turn is known by the identity that its agent gave it, and shown\n"
    "of both if its words differ, but for the folder that the session lies in.\n"
    "\n"
    "  --plain  what is there in clear, on a device that seals\n",
    run,
    "ctctl diff 29221bf7      # what the cloud has that is not here, and the other way round\n"
    "ctctl diff 29221bf7 3 4  # the same of two versions, when a session went on apart\n",
};
