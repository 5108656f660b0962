#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "api/client.h"
#include "common/data/jdoc.h"
#include "common/base/now.h"
#include "common/base/percent.h"
#include "common/base/str.h"

#include "daemon/account/cloud_impl.h"
#include "daemon/account/login_view.h"

/*
 * What changed at the server since it was read last: one cheap request, when somebody looks.  A
 * server that has no cursor is asked for its first page, where what changed last stands.
 */
#define PAGE 100
#define ANSWER_MS 1000 /* who looks waits no longer for it */

struct looker {
    struct looker *next;
    int is_patient; /* waits for as long as it takes */
    void (*done)(void *arg, int is_fresh);
    void *arg;
};

/* Answer those that look, or only those that wait no longer. */
static void answer(struct cloud *c, int is_fresh, int is_late)
{
    struct looker *l, *all = c->lookers;

    c->lookers = NULL;
    while ((l = all) != NULL) {
        all = l->next;
        if (is_late && l->is_patient) {
            l->next = c->lookers;
            c->lookers = l;
            continue;
        }
        l->done(l->arg, is_fresh);
        free(l);
    }
}

void cloud_unlook(struct cloud *c, const void *arg)
{
    struct looker **p = &c->lookers, *l;

    while ((l = *p) != NULL) {
        if (l->arg == arg) {
            *p = l->next;
            free(l);
        } else {
            p = &l->next;
        }
    }
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    answer(arg, 0, 1);
}

struct event *cloud_look_event(struct cloud *c)
{
    return evtimer_new(c->d->base, on_timer, c);
}

/* Kept with the books: it is what tells a server that was put back while no daemon ran. */
#define CURSOR "cursor"

void cloud_set_cursor(struct cloud *c, const struct json_object *answer)
{
    const char *cursor = jdoc_str(answer, "cursor");

    if (cursor == NULL || strlen(cursor) >= sizeof(c->cursor))
        cursor = "";
    if (strcmp(c->cursor, cursor) == 0)
        return;
    snprintf(c->cursor, sizeof(c->cursor), "%s", cursor);
    state_note(c->d->books->state, CURSOR, cursor, NULL);
}

void cloud_recall_cursor(struct cloud *c)
{
    char *noted = c->cursor[0] == '\0' ? state_noted(c->d->books->state, CURSOR) : NULL;

    if (noted != NULL)
        snprintf(c->cursor, sizeof(c->cursor), "%s", noted);
    free(noted);
}

void cloud_looked(struct cloud *c, int is_fresh)
{
    if (is_fresh)
        c->looked_ms = now_mono_ms();
    if (is_fresh && (c->doubt != NULL || c->is_telling)) {
        c->is_looked_late = 1;
        return;
    }
    evtimer_del(c->look_timer);
    answer(c, is_fresh, 0);
}

/* Which session of the books it is that was deleted. */
static void see_deleted(struct cloud *c, const struct json_object *o)
{
    const char *wire_id = jdoc_str(o, "id");
    char id[UUID_SIZE];

    if (wire_id == NULL || !uuid_is_valid(wire_id) ||
        !state_by_wire(c->d->books->state, wire_id, id))
        return;
    map_put(c->absent, wire_id, str_dup(id));
    cloud_see_tombstone(c, o);
    cloud_see_there(c, o);
}

static void see_changes(struct cloud *c, const struct json_object *answer)
{
    struct json_object *items = jdoc_array(answer, "sessions");
    struct json_object *deleted = jdoc_array(answer, "deleted");

    for (size_t i = 0; items != NULL && i < json_object_array_length(items); i++)
        cloud_see_item(c, json_object_array_get_idx(items, i));
    for (size_t i = 0; deleted != NULL && i < json_object_array_length(deleted); i++)
        see_deleted(c, json_object_array_get_idx(deleted, i));
}

static int ask(struct cloud *c);

static void on_changes(void *arg, const struct http_res *res, const struct ct_err *net_err)
{
    struct cloud *c = arg;
    struct json_object *answer = NULL;
    int is_again = 0;

    (void)net_err;
    c->call = NULL;
    if (c->d->books == NULL)
        return;
    login_view_answered(c->d->login, res);
    if (res != NULL && res->status == 304) {
        cloud_looked(c, 1);
    } else if (res == NULL || api_answer(res, &answer, NULL) != 0) {
        cloud_looked(c, 0); /* whoever uploads meets it too, and says so */
    } else if (jdoc_bool(answer, "reset", 0)) {
        json_object_put(answer);
        c->is_reset = 1;
        cloud_refresh(c);
        return;
    } else {
        see_changes(c, answer);
        is_again = jdoc_bool(answer, "more", 0) && jdoc_str(answer, "cursor") != NULL;
        if (jdoc_str(answer, "cursor") != NULL)
            cloud_set_cursor(c, answer);
        if (!is_again || ask(c) != 0)
            cloud_looked(c, 1);
    }
    json_object_put(answer);
    if (c->call == NULL)
        cloud_go_on(c);
    cloud_settle(c);
}

static int ask(struct cloud *c)
{
    char *path, *cursor;
    int rc;

    cloud_begin_look(c);
    cursor = c->cursor[0] != '\0' ? percent_encode(c->cursor) : NULL;
    path = cursor != NULL ? str_printf("/sessions?limit=%d&since=%s", PAGE, cursor)
                          : str_printf("/sessions?limit=%d&offset=0", PAGE);
    rc = cloud_get(c, path, on_changes);
    free(path);
    free(cursor);
    return rc;
}

void cloud_look(struct cloud *c, int64_t max_age_ms, int is_patient,
                void (*done)(void *arg, int is_fresh), void *arg)
{
    const struct timeval tv = {.tv_sec = ANSWER_MS / 1000, .tv_usec = ANSWER_MS % 1000 * 1000};
    struct looker *l;

    if ((!c->is_known && c->call == NULL) || c->d->books == NULL ||
        login_view_is_offline(c->d->login) ||
        (c->looked_ms > 0 && now_mono_ms() - c->looked_ms <= max_age_ms)) {
        if (done != NULL)
            done(arg, c->is_known && c->looked_ms > 0);
        return;
    }
    if (done != NULL) {
        l = str_calloc(1, sizeof(*l));
        l->is_patient = is_patient;
        l->done = done;
        l->arg = arg;
        l->next = c->lookers;
        c->lookers = l;
        if (!is_patient && !evtimer_pending(c->look_timer, NULL))
            evtimer_add(c->look_timer, &tv);
    }
    /* A list that is being read answers too, at its end. */
    if (c->call == NULL && ask(c) != 0)
        cloud_looked(c, 0);
}
