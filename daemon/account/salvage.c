#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bundle/open/open.h"
#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/data/jdoc.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "daemon/account/cloud.h"
#include "daemon/daemon.h"
#include "daemon/account/login_view.h"
#include "daemon/account/sealing.h"

/*
 * A spool that was set aside with its database may hold the only copy of a session whose transcript
 * is gone.  Once all that is there was scanned, bundles of sessions that nobody knows any more are
 * queued again.  What was set aside stays where it is: a second link goes into the spool.
 */
#define CHUNK (256 << 10)

struct salvage {
    struct daemon *d;
    uint64_t generation;
    struct strlist paths; /* of bundles to look at, from ${next} on */
    size_t next;
    char *path; /* of the one that the worker reads */
    char session_id[UUID_SIZE];
    const struct agent *agent;
    struct queue_item q;
    struct sealing_keys *keys; /* to open what is sealed, NULL: there are none */
    int is_sealed;
    struct seal_header seal;
    struct ct_err err;
};

static void salvage_free(void *arg)
{
    struct salvage *v = arg;

    queue_item_clear(&v->q);
    sealing_release(v->keys);
    strlist_free(&v->paths);
    free(v->path);
    free(v);
}

/* ---- on the worker ------------------------------------------------------------------------------
 */

static int digest(const char *path, struct queue_item *q, struct ct_err *err)
{
    unsigned char sha256[HASH_SHA256_BYTES], md5[HASH_MD5_BYTES], *chunk;
    struct hash *sha = hash_new(HASH_SHA256), *md = hash_new(HASH_MD5);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t n = -1;

    chunk = str_calloc(1, CHUNK);
    while (fd >= 0 && (n = file_pread_all(fd, chunk, CHUNK, (off_t)q->size_bytes)) > 0) {
        hash_update(sha, chunk, (size_t)n);
        hash_update(md, chunk, (size_t)n);
        q->size_bytes += n;
    }
    if (n < 0)
        err_sys(err, "can't read the bundle %s", path);
    hash_final(sha, sha256);
    hash_final(md, md5);
    hash_hex(sha256, sizeof(sha256), q->sha256);
    q->md5 = hash_base64(md5, sizeof(md5));
    free(chunk);
    if (fd >= 0)
        close(fd);
    return n < 0 ? -1 : 0;
}

static void salvage_run(void *arg)
{
    struct salvage *v = arg;
    struct open_opts o = {.session_id = v->session_id, .trust = TRUST_OWN, .with_memory = 1};
    const struct seal_header *seal;
    struct opener *opener;
    struct open_result r;

    o.unseal.ring = v->keys != NULL ? v->keys->ring : NULL;
    if (opener_new(v->path, &o, &opener, &v->err) != 0)
        return;
    if (opener_extract(opener, NULL, NULL, &r, &v->err) == 0) {
        const struct meta *m = opener_meta(opener);
        snprintf(v->q.session_id, sizeof(v->q.session_id), "%s", m->session_id);
        snprintf(v->q.content_id, sizeof(v->q.content_id), "%s", r.content_id);
        v->agent = m->agent;
        v->q.source_cwd = str_dup(m->source_cwd);
        v->q.source_user_dir = str_dup(m->source_user_dir);
        open_result_free(&r);
        seal = opener_seal(opener);
        v->is_sealed = seal != NULL;
        if (seal != NULL)
            v->seal = *seal;
        digest(v->path, &v->q, &v->err);
    }
    opener_free(opener);
}

/* ---- on the loop --------------------------------------------------------------------------------
 */

static void look_at_next(struct salvage *v);

static int write_salvaged(void *arg, struct ct_err *err)
{
    struct salvage *v = arg;
    struct state *st = v->d->books->state;
    struct state_session ss = {0};
    int rc;

    snprintf(ss.session_id, sizeof(ss.session_id), "%s", v->session_id);
    snprintf(ss.agent, sizeof(ss.agent), "%s", v->agent->id);
    ss.root = ss.project = (char *)(uintptr_t) "";
    ss.modified_ms = now_wall_ms();
    ss.meta = json_object_new_object();
    jdoc_set_str(ss.meta, "cwd", v->q.source_cwd);
    jdoc_set_str(ss.meta, "projectName", path_base(v->q.source_cwd));
    rc = state_put(st, &ss, err);
    json_object_put(ss.meta);
    if (rc != 0 || state_set_archived(st, v->session_id, now_wall_ms(), err) != 0)
        return -1;
    return uploader_put(v->d->books->uploader, &v->q, err);
}

