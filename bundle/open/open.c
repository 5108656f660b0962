#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bundle/open/open_inside.h"
#include "bundle/format/meta.h"
#include "bundle/open/open_name.h"
#include "bundle/open/source.h"
#include "common/base/str.h"

#include "bundle/open/open.h"

int open_evil(const char *name, const char *reason, struct ct_err *err)
{
    char text[128];

    str_escape(name, strlen(name), text, sizeof(text));
    return err_set(err, ERR_CORRUPT, "the bundle has an entry whose name is %s: \"%s\"", reason,
                   text);
}

static int begin(struct opener *o, struct ct_err *err)
{
    const struct untar_limits limits = {
        .max_bytes = o->opts.max_bytes > 0 ? o->opts.max_bytes : OPEN_BYTES_MAX,
        .max_entries = OPEN_ENTRIES_MAX,
        .ratio = o->opts.trust == TRUST_OWN ? 0 : OPEN_RATIO_MAX,
        .ratio_floor = OPEN_RATIO_FLOOR,
        .is_plain = o->is_plain,
        .unseal = o->opts.unseal,
        .cancel = o->opts.cancel,
        .progress = o->opts.progress,
        .progress_arg = o->opts.progress_arg,
    };

    untar_free(o->untar);
    o->untar = NULL;
    return untar_new(o->fd, &limits, &o->untar, err);
}

static int read_meta(struct opener *o, const struct untar_entry *e, struct ct_err *err)
{
    struct buf b = {0};
    const void *p;
    int n, rc = -1;

    if (e->size_bytes > OPEN_META_MAX) {
        err_set(err, ERR_CORRUPT, "the bundle's meta.json is too large");
        return -1;
    }
    while ((n = untar_read(o->untar, &p, err)) > 0)
        buf_add(&b, p, (size_t)n);
    if (n == 0)
        rc = meta_parse(b.data, b.len, &o->meta, &o->document, err);
    buf_free(&b);
    return rc;
}

/* Ours is the first entry.  A stock client lists its entries by name, so that file-history/ and
 * memory/ come before it: then this is a reading of its own, and extraction begins anew. */
static int find_meta(struct opener *o, struct ct_err *err)
{
    char name[ENTRY_NAME_MAX + 1];
    const char *reason;
    struct untar_entry e;
    int rc;

    for (int files = 0; (rc = untar_next(o->untar, &e, err)) > 0;) {
        if (e.name == NULL || open_name_clean(e.name, name, &reason) == NAME_ODD)
            continue;
        if (open_name_clean(e.name, name, &reason) == NAME_EVIL)
            return open_evil(e.name, reason, err);
        if (strcmp(name, ENTRY_META) == 0) {
            if (e.type != UNTAR_FILE)
                return err_set(err, ERR_CORRUPT, "the bundle's meta.json is no file");
            o->is_meta_first = files == 0;
            return read_meta(o, &e, err);
        }
        files++;
    }
    return rc < 0 ? -1 : err_set(err, ERR_CORRUPT, "this is no bundle: it has no meta.json");
}

int opener_new_fd(int fd, int is_plain, const struct open_opts *opts, struct opener **ret,
                  struct ct_err *err)
{
    struct opener *o = str_calloc(1, sizeof(*o));

    o->fd = fd;
    o->is_plain = is_plain;
    o->opts = *opts;
    if (begin(o, err) != 0 || find_meta(o, err) != 0)
        goto fail;
    if (opts->session_id != NULL && strcmp(opts->session_id, o->meta.session_id) != 0) {
        err_set(err, ERR_REFUSED, "the bundle is of another session: %s", o->meta.session_id);
        goto fail;
    }
    if (!o->is_meta_first && begin(o, err) != 0)
        goto fail;
    *ret = o;
    return 0;

fail:
    opener_free(o);
    return -1;
}

int opener_new(const char *path, const struct open_opts *opts, struct opener **ret,
               struct ct_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return err_sys(err, "can't open %s", path);
    return opener_new_fd(fd, 0, opts, ret, err);
}

void opener_free(struct opener *o)
{
    if (o == NULL)
        return;
    untar_free(o->untar);
    close(o->fd);
    json_object_put(o->document);
    free(o);
}

const struct seal_header *opener_seal(const struct opener *o)
{
    return untar_seal(o->untar);
}

const struct meta *opener_meta(const struct opener *o)
{
    return &o->meta;
}
