#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/roots.h"
#include "agents/agent.h"
#include "agents/disk/beneath.h"
#include "agents/linked.h"
#include "bundle/install/local.h"
#include "common/base/file.h"
#include "common/base/now.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"
#include "ctctl/cloud/item.h"
#include "ctctl/cloud/sessions.h"
#include "ctctl/read/reading.h"
#include "ctctl/ui/folder.h"

#include "ctctl/read/search.h"

/* ---- here --------------------------------------------------------------------------------------
 */

static void add_hit(struct search *s, const char *id, int64_t changed_ms, struct json_object *item,
                    const struct find_result *r)
{
    struct hit *h;

    s->hits = str_realloc(s->hits, s->n + 1, sizeof(*s->hits));
    h = &s->hits[s->n++];
    memset(h, 0, sizeof(*h));
    snprintf(h->id, sizeof(h->id), "%s", id);
    h->changed_ms = changed_ms;
    h->item = item;
    h->r = *r;
}

static void on_transcript(void *arg, const char *path, const char *id)
{
    struct search *s = arg;
    int fd = linked_open(s->agent, s->root_fd, path, 0);
    struct json_object *item;
    struct find_result r;
    struct turns *t;
    struct stat st;
    struct ct_err e;
    int is_there = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    int64_t ms = is_there ? file_mtime_ns(&st) / 1000000 : 0;

    if (fd >= 0)
        close(fd);
    jdoc_set_bool(s->here, id, 1);
    item = jdoc_obj(s->local, id);
    if (!is_there || ms < s->since_ms ||
        (s->machine != NULL && (jdoc_str(item, "deviceName") == NULL ||
                                strcmp(jdoc_str(item, "deviceName"), s->machine) != 0)) ||
        (s->project != NULL && !folder_is_project(s->project, jdoc_str(item, "projectName"),
                                                  jdoc_str(item, "projectPath"))))
        return;
    s->sessions++;
    find_begin(s->find);
    t = turns_new(s->agent, find_turn, s->find);
    turns_only(t, find_may_be, s->find);
    if (reading_file(s->agent, s->root_fd, path, t, &e) != 0) {
        ctx_say(s->c, "%s", e.msg);
        s->failed++;
    }
    s->unread += turns_unread(t);
    turns_free(t);
    find_end(s->find, &r);
    if (r.has_all)
        add_hit(s, id, ms, item, &r);
    else
        find_clear(&r);
}

/* What the daemon knows of the sessions here; without it they have no titles. */
static int know_local(struct search *s, struct ct_err *err)
{
    const struct sessions_filter every = {0};
    struct json_object *list;

    if (sessions_local(s->c, &every, &list, err) != 0)
        return -1;
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *item = json_object_array_get_idx(list, i);
        const char *id = jdoc_str(item, "sessionId");
        if (id != NULL)
            json_object_object_add(s->local, id, json_object_get(item));
    }
    json_object_put(list);
    return 0;
}

static void search_here(struct search *s)
{
    const struct strlist *roots = &s->c->config->roots;

    for (size_t i = 0; i < roots->n; i++) {
        if (s->of_agent != NULL && strcmp(roots_agent(s->c->config, i)->id, s->of_agent) != 0)
            continue;
        s->root_fd = beneath_open_root(roots->v[i]);
        if (s->root_fd < 0)
            continue;
        s->agent = roots_agent(s->c->config, i);
        local_each(s->agent, roots->v[i], on_transcript, s);
        close(s->root_fd);
    }
}

/* ---- in the cloud ------------------------------------------------------------------------------
 */

static int64_t changed_of(const struct json_object *item)
{
    const char *at = jdoc_str(item_metadata(item), "sessionEndedAt");
    int64_t ms = 0;

    if (at == NULL)
        at = jdoc_str(item, "createdAt");
    return at != NULL && now_parse_rfc3339(at, &ms) == 0 ? ms : 0;
}

/* Read one that is not here. */
static void fetch(struct search *s, struct json_object *item)
{
    struct reading r = {
        .word = item_id(item), .is_cloud = 1, .only = find_may_be, .only_arg = s->find};
    struct find_result found;
    struct ct_err e;

    find_begin(s->find);
    if (reading_do(s->c, &r, find_turn, s->find, &e) != 0) {
        ctx_say(s->c, "%.8s: %s", item_id(item), e.msg);
        s->failed++;
    }
    s->unread += r.unread;
    find_end(s->find, &found);
    if (found.has_all)
        add_hit(s, item_id(item), changed_of(item), item, &found);
    else
        find_clear(&found);
}

static int search_cloud(struct search *s, struct ct_err *err)
{
    const struct sessions_filter which = {
        .project = s->project, .machine = s->machine, .agent = s->of_agent, .which = SESSIONS_ONLY};
    struct json_object *list;
    char buf[128];

    if (sessions_cloud(s->c, &which, &s->answer, err) != 0)
        return -1;
    list = jdoc_array(s->answer, "sessions");
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *item = json_object_array_get_idx(list, i);
        size_t before = s->n;
        if (item_id(item) == NULL || item_is_locked(item) || changed_of(item) < s->since_ms ||
            jdoc_has(s->here, item_id(item)))
            continue;
        s->sessions++;
        if (s->is_fetching)
            fetch(s, item);
        else if (find_text(s->find, item_title(item, buf, sizeof(buf))))
            add_hit(s, item_id(item), changed_of(item), item, &(struct find_result){.worth = 1});
        if (s->n > before)
            s->hits[before].is_cloud = 1;
    }
    return 0;
}

/* ---- what was found ----------------------------------------------------------------------------
 */

static int by_worth(const void *a, const void *b)
{
    const struct hit *x = a, *y = b;

    if (x->r.worth != y->r.worth)
        return x->r.worth > y->r.worth ? -1 : 1;
    if (x->changed_ms != y->changed_ms)
        return x->changed_ms > y->changed_ms ? -1 : 1;
    return strcmp(x->id, y->id);
}

const char *search_title(const struct hit *h, char *buf, size_t n)
{
    const char *title = h->is_cloud ? item_title(h->item, buf, n) : jdoc_str(h->item, "title");

    return title != NULL ? title : "";
}

const char *search_project(const struct hit *h)
{
    const char *name = jdoc_str(h->is_cloud ? item_metadata(h->item) : h->item, "projectName");

    return name != NULL ? name : "";
}

int search_run(struct search *s, struct ct_err *err)
{
    s->local = json_object_new_object();
    s->here = json_object_new_object();
    if (ctx_config(s->c, err) != 0 ||
        (know_local(s, err) != 0 && (s->project != NULL || (s->machine != NULL && !s->is_cloud))))
        return -1;
    search_here(s);
    if (s->is_cloud && search_cloud(s, err) != 0)
        return -1;
    if (s->n > 0)
        qsort(s->hits, s->n, sizeof(*s->hits), by_worth);
    return 0;
}

void search_clear(struct search *s)
{
    for (size_t i = 0; i < s->n; i++)
        find_clear(&s->hits[i].r);
    free(s->hits);
    json_object_put(s->answer);
    json_object_put(s->here);
    json_object_put(s->local);
}
