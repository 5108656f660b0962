#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/str.h"

#include "bundle/seal/cobble_core.h"

struct cobble_writer {
    struct cobble *core;
    cobble_sink *sink;
    void *arg;
    size_t n; /* plain bytes of the chunk under way */
    unsigned char plain[COBBLE_CHUNK], sealed[COBBLE_SEALED];
};

int64_t cobble_size(int64_t n)
{
    return COBBLE_HEAD + n + (n / COBBLE_CHUNK + 1) * COBBLE_TAG;
}

int cobble_writer_new(const unsigned char key[COBBLE_KEY], const unsigned char *salt,
                      const void *context, size_t n, cobble_sink *sink, void *arg,
                      struct cobble_writer **ret, struct ct_err *err)
{
    struct cobble_writer *w = str_calloc(1, sizeof(*w));
    unsigned char head[COBBLE_HEAD];

    if (salt != NULL)
        memcpy(head, salt, COBBLE_SALT);
    else
        hash_random(head, COBBLE_SALT);
    w->core = cobble_new(key, head, context, n, 1);
    w->sink = sink;
    w->arg = arg;
    memcpy(head + COBBLE_SALT, cobble_commitment(w->core), COBBLE_COMMITMENT);
    if (sink(arg, head, sizeof(head), err) != 0) {
        cobble_writer_free(w);
        return -1;
    }
    *ret = w;
    return 0;
}

void cobble_writer_free(struct cobble_writer *w)
{
    if (w == NULL)
        return;
    cobble_free(w->core);
    str_wipe(w->plain, sizeof(w->plain));
    free(w);
}

static int put(struct cobble_writer *w, const void *p, size_t n, struct ct_err *err)
{
    cobble_seal(w->core, p, n, w->sealed);
    return w->sink(w->arg, w->sealed, n + COBBLE_TAG, err);
}

int cobble_writer_add(struct cobble_writer *w, const void *p, size_t n, struct ct_err *err)
{
    const unsigned char *at = p;

    while (n > 0) {
        size_t room = COBBLE_CHUNK - w->n, part = n < room ? n : room;
        if (part == COBBLE_CHUNK) {
            if (put(w, at, part, err) != 0)
                return -1;
        } else {
            memcpy(w->plain + w->n, at, part);
            w->n += part;
            if (w->n == COBBLE_CHUNK) {
                w->n = 0;
                if (put(w, w->plain, COBBLE_CHUNK, err) != 0)
                    return -1;
            }
        }
        at += part;
        n -= part;
    }
    return 0;
}

int cobble_writer_end(struct cobble_writer *w, struct ct_err *err)
{
    return put(w, w->plain, w->n, err);
}
