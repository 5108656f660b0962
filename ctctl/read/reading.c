#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/roots.h"
#include "agents/agent.h"
#include "agents/disk/beneath.h"
#include "agents/linked.h"
#include "agents/unpack.h"
#include "bundle/install/local.h"
#include "bundle/open/open.h"
#include "common/base/now.h"
#include "common/base/str.h"
#include "ctctl/cloud/download.h"
#include "ctctl/cloud/item.h"
#include "ctctl/cloud/resolve.h"
#include "ctctl/ui/progress.h"

#include "ctctl/read/reading.h"

#define READ_BYTES (256 << 10)

/* ---- here --------------------------------------------------------------------------------------
 */

struct longest {
    char *path;
    int64_t size_bytes;
};

static void weigh(void *arg, const char *path, int fd, const struct stat *st)
{
    struct longest *l = arg;

    (void)fd;
    if (beneath_size(st) < l->size_bytes)
        return;
    free(l->path);
    l->path = str_dup(path);
    l->size_bytes = beneath_size(st);
}

static int feed(int fd, reading_f *f, void *arg, struct ct_err *err)
{
    char *p = str_calloc(1, READ_BYTES);
    ssize_t n;

    while ((n = read(fd, p, READ_BYTES)) > 0 || (n < 0 && errno == EINTR)) {
        if (n > 0)
            f(arg, p, (size_t)n);
    }
    free(p);
    return n < 0 ? err_sys(err, "can't read the transcript") : 0;
}

static void to_turns(void *arg, const void *p, size_t n)
{
    turns_feed(arg, p, n);
}

int reading_file(const struct agent *agent, int root_fd, const char *path, struct turns *t,
                 struct ct_err *err)
{
    int fd = unpack_open(agent, root_fd, path), rc;

    if (fd < 0)
        return err_sys(err, "can't open %s", path);
    rc = feed(fd, to_turns, t, err);
    turns_end(t);
    close(fd);
    return rc;
}

/* Find the longest transcript of the session, if there are several; the caller frees ${ret}. */
static int find_longest(const struct agent *agent, int root_fd, const char *session_id, char **ret,
                        struct ct_err *err)
{
    struct longest l = {0};
    struct linked_visit v = {agent, root_fd, weigh, &l};
    int rc = agent->list_transcripts(root_fd, session_id, &linked_visit_ops, &v, NULL, err);

    if (rc == 0 && l.path == NULL)
        rc = err_set(err, ERR_GONE, "session %.8s is not on this machine", session_id);
    if (rc == 0)
        *ret = l.path;
    else
        free(l.path);
    return rc;
}

static int open_here(const struct agent *agent, const char *root, const char *session_id,
                     int *ret_fd, struct ct_err *err)
{
    int root_fd = beneath_open_root(root), rc, fd = -1;
    char *path = NULL;

    if (root_fd < 0)
        return err_sys(err, "can't open %s", root);
    rc = find_longest(agent, root_fd, session_id, &path, err);
    if (rc == 0 && (fd = unpack_open(agent, root_fd, path)) < 0)
        rc = err_sys(err, "can't open %s", path);
    if (rc == 0)
        *ret_fd = fd;
    free(path);
    close(root_fd);
    return rc;
}

/* The session here that ${word} means, the number of its data folder.  1 if there is none. */
static int find_here(struct ctx *c, const char *word, char ret_id[UUID_SIZE], size_t *ret_root,
                     struct ct_err *err)
{
    const struct strlist *roots = &c->config->roots;
    int is_found = 0, is_clear = 1;

