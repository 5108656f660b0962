#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/path.h"
#include "common/data/jdoc.h"

#include "ctctl/share/stays.h"

#define ANSWER_MS 5000

/* Did anybody exclude anything? */
static int has_rules(struct ctx *c)
{
    char *path = path_join(c->config->shared_dir, "exclude.json");
    int rc = c->config->exclude.n > 0 || access(path, F_OK) == 0;

    free(path);
    return rc;
}

int stays_check(struct ctx *c, const char *session_id, int is_here, struct ct_err *err)
{
    struct json_object *params = json_object_new_object(), *o = NULL;
    const char *state;
    int rc;

    jdoc_set_str(params, "id", session_id);
    rc = ctx_call(c, "show", params, ANSWER_MS, &o, err);
    json_object_put(params);
    state = jdoc_str(o, "state");
    if (rc == 0 && state != NULL && strcmp(state, "excluded") == 0)
        rc = err_set(err, ERR_REFUSED,
                     "session %.8s is excluded, so it stays on this machine; if others are to read "
                     "it: ctctl include %.8s, or its folder",
                     session_id, session_id);
    else if (rc != 0 &&
             (!has_rules(c) || (err->code == ERR_GONE && !ctx_is_no_daemon(err) && !is_here)))
        rc = 0; /* nobody excluded anything, or it is nothing of this machine's */
    json_object_put(o);
    return rc;
}
