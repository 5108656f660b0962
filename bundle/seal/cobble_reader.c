#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/config/keyring.h"
#include "common/sys/secret.h"
#include "common/base/str.h"

#include "bundle/seal/cobble_core.h"

enum state { IN_HEAD, IN_CHUNKS, FAILED };

struct cobble_reader {
    unsigned char *key; /* until the head was read */
    unsigned char *context;
    size_t context_n;
    struct cobble *core;
    cobble_sink *sink;
    void *arg;
    enum state state;
    struct ct_err err; /* FAILED: why */
    size_t n;          /* bytes of head or chunk so far */
    unsigned char sealed[COBBLE_SEALED], plain[COBBLE_CHUNK];
};

struct cobble_reader *cobble_reader_new(const unsigned char key[COBBLE_KEY], const void *context,
                                        size_t n, cobble_sink *sink, void *arg)
{
    struct cobble_reader *r = str_calloc(1, sizeof(*r));

    r->key = secret_alloc(COBBLE_KEY);
    memcpy(r->key, key, COBBLE_KEY);
    r->context = str_calloc(n + 1, 1);
    if (n > 0)
        memcpy(r->context, context, n);
    r->context_n = n;
    r->sink = sink;
    r->arg = arg;
    return r;
}

void cobble_reader_free(struct cobble_reader *r)
{
    if (r == NULL)
        return;
    secret_free(r->key);
    free(r->context);
    cobble_free(r->core);
    str_wipe(r->plain, sizeof(r->plain));
    free(r);
}

static int head(struct cobble_reader *r, struct ct_err *err)
{
    r->core = cobble_new(r->key, r->sealed, r->context, r->context_n, 0);
    secret_free(r->key);
    r->key = NULL;
    r->state = IN_CHUNKS;
    if (hash_equal(cobble_commitment(r->core), r->sealed + COBBLE_SALT, COBBLE_COMMITMENT))
        return 0;
    err_set(err, ERR_REFUSED, "it was sealed with another key, or its beginning was changed");
    snprintf(err->reason, sizeof(err->reason), "%s", KEY_WRONG);
    return -1;
}

static int chunk(struct cobble_reader *r, const unsigned char *p, size_t n, struct ct_err *err)
{
    if (cobble_open(r->core, p, n, r->plain) != 0)
        return err_set(err, ERR_CORRUPT, "it is damaged or was changed");
    return r->sink(r->arg, r->plain, n - COBBLE_TAG, err);
}

static int add(struct cobble_reader *r, const unsigned char *p, size_t n, struct ct_err *err)
{
    while (n > 0) {
        size_t whole = r->state == IN_HEAD ? COBBLE_HEAD : COBBLE_SEALED;
        size_t room = whole - r->n, part = n < room ? n : room;
        int rc = 0;
        if (r->state == IN_CHUNKS && part == whole) {
            rc = chunk(r, p, whole, err);
        } else {
            memcpy(r->sealed + r->n, p, part);
            r->n += part;
            if (r->n == whole) {
                r->n = 0;
                rc = r->state == IN_HEAD ? head(r, err) : chunk(r, r->sealed, whole, err);
            }
        }
        if (rc != 0)
            return -1;
        p += part;
        n -= part;
    }
    return 0;
}

static int keep_failing(struct cobble_reader *r, int rc, struct ct_err *err)
{
    if (rc != 0)
        r->state = FAILED;
    if (rc != 0 && err != NULL)
        *err = r->err;
    return rc;
}

int cobble_reader_add(struct cobble_reader *r, const void *p, size_t n, struct ct_err *err)
{
    return keep_failing(r, r->state == FAILED ? -1 : add(r, p, n, &r->err), err);
}

/* What came since the last whole chunk is the last one; a whole one never is. */
static int end(struct cobble_reader *r, struct ct_err *err)
{
    if (r->state == IN_HEAD || r->n < COBBLE_TAG)
        return err_set(err, ERR_CORRUPT, "it is cut short");
    return chunk(r, r->sealed, r->n, err);
}

int cobble_reader_end(struct cobble_reader *r, struct ct_err *err)
{
    return keep_failing(r, r->state == FAILED ? -1 : end(r, &r->err), err);
}
