#include <stdlib.h>

#include "common/base/buf.h"
#include "common/data/jdoc.h"
#include "common/base/str.h"
#include "ctctl/key/login.h"

#include "ctctl/ctx/verb.h"

static int log_out(struct ctx *c)
{
    struct json_object *o;
    struct buf b = {0};
    struct ct_err e;
    char *path = cred_path();
    int was_in, revoked = 0, rc;

    was_in = cred_load(path, &c->cred, &e) == 0;
    if (was_in) {
        revoked = login_revoke(c, &e) == 0;
        if (!revoked && e.code != ERR_AUTH)
            ctx_say(c, "the token could not be revoked at the server: %s", e.msg);
        if (!revoked && e.code != ERR_AUTH)
            ctx_say(c, "it is forgotten here all the same; ctctl tokens, logged in elsewhere, can "
                       "end it");
    }
    rc = cred_forget(path, &e);
    free(path);
    if (rc != 0)
        return ctx_fail(c, &e);
    if (c->json) {
        o = json_object_new_object();
        jdoc_set_bool(o, "wasLoggedIn", was_in);
        jdoc_set_bool(o, "revoked", revoked);
        ctx_json(c, o);
        json_object_put(o);
    } else {
        buf_addstr(&b, was_in ? "Logged out. Changes are noticed but not saved until you log in "
                                "again: ctctl login\n"
                              : "You were not logged in.\n");
        ctx_print(c, &b);
        buf_free(&b);
    }
    return CTX_OK;
}

static int run(struct ctx *c, int argc, char **argv)
{
    struct strlist words = {0};
    int rc = opts_parse(c, NULL, 0, argc, argv, &words);

    if (rc == -1 && words.n > 0)
        rc = ctx_usage(c, "logout takes no further words");
    strlist_free(&words);
    return rc != -1 ? rc : log_out(c);
}

const struct verb verb_logout = {
    "logout",
    "",
    "forget the credentials",
    "Ends this machine's token at the server, as far as it can be reached, and forgets it\n"
    "here. What is saved stays saved; the daemon goes on noticing changes and saves them\n"
    "after the next login.\n",
    run,
    "ctctl logout  # then ctctl login goes where this one was\n",
};
