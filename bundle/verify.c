#include <sys/stat.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "agents/beneath.h"
#include "agents/news.h"
#include "bundle/local.h"
#include "bundle/open.h"
#include "bundle/stage.h"

#include "bundle/verify.h"

const char *verify_name(enum verify_state state)
{
    static const char *const names[] = {"same", "local-newer", "cloud-newer", "diverged",
                                        "not-here"};

    return names[state];
}

/* The records of the transcript in the stage. */
static int read_records(const struct stage *stage, const struct open_result *r, struct news *news,
                        struct ct_err *err)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct open_entry *e = &r->entries[i];
        int fd, rc;
        if (e->kind != AGENT_TRANSCRIPT)
            continue;
        fd = openat(stage->fd, e->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
            return err_sys(err, "can't read the stage");
        rc = local_feed(fd, e->stage_bytes, news, err);
        close(fd);
        return rc;
    }
    return 0;
}

static int compare(const struct open_meta *meta, const char *root, const struct news *news,
                   struct verify_result *ret, struct ct_err *err)
{
    int root_fd = beneath_open_root(root), rc;
    struct local local;

    rc = local_find(root_fd, meta->agent, meta->session_id, &local, err);
    if (root_fd >= 0)
        close(root_fd);
    if (rc != 0)
        return -1;
    ret->records = news_count(news);
    ret->local_records = news_count(local.news);
    ret->state = VERIFY_NOT_HERE;
    if (local.n > 0) {
        switch (news_compare(local.news, news)) {
        case NEWS_SAME:
            ret->state = VERIFY_SAME;
            break;
        case NEWS_BEHIND:
            ret->state = VERIFY_CLOUD_NEWER;
            break;
        case NEWS_AHEAD:
            ret->state = VERIFY_LOCAL_NEWER;
            break;
        case NEWS_DIVERGED:
            ret->state = VERIFY_DIVERGED;
            break;
        }
    }
    local_clear(&local);
    return 0;
}

int verify_bundle(const char *path, const char *session_id, const char *root,
                  const char *scratch_dir, struct verify_result *ret, struct ct_err *err)
{
    const struct open_opts opts = {.session_id = session_id, .with_memory = 1};
    struct open_result opened;
    struct opener *opener;
    struct stage stage;
    struct news *news;
    int rc = -1;

    if (opener_new(path, &opts, &opener, err) != 0)
        return -1;
    if (stage_rehearse(scratch_dir, &stage, err) != 0)
        goto err0;
    if (opener_extract(opener, stage.dir, NULL, &opened, err) != 0)
        goto err1;
    news = news_new();
    rc = read_records(&stage, &opened, news, err);
    if (rc == 0)
        rc = compare(opener_meta(opener), root, news, ret, err);
    news_free(news);
    open_result_free(&opened);
err1:
    stage_close(&stage);
err0:
    opener_free(opener);
    return rc;
}
