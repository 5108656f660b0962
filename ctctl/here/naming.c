#include <stdlib.h>

#include "common/base/buf.h"
#include "common/data/jdoc.h"
#include "ctctl/ui/text.h"

#include "ctctl/here/naming.h"

#define ANSWER_MS 30000

static void print(struct ctx *c, const struct json_object *o)
{
    struct json_object *tags = jdoc_array(o, "tags");
    const char *title = jdoc_str(o, "title");
    char id[9], *clean = text_line(&c->out, title);
    struct buf b = {0};

    buf_printf(&b, "%s", text_short_id(jdoc_str(o, "sessionId"), id));
    if (title != NULL)
        buf_printf(&b, " is called \"%s\"", clean);
    for (size_t i = 0; tags != NULL && i < json_object_array_length(tags); i++)
        buf_printf(&b, "%s%s",
                   i > 0           ? ", "
                   : title != NULL ? "; tags: "
                                   : " has the tags ",
                   json_object_get_string(json_object_array_get_idx(tags, i)));
    if (title == NULL && (tags == NULL || json_object_array_length(tags) == 0))
        buf_addstr(&b, " goes by its own title, without tags");
    buf_addc(&b, '\n');
    ctx_print(c, &b);
    buf_free(&b);
    free(clean);
}

int naming_do(struct ctx *c, const char *id, struct json_object *params)
{
    struct json_object *o;
    struct ct_err e;

    jdoc_set_str(params, "id", id);
    ctx_refresh(c);
    if (ctx_call(c, "name", params, ANSWER_MS, &o, &e) != 0)
        return ctx_fail(c, &e);
    if (c->json)
        ctx_json(c, o);
    else
        print(c, o);
    if (jdoc_bool(o, "waits", 0))
        ctx_say(c,
                "another machine has something newer of it, and sees this once that is here too: "
                "ctctl pull %.8s",
                jdoc_str(o, "sessionId"));
    json_object_put(o);
    return CTX_OK;
}
