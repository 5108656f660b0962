#include "common/base/now.h"
#include "common/data/jdoc.h"
#include "api/api.h"

#include "server/api/call.h"

int handle_trash_list(struct call *c)
{
    int64_t limit, offset;
    struct ct_err err;
    int status;

    if ((status = call_page(c, &limit, &offset)) != 0)
        return status;
    if (ledger_trash(c->config->ledger, c->who.user_id, limit, offset, &c->answer, &err) != 0)
        return call_fail(c, &err);
    return 200;
}

int handle_trash_undelete(struct call *c)
{
    int64_t version = 0, n = 0;
    struct ct_err err;
    int status, rc;

    if ((status = call_session_id(c)) != 0)
        return status;
    if (c->body != NULL && !json_object_is_type(c->body, json_type_object))
        return call_error(c, 422, "invalid", "The request has to be a JSON object.");
    if (jdoc_has(c->body, "version"))
        version = jdoc_int(c->body, "version", -1);
    if (version < 0 || version > API_VERSION_MAX)
        return call_error(c, 422, "invalid", "version has to be the number of a version.");
    /* To delete and undelete all day would leave traces for good. */
    if ((status = call_count(c, c->config->limits->undeletes, c->who.user_id)) != 0)
        return status;
    if (call_act(c, &err) != 0)
        return call_fail(c, &err);
    rc = ledger_undelete(c->config->ledger, c->who.user_id, c->params[0], version, c->now_ms, &n,
                         &err);
    if (call_acted(c, rc, &err, "undeleted", "session=%s versions=%lld", c->session_id,
                   (long long)n) != 0)
        return call_fail(c, &err);
    call_ok(c);
    jdoc_set_int(c->answer, "restored", n);
    return 200;
}
