#include "ctctl/ctx/verb.h"

#define ANSWER_MS 30000

static int run(struct ctx *c, int argc, char **argv)
{
    struct strlist words = {0};
    struct json_object *o;
    struct buf b = {0};
    struct ct_err e;
    int rc = opts_parse(c, NULL, 0, argc, argv, &words);

    if (rc == -1 && words.n > 0)
        rc = ctx_usage(c, "resume takes no further words");
    strlist_free(&words);
    if (rc != -1)
        return rc;
    if (ctx_call(c, "resume", NULL, ANSWER_MS, &o, &e) != 0)
        return ctx_fail(c, &e);
    if (c->json) {
        ctx_json(c, o);
    } else {
        buf_addstr(&b, "Uploading goes on.\n");
        ctx_print(c, &b);
        buf_free(&b);
    }
    json_object_put(o);
    return CTX_OK;
}

const struct verb verb_resume = {
    "resume",
    "",
    "go on after a pause",
    "Ends a pause; what has waited is saved now.\n",
    run,
    "ctctl resume  # save again\n",
};
