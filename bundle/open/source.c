#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/str.h"

#include "bundle/open/source.h"

#define IN_BYTES (64 << 10)
#define PLAIN_BYTES (IN_BYTES + COBBLE_SEALED) /* of one reading, and what was left of the last */

struct source {
    int fd;
    struct unseal_opts opts;
    int64_t offset; /* of the next read */
    struct unsealer *unsealer;
    int is_ended;
    size_t n_plain;
    unsigned char in[IN_BYTES], plain[PLAIN_BYTES];
};

struct source *source_new(int fd, const struct unseal_opts *opts)
{
    struct source *s = str_calloc(1, sizeof(*s));

    s->fd = fd;
    s->opts = *opts;
    return s;
}

void source_free(struct source *s)
{
    if (s == NULL)
        return;
    unsealer_free(s->unsealer);
    free(s);
}

const struct seal_header *source_header(const struct source *s)
{
    return s->unsealer != NULL ? unsealer_header(s->unsealer) : NULL;
}

static int into_plain(void *arg, const void *p, size_t n, struct ct_err *err)
{
    struct source *s = arg;

    if (s->n_plain + n > PLAIN_BYTES)
        return err_set(err, ERR_BUG, "more came out of a bundle than went in");
    memcpy(s->plain + s->n_plain, p, n);
    s->n_plain += n;
    return 0;
}

static int must_be_sealed(const struct unseal_opts *o)
{
    return o->must_be_sealed || o->object_id != NULL || o->generation > 0;
}

/* The first piece says what it is. */
static int begin(struct source *s, size_t n, struct ct_err *err)
{
    if (!seal_is_sealed(s->in, n))
        return must_be_sealed(&s->opts)
                   ? err_set(err, ERR_REFUSED, "the bundle is not sealed, and has to be")
                   : 0;
    s->unsealer = unsealer_new(s->opts.ring, SEAL_BUNDLE, into_plain, s);
    unsealer_expect(s->unsealer, s->opts.object_id, s->opts.generation);
    return 0;
}

static int unseal(struct source *s, size_t n, struct ct_err *err)
{
    struct ct_err e = {0};

    s->n_plain = 0;
    s->is_ended = n == 0;
    if ((n > 0 ? unsealer_add(s->unsealer, s->in, n, &e) : unsealer_end(s->unsealer, &e)) == 0)
        return 0;
    if (strcmp(e.reason, KEY_MISSING) != 0)
        err_prefix(&e, "the bundle can't be opened");
    if (err != NULL)
        *err = e;
    return -1;
}

int source_next(struct source *s, const void **ret, struct ct_err *err)
{
    ssize_t n;

    while (!s->is_ended) {
        n = file_pread_all(s->fd, s->in, IN_BYTES, (off_t)s->offset);
        if (n < 0)
            return err_sys(err, "can't read the bundle");
        if (s->offset == 0 && begin(s, (size_t)n, err) != 0)
            return -1;
        s->offset += n;
        if (s->unsealer == NULL) {
            s->is_ended = n == 0;
            *ret = s->in;
            return (int)n;
        }
        if (unseal(s, (size_t)n, err) != 0)
            return -1;
        if (s->n_plain > 0) {
            *ret = s->plain;
            return (int)s->n_plain;
        }
    }
    return 0;
}
