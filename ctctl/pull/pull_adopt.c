#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/disk/beneath.h"
#include "agents/linked.h"
#include "bundle/install/adopted.h"
#include "common/data/jdoc.h"

#include "ctctl/pull/pull_adopt.h"

#define ANSWER_MS 5000

/* The transcript as it still lies here, or -1. */
static int open_here(const char *root, const struct install_result *r)
{
    int root_fd = beneath_open_root(root);
    int fd = root_fd >= 0 ? linked_open(r->agent, root_fd, r->path, 0) : -1;

    if (root_fd >= 0)
        close(root_fd);
    return fd;
}

/* What was merged, or has more, is no version.  What the transcript here was made of before goes on
 * counting: return whether it does. */
static int note_here(const char *root, const struct install_result *r, const char *dir,
                     struct adopted *a)
{
    struct adopted before;
    int fd = open_here(root, r), is_more = 0;

    if (r->outcome != INSTALL_SAME)
        memset(a->content_id, '0', sizeof(a->content_id) - 1);
    a->is_here = r->outcome != INSTALL_MERGED;
    if (a->is_here)
        adopted_measure(a, fd);
    if (adopted_load(dir, a->session_id, &before) && adopted_fits(&before, fd)) {
        adopted_merge(a, &before);
        is_more = 1;
    }
    if (fd >= 0)
        close(fd);
    return is_more;
}

/* Was anything left out of records that came, or conversation as a whole?  Modes and the like are
 * nobody's loss. */
static int is_less(const struct losses *l)
{
    for (size_t i = 0; i < l->n; i++) {
        if (strncmp(l->v[i].name, "record ", 7) != 0 && strncmp(l->v[i].name, "prompt ", 7) != 0)
            return 1;
    }
    return l->is_news;
}

void pull_adopt(struct ctx *c, const char *root, const struct download *d,
                const struct install_result *r)
{
    const struct api_download_res *from = &d->answer;
    struct adopted a = {.version = from->version, .size_bytes = from->size_bytes};
    const char *dir = ctx_account_dir(c);
    int is_more = 0;

    /* What came in clear to a device that seals is not safe yet: it goes up sealed. */
    if (!d->is_sealed && ctx_is_sealing(c))
        return;
    if (dir == NULL || strcmp(r->session_id, download_id(d)) != 0)
        return; /* a copy: the cloud does not know it */
    memcpy(a.session_id, r->session_id, sizeof(a.session_id));
    memcpy(a.content_id, r->content_id, sizeof(a.content_id));
    memcpy(a.sha256, strchr(from->checksum, ':') + 1, sizeof(a.sha256));
    a.transcript_bytes = r->transcript_bytes;
    memcpy(a.transcript_digest, r->transcript_digest, sizeof(a.transcript_digest));
    a.is_loopback = d->is_loopback;
    a.is_thinner = is_less(&r->losses);
    a.is_instead = r->outcome == INSTALL_FORCED;
    if (d->is_sealed) {
        snprintf(a.wire_id, sizeof(a.wire_id), "%s", from->session_id);
        hash_hex(d->header.key_id, KEY_ID_BYTES, a.key_id);
        a.generation = d->header.generation;
    }
    if (r->outcome == INSTALL_MERGED || r->outcome == INSTALL_KEPT || r->outcome == INSTALL_SAME)
        is_more = note_here(root, r, dir, &a);
    if (adopted_note_files(dir, a.session_id, &r->beside, is_more, NULL) != 0 ||
        adopted_save(dir, &a, NULL) != 0)
        adopted_forget(dir, a.session_id);
    /* Whoever deleted it here once wants it again: the next deletion is somebody else's. */
    (void)adopted_take_deleted(dir, a.session_id);
}

void pull_adopt_heads(struct ctx *c, const struct heads *h)
{
    const char *dir = ctx_account_dir(c);
    struct adopted a;
    size_t before;

    if (dir == NULL || !adopted_load(dir, h->session_id, &a))
        return;
    before = a.n_also;
    for (size_t i = 0; i < h->n; i++) {
        const struct head *head = &h->v[i];
        /* What is pinned held more once than what can be counted here. */
        if (head->is_known && !head->is_pinned && head->records + head->files == 0)
            adopted_add(&a, head->version, strchr(head->source.answer.checksum, ':') + 1);
    }
    if (a.n_also > before)
        (void)adopted_save(dir, &a, NULL);
}

void pull_adopt_tell(struct ctx *c, const char *session_id, int64_t apart)
{
    struct json_object *params = json_object_new_object(), *o;
    struct ct_err err;

    jdoc_set_str(params, "id", session_id);
    if (apart > 0)
        jdoc_set_int(params, "apart", apart);
    if (ctx_call(c, "pulled", params, ANSWER_MS, &o, &err) == 0)
        json_object_put(o);
    json_object_put(params);
}
