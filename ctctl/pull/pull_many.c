#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/disk/beneath.h"
#include "agents/linked.h"
#include "agents/unpack.h"
#include "agents/transcript.h"
#include "bundle/install/adopted.h"
#include "bundle/install/local.h"
#include "common/base/file.h"
#include "common/base/map.h"
#include "common/data/jdoc.h"
#include "common/base/now.h"
#include "common/base/str.h"
#include "common/base/uuid.h"
#include "common/config/device.h"
#include "ctctl/cloud/item.h"
#include "ctctl/cloud/sessions.h"
#include "ctctl/cloud/resolve.h"
#include "ctctl/here/target.h"

#include "ctctl/pull/pull_apart.h"
#include "ctctl/pull/pull_heads.h"

#include "ctctl/pull/pull_many.h"

#define WINDOW (256 << 10)
#define STEP_NS 1000000 /* between two transcripts' times, at least */

/* When the session was used last: as its metadata say, else when it was saved. */
static int64_t used_ms(const struct json_object *item)
{
    const char *s = jdoc_str(item_metadata(item), "sessionEndedAt");
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

/* The cloud's newest record bears a time that is here as well, the newest one here: another record
 * may bear it too, for agents write several in a millisecond.  Then it is their number that tells.
 */
static int has_fewer(const struct agent *agent, int root_fd, const struct local_copy *c,
                     const struct json_object *item, int64_t ended_ms, int *ret, struct ct_err *err)
{
    struct json_object *meta = item_metadata(item);
    int64_t at = 0;
    struct transcript_facts facts;
    struct transcript *t;
    ssize_t n = 1;
    char *p;
    int fd = unpack_open(agent, root_fd, c->path);

    if (fd < 0)
        return err_sys(err, "can't open the transcript");
    t = transcript_new(agent);
    p = str_calloc(WINDOW, 1);
    while (n > 0) {
        n = file_pread_all(fd, p, WINDOW, (off_t)at);
        if (n > 0)
            transcript_feed(t, p, (size_t)n);
        at += n;
    }
    transcript_facts(t, &facts);
    *ret = facts.has_times && facts.ended_ms == ended_ms &&
           (facts.user_messages + facts.assistant_messages < jdoc_int(meta, "messageCount", 0) ||
            facts.tool_calls < jdoc_int(meta, "toolCallCount", 0));
    transcript_free(t);
    free(p);
    close(fd);
    return n < 0 ? err_sys(err, "can't read the transcript") : 0;
}

static int look_closer(int root_fd, const struct local *local, const struct json_object *item,
                       int64_t ended_ms, int *ret, struct ct_err *err)
{
    if (news_has_time(local->news, ended_ms))
        return has_fewer(item_agent(item), root_fd, &local->copies[0], item, ended_ms, ret, err);
    *ret = 1;
    return 0;
}

/* Does a map say that it is to be in another folder? */
static int is_to_move(const struct strlist *map, const struct json_object *item,
                      const struct local *local)
{
    char *to = target_mapped(map, item_str(item, "sourceCwd"), local_cwd(local));
    char *real = to != NULL ? realpath(to, NULL) : NULL;
    char *name = to != NULL ? item_agent(item)->project_name(real != NULL ? real : to) : NULL;
    int is_so = name != NULL && (item_agent(item)->find_project != NULL
                                     ? strcmp(real != NULL ? real : to, local_cwd(local)) != 0
                                     : strcmp(name, local->copies[0].project) != 0);

    free(name);
    free(real);
    free(to);
    return is_so;
}

/* Is the session here, and does the cloud know of something that is not?  The cloud's newest record
 * tells: it is here too, or not.  Where that is not said, the times of the two decide. */
static int look(int root_fd, const struct json_object *item, const struct strlist *map,
                int *ret_is_here, int *ret_is_behind, struct ct_err *err)
{
    const char *id = item_id(item);
    const char *ended = jdoc_str(item_metadata(item), "sessionEndedAt");
    struct local local;
    int64_t ms;
    int rc = 0;

    if (local_find(root_fd, item_agent(item), id, &local, err) != 0)
        return -1;
    *ret_is_here = local.n > 0;
    if (local.n == 0)
        *ret_is_behind = 0;
    else if (ended != NULL && now_parse_rfc3339(ended, &ms) == 0)
        rc = look_closer(root_fd, &local, item, ms, ret_is_behind, err);
    else
        *ret_is_behind = used_ms(item) > local.copies[0].was.mtime_ns / 1000000;
    if (rc == 0 && local.n > 0 && is_to_move(map, item, &local))
        *ret_is_behind = 1;
    local_clear(&local);
    return rc;
}

/* The daemon's items by id; without the daemon there are none. */
static void take_books(struct ctx *c, struct json_object **ret, struct map *by_id)
{
    const struct sessions_filter all = {0};

    *ret = NULL;
    if (sessions_local(c, &all, ret, NULL) != 0)
        return;
    for (size_t i = 0; i < json_object_array_length(*ret); i++) {
        struct json_object *o = json_object_array_get_idx(*ret, i);
        const char *id = jdoc_str(o, "sessionId");
        if (id != NULL && map_get(by_id, id) == NULL)
            map_put(by_id, id, o);
    }
}

/* The newest version of the item's kind (in clear, sealed) that what is here goes on from: as a
 * pull or the daemon wrote it down.  0: nobody knows. */
static int64_t known_version(struct ctx *c, const struct map *books, const struct json_object *item)
{
    const char *id = item_id(item), *wire_id = item_is_sealed(item) ? item_wire_id(item) : "";
    const struct json_object *book = map_get(books, id);
    const char *book_wire = jdoc_str(book, "wireId"), *dir = ctx_account_dir(c);
    struct adopted a;
    int64_t known = 0;

    if (book != NULL && strcmp(book_wire != NULL ? book_wire : "", wire_id) == 0)
        known = jdoc_int(book, "version", 0);
    if (dir != NULL && adopted_load(dir, id, &a) && strcmp(a.wire_id, wire_id) == 0 &&
        a.version > known)
        known = a.version;
    return known;
}

/* Times don't tell everything: what another device made may end with a record that is here as well,
 * and have older ones that are not, or another file.  In
 * clear, a server that tells devices apart does; of what is sealed, its number. */
static int is_unseen(struct ctx *c, const struct map *books, const struct json_object *item)
{
    const char *sealer = item_device_id(item);
    char device[UUID_SIZE];

    if (sealer != NULL && device_id(c->config->state_dir, device, NULL) == 0 &&
        strcmp(sealer, device) == 0)
        return 0;
    if (!item_is_sealed(item) &&
        (!jdoc_has(item, "thisDevice") || jdoc_bool(item, "thisDevice", 0)))
        return 0;
    return jdoc_int(item, "currentVersion", 0) > known_version(c, books, item);
}

/* What nobody vouches for as for the cloud's proves nothing by its times. */
static int is_doubtful(struct ctx *c, const struct map *books, const struct json_object *item)
{
    return pull_vouched_here(c, item_agent(item), item_id(item)) < heads_vouched(c, item) &&
           jdoc_int(item, "currentVersion", 0) > known_version(c, books, item);
}

/* May a version beside the current one contain it?  Of one that says what it builds on the server
 * knows; of others its content tells. */
static int may_contain_current(const struct json_object *item)
{
    struct json_object *heads = jdoc_array(item, "heads");

    for (size_t i = 0; heads != NULL && i < json_object_array_length(heads); i++) {
        const struct json_object *h = json_object_array_get_idx(heads, i);
        struct json_object *bases = jdoc_array(h, "baseVersions");
        if (!jdoc_bool(h, "thisDevice", 0) && !jdoc_bool(h, "pinned", 0) &&
            (bases == NULL || json_object_array_length(bases) == 0))
            return 1;
    }
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
    struct map *root_fds; /* of data folders, by the agents' ids: two more, as a pointer */
    struct map *books;    /* the daemon's items by id */
    struct pull_many_rest *rest;
    int64_t last_ns;
};

/* What can't be had here is counted, for there may be many of them and all for one reason. */
static int is_out_of_reach(struct many *m, const struct json_object *item)
{
    if (item_is_locked(item) && !item_is_bare(item)) {
        if (m->rest->locked++ == 0)
            item_lock(item, &m->rest->reason);
        return 1;
    }
    return 0;
}

/* It went on here and elsewhere: said each time, and left to a person. */
static void is_apart(struct many *m, const struct json_object *item, const struct pull_result *r)
{
    struct ct_err err;

    m->rest->apart++;
    pull_apart_error(m->c, item, &err);
    m->opts->done(m->opts->done_arg, item, r, &err);
}

/* Do the books say that what stands beside it at the server is not here?  Without a daemon nobody
 * says that it is. */
static int is_told_apart(const struct many *m, const struct json_object *item)
{
    const struct json_object *book = map_get(m->books, item_id(item));

    return book == NULL || jdoc_int(book, "elsewhereVersion", 0) > 0;
}

/* What is here would be worth less for it, for ever: that is left to a person. */
static void is_vouched_less(struct many *m, const struct json_object *item)
{
    struct pull_result none = {0};
    struct ct_err err;

    m->rest->apart++;
    err_set(&err, ERR_CONFLICT,
            "its newest version in the cloud is a stranger's, and what is here is your own, so it "
            "was left alone. To take it all the same: ctctl pull %.8s",
            item_id(item));
    snprintf(err.reason, sizeof(err.reason), "diverged");
    m->opts->done(m->opts->done_arg, item, &none, &err);
}

/* The data folder of the agent whose session it is, or -1. */
static int root_fd_of(struct many *m, const struct json_object *item)
{
    const struct agent *agent = item_agent(item);
    void *known = map_get(m->root_fds, agent->id);
    char *root;
    int fd;

    if (known != NULL)
        return (int)(intptr_t)known - 2;
    root = ctx_root(m->c, agent, NULL);
    fd = root != NULL ? beneath_open_root(root) : -1;
    free(root);
    map_put(m->root_fds, agent->id, (void *)(intptr_t)(fd + 2));
    return fd;
}

static int close_root(void *arg, const char *id, void *known)
{
    (void)arg;
    (void)id;
    if ((intptr_t)known > 1)
        close((int)(intptr_t)known - 2);
    return 0;
}

/* Put the session on the list ${todo} if there is something to be done about it. */
static int plan(struct many *m, struct json_object *item, struct json_object *todo,
                struct ct_err *err)
{
    const char *id = item_id(item);
    int is_here = 0, is_behind = 0, rc;
    struct pull_result none = {0};

    if (id == NULL || !uuid_is_valid(id) || is_out_of_reach(m, item))
        return 0;
    rc = look(root_fd_of(m, item), item, m->opts->is_update ? NULL : m->opts->each.map, &is_here,
              &is_behind, err);
    if (rc != 0) {
        m->opts->done(m->opts->done_arg, item, &none, err);
        return ends_it_all(err) ? -1 : 0;
    }
    if (is_here && heads_vouched(m->c, item) < pull_vouched_here(m->c, item_agent(item), id)) {
        is_vouched_less(m, item);
        return 0;
    }
    if (is_here && m->opts->is_update && pull_apart_is_known(m->c, item)) {
        is_apart(m, item, &none);
        return 0;
    }
    if (is_here && !is_behind)
        is_behind = is_unseen(m->c, m->books, item) || is_doubtful(m->c, m->books, item) ||
                    may_contain_current(item) ||
                    (m->opts->is_update && pull_apart_any(item) && is_told_apart(m, item));
    if (is_here && !is_behind)
        m->rest->rested++;
    else if (is_here || !m->opts->is_update)
        json_object_array_add(todo, json_object_get(item));
    return 0;
}

/* Nothing came of it, for each side has something that the other lacks. */
static int is_both(const struct pull_result *r, int rc, const struct ct_err *err)
{
    if (rc != 0)
        return strcmp(err->reason, "diverged") == 0;
    for (size_t i = 0; r->installed.outcome == INSTALL_SAME && i < r->heads.n; i++) {
        const struct head *head = &r->heads.v[i];
        if (!head->is_pinned && head->records + head->files > 0)
            return 1;
    }
    return 0;
}

static int one(struct many *m, const struct json_object *item, struct ct_err *err)
{
    struct pull_opts o = m->opts->each;
    struct pull_result r = {0};
    int rc;

    o.mtime_ns = now_wall_ms() * 1000000;
    if (o.mtime_ns < m->last_ns + STEP_NS)
        o.mtime_ns = m->last_ns + STEP_NS;
    rc = pull_fullest(m->c, item_wire_id(item), &o, &r, err);
    if (rc == 0)
        m->last_ns = o.mtime_ns;
    /* What runs by itself now and then comes back to it. */
    if (rc != 0 && m->opts->is_update && strcmp(err->reason, "live") == 0) {
        m->rest->open++;
        rc = 0;
    } else if (m->opts->is_update && is_both(&r, rc, err)) {
        pull_apart_note(m->c, item);
        is_apart(m, item, &r);
        rc = 0;
    } else {
        m->opts->done(m->opts->done_arg, item, &r, rc == 0 ? NULL : err);
    }
    pull_result_clear(&r);
    return rc != 0 && ends_it_all(err) ? -1 : 0;
}

static int64_t bytes_of(const struct json_object *item)
{
    int64_t n = jdoc_int(item, "sizeBytes", 0);

    return n > 0 ? n : 0;
}

/* What the list holds, one after the other. */
static int each(struct many *m, struct json_object *todo, struct ct_err *err)
{
    size_t of = json_object_array_length(todo);
    int64_t before_bytes = 0, all_bytes = 0;
    int rc = 0;

    for (size_t i = 0; i < of; i++)
        all_bytes += bytes_of(json_object_array_get_idx(todo, i));
    for (size_t i = 0; rc == 0 && i < of; i++) {
        const struct json_object *item = json_object_array_get_idx(todo, i);
        m->opts->next(m->opts->done_arg, (int64_t)i + 1, (int64_t)of, before_bytes, all_bytes);
        rc = one(m, item, err);
        before_bytes += bytes_of(item);
    }
    return rc;
}

/* The list to go through, those that were used last at the end.  Where there is a key, nothing that
 * is in clear is on it. */
static int list(struct ctx *c, const struct pull_many_opts *opts, struct json_object **ret,
                struct pull_many_rest *rest, struct ct_err *err)
{
    int64_t unjudged = 0;
    const struct sessions_filter f = {
        .project = opts->project, .which = SESSIONS_ONLY, .unjudged = &unjudged};
    struct json_object *answer;

    if (sessions_cloud(c, &f, &answer, err) != 0)
        return -1;
    if (unjudged > 0)
        sessions_say_sealed(c, jdoc_array(answer, "sessions"), unjudged);
    *ret = resolve_vouched(c, jdoc_array(answer, "sessions"));
    rest->plain = (int64_t)(json_object_array_length(jdoc_array(answer, "sessions")) -
                            json_object_array_length(*ret));
    json_object_array_sort(*ret, by_use);
    json_object_put(answer);
    return 0;
}

int pull_many(struct ctx *c, const struct pull_many_opts *opts, struct pull_many_rest *ret,
              struct ct_err *err)
{
    struct many m = {.c = c, .opts = opts, .rest = ret};
    struct json_object *sessions, *todo, *books;
    int rc = 0;

    memset(ret, 0, sizeof(*ret));
    if (ctx_config(c, err) != 0 || list(c, opts, &sessions, ret, err) != 0)
        return -1;
    ret->listed = (int64_t)json_object_array_length(sessions);
    m.root_fds = map_new();
    m.books = map_new();
    take_books(c, &books, m.books);
    todo = json_object_new_array();
    for (size_t i = 0; rc == 0 && i < json_object_array_length(sessions); i++)
        rc = plan(&m, json_object_array_get_idx(sessions, i), todo, err);
    if (rc == 0)
        rc = each(&m, todo, err);
    json_object_put(todo);
    map_each(m.root_fds, close_root, NULL);
    map_free(m.root_fds);
    map_free(m.books);
    json_object_put(books);
    json_object_put(sessions);
    return rc;
}
