#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/data/jdoc.h"
#include "common/data/names.h"
#include "common/base/path.h"
#include "common/base/percent.h"
#include "common/base/str.h"
#include "common/base/uuid.h"
#include "common/base/strlist.h"
#include "ctctl/ui/headline.h"
#include "ctctl/cloud/item.h"
#include "ctctl/ui/folder.h"
#include "ctctl/ui/state.h"
#include "ctctl/ui/table.h"
#include "ctctl/cloud/unsaved.h"
#include "net/http.h"

#include "ctctl/cloud/sessions.h"

#define ANSWER_MS 60000
#define CLOUD_PAGE 100
#define MAX_SESSIONS 1000000 /* a peer that pages for ever ends here */

static int64_t room_left(const struct sessions_filter *f, const struct json_object *all)
{
    return (f->limit > 0 ? f->limit : MAX_SESSIONS) - (int64_t)json_object_array_length(all);
}

static int is_machine(const char *name, const char *machine)
{
    return machine == NULL || (name != NULL && strcmp(name, machine) == 0);
}

static int is_tagged(const struct json_object *item, const char *tag)
{
    struct json_object *list = jdoc_array(item, "tags");
    size_t n = list != NULL ? json_object_array_length(list) : 0;

    for (size_t i = 0; tag != NULL && i < n; i++) {
        const char *s = json_object_get_string(json_object_array_get_idx(list, i));
        if (s != NULL && strcmp(s, tag) == 0)
            return 1;
    }
    return tag == NULL;
}

/* What is older than the second agent says nothing of it. */
static int is_agent(const char *id, const char *agent)
{
    return agent == NULL || strcmp(id != NULL ? id : "claude-code", agent) == 0;
}

/* ---- the daemon's -----------------------------------------------------------------------------
 */

static int local_page(struct ctx *c, const struct sessions_filter *f, const char *cursor,
                      int64_t limit, struct json_object **ret, struct ct_err *err)
{
    struct json_object *params = json_object_new_object();
    int rc;

    if (cursor != NULL)
        jdoc_set_str(params, "cursor", cursor);
    else
        ctx_refresh(c);
    /* Who filters here needs more than what is shown in the end. */
    if (f->limit > 0 && f->machine == NULL && f->project == NULL && f->tag == NULL &&
        f->agent == NULL)
        jdoc_set_int(params, "limit", limit);
    rc = ctx_call(c, "list", params, ANSWER_MS, ret, err);
    json_object_put(params);
    if (rc == 0 && jdoc_array(*ret, "sessions") == NULL) {
        json_object_put(*ret);
        rc = err_set(err, ERR_CORRUPT, "the daemon's list holds no sessions");
    }
    return rc;
}

int sessions_local(struct ctx *c, const struct sessions_filter *f, struct json_object **ret,
                   struct ct_err *err)
{
    struct json_object *all = json_object_new_array(), *page, *list;
    char *cursor = NULL;
    const char *next;
    int more = 1;

    while (more && room_left(f, all) > 0) {
        if (local_page(c, f, cursor, room_left(f, all), &page, err) != 0)
            goto err1;
        list = jdoc_array(page, "sessions");
        if (f->is_shown)
            unsaved_describe(list);
        for (size_t i = 0; i < json_object_array_length(list) && room_left(f, all) > 0; i++) {
            struct json_object *item = json_object_array_get_idx(list, i);
            if (is_machine(jdoc_str(item, "deviceName"), f->machine) && is_tagged(item, f->tag) &&
                is_agent(jdoc_str(item, "agent"), f->agent) &&
                (f->project == NULL || folder_is_project(f->project, jdoc_str(item, "projectName"),
                                                         jdoc_str(item, "projectPath"))))
                json_object_array_add(all, json_object_get(item));
        }
        next = jdoc_str(page, "next");
        more = next != NULL && (cursor == NULL || strcmp(next, cursor) != 0);
        free(cursor);
        cursor = more ? str_dup(next) : NULL;
        json_object_put(page);
    }
    free(cursor);
    *ret = all;

