#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/beneath.h"
#include "bundle/local.h"
#include "common/jdoc.h"
#include "common/now.h"
#include "common/uuid.h"
#include "ctctl/sessions.h"

#include "ctctl/pull_many.h"

#define STEP_NS 1000000 /* between two transcripts' times, at least */

/* When the session was used last: as its metadata say, else when it was saved. */
static int64_t used_ms(const struct json_object *item)
{
    const char *s = jdoc_str(jdoc_obj(item, "metadata"), "sessionEndedAt");
    int64_t ms;

    if (s != NULL && now_parse_rfc3339(s, &ms) == 0)
        return ms;
    s = jdoc_str(item, "createdAt");
    return s != NULL && now_parse_rfc3339(s, &ms) == 0 ? ms : 0;
}

static int by_use(const void *a, const void *b)
{
    int64_t x = used_ms(*(struct json_object *const *)a);
    int64_t y = used_ms(*(struct json_object *const *)b);

    return x < y ? -1 : x > y;
}

/* Is the session here, and does the cloud know of something that is not?  The cloud's newest record
 * tells: it is here too, or not.  Where that is not said, the times of the two decide. */
static int look(int root_fd, const struct json_object *item, int *ret_is_here, int *ret_is_behind,
                struct ct_err *err)
{
    const char *id = jdoc_str(item, "id");
    const char *ended = jdoc_str(jdoc_obj(item, "metadata"), "sessionEndedAt");
    struct local local;
    int64_t ms;

    if (local_find(root_fd, agent_default(), id, &local, err) != 0)
        return -1;
    *ret_is_here = local.n > 0;
    if (local.n == 0)
        *ret_is_behind = 0;
    else if (ended != NULL && now_parse_rfc3339(ended, &ms) == 0)
        *ret_is_behind = !news_has_time(local.news, ms);
    else
        *ret_is_behind = used_ms(item) > local.copies[0].was.mtime_ns / 1000000;
    local_clear(&local);
    return 0;
}

/* Some failures are the same for all that follow. */
static int ends_it_all(const struct ct_err *err)
{
    return err->code == ERR_AUTH || err->code == ERR_CONFIG || err->code == ERR_NOSPACE ||
           err->code == ERR_CANCELLED;
}

struct many {
    struct ctx *c;
    const struct pull_many_opts *opts;
    int root_fd;
    int64_t rested;
    int64_t last_ns;
};

static int one(struct many *m, const struct json_object *item, struct ct_err *err)
{
    struct pull_opts o = m->opts->each;
    const char *id = jdoc_str(item, "id");
    struct pull_result r = {0};
    int is_here, is_behind, rc;

    if (id == NULL || !uuid_is_valid(id))
        return 0;
    rc = look(m->root_fd, item, &is_here, &is_behind, err);
    if (rc == 0 && is_here && !is_behind) {
        m->rested++;
        return 0;
    }
    if (rc == 0 && !is_here && m->opts->is_update)
        return 0;
    o.mtime_ns = now_wall_ms() * 1000000;
    if (o.mtime_ns < m->last_ns + STEP_NS)
        o.mtime_ns = m->last_ns + STEP_NS;
    if (rc == 0)
        rc = pull_session(m->c, id, &o, &r, err);
    if (rc == 0)
        m->last_ns = o.mtime_ns;
    m->opts->done(m->opts->done_arg, item, &r, rc == 0 ? NULL : err);
    pull_result_clear(&r);
    return rc != 0 && ends_it_all(err) ? -1 : 0;
}

int pull_many(struct ctx *c, const struct pull_many_opts *opts, int64_t *ret_rested,
              struct ct_err *err)
{
    const struct sessions_filter f = {.project = opts->project};
    struct many m = {.c = c, .opts = opts, .root_fd = -1};
    struct json_object *answer, *list;
    char *root = pull_root(c, err);
    int rc = 0;

    if (root == NULL)
        return -1;
    if (sessions_cloud(c, &f, &answer, err) != 0) {
        free(root);
        return -1;
    }
    list = jdoc_array(answer, "sessions");
    json_object_array_sort(list, by_use);
    m.root_fd = beneath_open_root(root);
    for (size_t i = 0; rc == 0 && i < json_object_array_length(list); i++) {
        rc = one(&m, json_object_array_get_idx(list, i), err);
        if (m.root_fd < 0) /* the first one made it */
            m.root_fd = beneath_open_root(root);
    }
    if (rc == 0)
        *ret_rested = m.rested;
    if (m.root_fd >= 0)
        close(m.root_fd);
    json_object_put(answer);
    free(root);
    return rc;
}
