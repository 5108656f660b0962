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

void login_profile_settle(struct ctx *c, const struct login *l)
{
    struct json_object *o;
    struct ct_err e;
    int64_t n;

    if (c->json || c->config->profile >= 0)
        return;
    n = files_of_none(c);
    if (n == 0 || !takes_profiles(l))
        return;
    if (!term_is_interactive()) {
        ctx_say(c,
                "%" PRId64 " of the files here belong to no session (memory of agents, named lists "
                "of tasks, teams) and are not saved. To have them saved, or not to be told: "
                "profile = true; or false; in codeteleportd.conf",
                n);
        return;
    }
    explain(c, n);
    if (config_say_profile(c->config, term_agree("Shall they be saved?"), &e) != 0)
        ctx_say(c, "%s", e.msg);
    else if (ctx_call(c, "reload", NULL, ANSWER_MS, &o, NULL) == 0)
        json_object_put(o);
}