    /* Success! */
    return 0;

err1:
    free(cursor);
    json_object_put(all);
    /* Failure! */
    return -1;
}

/* ---- the cloud's ------------------------------------------------------------------------------
 */

static int is_project(const struct json_object *item, const char *project)
{
    return project == NULL ||
           folder_is_project(project, jdoc_str(item_metadata(item), "projectName"),
                             item_str(item, "sourceCwd"));
}

static int cloud_page(struct ctx *c, const struct sessions_filter *f, int64_t offset,
                      struct json_object **ret, struct ct_err *err)
{
    struct buf path = {0};
    char *tag;
    int rc;

    /* The machine of a sealed session is nothing that the server could choose by; and what a device
     * that seals looks for is nothing that it is told. */
    buf_printf(&path, "/sessions?limit=%d&offset=%" PRId64, CLOUD_PAGE, offset);
    if (f->tag != NULL && !ctx_is_sealing(c)) {
        tag = percent_encode(f->tag);
        buf_printf(&path, "&tag=%s", tag);
        free(tag);
    }
    rc = ctx_cloud(c, "GET", path.data, NULL, ret, err);
    buf_free(&path);
    if (rc == 0 && jdoc_array(*ret, "sessions") == NULL) {
        json_object_put(*ret);
        rc = err_set(err, ERR_CORRUPT, "the server's list holds no sessions");
    }
    return rc;
}

/* The server chose by it already where it was told. */
static int has_tag(struct ctx *c, const struct json_object *item, const char *tag)
{
    if (tag == NULL || !ctx_is_sealing(c))
        return 1;
    if (names_has_tag(item_names(item), tag))
        return 1;
    return is_tagged(item_is_sealed(item) ? item_metadata(item) : item, tag);
}

/* Open it, and say whether it is one of those that are asked for. */
static int is_wanted(struct ctx *c, const struct sessions_filter *f, struct json_object *item)
{
    const char *id = jdoc_str(item, "id");

    item_open(c, item, id != NULL ? id : "", ITEM_NEWEST);
    if (item_is_locked(item) &&
        (f->project != NULL || f->machine != NULL || f->tag != NULL || f->agent != NULL)) {
        if (f->unjudged != NULL)
            ++*f->unjudged;
        return 0;
    }
    return is_project(item, f->project) && has_tag(c, item, f->tag) &&
           is_machine(item_str(item, "sourceMachine"), f->machine) &&
           is_agent(jdoc_str(item_metadata(item), "agentId"), f->agent);
}

int sessions_cloud(struct ctx *c, const struct sessions_filter *f, struct json_object **ret,
                   struct ct_err *err)
{
    struct json_object *all = json_object_new_array(), *page, *list, *answer;
    int64_t total = -1, offset = 0, others = 0;
    size_t n;

    do {
        if (cloud_page(c, f, offset, &page, err) != 0)
            goto err1;
        list = jdoc_array(page, "sessions");
        n = json_object_array_length(list);
        total = headline_number(page, "total", -1);
        for (size_t i = 0; i < n && room_left(f, all) > 0; i++) {
            struct json_object *item = json_object_array_get_idx(list, i);
            int yes = is_wanted(c, f, item); /* and it is opened */
            if (f->which != SESSIONS_AND_PROFILES &&
                item_is_profile(item) != (f->which == SESSIONS_PROFILES))
                others++;
            else if (yes)
                json_object_array_add(all, json_object_get(item));
        }
        offset += (int64_t)n;
        json_object_put(page);
    } while (n > 0 && offset < total && offset < MAX_SESSIONS && room_left(f, all) > 0);
    if (f->project != NULL || f->machine != NULL || f->tag != NULL || f->agent != NULL || total < 0)
        total = (int64_t)json_object_array_length(all);
    else
        total -= others;
    answer = json_object_new_object();
    json_object_object_add(answer, "sessions", all);
    jdoc_set_int(answer, "total", total);
    *ret = answer;

