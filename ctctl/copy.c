#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/path.h"
#include "common/str.h"
#include "ctctl/download.h"

#include "ctctl/copy.h"

#define PIECE (1 << 18)

int copy_temporary(struct ctx *c, char **ret_path, struct ct_err *err)
{
    char *dir, *path;
    int fd;

    if (ctx_config(c, err) != 0)
        return -1;
    dir = path_join(c->config->state_dir, "downloads");
    path = path_join(dir, "reseal-XXXXXX");
    fd = path_make_private(dir, err) == 0 ? mkostemp(path, O_CLOEXEC) : -2;
    if (fd == -1)
        err_sys(err, "can't make a file in %s", dir);
    free(dir);
    if (fd < 0) {
        free(path);
        return -1;
    }
    *ret_path = path;
    return fd;
}

/* ---- unsealing ---------------------------------------------------------------------------------
 */

static int to_file(void *arg, const void *p, size_t n, struct ct_err *err)
{
    const int *fd = arg;

    return file_write_all(*fd, p, n) == 0 ? 0 : err_sys(err, "can't write what was opened");
}

static int unseal_all(struct unsealer *u, int from, struct ct_err *err)
{
    char *p = str_calloc(PIECE, 1);
    ssize_t n;
    off_t at = 0;
    int rc = 0;

    while (rc == 0 && (n = file_pread_all(from, p, PIECE, at)) != 0) {
        rc = n > 0 ? unsealer_add(u, p, (size_t)n, err) : err_sys(err, "can't read the download");
        at += n > 0 ? n : 0;
    }
    free(p);
    return rc == 0 ? unsealer_end(u, err) : -1;
}

static int unseal(struct ctx *c, const struct keyring *ring, const struct sealed_facts *facts,
                  int from, char **ret_path, struct ct_err *err)
{
    char *path;
    int fd = copy_temporary(c, &path, err), rc;
    struct unsealer *u;

    if (fd < 0)
        return -1;
    u = unsealer_new(ring, SEAL_BUNDLE, to_file, &fd);
    /* The bundle has to be the one that the metadata speaks of. */
    unsealer_expect(u, facts->object_id, facts->generation);
    rc = unseal_all(u, from, err);
    unsealer_free(u);
    /* What is behind it is padding. */
    if (rc == 0 && ftruncate(fd, (off_t)facts->gzip_bytes) != 0)
        rc = err_sys(err, "can't cut the padding off");
    close(fd);
    if (rc == 0) {
        *ret_path = path;
        return 0;
    }
    unlink(path);
    free(path);
    return -1;
}

/* ---- looking into it ---------------------------------------------------------------------------
 */

static void on_transcript(void *arg, const void *p, size_t n)
{
    news_feed(arg, p, n);
}

static int look(const char *path, const char *session_id, struct copy *k, struct ct_err *err)
{
    struct news *news = news_new();
    /* Nothing is written, so what it claims can do no harm; and it was this account's before. */
    const struct open_opts opts = {
        .session_id = session_id,
        .is_trusted = 1,
        .with_memory = 1,
        .transcript = on_transcript,
        .transcript_arg = news,
    };
    struct opener *opener;
    int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

    rc = fd >= 0 ? hash_sha256_fd(fd, &k->gzip_bytes, k->sha256) : -1;
    if (rc != 0)
        err_sys(err, "can't read the bundle");
    if (fd >= 0)
        close(fd);
    if (rc == 0)
        rc = opener_new(path, &opts, &opener, err);
    if (rc == 0) {
        rc = opener_extract(opener, NULL, NULL, &k->opened, err);
        opener_free(opener);
    }
    if (rc != 0) {
        news_free(news);
        return -1;
    }
    news_end(news);
    k->news = news;
    return 0;
}

static int look_at_sealed(struct ctx *c, const struct keyring *ring, const char *session_id,
                          const struct download *d, struct copy *k, char **ret_path,
                          struct ct_err *err)
{
    struct sealed_facts facts;
    int rc;

    if (!sealed_is(d->answer.metadata))
        return err_set(err, ERR_CORRUPT, "the server's answer has no sealed metadata");
    if (sealed_open(ring, d->answer.session_id, d->answer.metadata, &facts, err) != 0)
        return -1;
    k->generation = facts.generation;
    if (strcmp(facts.session_id, session_id) != 0)
        rc = err_set(err, ERR_CORRUPT, "the sealed metadata is of another session");
    else
        rc = unseal(c, ring, &facts, d->fd, ret_path, err);
    if (rc == 0) {
        rc = look(*ret_path, session_id, k, err);
        if (rc == 0 && strcmp(k->opened.content_id, facts.content_id) != 0) {
            open_result_free(&k->opened);
            news_free(k->news);
            rc = err_set(err, ERR_CORRUPT, "the content is not what the sealed metadata says");
        }
    }
    sealed_facts_clear(&facts);
    return rc;
}

int copy_fetch(struct ctx *c, const struct keyring *ring, const char *session_id,
               const char *wire_id, int64_t version, struct copy *ret,
               struct copy_source *ret_source, struct ct_err *err)
{
    int is_sealed = strcmp(session_id, wire_id) != 0, rc;
    struct copy k = {.version = version};
    struct download d;
    char *opened = NULL;

    if (download_look(c, wire_id, version, &d, err) != 0)
        return -1;
    rc = download_fetch(c, &d, err);
    if (rc == 0 && is_sealed)
        rc = look_at_sealed(c, ring, session_id, &d, &k, &opened, err);
    else if (rc == 0)
        rc = look(d.path, session_id, &k, err);
    if (rc == 0)
        *ret = k;
    if (rc == 0 && ret_source != NULL) {
        ret_source->path = is_sealed ? opened : str_dup(d.path);
        opened = NULL;
        ret_source->answer = d.answer;
        memset(&d.answer, 0, sizeof(d.answer));
    } else {
        is_sealed = 1; /* the download is not wanted any more */
    }
    if (opened != NULL)
        unlink(opened);
    free(opened);
    download_clear(&d, rc != 0 ? err->code == ERR_RETRY : !is_sealed);
    return rc;
}

void copy_clear(struct copy *k)
{
    if (k->news != NULL)
        open_result_free(&k->opened);
    news_free(k->news);
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

/* Files that say how something stands, and are written anew. */
static int is_of_the_moment(enum agent_kind kind)
{
    return kind == AGENT_TASK || kind == AGENT_TODO || kind == AGENT_PLAN || kind == AGENT_MEMORY;
}

static const struct open_entry *find(const struct open_result *r, const char *name)
{
    for (size_t i = 0; i < r->n; i++) {
        if (strcmp(r->entries[i].name, name) == 0)
            return &r->entries[i];
    }
    return NULL;
}

int copy_is_within(const struct copy *a, const struct copy *b)
{
    enum news_order order;

    if (strcmp(a->sha256, b->sha256) == 0 ||
        strcmp(a->opened.content_id, b->opened.content_id) == 0)
        return 1;
    order = news_compare(a->news, b->news);
    if (order != NEWS_SAME && order != NEWS_BEHIND)
        return 0;
    for (size_t i = 0; i < a->opened.n; i++) {
        const struct open_entry *e = &a->opened.entries[i], *other = find(&b->opened, e->name);
        if (other == NULL || (e->kind != AGENT_TRANSCRIPT && !is_of_the_moment(e->kind) &&
                              other->size_bytes < e->size_bytes))
            return 0;
    }
    return 1;
}
