#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_XLOCALE_H
#include <xlocale.h>
#endif
#include <archive.h>
#include <archive_entry.h>

#include "bundle/open/gunzip.h"
#include "common/base/str.h"

#include "bundle/open/untar.h"

#define END_MARK 1024            /* zeros at the end of a tar */
#define PROGRESS_BYTES (1 << 20) /* of the file, between two words about it */

struct untar {
    struct untar_limits limits;
    struct source *source;
    struct gunzip *gunzip;
    struct archive *archive;
    struct archive_entry *entry;
    locale_t locale; /* names are UTF-8, whatever the user's locale is */
    int64_t file_bytes, told_bytes;
    int64_t entries;
    int64_t copied_bytes;
    int64_t content_end; /* behind the last byte that is not zero */
    int64_t left_bytes;  /* of this entry */
    int64_t offset;      /* in this entry */
    struct ct_err err;   /* why the stream ended */
};

/* ---- the stream ---------------------------------------------------------------------------------
 */

static int check(struct untar *u, struct ct_err *err)
{
    const struct untar_limits *l = &u->limits;
    int64_t in = gunzip_in(u->gunzip), out = gunzip_out(u->gunzip) + u->copied_bytes;
    char text[32];

    if (l->cancel != NULL && atomic_load(l->cancel) != 0)
        return err_set(err, ERR_CANCELLED, "cancelled");
    if (out > l->max_bytes)
        return err_set(err, ERR_CORRUPT, "the bundle holds more than %s",
                       str_human_bytes((unsigned long long)l->max_bytes, text, sizeof(text)));
    if (l->ratio > 0 && out > l->ratio_floor && out / l->ratio > in)
        return err_set(err, ERR_CORRUPT,
                       "the bundle unpacks to more than %lld times its size: that is no session",
                       (long long)l->ratio);
    if (l->progress != NULL && in - u->told_bytes >= PROGRESS_BYTES) {
        u->told_bytes = in;
        l->progress(l->progress_arg, in, u->file_bytes);
    }
    return 0;
}

static void note_content(struct untar *u, const unsigned char *p, int n)
{
    int64_t start = gunzip_out(u->gunzip) - n;

    while (n > 0 && p[n - 1] == 0)
        n--;
    if (n > 0)
        u->content_end = start + n;
}

static int next_piece(struct untar *u, const void **ret, struct ct_err *err)
{
    int n = gunzip_next(u->gunzip, ret, err);

    if (n < 0 || check(u, err) != 0)
        return -1;
    note_content(u, *ret, n);
    return n;
}

static la_ssize_t give(struct archive *a, void *arg, const void **ret)
{
    struct untar *u = arg;
    int n = next_piece(u, ret, &u->err);

    if (n < 0)
        archive_set_error(a, EIO, "%s", u->err.msg);
    return n;
}

/* What libarchive says may quote the bundle. */
static int failed(struct untar *u, struct ct_err *err)
{
    const char *said = archive_error_string(u->archive);
    char text[200];

    if (u->err.code != ERR_NONE) {
        if (err != NULL)
            *err = u->err;
        return -1;
    }
    if (said == NULL)
        said = "its tar makes no sense";
    str_escape(said, strlen(said), text, sizeof(text));
    return err_set(err, ERR_CORRUPT, "the bundle is damaged: %s", text);
}

/* ---- beginning and end --------------------------------------------------------------------------
 */

static locale_t utf8_locale(void)
{
    static const char *const names[] = {"C.UTF-8", "en_US.UTF-8", "UTF-8"};
    locale_t l = (locale_t)0;

    for (size_t i = 0; l == (locale_t)0 && i < sizeof(names) / sizeof(names[0]); i++)
        l = newlocale(LC_CTYPE_MASK, names[i], (locale_t)0);
    return l;
}

/* libarchive goes by the locale of the thread. */
static locale_t enter(const struct untar *u)
{
    return u->locale != (locale_t)0 ? uselocale(u->locale) : (locale_t)0;
}

static void leave(locale_t before)
{
    if (before != (locale_t)0)
        uselocale(before);
}

static int begin(struct untar *u, struct ct_err *err)
{
    u->archive = archive_read_new();
    if (u->archive == NULL)
        return err_set(err, ERR_FAIL, "out of memory");
    if (archive_read_support_format_tar(u->archive) != ARCHIVE_OK)
        return failed(u, err);
    /* On a Mac it would read what AppleDouble files say. */
    archive_read_set_option(u->archive, "tar", "mac-ext", NULL);
    archive_clear_error(u->archive);
    if (archive_read_open(u->archive, u, NULL, give, NULL) != ARCHIVE_OK)
        return failed(u, err);
    return 0;
}

int untar_new(int fd, const struct untar_limits *limits, struct untar **ret, struct ct_err *err)
{
    struct untar *u = str_calloc(1, sizeof(*u));
    locale_t before;
    struct stat st;
    int rc;

    u->limits = *limits;
    u->file_bytes = fstat(fd, &st) == 0 ? (int64_t)st.st_size : 0;
    u->source = source_new(fd, &limits->unseal);
    u->gunzip = gunzip_new(u->source, limits->is_plain);
    u->locale = utf8_locale();
    before = enter(u);
    rc = begin(u, err);
    leave(before);
    if (rc != 0) {
        untar_free(u);
        return -1;
    }
    *ret = u;
    return 0;
}