    /* Success! */
    return 0;

err1:
    json_object_put(all);
    /* Failure! */
    return -1;
}

/* ---- which of the cloud's are here -------------------------------------------------------------
 */

/* Item of this machine's list by id, by both names: what can't be opened here goes by the one that
 * the server has. */
static struct json_object *known_here(struct ctx *c)
{
    const struct sessions_filter every = {0};
    struct json_object *list, *ids;

    if (sessions_local(c, &every, &list, NULL) != 0)
        return NULL;
    ids = json_object_new_object();
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *o = json_object_array_get_idx(list, i);
        const char *names[] = {jdoc_str(o, "sessionId"), jdoc_str(o, "wireId")};
        for (size_t j = 0; j < 2; j++) {
            if (names[j] != NULL && !jdoc_has(ids, names[j]))
                json_object_object_add(ids, names[j], json_object_get(o));
        }
    }
    json_object_put(list);
    return ids;
}

void sessions_mark_here(struct ctx *c, struct json_object *list)
{
    struct json_object *ids = json_object_array_length(list) > 0 ? known_here(c) : NULL;

    for (size_t i = 0; ids != NULL && i < json_object_array_length(list); i++) {
        struct json_object *item = json_object_array_get_idx(list, i);
        const char *id = item_id(item);
        const struct json_object *known = id != NULL ? jdoc_obj(ids, id) : NULL;
        const char *state = jdoc_str(known, "state"), *title = jdoc_str(known, "title");
        jdoc_set_bool(item, "here",
                      known != NULL && (state == NULL || strcmp(state, "archived") != 0));
        if (title != NULL)
            jdoc_set_str(item, ITEM_LOCAL_TITLE, title);
    }
    json_object_put(ids);
}

/* ---- tables -----------------------------------------------------------------------------------
 */

const char *sessions_state(const struct json_object *item, enum text_colour *ret_colour)
{
    const char *state = jdoc_str(item, "state"), *place = jdoc_str(item, "place");
    const struct state_word *w;

    if (state != NULL && place != NULL && strcmp(place, STATE_HERE_ONLY) == 0 &&
        (strcmp(state, "synced") == 0 || strcmp(state, "archived") == 0))
        state = STATE_HERE_ONLY;
    w = state != NULL ? state_find(state) : NULL;
    *ret_colour = w != NULL ? w->colour : TEXT_YELLOW;
    if (w != NULL)
        return w->word;
    if (state != NULL && strcmp(state, "cloud") == 0)
        return "in the cloud, not on this machine";
    return state != NULL ? state : "unknown";
}

static const char *project_of(const struct json_object *item)
{
    const char *name = jdoc_str(item, "projectName"), *path = jdoc_str(item, "projectPath");

    if (name != NULL && name[0] != '\0')
        return name;
    return path != NULL ? path_base(path) : "";
}

static const char *number_text(const struct json_object *o, const char *key, char buf[24])
{
    int64_t n = headline_number(o, key, -1);

    snprintf(buf, 24, "%" PRId64, n);
    return n >= 0 ? buf : "";
}

static const char *bytes_text(const struct json_object *o, char buf[24])
{
    int64_t n = headline_number(o, "sizeBytes", -1);

    return n >= 0 ? str_human_bytes((unsigned long long)n, buf, 24) : "";
}

static const char *local_agent(const struct json_object *o)
{
    return jdoc_str(o, "agent");
}

static const char *cloud_agent(const struct json_object *o)
{
    const char *id = jdoc_str(item_metadata(o), "agentId");

    return id != NULL ? id : "claude-code";
}

/* Where all are of one agent nobody asks which. */
static int has_agents(struct json_object *list, const char *(*agent_of)(const struct json_object *))
{
    const char *first = NULL;

    for (size_t i = 0; i < json_object_array_length(list); i++) {
        const char *id = agent_of(json_object_array_get_idx(list, i));
        if (first != NULL && id != NULL && strcmp(first, id) != 0)
            return 1;
        first = first != NULL ? first : id;
    }
    return 0;
}

