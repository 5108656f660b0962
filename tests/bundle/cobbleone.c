/*
 * Cobblestone-256 by itself, from stdin to stdout, for the oracle and for public vectors.
 *
 *   cobbleone seal|open KEY CONTEXT [PIECE]      both in hex; in pieces of so many bytes
 *
 * What was verified before something was found wrong is written.  Exit status: 0; 2 if the
 * beginning is not that of this key and context; 1 for everything else.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bundle/seal/cobble.h"
#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/str.h"

static int to_stdout(void *arg, const void *p, size_t n, struct ct_err *err)
{
    (void)arg;
    return file_write_all(1, p, n) == 0 ? 0 : err_sys(err, "can't write");
}

static int seal(const unsigned char *key, const struct buf *context, const struct buf *in,
                size_t piece, struct ct_err *err)
{
    struct cobble_writer *w;
    int rc = cobble_writer_new(key, NULL, context->data, context->len, to_stdout, NULL, &w, err);

    if (rc != 0)
        return rc;
    for (size_t at = 0; rc == 0 && at < in->len; at += piece)
        rc = cobble_writer_add(w, in->data + at, in->len - at < piece ? in->len - at : piece, err);
    if (rc == 0)
        rc = cobble_writer_end(w, err);
    cobble_writer_free(w);
    return rc;
}

static int unseal(const unsigned char *key, const struct buf *context, const struct buf *in,
                  size_t piece, struct ct_err *err)
{
    struct cobble_reader *r = cobble_reader_new(key, context->data, context->len, to_stdout, NULL);
    int rc = 0;

    for (size_t at = 0; rc == 0 && at < in->len; at += piece)
        rc = cobble_reader_add(r, in->data + at, in->len - at < piece ? in->len - at : piece, err);
    if (rc == 0)
        rc = cobble_reader_end(r, err);
    cobble_reader_free(r);
    return rc;
}

int main(int argc, char **argv)
{
    unsigned char key[COBBLE_KEY];
    struct buf context = {0}, in = {0};
    struct ct_err err = {0};
    size_t piece;
    int rc;

    if (argc < 4 || strlen(argv[3]) % 2 != 0 || hash_unhex(argv[2], key, sizeof(key)) != 0)
        return 64;
    context.len = strlen(argv[3]) / 2;
    buf_reserve(&context, context.len + 1);
    if (hash_unhex(argv[3], (unsigned char *)context.data, context.len) != 0)
        return 64;
    piece = argc > 4 ? (size_t)strtoull(argv[4], NULL, 10) : 65536;
    if (piece == 0 || file_read_fd(0, "stdin", (size_t)1 << 30, &in, &err) != 0)
        return 64;
    rc = strcmp(argv[1], "seal") == 0 ? seal(key, &context, &in, piece, &err)
                                      : unseal(key, &context, &in, piece, &err);
    if (rc != 0)
        fprintf(stderr, "%s: %s\n", err_name(err.code), err.msg);
    buf_free(&context);
    buf_free(&in);
    return rc == 0 ? 0 : err.code == ERR_REFUSED ? 2 : 1;
}
