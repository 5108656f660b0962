#include <inttypes.h>
#include <stdlib.h>

#include "common/config/keyring_file.h"
#include "common/config/keyring_open.h"
#include "ctctl/key/key.h"

#define ANSWER_MS 30000

int key_ring_open(struct ctx *c, struct keyring **ret, struct ct_err *err)
{
    if (ctx_config(c, err) != 0)
        return -1;
    return keyring_open(c->config, ret, err);
}

int key_ring_keep(struct ctx *c, const struct keyring *ring, int *ret_is_told, struct ct_err *err)
{
    char *path = keyring_path();
    struct json_object *o;
    struct ct_err e;
    int rc = keyring_save(path, ring, err);

    free(path);
    if (rc != 0)
        return -1;
    ctx_forget_ring(c);
    *ret_is_told = ctx_call(c, "reload", NULL, ANSWER_MS, &o, &e) == 0;
    if (*ret_is_told)
        json_object_put(o);
    else if (!ctx_is_no_daemon(&e))
        ctx_say(c, "the keyring is written, but the daemon could not read it anew: %s", e.msg);
    return 0;
}

static void add_key(struct buf *b, const struct key_use *u)
{
    char *n = text_count(u->sessions, "session", "sessions");

    buf_printf(b, "%s%.8s (%s)", b->len > 0 ? ", " : "", u->id, n);
    free(n);
}

void key_missing_say(const struct key_account *a, struct buf *b)
{
    struct buf list = {0};
    size_t n = 0;

    for (size_t i = 0; i < a->n_seals; i++) {
        if (!a->seals[i].is_here) {
            add_key(&list, &a->seals[i]);
            n++;
        }
    }
    if (n == 0)
        return;
    buf_printf(b, "the account has sealed sessions of %s not on this device: %s",
               n == 1 ? "a key that is" : "keys that are", list.data);
    buf_free(&list);
}
