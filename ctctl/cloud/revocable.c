#include <stdlib.h>
#include <string.h>

#include "common/data/jdoc.h"
#include "common/base/percent.h"
#include "common/base/str.h"
#include "ctctl/ctx/opts.h"
#include "ctctl/ui/term.h"
#include "net/http.h"

#include "ctctl/cloud/revocable.h"

char *revocable_name(const struct json_object *item)
{
    const char *name = jdoc_str(item, "name");

    if (name == NULL)
        name = "";
    return str_printf("%s%s", name, jdoc_bool(item, "current", 0) ? " (this machine)" : "");
}

static int fetch(struct ctx *c, const struct revocable *t, struct json_object **ret,
                 struct ct_err *err)
{
    if (ctx_cloud(c, "GET", t->path, NULL, ret, err) != 0) {
        if (err->code == ERR_GONE)
            err_set(err, ERR_REFUSED, "this server does not list its %s", t->member);
        return -1;
    }
    if (jdoc_array(*ret, t->member) == NULL) {
        json_object_put(*ret);
        return err_set(err, ERR_CORRUPT, "the server's answer holds no %s", t->member);
    }
    return 0;
}

static int list(struct ctx *c, const struct revocable *t)
{
    struct json_object *o, *all;
    struct buf b = {0};
    struct ct_err e;

    if (fetch(c, t, &o, &e) != 0)
        return ctx_fail(c, &e);
    all = jdoc_array(o, t->member);
    if (c->json)
        ctx_json(c, o);
    else if (json_object_array_length(all) == 0)
        ctx_say(c, "%s", t->none);
    else
        t->table(&c->out, all, &b);
    ctx_print(c, &b);
    buf_free(&b);
    json_object_put(o);
    return CTX_OK;
}

static struct json_object *find(const struct revocable *t, struct json_object *all, const char *id,
                                struct ct_err *err)
{
    struct json_object *found = NULL;

    for (size_t i = 0; i < json_object_array_length(all); i++) {
        struct json_object *o = json_object_array_get_idx(all, i);
        const char *s = jdoc_str(o, "id");
        if (s == NULL || strncmp(s, id, strlen(id)) != 0)
            continue;
        if (strcmp(s, id) == 0)
            return o;
        if (found != NULL) {
            err_set(err, ERR_CONFLICT, "several %s begin with \"%s\"; give more of the ID",
                    t->member, id);
            return NULL;
        }
        found = o;
    }
    if (found == NULL)
        err_set(err, ERR_GONE, "no %s begins with \"%s\"; see: ctctl %s", t->one, id, t->member);
    return found;
}

/* What is revoked can't be had back: a person says yes, a script --yes. */
static int agree(struct ctx *c, const struct revocable *t, const struct json_object *item,
                 int is_agreed)
{
    char *name = revocable_name(item), *clean = text_clean(&c->err, name), *question;
    int rc = CTX_OK;

    if (jdoc_bool(item, "current", 0))
        question = str_printf("Revoke the %s that is in use here? Nothing more is saved from this "
                              "machine until it is logged in again.",
                              t->one);
    else
        question =
            str_printf("Revoke the %s %s? Whoever uses it has to log in again.", t->one, clean);
    if (is_agreed)
        rc = CTX_OK;
    else if (!term_is_interactive())
        rc = ctx_usage(c, "to revoke the %s %s without being asked, add --yes", t->one, clean);
    else if (!term_confirm(question))
        rc = CTX_FAILED;
    if (rc == CTX_FAILED)
        ctx_say(c, "nothing was changed");
    free(question);
    free(clean);
    free(name);
    return rc;
}

static int revoke_thing(struct ctx *c, const struct revocable *t, const char *word, int is_agreed)
{
    struct json_object *o, *item, *answer;
    struct buf b = {0};
    struct ct_err e;
    char *name, *id, *path;
    int rc = CTX_FAILED;

    if (fetch(c, t, &o, &e) != 0)
        return ctx_fail(c, &e);
    item = find(t, jdoc_array(o, t->member), word, &e);
    if (item == NULL) {
        rc = ctx_fail(c, &e);
        goto done;
    }
    rc = agree(c, t, item, is_agreed);
    if (rc != CTX_OK)
        goto done;
    id = percent_encode(jdoc_str(item, "id"));
    path = str_printf("%s/%s", t->path, id);
    rc = ctx_cloud(c, "DELETE", path, NULL, &answer, &e);
    free(path);
    free(id);
    if (rc != 0) {
        rc = ctx_fail(c, &e);
        goto done;
    }
    name = text_clean(&c->out, jdoc_str(item, "name"));
    if (c->json)
        ctx_json(c, answer);
    else
        buf_printf(&b, "Revoked the %s %s.\n", t->one, name);
    ctx_print(c, &b);
    buf_free(&b);
    free(name);
    json_object_put(answer);

done:
    json_object_put(o);
    return rc;
}

int revocable_run(struct ctx *c, const struct revocable *t, int argc, char **argv)
{
    struct strlist words = {0};
    int is_agreed = 0;
    const struct opt opts[] = {{"yes", OPT_FLAG, &is_agreed}};
    int rc = opts_parse(c, opts, 1, argc, argv, &words);

    if (rc != -1)
        goto done;
    if (words.n == 0 || (words.n == 1 && strcmp(words.v[0], "list") == 0))
        rc = list(c, t);
    else if (words.n == 2 && strcmp(words.v[0], "revoke") == 0)
        rc = revoke_thing(c, t, words.v[1], is_agreed);
    else
        rc = ctx_usage(c, "say \"%s\" to list them, or \"%s revoke ID\"", t->member, t->member);

done:
    strlist_free(&words);
    return rc;
}
