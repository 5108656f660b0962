#include <stdio.h>
#include <stdlib.h>

#include "agents/roots.h"
#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"
#include "ctctl/ui/term.h"

#include "ctctl/key/login_agents.h"

#define ANSWER_MS 30000

static void add_name(void *arg, const struct agent *agent, const char *path)
{
    struct buf *b = arg;

    (void)path;
    buf_printf(b, "%s%s", b->len > 0 ? ", " : "", agent->name);
}

void login_agents_settle(struct ctx *c)
{
    struct json_object *o;
    struct buf names = {0};
    struct ct_err e;
    char *question;
    int yes;

    roots_each_left(c->config, add_name, &names);
    if (names.len == 0 || c->json)
        return;
    buf_addc(&names, '\0');
    if (!term_is_interactive()) {
        ctx_say(
            c,
            "here too, and not saved: %s. To have all agents saved, or not to be told: agents = "
            "\"auto\"; or \"claude-code\"; in codeteleportd.conf",
            names.data);
        buf_free(&names);
        return;
    }
    question =
        str_printf("Sessions of %s are here too. Shall those of all agents be saved?", names.data);
    yes = term_agree(question);
    if (config_say_agents(c->config, yes ? "auto" : agent_unnamed()->id, &e) != 0)
        ctx_say(c, "%s", e.msg);
    else if (ctx_call(c, "reload", NULL, ANSWER_MS, &o, NULL) == 0)
        json_object_put(o);
    free(question);
    buf_free(&names);
}
