#include <string.h>
#include <unistd.h>

#include "agents/disk/beneath.h"
#include "agents/news.h"
#include "bundle/install/local.h"
#include "bundle/open/open.h"

#include "bundle/install/verify.h"

const char *verify_name(enum verify_state state)
{
    static const char *const names[] = {"same", "local-newer", "cloud-newer", "diverged",
                                        "not-here"};

    return names[state];
}

static void on_transcript(void *arg, const void *p, size_t n)
{
    struct news **news = arg;

    news_feed(*news, p, n);
}

static int compare(const struct meta *meta, const struct verify_here *here, const struct news *news,
                   struct verify_result *ret, struct ct_err *err)
{
    const char *root = here->find_root(here->arg, meta->agent);
    int root_fd = root != NULL ? beneath_open_root(root) : -1, rc;
    struct local local;

    rc = local_find(root_fd, meta->agent, meta->session_id, &local, err);
    if (root_fd >= 0)
        close(root_fd);
    if (rc != 0)
        return -1;
    news_vouch(local.news, here->here);
    ret->records = news_count(news);
    ret->local_records = news_count(local.news);
    ret->state = VERIFY_NOT_HERE;
    if (local.n > 0) {
        switch (news_compare_all(local.news, news)) {
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

int verify_bundle(const char *path, const char *session_id, const struct verify_here *here,
                  const struct unseal_opts *unseal, struct verify_result *ret, struct ct_err *err)
{
    struct news *news = NULL;
    const struct open_opts opts = {
        .session_id = session_id,
        .unseal = unseal != NULL ? *unseal : (struct unseal_opts){0},
        .trust = unseal != NULL && unseal->must_be_sealed ? TRUST_OWN : TRUST_STRANGER,
        .with_memory = 1,
        .transcript = on_transcript,
        .transcript_arg = &news,
    };
    struct open_result opened;
    struct opener *opener;
    int rc = opener_new(path, &opts, &opener, err);

    if (rc == 0) {
        news = news_new(opener_meta(opener)->agent);
        rc = opener_extract(opener, NULL, NULL, &opened, err);
        news_end(news);
        news_vouch(news, here->bundle);
        if (rc == 0) {
            rc = compare(opener_meta(opener), here, news, ret, err);
            open_result_free(&opened);
        }
        opener_free(opener);
    }
    news_free(news);
    return rc;
}