    for (size_t i = 0; i < roots->n; i++) {
        const struct agent *agent = roots_agent(c->config, i);
        struct strlist ids = {0};
        int64_t again_ms;
        /* What the daemon gathered last is shown where that fails. */
        if (agent->gather != NULL)
            (void)agent->gather(roots->v[i], &again_ms, NULL);
        local_list(agent, roots->v[i], &ids);
        for (size_t k = 0; k < ids.n; k++) {
            if (strncmp(ids.v[k], word, strlen(word)) != 0)
                continue;
            is_clear = is_clear && (!is_found || strcmp(ids.v[k], ret_id) == 0);
            if (!is_found)
                *ret_root = i;
            is_found = 1;
            memcpy(ret_id, ids.v[k], UUID_SIZE);
        }
        strlist_free(&ids);
    }
    if (!is_clear)
        return err_set(err, ERR_CONFLICT, "several sessions begin with \"%s\"; give more of the ID",
                       word);
    return !is_found;
}

/* ---- in the cloud ------------------------------------------------------------------------------
 */

static void on_progress(void *arg, int64_t done, int64_t total)
{
    progress_to(arg, done, total, now_mono_ms());
}

static int open_bundle(struct ctx *c, struct download *d, struct reading *r, reading_f *f,
                       void *arg, struct ct_err *err)
{
    struct open_opts opts = {.session_id = download_id(d), .transcript = f, .transcript_arg = arg};
    struct open_result opened;
    struct opener *opener;
    int rc;

    if (download_fetch(c, d, err) != 0 || download_unseal(c, d, &opts.unseal, err) != 0)
        return -1;
    opts.trust = opts.unseal.must_be_sealed ? TRUST_OWN : TRUST_STRANGER;
    if (opener_new(d->path, &opts, &opener, err) != 0)
        return item_refused(err);
    r->agent = opener_meta(opener)->agent;
    rc = opener_extract(opener, NULL, NULL, &opened, err);
    opener_free(opener);
    if (rc != 0)
        return item_refused(err);
    open_result_free(&opened);
    return 0;
}

static int read_cloud(struct ctx *c, struct reading *r, reading_f *f, void *arg, struct ct_err *err)
{
    struct progress *progress;
    struct resolved w;
    struct download d;
    int rc;

    if (resolve_session(c, r->word, r->is_plain, &w, err) != 0)
        return -1;
    rc = download_look(c, w.wire_id, r->version, &d, err);
    if (rc != 0) {
        resolve_gone(c, err);
        resolve_clear(&w);
        return -1;
    }
    progress = progress_new(&c->err, "Downloading", now_mono_ms());
    d.progress = on_progress;
    d.progress_arg = progress;
    rc = open_bundle(c, &d, r, f, arg, err);
    progress_free(progress);
    if (rc == 0) {
        r->found = d.answer.version;
        memcpy(r->session_id, download_id(&d), UUID_SIZE);
    }
    download_clear(&d, rc != 0 && err->code == ERR_RETRY);
    resolve_clear(&w);
    return rc;
}

int reading_open(struct ctx *c, const char *word, char ret_id[UUID_SIZE],
                 const struct agent **ret_agent, int *ret_fd, struct ct_err *err)
{
    size_t root = 0;
    int rc;

    if (ctx_config(c, err) != 0)
        return -1;
    rc = find_here(c, word, ret_id, &root, err);
    if (rc == 1)
        return err_set(err, ERR_GONE, "no session here begins with \"%s\"; see: ctctl list", word);
    if (rc != 0)
        return -1;
    *ret_agent = roots_agent(c->config, root);
    return open_here(*ret_agent, c->config->roots.v[root], ret_id, ret_fd, err);
}

/* Transcripts beside the session's own. */
struct further {
    void (*f)(void *arg, const char *name);
    void *arg;
    const char *wanted; /* NULL: ${f} is told of all */
    char *path;         /* of the wanted one */
};

static void on_further(void *arg, const struct agent_file *file)
{
    static const char end[] = ".jsonl";
    struct further *x = arg;
    size_t n = strlen(file->entry);

    if ((file->kind != AGENT_SUBDIR && file->kind != AGENT_SIDECHAIN) || n < sizeof(end) ||
        strcmp(file->entry + n - (sizeof(end) - 1), end) != 0)
        return;
    if (x->wanted == NULL)
        x->f(x->arg, file->entry);
    else if (x->path == NULL && strcmp(x->wanted, file->entry) == 0)
        x->path = str_dup(file->path);
}