/* It goes under its own seal, with a description made anew. */
static int describe(struct salvage *v, struct ct_err *err)
{
    /* How long it is without its padding is not known any more. */
    struct sealed_facts facts = {.generation = v->seal.generation, .origin = TRUST_OWN};

    if (!v->is_sealed)
        return 0;
    memcpy(facts.object_id, v->seal.object_id, sizeof(facts.object_id));
    snprintf(facts.content_id, sizeof(facts.content_id), "%s", v->q.content_id);
    if (sealing_wrap(v->d, v->keys, &facts, &v->q, err) != 0)
        return -1;
    hash_hex(v->seal.key_id, KEY_ID_BYTES, v->q.key_id); /* an older one, maybe */
    return 0;
}

static int queue_again(struct salvage *v, struct ct_err *err)
{
    struct daemon *d = v->d;
    const char *email, *url, *device, *why;
    char *to = uploader_spool_path(d->books->uploader, v->session_id);
    struct session *s;
    int rc = -1;

    login_view_look(d->login, &email, &url, &device, &why);
    v->q.file = str_dup(path_base(to));
    v->q.source_machine = device[0] != '\0' ? str_dup(device) : path_host_name();
    v->q.metadata = json_object_new_object();
    jdoc_set_str(v->q.metadata, "agentId", v->agent->id);
    if (describe(v, err) != 0)
        goto done;
    if (link(v->path, to) != 0) {
        err_sys(err, "can't link %s into the spool", v->path);
        goto done;
    }
    if (file_sync_parent(to, err) != 0 ||
        db_transact(state_db(d->books->state), write_salvaged, v, err) != 0) {
        unlink(to);
        goto done;
    }
    s = sessions_need(d, v->session_id);
    s->dirty_seq = s->queued_seq = sessions_next_seq(d);
    uploader_take(d->books->uploader, &v->q);
    reseal_run(d);
    cloud_consider(d->cloud, v->session_id);
    rc = 0;
done:
    free(to);
    return rc;
}

static int is_unknown(struct daemon *d, const char *id)
{
    struct state_session ss;
    int is_known = state_get(d->books->state, id, &ss);

    state_session_clear(&ss);
    return !is_known && sessions_get(d, id) == NULL && !uploader_has(d->books->uploader, id);
}

static void salvage_done(void *arg)
{
    struct salvage *v = arg;

    if (v->generation != v->d->generation || v->d->books == NULL) {
        salvage_free(v);
        return;
    }
    if (v->err.code == ERR_NONE && is_unknown(v->d, v->session_id) && queue_again(v, &v->err) == 0)
        log_info("salvaged session=%s bundle=%s", v->session_id, v->path);
    if (v->err.code != ERR_NONE)
        log_warn("not-salvaged bundle=%s error=\"%s\"", v->path, v->err.msg);
    look_at_next(v);
}

static void look_at_next(struct salvage *v)
{
    queue_item_clear(&v->q);
    memset(&v->err, 0, sizeof(v->err));
    while (v->next < v->paths.n) {
        free(v->path);
        v->path = str_dup(v->paths.v[v->next++]);
        snprintf(v->session_id, sizeof(v->session_id), "%.36s", path_base(v->path));
        if (uuid_is_valid(v->session_id) && is_unknown(v->d, v->session_id)) {
            sealing_release(v->keys);
            v->keys = sealing_hold(v->d->sealing);
            worker_submit(v->d->worker, salvage_run, salvage_done, salvage_free, v);
            return;
        }
    }
    salvage_free(v);
}

static void add_bundles(struct strlist *paths, const char *dir)
{
    DIR *d = opendir(dir);
    struct dirent *e;

    while (d != NULL && (e = readdir(d)) != NULL) {
        size_t n = strlen(e->d_name);
        if (n > 7 && strcmp(e->d_name + n - 7, ".tar.gz") == 0) {
            char *path = path_join(dir, e->d_name);
            strlist_add(paths, path);
            free(path);
        }
    }
    if (d != NULL)
        closedir(d);
}

void salvage_begin(struct daemon *d)
{
    struct salvage *v = str_calloc(1, sizeof(*v));
    DIR *dir = opendir(d->books->dir);
    struct dirent *e;

    v->d = d;
    v->generation = d->generation;
    while (dir != NULL && (e = readdir(dir)) != NULL) {
        size_t n = strlen(e->d_name);
        if (n > 6 && strncmp(e->d_name, "state.db.", 9) == 0 &&
            strcmp(e->d_name + n - 6, ".spool") == 0) {
            char *path = path_join(d->books->dir, e->d_name);
            add_bundles(&v->paths, path);
            free(path);
        }
    }
    if (dir != NULL)
        closedir(dir);
    look_at_next(v);
}
