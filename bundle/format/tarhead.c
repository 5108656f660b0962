#include <errno.h>

#include <archive.h>
#include <archive_entry.h>

#include "bundle/format/tarhead.h"

struct sink {
    struct buf *into;
    int is_closed;
};

static la_ssize_t into_buf(struct archive *a, void *arg, const void *p, size_t n)
{
    struct sink *sink = arg;

    if (sink->is_closed) {
        archive_set_error(a, EIO, "the header is all that is wanted");
        return -1;
    }
    buf_add(sink->into, p, n);
    return (la_ssize_t)n;
}

static int is_ascii(const char *s)
{
    for (; *s != '\0'; s++) {
        if ((unsigned char)*s >= 0x80)
            return 0;
    }
    return 1;
}

/* A writer for one header alone: unbuffered, so that the header is out when the call returns. */
static int write_header(struct archive *a, struct archive_entry *e, int is_plain, struct sink *sink)
{
    if (archive_write_set_format_pax_restricted(a) != ARCHIVE_OK ||
        archive_write_set_bytes_per_block(a, 0) != ARCHIVE_OK)
        return -1;
    /* Otherwise libarchive would translate from the locale's character set, which is none of its
     * business: names are bytes. */
    if (!is_plain &&
        archive_write_set_format_option(a, "pax", "hdrcharset", "BINARY") != ARCHIVE_OK)
        return -1;
    if (archive_write_open2(a, sink, NULL, into_buf, NULL, NULL) != ARCHIVE_OK)
        return -1;
    return archive_write_header(a, e) == ARCHIVE_OK ? 0 : -1;
}

int tarhead_add(const char *name, int64_t size_bytes, int64_t mtime_s, int is_executable,
                struct buf *ret, struct ct_err *err)
{
    struct archive *a = archive_write_new();
    struct archive_entry *e = archive_entry_new();
    struct sink sink = {ret, 0};
    int rc = -1;

    if (a == NULL || e == NULL) {
        err_set(err, ERR_FAIL, "out of memory");
        goto done;
    }
    archive_entry_copy_pathname(e, name);
    archive_entry_set_size(e, size_bytes);
    archive_entry_set_mtime(e, (time_t)mtime_s, 0);
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_perm(e, is_executable ? 0700 : 0600);
    archive_entry_set_uid(e, 0);
    archive_entry_set_gid(e, 0);
    rc = write_header(a, e, is_ascii(name), &sink);
    if (rc != 0)
        err_set(err, ERR_BUG, "libarchive can't make a header: %s",
                archive_error_string(a) != NULL ? archive_error_string(a) : "?");
    /* Closing would write the content as zeros, and an end mark: neither gets through.  (After
     * archive_write_fail() there would be no closing, and libarchive 3.6 would leak.) */
    sink.is_closed = 1;
done:
    archive_entry_free(e);
    archive_write_free(a);
    return rc;
}
