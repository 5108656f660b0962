#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/str.h"
#include "ctctl/cloud/download.h"

#include "ctctl/cloud/copy.h"

#define PIECE (1 << 18)

/* ---- the bytes of the gzip file ----------------------------------------------------------------
 */

struct inner {
    struct hash *sha256;
    int64_t left; /* what is behind them is padding */
};

static int on_plain(void *arg, const void *p, size_t n, struct ct_err *err)
{
    struct inner *in = arg;
    size_t most = in->left < (int64_t)n ? (size_t)in->left : n;

    (void)err;
    hash_update(in->sha256, p, most);
    in->left -= (int64_t)most;
    return 0;
}

static int unseal_all(struct unsealer *u, int fd, struct ct_err *err)
{
    char *p = str_calloc(PIECE, 1);
    ssize_t n;
    off_t at = 0;
    int rc = 0;

    while (rc == 0 && (n = file_pread_all(fd, p, PIECE, at)) != 0) {
        rc = n > 0 ? unsealer_add(u, p, (size_t)n, err) : err_sys(err, "can't read the download");
        at += n > 0 ? n : 0;
    }
    free(p);
    return rc == 0 ? unsealer_end(u, err) : -1;
}

/* The checksum that it had in clear. */
static int hash_sealed(const struct download *d, const struct unseal_opts *opts, struct copy *k,
                       struct ct_err *err)
{
    int64_t gzip_bytes = d->facts.gzip_bytes;
    struct inner in = {hash_new(HASH_SHA256), gzip_bytes > 0 ? gzip_bytes : INT64_MAX};
    struct unsealer *u = unsealer_new(opts->ring, SEAL_BUNDLE, on_plain, &in);
    int rc;

    unsealer_expect(u, d->facts.object_id, d->facts.generation);
    rc = unseal_all(u, d->fd, err);
    unsealer_free(u);
    hash_final_hex(in.sha256, k->sha256);
    if (rc == 0 && gzip_bytes > 0 && in.left > 0)
        rc = err_set(err, ERR_CORRUPT, "the bundle is shorter than its description says");
    k->gzip_bytes = gzip_bytes;
    return rc;
}

/* ---- looking into it ---------------------------------------------------------------------------
 */

/* The server's own word for what it hands out is not enough. */
static int is_it(const struct download *d, const char *session_id, int is_sealed,
                 struct ct_err *err)
{
    if (d->is_sealed != is_sealed)
        return err_set(err, ERR_CORRUPT,
                       is_sealed ? "the server's answer has no sealed metadata"
                                 : "the server's answer has sealed metadata for what is in clear");
    if (strcmp(download_id(d), session_id) != 0)
        return err_set(err, ERR_CORRUPT, "the sealed metadata is of another session");
    return 0;
}

static int open_sealed(struct ctx *c, const struct download *d, struct copy *k, struct ct_err *err)
{
    struct unseal_opts unseal;

    /* A description of another state than the bundle's proves nothing here. */
    if (d->header.generation != d->facts.generation)
        return err_set(err, ERR_CORRUPT, "the server describes another state than it hands out");
    if (download_unseal(c, d, &unseal, err) != 0 || hash_sealed(d, &unseal, k, err) != 0 ||
        held_look(d->path, &unseal, d->facts.session_id, NULL, &k->held, err) != 0)
        return -1;
    k->generation = d->facts.generation;
    k->trust = d->facts.origin;
    if (d->facts.content_id[0] == '\0' ||
        strcmp(k->held.opened.content_id, d->facts.content_id) == 0)
        return 0;
    copy_clear(k);
    return err_set(err, ERR_CORRUPT, "the content is not what the sealed metadata says");
}

static int open_plain(const struct download *d, const char *session_id, struct copy *k,
                      struct ct_err *err)
{
    const struct unseal_opts plain = {0};

    if (hash_sha256_fd(d->fd, &k->gzip_bytes, k->sha256) != 0)
        return err_sys(err, "can't read the bundle");
    return held_look(d->path, &plain, session_id, NULL, &k->held, err);
}

int copy_fetch(struct ctx *c, const char *session_id, const char *wire_id, int64_t version,
               struct copy *ret, struct copy_source *ret_source, struct ct_err *err)
{
    struct copy k = {.version = version};
    struct download d;
    int is_sealed = strcmp(session_id, wire_id) != 0, is_wanted, rc;

    if (download_look(c, wire_id, version, &d, err) != 0)
        return -1;
    rc = is_it(&d, session_id, is_sealed, err);
    if (rc == 0)
        rc = download_fetch(c, &d, err);
    if (rc == 0)
        rc = is_sealed ? open_sealed(c, &d, &k, err) : open_plain(&d, session_id, &k, err);
    if (rc == 0)
        *ret = k;
    is_wanted = rc == 0 ? ret_source != NULL : err->code == ERR_RETRY;
    if (rc == 0 && ret_source != NULL) {
        ret_source->path = str_dup(d.path);
        ret_source->answer = d.answer;
        memset(&d.answer, 0, sizeof(d.answer));
    }
    download_clear(&d, is_wanted);
    return rc;
}

void copy_clear(struct copy *k)
{
    held_clear(&k->held);
    memset(k, 0, sizeof(*k));
}

void copy_source_clear(struct copy_source *s)
{
    if (s->path != NULL)
        unlink(s->path);
    free(s->path);
    api_download_res_clear(&s->answer);
    memset(s, 0, sizeof(*s));
}

/* ---- comparing ---------------------------------------------------------------------------------
 */

static const struct open_entry *find(const struct open_result *r, const char *name)
{
    for (size_t i = 0; i < r->n; i++) {
        if (strcmp(r->entries[i].name, name) == 0)
            return &r->entries[i];
    }
    return NULL;
}

static int is_less(const struct open_entry *a, const struct open_entry *b, enum trust trust)
{
    return trust == TRUST_OWN ? a->size_bytes < b->size_bytes
                              : memcmp(a->digest, b->digest, sizeof(a->digest)) != 0;
}

int copy_is_within(const struct copy *a, const struct copy *b)
{
    enum news_order order;

    if (strcmp(a->sha256, b->sha256) == 0 ||
        strcmp(a->held.opened.content_id, b->held.opened.content_id) == 0)
        return 1;
    news_vouch(a->held.news, TRUST_OWN);
    news_vouch(b->held.news, b->trust);
    order = news_compare_all(a->held.news, b->held.news);
    if (order != NEWS_SAME && order != NEWS_BEHIND)
        return 0;
    for (size_t i = 0; i < a->held.opened.n; i++) {
        const struct open_entry *e = &a->held.opened.entries[i],
                                *other = find(&b->held.opened, e->name);
        if (other == NULL || (e->kind != AGENT_TRANSCRIPT && !held_of_the_moment(e->kind) &&
                              is_less(other, e, b->trust)))
            return 0;
    }
    return 1;
}