void untar_free(struct untar *u)
{
    if (u == NULL)
        return;
    archive_read_free(u->archive);
    gunzip_free(u->gunzip);
    source_free(u->source);
    if (u->locale != (locale_t)0)
        freelocale(u->locale);
    free(u);
}

const struct seal_header *untar_seal(const struct untar *u)
{
    return source_header(u->source);
}

/* The tar has ended: so must the file. */
static int finish(struct untar *u, struct ct_err *err)
{
    int64_t end = archive_filter_bytes(u->archive, 0);
    const void *p;
    int n;

    do
        n = next_piece(u, &p, err);
    while (n > 0);
    if (n < 0)
        return -1;
    if (u->content_end > end)
        return err_set(err, ERR_CORRUPT, "the bundle is damaged: something follows its end");
    if (gunzip_out(u->gunzip) - u->content_end < END_MARK)
        return err_set(err, ERR_CORRUPT, "the bundle is cut short");
    if (u->limits.unseal.gzip_bytes > 0 && gunzip_members(u->gunzip) != u->limits.unseal.gzip_bytes)
        return err_set(err, ERR_CORRUPT, "the bundle is not as long as its description says");
    if (u->limits.progress != NULL)
        u->limits.progress(u->limits.progress_arg, u->file_bytes, u->file_bytes);
    return 0;
}

/* ---- entries ------------------------------------------------------------------------------------
 */

static const char *what_is(struct archive_entry *e)
{
    switch (archive_entry_filetype(e)) {
    case AE_IFLNK:
        return "a symbolic link";
    case AE_IFCHR:
    case AE_IFBLK:
        return "a device";
    case AE_IFIFO:
        return "a FIFO";
    case AE_IFSOCK:
        return "a socket";
    default:
        return "neither a file nor a folder";
    }
}

static void describe(struct untar *u, struct untar_entry *ret)
{
    struct archive_entry *e = u->entry;

    memset(ret, 0, sizeof(*ret));
    ret->name = archive_entry_pathname(e);
    ret->target = archive_entry_hardlink(e);
    ret->size_bytes = (int64_t)archive_entry_size(e);
    ret->is_executable = (archive_entry_perm(e) & S_IXUSR) != 0;
    if (ret->target != NULL)
        ret->type = UNTAR_HARD_LINK;
    else if (archive_entry_symlink(e) != NULL)
        ret->type = UNTAR_OTHER;
    else if (archive_entry_filetype(e) == AE_IFREG)
        ret->type = UNTAR_FILE;
    else
        ret->type = archive_entry_filetype(e) == AE_IFDIR ? UNTAR_FOLDER : UNTAR_OTHER;
    if (ret->type == UNTAR_OTHER)
        ret->what = what_is(e);
}

static int check_entry(struct untar *u, const struct untar_entry *e, struct ct_err *err)
{
    char text[32];

    if (++u->entries > u->limits.max_entries)
        return err_set(err, ERR_CORRUPT, "the bundle has more than %lld entries",
                       (long long)u->limits.max_entries);
    if (archive_entry_sparse_count(u->entry) > 0)
        return err_set(err, ERR_CORRUPT, "the bundle holds a sparse file: that is no session");
    if (e->size_bytes < 0 || e->size_bytes > u->limits.max_bytes)
        return err_set(
            err, ERR_CORRUPT, "the bundle holds more than %s",
            str_human_bytes((unsigned long long)u->limits.max_bytes, text, sizeof(text)));
    return 0;
}

int untar_next(struct untar *u, struct untar_entry *ret, struct ct_err *err)
{
    locale_t before = enter(u);
    struct untar_entry e;
    int rc = archive_read_next_header(u->archive, &u->entry);

    /* A warning is about a name or an attribute; whoever judges names sees it. */
    if (rc == ARCHIVE_OK || rc == ARCHIVE_WARN)
        describe(u, &e);
    leave(before);
    if (rc == ARCHIVE_EOF)
        return finish(u, err);
    if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN)
        return failed(u, err);
    if (check_entry(u, &e, err) != 0)
        return -1;
    u->offset = 0;
    u->left_bytes = e.size_bytes;
    *ret = e;
    return 1;
}

int untar_read(struct untar *u, const void **ret, struct ct_err *err)
{
    la_int64_t offset;
    size_t n;
    int rc;

    do
        rc = archive_read_data_block(u->archive, ret, &n, &offset);
    while (rc == ARCHIVE_OK && n == 0);
    if (rc == ARCHIVE_EOF) {
        if (u->left_bytes != 0)
            return err_set(err, ERR_CORRUPT, "the bundle is damaged: an entry is too short");
        return 0;
    }
    if (rc != ARCHIVE_OK)
        return failed(u, err);
    if (offset != u->offset || (int64_t)n > u->left_bytes || n > INT_MAX)
        return err_set(err, ERR_CORRUPT, "the bundle holds a sparse file: that is no session");
    u->offset += (int64_t)n;
    u->left_bytes -= (int64_t)n;
    return (int)n;
}

int untar_copied(struct untar *u, int64_t bytes, struct ct_err *err)
{
    u->copied_bytes += bytes;
    return check(u, err);
}
