#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/jdoc.h"
#include "common/path.h"
#include "common/str.h"
#include "common/uuid.h"
#include "ctctl/headline.h"
#include "ctctl/place.h"
#include "ctctl/table.h"
#include "net/http.h"

#include "ctctl/sessions.h"

#define ANSWER_MS 60000
#define CLOUD_PAGE 100
#define MAX_SESSIONS 1000000 /* a peer that pages for ever ends here */

static int64_t room_left(const struct sessions_filter *f, const struct json_object *all)
{
    return (f->limit > 0 ? f->limit : MAX_SESSIONS) - (int64_t)json_object_array_length(all);
}

static int is_machine(const struct json_object *item, const char *key, const char *machine)
{
    const char *name = jdoc_str(item, key);

    return machine == NULL || (name != NULL && strcmp(name, machine) == 0);
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
    /* Who filters here needs more than what is shown in the end. */
    if (f->limit > 0 && f->machine == NULL && f->project == NULL)
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
        for (size_t i = 0; i < json_object_array_length(list) && room_left(f, all) > 0; i++) {
            struct json_object *item = json_object_array_get_idx(list, i);
            if (is_machine(item, "deviceName", f->machine) &&
                (f->project == NULL || place_is_project(f->project, jdoc_str(item, "projectName"),
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
           place_is_project(project, jdoc_str(jdoc_obj(item, "metadata"), "projectName"),
                            jdoc_str(item, "sourceCwd"));
}

static int cloud_page(struct ctx *c, const struct sessions_filter *f, int64_t offset,
                      struct json_object **ret, struct ct_err *err)
{
    struct buf path = {0};
    char *machine, *tag;
    int rc;

    buf_printf(&path, "/sessions?limit=%d&offset=%" PRId64, CLOUD_PAGE, offset);
    if (f->machine != NULL) {
        machine = http_url_escape(f->machine);
        buf_printf(&path, "&machine=%s", machine);
        free(machine);
    }
    if (f->tag != NULL) {
        tag = http_url_escape(f->tag);
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

int sessions_cloud(struct ctx *c, const struct sessions_filter *f, struct json_object **ret,
                   struct ct_err *err)
{
    struct json_object *all = json_object_new_array(), *page, *list, *answer;
    int64_t total = -1, offset = 0;
    size_t n;

    do {
        if (cloud_page(c, f, offset, &page, err) != 0)
            goto err1;
        list = jdoc_array(page, "sessions");
        n = json_object_array_length(list);
        total = headline_number(page, "total", -1);
        for (size_t i = 0; i < n && room_left(f, all) > 0; i++) {
            struct json_object *item = json_object_array_get_idx(list, i);
            if (is_project(item, f->project) && is_machine(item, "sourceMachine", f->machine))
                json_object_array_add(all, json_object_get(item));
        }
        offset += (int64_t)n;
        json_object_put(page);
    } while (n > 0 && offset < total && offset < MAX_SESSIONS && room_left(f, all) > 0);
    if (f->project != NULL || total < 0)
        total = (int64_t)json_object_array_length(all);
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

int sessions_resolve(struct ctx *c, const char *id, char **ret, struct ct_err *err)
{
    const struct sessions_filter every = {0};
    struct json_object *answer, *list;
    const char *found = NULL;
    int many = 0, rc = 0;

    if (uuid_is_valid(id)) {
        *ret = str_dup(id);
        return 0;
    }
    if (sessions_cloud(c, &every, &answer, err) != 0)
        return -1;
    list = jdoc_array(answer, "sessions");
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        const char *s = jdoc_str(json_object_array_get_idx(list, i), "id");
        if (s == NULL || strncmp(s, id, strlen(id)) != 0)
            continue;
        many = many || (found != NULL && strcmp(found, s) != 0);
        found = s;
        if (strcmp(s, id) == 0) {
            many = 0;
            break;
        }
    }
    if (many)
        rc = err_set(err, ERR_CONFLICT, "several sessions begin with \"%s\"; give more of the ID",
                     id);
    else if (found == NULL)
        rc = err_set(err, ERR_GONE, "no session in the cloud begins with \"%s\"", id);
    else
        *ret = str_dup(found);
    json_object_put(answer);
    return rc;
}

/* ---- tables -----------------------------------------------------------------------------------
 */

const char *sessions_state(const struct json_object *item, enum text_colour *ret_colour)
{
    const char *state = jdoc_str(item, "state"), *place = jdoc_str(item, "place");
    int is_saved;

    if (state == NULL)
        state = "unknown";
    is_saved = strcmp(state, "synced") == 0 || strcmp(state, "archived") == 0;
    *ret_colour = TEXT_YELLOW;
    if (is_saved && place != NULL && strcmp(place, "this machine only") == 0)
        return place;
    if (is_saved)
        *ret_colour = TEXT_GREEN;
    else if (strcmp(state, "failed") == 0 || strcmp(state, "limit") == 0 ||
             strcmp(state, "too_large") == 0)
        *ret_colour = TEXT_RED;
    else if (strcmp(state, "excluded") == 0 || strcmp(state, "duplicate") == 0)
        *ret_colour = TEXT_DIM;
    return strcmp(state, "synced") == 0 ? "safe" : state;
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

void sessions_local_table(const struct text_style *st, struct json_object *list, struct buf *b)
{
    static const struct table_column columns[] = {
        {"ID", 0, 0, 0},   {"STATE", 0, 0, 0}, {"TITLE", 0, 1, 0},   {"PROJECT", 0, 1, 2},
        {"MSGS", 1, 0, 4}, {"SIZE", 1, 0, 3},  {"CHANGED", 0, 0, 1},
    };
    struct table *t = table_new(st, columns, 7);

    for (size_t i = 0; i < json_object_array_length(list); i++) {
        const struct json_object *o = json_object_array_get_idx(list, i);
        enum text_colour colour;
        char id[9], messages[24], size[24], ago[64];
        const char *cells[7];
        cells[0] = text_short_id(jdoc_str(o, "sessionId"), id);
        cells[1] = sessions_state(o, &colour);
        cells[2] = jdoc_str(o, "title");
        cells[3] = project_of(o);
        cells[4] = number_text(o, "messageCount", messages);
        cells[5] = bytes_text(o, size);
        cells[6] = jdoc_bool(o, "live", 0)
                       ? "live now"
                       : text_ago_of(st, jdoc_str(o, "modifiedAt"), ago, sizeof(ago));
        table_row(t, cells);
        table_colour(t, 1, colour);
    }
    table_print(t, b);
    table_free(t);
}

const char *sessions_cloud_title(const struct json_object *item)
{
    const struct json_object *m = jdoc_obj(item, "metadata");
    const char *s = jdoc_str(item, "label");

    if (s == NULL)
        s = jdoc_str(m, "summary");
    if (s == NULL)
        s = jdoc_str(m, "projectName");
    if (s == NULL && jdoc_str(item, "sourceCwd") != NULL)
        s = path_base(jdoc_str(item, "sourceCwd"));
    return s != NULL ? s : "";
}

void sessions_cloud_table(const struct text_style *st, struct json_object *list, struct buf *b)
{
    static const struct table_column columns[] = {
        {"ID", 0, 0, 0},       {"TITLE", 0, 1, 0}, {"PROJECT", 0, 1, 4}, {"MACHINE", 0, 1, 1},
        {"VERSIONS", 1, 0, 5}, {"SIZE", 1, 0, 3},  {"SAVED", 0, 0, 2},
    };
    struct table *t = table_new(st, columns, 7);

    for (size_t i = 0; i < json_object_array_length(list); i++) {
        const struct json_object *o = json_object_array_get_idx(list, i);
        const char *name = jdoc_str(jdoc_obj(o, "metadata"), "projectName");
        const char *cwd = jdoc_str(o, "sourceCwd");
        char id[9], versions[24], size[24], ago[64];
        const char *cells[7];
        cells[0] = text_short_id(jdoc_str(o, "id"), id);
        cells[1] = sessions_cloud_title(o);
        cells[2] = name != NULL ? name : cwd != NULL ? path_base(cwd) : "";
        cells[3] = jdoc_str(o, "sourceMachine");
        cells[4] = number_text(o, "versionCount", versions);
        cells[5] = bytes_text(o, size);
        cells[6] = text_ago_of(st, jdoc_str(o, "createdAt"), ago, sizeof(ago));
        table_row(t, cells);
    }
    table_print(t, b);
    table_free(t);
}