static void pass_over(void *arg, const char *path, const char *reason)
{
    (void)arg;
    (void)path;
    (void)reason;
}

/* List what there is; with ${ret_fd}, open the wanted one. */
static int look_further(struct ctx *c, const char *word, struct further *x,
                        const struct agent **ret_agent, int *ret_fd, struct ct_err *err)
{
    static const struct agent_list_ops ops = {.found = on_further, .skipped = pass_over};
    const struct agent *agent;
    struct agent_path where;
    char id[UUID_SIZE], *path = NULL;
    int rc, root_fd, fd = -1;
    size_t root = 0;

    if (ctx_config(c, err) != 0)
        return -1;
    rc = find_here(c, word, id, &root, err);
    if (rc != 0)
        return rc < 0 ? -1 : err_set(err, ERR_GONE, "no session here begins with \"%s\"", word);
    agent = roots_agent(c->config, root);
    root_fd = beneath_open_root(c->config->roots.v[root]);
    if (root_fd < 0)
        return err_sys(err, "can't open %s", c->config->roots.v[root]);
    rc = find_longest(agent, root_fd, id, &path, err);
    if (rc == 0) {
        agent->classify(path, &where);
        rc = agent->list_rest(root_fd, id, where.project, &ops, x, NULL, err);
    }
    if (rc == 0 && ret_fd != NULL &&
        (x->path == NULL || (fd = linked_open(agent, root_fd, x->path, 0)) < 0))
        rc = err_set(err, ERR_GONE, "the session has no such part");
    if (rc == 0 && ret_fd != NULL) {
        *ret_agent = agent;
        *ret_fd = fd;
    }
    free(x->path);
    free(path);
    close(root_fd);
    return rc;
}

int reading_further(struct ctx *c, const char *word, void (*f)(void *arg, const char *name),
                    void *arg, struct ct_err *err)
{
    struct further x = {.f = f, .arg = arg};

    return look_further(c, word, &x, NULL, NULL, err);
}

int reading_open_further(struct ctx *c, const char *word, const char *name,
                         const struct agent **ret_agent, int *ret_fd, struct ct_err *err)
{
    struct further x = {.wanted = name};

    return look_further(c, word, &x, ret_agent, ret_fd, err);
}

int reading_raw(struct ctx *c, struct reading *r, reading_f *f, void *arg, struct ct_err *err)
{
    int may_be_here = r->version == 0 && !r->is_cloud, rc, fd;

    if (ctx_config(c, err) != 0)
        return -1;
    if (may_be_here) {
        rc = reading_open(c, r->word, r->session_id, &r->agent, &fd, err);
        if (rc == 0) {
            rc = feed(fd, f, arg, err);
            close(fd);
        }
        if (rc == 0 || r->must_be_here || err->code != ERR_GONE)
            return rc;
    }
    rc = read_cloud(c, r, f, arg, err);
    if (rc != 0 && may_be_here)
        err_prefix(err, "no session here begins with \"%s\"", r->word);
    return rc;
}

/* Who reads it turn by turn knows whose it is when the first bytes come. */
struct telling {
    const struct reading *r;
    turns_f *f;
    void *arg;
    struct turns *t;
};

static void on_bytes(void *arg, const void *p, size_t n)
{
    struct telling *x = arg;

    if (x->t == NULL) {
        x->t = turns_new(x->r->agent, x->f, x->arg);
        if (x->r->only != NULL)
            turns_only(x->t, x->r->only, x->r->only_arg);
    }
    turns_feed(x->t, p, n);
}

int reading_do(struct ctx *c, struct reading *r, turns_f *f, void *arg, struct ct_err *err)
{
    struct telling x = {r, f, arg, NULL};
    int rc = reading_raw(c, r, on_bytes, &x, err);

    r->unread = 0;
    if (x.t == NULL)
        return rc;
    if (rc == 0)
        turns_end(x.t);
    r->unread = turns_unread(x.t);
    turns_free(x.t);
    return rc;
}
