#include <string.h>

#include "common/data/jdoc.h"
#include "ctctl/share/shares.h"

#include "ctctl/ctx/verb.h"

static int end_one(struct ctx *c, const struct json_object *o, struct json_object *ended,
                   struct ct_err *err)
{
    const char *id = jdoc_str(o, "id");

    if (id == NULL || shares_end(c, id, err) != 0)
        return id != NULL ? -1 : err_set(err, ERR_CORRUPT, "the server lists a share without id");
    json_object_array_add(ended, json_object_new_string(id));
    return 0;
}

/* Those that ${words} mean; none: all.  What was ended before an error stays so. */
static int end_these(struct ctx *c, struct json_object *list, const struct strlist *words,
                     struct json_object *ended, struct ct_err *err)
{
    const struct json_object *o;

    for (size_t i = 0; words->n == 0 && i < json_object_array_length(list); i++) {
        if (end_one(c, json_object_array_get_idx(list, i), ended, err) != 0)
            return -1;
    }
    for (size_t i = 0; i < words->n; i++) {
        if ((o = shares_find(list, words->v[i], err)) == NULL || end_one(c, o, ended, err) != 0)
            return -1;
    }
    return 0;
}

static int end_shares(struct ctx *c, const struct strlist *words)
{
    struct json_object *o, *answer = json_object_new_object(), *ended = json_object_new_array();
    struct ct_err e;
    int rc = shares_list(c, &o, &e);

    json_object_object_add(answer, "ended", ended);
    if (rc == 0) {
        rc = end_these(c, jdoc_array(o, "shares"), words, ended, &e);
        json_object_put(o);
    }
    if (rc == 0 && c->json)
        ctx_json(c, answer);
    else if (json_object_array_length(ended) > 0)
        ctx_say(c, "ended %zu share%s; the link%s no more", json_object_array_length(ended),
                json_object_array_length(ended) == 1 ? "" : "s",
                json_object_array_length(ended) == 1 ? " opens" : "s open");
    else if (rc == 0)
        ctx_say(c, "nothing was shared");
    json_object_put(answer);
    return rc == 0 ? CTX_OK : ctx_fail(c, &e);
}

static int run(struct ctx *c, int argc, char **argv)
{
    struct strlist words = {0};
    int is_all = 0, rc;
    const struct opt opts[] = {{"all", OPT_FLAG, &is_all}};

    rc = opts_parse(c, opts, 1, argc, argv, &words);
    if (rc == -1 && is_all == (words.n > 0))
        rc = ctx_usage(c, "unshare wants the ID of a share (see: ctctl shares), or --all");
    if (rc == -1)
        rc = end_shares(c, &words);
    strlist_free(&words);
    return rc;
}

const struct verb verb_unshare = {
    "unshare",
    "ID... | --all",
    "end what is shared",
    "The link opens nothing any more, from this moment on, and the server removes what it\n"
    "stored for it. What somebody has read or kept is theirs.\n"
    "\n"
    "  --all   all that this account shares\n",
    run,
    "ctctl unshare 3f2a9c1b  # one of those that ctctl shares lists\n"
    "ctctl unshare --all     # all of them\n",
};
