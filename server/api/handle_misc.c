#include <ctype.h>
#include <stdio.h>

#include "common/data/jdoc.h"

#include "server/api/call.h"

static struct json_object *count_of(int64_t used)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_int(o, "used", used);
    jdoc_set_null(o, "limit");
    return o;
}

int handle_misc_usage(struct call *c)
{
    int64_t sessions, devices;
    struct ct_err err;

    if (ledger_usage(c->config->ledger, c->who.user_id, &sessions, &devices, &err) != 0)
        return call_fail(c, &err);
    c->answer = json_object_new_object();
    jdoc_set_str(c->answer, "plan", "unlimited");
    jdoc_set_null(c->answer, "paymentStatus");
    json_object_object_add(c->answer, "sessions", count_of(sessions));
    json_object_object_add(c->answer, "devices", count_of(devices));
    jdoc_set_int(c->answer, "versionsPerSession", c->config->settings->versions_per_session);
    return 200;
}

int handle_misc_health(struct call *c)
{
    struct ct_err err;
    char text[sizeof(err.msg) + 2];

    if (ledger_ping(c->config->ledger, &err) != 0)
        return call_error(c, 503, "unhealthy", "The database does not answer.");
    if (space_check(c->config->space, 0, &err) != 0) {
        snprintf(text, sizeof(text), "%c%s.", toupper((unsigned char)err.msg[0]), err.msg + 1);
        return call_error(c, 503, "no_space", text);
    }
    call_ok(c);
    jdoc_set_str(c->answer, "version", PACKAGE_VERSION);
    return 200;
}
