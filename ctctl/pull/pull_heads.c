#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/disk/beneath.h"
#include "agents/linked.h"
#include "bundle/install/local.h"
#include "common/base/hash.h"

#include "ctctl/cloud/item.h"
#include "ctctl/pull/pull_adopt.h"
#include "ctctl/pull/pull_apart.h"
#include "ctctl/pull/pull_fallback.h"
#include "ctctl/pull/pull_heads.h"

/* A file of a head may be here although it is not in what was taken. */
struct place {
    const struct agent *agent;
    int root_fd;
    const char *session_id, *project;
    enum trust here, head; /* who vouches for either */
};

/* Nobody vouches for the file as for the head's: does it say the same? */
static int is_other(int fd, const struct open_entry *e)
{
    unsigned char d[HASH_SHA256_BYTES];
    char hex[HASH_SHA256_HEX];
    int64_t size;

    return hash_sha256_fd(fd, &size, hex) != 0 || hash_unhex(hex, d, sizeof(d)) != 0 ||
           memcmp(d, e->digest, sizeof(d)) != 0;
}

static int is_absent(void *arg, const struct open_entry *e)
{
    const struct place *p = arg;
    char *path = p->agent->entry_path(p->session_id, p->project, NULL, e->name);
    int fd = path != NULL ? linked_open(p->agent, p->root_fd, path, 0) : -1;
    size_t n = strlen(e->name);
    int is_json = n > 5 && (strcmp(e->name + n - 5, ".json") == 0 || e->lines > 0);
    struct stat st;
    int is_so = fd < 0 || fstat(fd, &st) != 0 || (!is_json && st.st_size < e->size_bytes) ||
                (p->here < p->head && is_other(fd, e));

    if (fd >= 0)
        close(fd);
    free(path);
    return is_so;
}

static void count_absent(struct heads *h, const struct open_result *files, struct place *p)
{
    for (size_t i = 0; files != NULL && i < h->n; i++) {
        struct head *head = &h->v[i];
        p->head = head->copy.held.opened.trust;
        if (head->is_known && head->files > 0)
            head->files = held_files_lacking(files, &head->copy.held.opened, is_absent, p);
    }
}

int pull_judge(struct ctx *c, const struct pull_opts *opts, const struct head *taken,
               struct heads *h)
{
    const struct open_result *files =
        taken != NULL && taken->is_known ? &taken->copy.held.opened : NULL;
    int is_left_alone = (opts->is_rehearsal && !opts->is_merge) || opts->is_copy, is_here = 0;
    const struct agent *agent = h->n > 0 ? item_agent(h->v[0].item) : agent_unnamed();
    char *root = is_left_alone ? NULL : ctx_root(c, agent, NULL);
    int root_fd = root != NULL ? beneath_open_root(root) : -1;
    struct local local = {0};

    if (root_fd >= 0)
        is_here = local_find(root_fd, agent, h->session_id, &local, NULL) == 0 && local.n > 0;
    if (is_here) {
        struct place p = {agent,
                          root_fd,
                          h->session_id,
                          local.copies[0].project,
                          pull_vouched_here(c, agent, h->session_id),
                          TRUST_STRANGER};
        news_vouch(local.news, p.here);
        heads_judge(h, local.news, files);
        count_absent(h, files, &p);
    } else if (files != NULL)
        heads_judge(h, taken->copy.held.news, files);
    if (local.news != NULL)
        local_clear(&local);
    if (root_fd >= 0)
        close(root_fd);
    free(root);
    return is_here;
}

int pull_fullest(struct ctx *c, const char *wire_id, const struct pull_opts *opts,
                 struct pull_result *ret, struct ct_err *err)
{
    struct pull_opts own = *opts;
    struct head *taken;
    struct heads h;
    int rc;

    heads_ask(c, wire_id, &h);
    heads_look(c, &h);
    taken = own.version > 0 ? heads_find(&h, own.version) : heads_fullest(&h);
    if (taken != NULL && !taken->is_current)
        own.version = taken->version;
    rc = pull_session(c, wire_id, &own, ret, err);
    if (rc != 0 && opts->version == 0 && !opts->is_merge)
        rc = pull_fall_back(c, wire_id, opts, ret, err);
    if (ret->unread != NULL)
        taken = heads_find(&h, ret->version);
    if (h.n > 1)
        pull_judge(c, opts, taken, &h);
    if (rc == 0 && !own.is_rehearsal && !own.is_copy) {
        if (taken != NULL && taken->is_known)
            pull_adopt_heads(c, &h);
        pull_adopt_tell(c, ret->installed.session_id, 0);
        pull_apart_forget(c, ret->installed.session_id);
    } else if (rc != 0 && strcmp(err->reason, "diverged") == 0) {
        pull_adopt_tell(c, ret->installed.session_id, ret->version);
    }
    ret->heads = h;
    return rc;
}
