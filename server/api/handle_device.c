#include "server/api/call.h"

int handle_device_list(struct call *c)
{
    struct ct_err err;

    if (ledger_devices(c->config->ledger, &c->who, &c->answer, &err) != 0)
        return call_fail(c, &err);
    return 200;
}

int handle_device_delete(struct call *c)
{
    struct ct_err err;
    int rc;

    if (call_act(c, &err) != 0)
        return call_fail(c, &err);
    rc = ledger_device_delete(c->config->ledger, c->who.user_id, c->params[0], &err);
    if (call_acted(c, rc, &err, "device-revoked", "id=%s", c->params[0]) != 0)
        return call_fail(c, &err);
    return call_ok(c);
}
