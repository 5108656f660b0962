#include <string.h>

#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"
#include "ctctl/here/naming.h"

#include "ctctl/ctx/verb.h"

static int run(struct ctx *c, int argc, char **argv)
{
    struct json_object *params;
    struct strlist words = {0};
    struct buf title = {0};
    int is_own = 0;
    const struct opt opts[] = {{"own", OPT_FLAG, &is_own}};
    int rc = opts_parse(c, opts, 1, argc, argv, &words);

    if (rc == -1 && (words.n < 1 || (words.n == 1) != is_own))
        rc = ctx_usage(c, "rename wants the ID of one session, and a title or --own");
    for (size_t i = 1; rc == -1 && i < words.n; i++) {
        if (!str_is_utf8(words.v[i], strlen(words.v[i])))
            rc = ctx_usage(c, "that title is no UTF-8");
    }
    if (rc == -1) {
        for (size_t i = 1; i < words.n; i++)
            buf_printf(&title, "%s%s", i > 1 ? " " : "", words.v[i]);
        params = json_object_new_object();
        jdoc_set_str(params, "title", title.len > 0 ? title.data : "");
        rc = naming_do(c, words.v[0], params);
        json_object_put(params);
        buf_free(&title);
    }
    strlist_free(&words);
    return rc;
}

const struct verb verb_rename = {
    "rename",
    "ID TITLE | ID --own",
    "give a session a title of your own",
    "The title is kept with the session's versions, and shown on all your machines instead of\n"
    "the session's own; the agent's files stay as they are. Sealed where there is a key; else\n"
    "the server is told, as the label that other clients show.\n"
    "\n"
    "  --own  go by the session's own title again\n",
    run,
    "ctctl rename 29221bf7 the parser that loops  # on all machines\n"
    "ctctl rename 29221bf7 --own                  # its own title again\n",
};
