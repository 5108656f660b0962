#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/api.h"
#include "api/client.h"
#include "common/base/str.h"
#include "ctctl/here/unknown.h"
#include "ctctl/ui/term.h"

#include "ctctl/key/login_profile.h"

#define ANSWER_MS 30000

static int takes_profiles(const struct login *l)
{
    struct json_object *o;
    unsigned features;

    if (api_call(&l->policy, l->cred.api_url, l->cred.token, "GET", "/auth/me", NULL, &o, NULL) !=
        0)
        return 0;
    features = api_features(o);
    json_object_put(o);
    return (features & API_HAS_PROFILE) != 0;
}

static int64_t files_of_none(struct ctx *c)
{
    int64_t n;

    json_object_put(unknown_look(c, &c->config->roots, &n));
    return n;
}

static void explain(const struct ctx *c, int64_t n)
{
    char *files = text_count(n, "file here belongs", "files here belong");
    char *text =
        str_printf("%s to no session: memory of agents, lists of tasks with a name, teams. "
                   "They can be saved too, with memory and plans that no session has, as "
                   "one bundle for this device.",
                   files);
    struct buf b = {0};

    buf_addc(&b, '\n');
    text_wrap(&b, &c->err, TEXT_PLAIN, "", "", text);
    buf_addc(&b, '\n');
    fputs(b.data, stderr);
    buf_free(&b);
    free(text);
    free(files);
}

static void say_yes_or_no(struct ctx *c, int yes)
{
    struct json_object *o;
    struct ct_err e;

    if (config_say_profile(c->config, yes, &e) != 0)
        ctx_say(c, "%s", e.msg);
    else if (ctx_call(c, "reload", NULL, ANSWER_MS, &o, NULL) == 0)
        json_object_put(o);
}

/* A new account has nothing that it was not to have: where nobody is asked, the answer is that of
 * an empty line. */
static void settle_new(struct ctx *c)
{
    ctx_say(c,
            "what belongs to no session (memory of agents, named lists of tasks, teams) is saved "
            "too, as one bundle for this device; if you don't want that: profile = false; in "
            "codeteleportd.conf");
    say_yes_or_no(c, 1);
}

void login_profile_settle(struct ctx *c, const struct login *l)
{
    int is_asking = !c->json && term_is_interactive();
    int64_t n;

    if (c->config->profile >= 0 || (c->json && !l->is_new))
        return;
    n = files_of_none(c);
    if ((n == 0 && !l->is_new) || !takes_profiles(l))
        return;
    if (is_asking && n > 0) {
        explain(c, n);
        say_yes_or_no(c, term_agree("Shall they be saved?"));
    } else if (l->is_new) {
        settle_new(c);
    } else {
        ctx_say(c,
                "%" PRId64 " of the files here belong to no session (memory of agents, named lists "
                "of tasks, teams) and are not saved. To have them saved, or not to be told: "
                "profile = true; or false; in codeteleportd.conf",
                n);
    }
}
