#include "uploader/beside.h"

#include "uploader/transfer_impl.h"

/*
 * A bundle without news is safe by the version that the books have: as long as the server lists
 * that, with its digest.  The books can't know it: a server was put back, somebody deleted it.
 */
static void on_versions(void *arg, const struct http_res *res, const struct ct_err *net_err)
{
    struct transfer *t = arg;
    struct json_object *answer = NULL;
    struct ct_err err = {0};
    int is_there;

    t->call = NULL;
    if (res == NULL || (api_answer(res, &answer, &err) != 0 && err.code != ERR_GONE)) {
        transfer_finish(t, res == NULL ? net_err : &err);
        return;
    }
    is_there = beside_lists(answer, t->item->facts.held, t->item->facts.held_sha256);
    json_object_put(answer);
    if (is_there)
        t->then(t);
    else
        t->otherwise(t);
}

void transfer_if_held(struct transfer *t, void (*then)(struct transfer *t),
                      void (*otherwise)(struct transfer *t))
{
    t->then = then;
    t->otherwise = otherwise;
    if (t->item->facts.held > 0)
        transfer_versions(t, on_versions);
    else
        otherwise(t);
}