static const char *local_id(const struct json_object *o)
{
    const char *id = jdoc_str(o, "sessionId");

    return id != NULL ? id : "";
}

static const char *cloud_id(const struct json_object *o)
{
    const char *id = item_id(o);

    return id != NULL ? id : "";
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* How many characters of the ids tell all in ${list} apart: 8, or more where ids begin with the
 * time and sessions began within a minute. */
static int id_width(struct json_object *list, const char *(*id_of)(const struct json_object *))
{
    size_t n = json_object_array_length(list), width = 8, same;
    const char **ids = str_calloc(n + 1, sizeof(*ids));

    for (size_t i = 0; i < n; i++)
        ids[i] = id_of(json_object_array_get_idx(list, i));
    qsort(ids, n, sizeof(*ids), by_text);
    for (size_t i = 1; i < n; i++) {
        for (same = 0; ids[i][same] != '\0' && ids[i][same] == ids[i - 1][same]; same++)
            ;
        if (ids[i][same] != '\0' && same >= width)
            width = same + 1;
    }
    free(ids);
    return (int)width;
}

void sessions_local_table(const struct text_style *st, struct json_object *list, struct buf *b)
{
    static const struct table_column columns[] = {
        {"ID", 0, 0, 0},   {"STATE", 0, 0, 0}, {"TITLE", 0, 32, 0},  {"PROJECT", 0, 10, 2},
        {"MSGS", 1, 0, 3}, {"SIZE", 1, 0, 4},  {"CHANGED", 0, 0, 1}, {"AGENT", 0, 0, 5},
    };
    struct table *t = table_new(st, columns, has_agents(list, local_agent) ? 8 : 7);
    int width = id_width(list, local_id);

    for (size_t i = 0; i < json_object_array_length(list); i++) {
        const struct json_object *o = json_object_array_get_idx(list, i);
        enum text_colour colour;
        char id[UUID_SIZE], messages[24], size[24], ago[64];
        const char *cells[8];
        snprintf(id, sizeof(id), "%.*s", width, local_id(o));
        cells[0] = id;
        cells[1] = sessions_state(o, &colour);
        cells[2] = jdoc_str(o, "title");
        cells[3] = project_of(o);
        cells[4] = number_text(o, "messageCount", messages);
        cells[5] = bytes_text(o, size);
        cells[6] = jdoc_bool(o, "live", 0)
                       ? "live now"
                       : text_ago_of(st, jdoc_str(o, "modifiedAt"), ago, sizeof(ago));
        cells[7] = local_agent(o);
        table_row(t, cells);
        table_colour(t, 1, colour);
    }
    table_print(t, b);
    table_free(t);
}

static const char *sealed_text(const struct json_object *o, enum text_colour *ret_colour)
{
    int is_odd = item_is_rolled_back(o) || item_is_retired(o);

    *ret_colour = item_is_locked(o) ? TEXT_YELLOW : is_odd ? TEXT_RED : TEXT_PLAIN;
    return item_is_bare(o)          ? "yes"
           : item_is_locked(o)      ? "no key"
           : item_is_retired(o)     ? "RETIRED KEY"
           : item_is_rolled_back(o) ? "ROLLED BACK"
           : item_is_sealed(o)      ? "yes"
                                    : "no";
}

static void cloud_row(const struct text_style *st, struct table *t, const struct json_object *o,
                      int width, int has_here, int has_sealed, int is_mixed)
{
    const char *name = jdoc_str(item_metadata(o), "projectName");
    const char *cwd = item_str(o, "sourceCwd");
    char id[UUID_SIZE], title[256], versions[24], size[24], ago[64];
    enum text_colour colour = TEXT_PLAIN;
    const char *cells[10];
    size_t n = 0;

    snprintf(id, sizeof(id), "%.*s", width, cloud_id(o));
    cells[n++] = id;
    cells[n++] = item_title(o, title, sizeof(title));
    cells[n++] = name != NULL ? name : cwd != NULL ? path_base(cwd) : "";
    cells[n++] = item_str(o, "sourceMachine");
    cells[n++] = number_text(o, "versionCount", versions);
    cells[n++] = bytes_text(o, size);
    cells[n++] = text_ago_of(st, jdoc_str(o, "createdAt"), ago, sizeof(ago));
    if (has_here)
        cells[n++] = jdoc_bool(o, "here", 0) ? "yes" : "no";
    if (is_mixed)
        cells[n++] = cloud_agent(o);
    if (has_sealed)
        cells[n++] = sealed_text(o, &colour);
    table_row(t, cells);
    table_colour(t, n - 1, colour);
}

/* Whether it is here, or sealed, is a column where there is anything marked, or sealed. */
void sessions_cloud_table(const struct text_style *st, struct json_object *list, struct buf *b)
{
    static const struct table_column here = {"HERE", 0, 0, 0}, sealed = {"SEALED", 0, 0, 0},
                                     agent = {"AGENT", 0, 0, 6};
    struct table_column columns[10] = {
        {"ID", 0, 0, 0},       {"TITLE", 0, 32, 0}, {"PROJECT", 0, 10, 3}, {"MACHINE", 0, 10, 1},
        {"VERSIONS", 1, 0, 5}, {"SIZE", 1, 0, 4},   {"SAVED", 0, 0, 2},
    };
    int has_here = 0, has_sealed = 0, is_mixed = has_agents(list, cloud_agent);
    int width = id_width(list, cloud_id);
    struct table *t;
    size_t n = 7;

    for (size_t i = 0; i < json_object_array_length(list); i++) {
        const struct json_object *o = json_object_array_get_idx(list, i);
        has_here = has_here || jdoc_has(o, "here");
        has_sealed = has_sealed || item_is_sealed(o);
    }
    if (has_here)
        columns[n++] = here;
    if (is_mixed)
        columns[n++] = agent;
    if (has_sealed)
        columns[n++] = sealed;
    t = table_new(st, columns, n);
    for (size_t i = 0; i < json_object_array_length(list); i++)
        cloud_row(st, t, json_object_array_get_idx(list, i), width, has_here, has_sealed, is_mixed);
    table_print(t, b);
    table_free(t);
}

/* ---- what a table does not say ------------------------------------------------------------------
 */

/* One sentence for each reason: those of many sessions are the same. */
struct reasons {
    struct strlist sentences;
    int64_t *n;
};

static void count_reason(struct reasons *r, const char *sentence)
{
    for (size_t i = 0; i < r->sentences.n; i++) {
        if (strcmp(r->sentences.v[i], sentence) == 0) {
            r->n[i]++;
            return;
        }
    }
    r->n = str_realloc(r->n, r->sentences.n + 1, sizeof(*r->n));
    r->n[r->sentences.n] = 1;
    strlist_add(&r->sentences, sentence);
}

void sessions_say_sealed(struct ctx *c, struct json_object *list, int64_t unjudged)
{
    struct reasons r = {0};
    struct ct_err e;

    for (size_t i = 0; i < json_object_array_length(list); i++) {
        const struct json_object *o = json_object_array_get_idx(list, i);
        if (item_is_locked(o)) {
            item_lock(o, &e);
            count_reason(&r, e.msg);
        } else if (item_is_rolled_back(o)) {
            item_rollback(&e, item_id(o), jdoc_int(jdoc_obj(o, "opened"), "generation", 0),
                          jdoc_int(jdoc_obj(o, "opened"), "seenGeneration", 0));
            ctx_say(c, "%s", e.msg);
        }
    }
    for (size_t i = 0; i < r.sentences.n; i++) {
        char *n = text_count(r.n[i], "session", "sessions");
        ctx_say(c, "%s: %s", n, r.sentences.v[i]);
        free(n);
    }
    if (unjudged > 0) {
        char *n = text_count(unjudged, "sealed session", "sealed sessions");
        ctx_say(c, "%s can't be opened here and may be of that kind too: ctctl list --cloud", n);
        free(n);
    }
    strlist_free(&r.sentences);
    free(r.n);
}
