#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/disk/beneath.h"
#include "bundle/format/entry.h"
#include "bundle/open/open.h"
#include "bundle/open/untar.h"
#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "bundle/open/working_files.h"

#define MANIFEST_MAX (4 << 20)
#define FILES_MAX 4096
#define PARTS_MAX 64 /* folders that one lies in; what lies deeper keeps the bundle's name */

struct taking {
    struct untar *untar;
    const char *source_cwd, *dir;
    int dir_fd;            /* -1: nothing to put there yet */
    struct strlist stored; /* names in the bundle, without the folder's */
    struct buf manifest;
    struct strlist *taken;
};

static int make_dir(struct taking *x, struct ct_err *err)
{
    if (mkdir(x->dir, 0700) != 0 && errno == EEXIST)
        return err_set(err, ERR_CONFLICT,
                       "there is something at %s already; --with-files wants a folder that is not "
                       "there yet, and makes it",
                       x->dir);
    x->dir_fd = open(x->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return x->dir_fd >= 0 ? 0 : err_sys(err, "can't make the folder %s", x->dir);
}

static int pour(struct taking *x, int fd, struct buf *b, struct ct_err *err)
{
    const void *p;
    int n;

    while ((n = untar_read(x->untar, &p, err)) > 0) {
        if (b != NULL && b->len + (size_t)n > MANIFEST_MAX)
            return err_set(err, ERR_CORRUPT, "its list of working files is too long");
        if (b != NULL)
            buf_add(b, p, (size_t)n);
        else if (file_write_all(fd, p, (size_t)n) != 0)
            return err_sys(err, "can't write to %s", x->dir);
    }
    return n;
}

static int take_file(struct taking *x, const char *name, struct ct_err *err)
{
    const char *stored = name + strlen(ENTRY_EXTRAS);
    int fd, rc;

    if (x->stored.n >= FILES_MAX || strlist_has(&x->stored, stored))
        return err_set(err, ERR_CORRUPT, "the bundle has too many working files, or one twice");
    if (x->dir_fd < 0 && make_dir(x, err) != 0)
        return -1;
    fd = openat(x->dir_fd, stored, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_sys(err, "can't write to %s", x->dir);
    rc = pour(x, fd, NULL, err);
    close(fd);
    strlist_add(&x->stored, stored);
    return rc;
}

static int take_all(struct taking *x, struct ct_err *err)
{
    struct untar_entry e;
    int rc;

    while ((rc = untar_next(x->untar, &e, err)) > 0) {
        if (e.name == NULL || e.type != UNTAR_FILE)
            continue;
        if (strcmp(e.name, ENTRY_EXTRAS_MANIFEST) == 0)
            rc = pour(x, -1, &x->manifest, err);
        else if (entry_is_extra(e.name))
            rc = take_file(x, e.name, err);
        if (rc < 0)
            return -1;
    }
    return rc;
}

/* ---- where they lay -----------------------------------------------------------------------------
 */

/* Append ${n} bytes of a name as one that nothing takes for more than a name. */
static void add_part(struct buf *b, const char *p, size_t n)
{
    if (b->len > 0)
        buf_addc(b, '/');
    for (size_t i = 0; i < n && i < 200; i++) {
        unsigned char c = (unsigned char)p[i];
        buf_addc(b, (i == 0 && c == '.') || c < ' ' || c == 0x7F ? '_' : (char)c);
    }
}

/* Where a file that lay at ${path} is put; the caller frees it.  NULL: nowhere that can be said. */
static char *place_of(const struct taking *x, const char *path)
{
    size_t n = strlen(x->source_cwd);
    int is_below = strncmp(path, x->source_cwd, n) == 0 && (path[n] == '/' || path[n] == '\\');
    struct buf b = {0};
    int parts = 0;

    if (is_below)
        path += n;
    else
        add_part(&b, "elsewhere", strlen("elsewhere"));
    while (*path != '\0' && ++parts <= PARTS_MAX) {
        n = strcspn(path, "/\\");
        if (n > 0)
            add_part(&b, path, n);
        path += n + (path[n] != '\0');
    }
    if (*path != '\0' || b.len == 0) {
        buf_free(&b);
        return NULL;
    }
    buf_addc(&b, '\0');
    return buf_steal(&b);
}

/* Give the file ${stored} its name; where that can't be, it keeps the bundle's. */
static void name_one(struct taking *x, const char *stored, const char *path)
{
    char *place = place_of(x, path), *parent = place != NULL ? path_parent(place) : NULL;
    int fd = place == NULL ? -1 : beneath_make(x->dir_fd, strchr(place, '/') != NULL ? parent : "");

    if (fd >= 0 && beneath_rename_new(x->dir_fd, stored, fd, path_base(place)) == 0)
        strlist_add(x->taken, place);
    else
        strlist_add(x->taken, stored);
    if (fd >= 0)
        close(fd);
    free(parent);
    free(place);
}

static void name_all(struct taking *x)
{
    struct json_object *list = NULL;
    struct strlist named = {0};
    size_t n = 0;

    if (x->manifest.len > 0 && jdoc_parse(x->manifest.data, x->manifest.len, &list, NULL) == 0 &&
        json_object_is_type(list, json_type_array))
        n = json_object_array_length(list);
    for (size_t i = 0; i < n; i++) {
        const struct json_object *o = json_object_array_get_idx(list, i);
        const char *stored = jdoc_str(o, "stored"), *path = jdoc_str(o, "originalPath");
        if (stored == NULL || path == NULL)
            continue;
        if (strncmp(stored, ENTRY_EXTRAS, strlen(ENTRY_EXTRAS)) == 0)
            stored += strlen(ENTRY_EXTRAS);
        if (!strlist_has(&x->stored, stored) || strlist_has(&named, stored))
            continue;
        strlist_add(&named, stored);
        name_one(x, stored, path);
    }
    for (size_t i = 0; i < x->stored.n; i++) {
        if (!strlist_has(&named, x->stored.v[i]))
            strlist_add(x->taken, x->stored.v[i]);
    }
    strlist_free(&named);
    json_object_put(list);
}

int working_files_take(const char *bundle, const struct unseal_opts *unseal, const char *source_cwd,
                       const char *dir, struct strlist *ret, struct ct_err *err)
{
    const struct untar_limits limits = {
        .max_bytes = OPEN_BYTES_MAX,
        .max_entries = OPEN_ENTRIES_MAX,
        .ratio = OPEN_RATIO_MAX,
        .ratio_floor = OPEN_RATIO_FLOOR,
        .unseal = *unseal,
    };
    struct taking x = {.source_cwd = source_cwd, .dir = dir, .dir_fd = -1, .taken = ret};
    int fd = open(bundle, O_RDONLY | O_CLOEXEC | O_NOCTTY), rc;

    if (fd < 0)
        return err_sys(err, "can't open %s", bundle);
    rc = untar_new(fd, &limits, &x.untar, err);
    if (rc == 0)
        rc = take_all(&x, err);
    if (rc == 0 && x.dir_fd >= 0)
        name_all(&x);
    untar_free(x.untar);
    strlist_free(&x.stored);
    buf_free(&x.manifest);
    if (x.dir_fd >= 0)
        close(x.dir_fd);
    close(fd);
    return rc;
}
