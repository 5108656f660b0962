#include <stdio.h>

#include "common/base/buf.h"
#include "ctctl/ui/headline.h"

#include "ctctl/here/glance.h"

#define ANSWER_MS 5000 /* a prompt waits for it */

int glance(struct ctx *c, int is_check)
{
    static const int statuses[] = {CTX_OK, CTX_LATER, CTX_FAILED, CTX_FAILED}; /* of each verdict */
    struct headline h;
    struct json_object *o;
    struct buf b = {0};
    struct ct_err e;
    int rc = CTX_OK;

    buf_addstr(&b, "ct: ");
    if (ctx_call(c, "status", NULL, ANSWER_MS, &o, &e) != 0) {
        rc = ctx_status(&e);
        buf_addstr(&b, "NOT SAFE");
    } else {
        headline_make(&c->out, o, &h);
        headline_line(&h, &b);
        if (is_check)
            rc = statuses[h.verdict];
        headline_clear(&h);
        json_object_put(o);
    }
    if (!is_check)
        puts(b.data);
    buf_free(&b);
    return rc;
}
