#include <stdlib.h>

#include <zstd.h>

#include "common/base/file.h"
#include "common/base/str.h"

#include "agents/unpack.h"

struct unpacking {
    ZSTD_DStream *z;
    char *in, *out;
    int64_t bytes; /* that came out */
};

/* All that comes out of ${n} bytes; ${ret_left} is 0 at the end of a frame. */
static int piece(struct unpacking *u, size_t n, int to_fd, size_t *ret_left, struct ct_err *err)
{
    ZSTD_inBuffer in = {u->in, n, 0};

    do {
        ZSTD_outBuffer out = {u->out, ZSTD_DStreamOutSize(), 0};
        size_t left = ZSTD_decompressStream(u->z, &out, &in);
        if (ZSTD_isError(left))
            return err_set(err, ERR_FAIL, "it is packed, and damaged");
        u->bytes += (int64_t)out.pos;
        if (u->bytes > UNPACK_BYTES_MAX)
            return err_set(err, ERR_FAIL, "it is packed, and more than 1 GiB is in it");
        if (out.pos > 0 && file_write_all(to_fd, u->out, out.pos) != 0)
            return err_set(err, ERR_FAIL, "it is packed, and there is no room to unpack it");
        *ret_left = left;
        if (out.pos < out.size && in.pos == in.size)
            break;
    } while (in.pos < in.size || *ret_left > 0);
    return 0;
}

int unpack_stream(int fd, int to_fd, struct ct_err *err)
{
    struct unpacking u = {ZSTD_createDStream(), str_calloc(ZSTD_DStreamInSize(), 1),
                          str_calloc(ZSTD_DStreamOutSize(), 1), 0};
    size_t left = 1;
    int64_t at = 0;
    ssize_t n;
    int rc = 0;

    while (rc == 0 && (n = file_pread_all(fd, u.in, ZSTD_DStreamInSize(), (off_t)at)) > 0) {
        rc = piece(&u, (size_t)n, to_fd, &left, err);
        at += n;
    }
    if (rc == 0 && left != 0)
        rc = err_set(err, ERR_FAIL, "it is packed, and its end is missing");
    ZSTD_freeDStream(u.z);
    free(u.in);
    free(u.out);
    return rc;
}
