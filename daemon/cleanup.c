#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/now.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "daemon/daemon.h"

/* Agents remove sessions that have rested for some days.  Which ones go soon, and are they safe? */

#define DAY_MS (INT64_C(24) * 3600 * 1000)
#define SOON_DAYS 7
#define MOST_TOLD 20
#define EVERY_MS (INT64_C(10) * 60 * 1000) /* a session grows old slowly */

struct going {
    char session_id[UUID_SIZE];
    int root;
    char *path; /* of its transcript */
    int64_t mtime_ns;
    int64_t goes_ms; /* wall clock */
};

struct cleanup {
    int *days;           /* of each root; -1: nothing is removed */
    struct going *going; /* the first to go first */
    size_t n;
    int64_t looked_ms; /* monotonic, 0: not yet */
};

static void read_settings(struct daemon *d, struct cleanup *c)
{
    for (size_t i = 0; i < d->config->roots.n; i++) {
        const struct agent *agent = daemon_agent(d, (int)i);
        int is_said, days = agent->cleanup_days != NULL
                                ? agent->cleanup_days(d->config->roots.v[i], &is_said)
                                : -1;
        if (days >= 0)
            c->days[i] = days; /* what can't be read now was read before */
    }
}

struct cleanup *cleanup_new(struct daemon *d)
{
    struct cleanup *c = str_calloc(1, sizeof(*c));

    c->days = str_calloc(d->config->roots.n, sizeof(*c->days));
    for (size_t i = 0; i < d->config->roots.n; i++)
        c->days[i] = -1;
    read_settings(d, c);
    return c;
}

static void forget(struct cleanup *c)
{
    while (c->n > 0)
        free(c->going[--c->n].path);
}

void cleanup_free(struct cleanup *c)
{
    if (c == NULL)
        return;
    forget(c);
    free(c->days);
    free(c->going);
    free(c);
}

void cleanup_look(struct daemon *d)
{
    if (d->cleanup != NULL)
        d->cleanup->looked_ms = 0;
}

struct looking {
    struct daemon *d;
    int root;
    int64_t period_ms;
};

static void on_old(void *arg, const char *session_id, const char *path, int64_t mtime_ns)
{
    struct looking *l = arg;
    struct cleanup *c = l->d->cleanup;
    struct agent_path place;
    struct going *g;

    daemon_agent(l->d, l->root)->classify(path, &place);
    if (place.kind != AGENT_TRANSCRIPT ||
        (place.session_id[0] != '\0' && strcmp(place.session_id, session_id) != 0))
        return;
    c->going = str_realloc(c->going, c->n + 1, sizeof(*c->going));
    g = &c->going[c->n++];
    snprintf(g->session_id, UUID_SIZE, "%s", session_id);
    g->root = l->root;
    g->path = str_dup(path);
    g->mtime_ns = mtime_ns;
    g->goes_ms = mtime_ns / 1000000 + l->period_ms;
}

static int by_time(const void *a, const void *b)
{
    const struct going *x = a, *y = b;

    return x->goes_ms < y->goes_ms ? -1 : x->goes_ms > y->goes_ms;
}

static void look(struct daemon *d)
{
    struct cleanup *c = d->cleanup;
    int64_t now_ms = now_mono_ms();

    if (c->looked_ms != 0 && now_ms - c->looked_ms < EVERY_MS)
        return;
    c->looked_ms = now_ms;
    forget(c);
    read_settings(d, c);
    for (size_t i = 0; i < d->config->roots.n; i++) {
        struct looking l = {d, (int)i, c->days[i] * DAY_MS};
        if (c->days[i] >= 0)
            state_each_old(d->books->state, d->config->roots.v[i],
                           (now_wall_ms() - l.period_ms + SOON_DAYS * DAY_MS) * 1000000, on_old,
                           &l);
    }
    if (c->n > 0)
        qsort(c->going, c->n, sizeof(*c->going), by_time);
}

static int is_safe(const struct state_session *ss, const char *state)
{
    return !ss->is_loopback && (strcmp(state, "synced") == 0 || strcmp(state, "behind") == 0 ||
                                strcmp(state, "diverged") == 0);
}

/* Is the transcript as it was when all were looked at? */
static int is_still(struct daemon *d, const struct going *g)
{
    int64_t size, mtime_ns;
    uint64_t inode;

    return state_file(d->books->state, d->config->roots.v[g->root], g->path, &size, &mtime_ns,
                      &inode) &&
           mtime_ns == g->mtime_ns;
}

/* Excluded ones were meant to stay here, so nobody is warned of them. */
static void tell(struct daemon *d, const struct going *g, struct json_object *list,
                 int64_t *ret_sessions, int64_t *ret_not_safe)
{
    struct state_session ss = {0};
    struct json_object *o;
    const char *state, *why;

    if (!is_still(d, g) || !state_get(d->books->state, g->session_id, &ss) || ss.is_archived)
        goto done;
    state = listing_state(d, &ss, &why);
    if (strcmp(state, "excluded") == 0)
        goto done;
    ++*ret_sessions;
    *ret_not_safe += !is_safe(&ss, state);
    if (json_object_array_length(list) >= MOST_TOLD)
        goto done;
    o = json_object_new_object();
    jdoc_set_str(o, "sessionId", g->session_id);
    jdoc_set_str(o, "title", jdoc_str(ss.meta, "title"));
    jdoc_set_time(o, "goesAt", g->goes_ms);
    jdoc_set_str(o, "state",
                 ss.is_loopback && strcmp(state, "synced") == 0 ? "this machine only" : state);
    json_object_array_add(list, o);
done:
    state_session_clear(&ss);
}

struct json_object *cleanup_report(struct daemon *d)
{
    struct json_object *o = json_object_new_object(), *list = json_object_new_array();
    struct cleanup *c = d->cleanup;
    int64_t sessions = 0, not_safe = 0;
    int days = c != NULL && d->config->roots.n > 0 ? c->days[0] : -1;

    if (c != NULL && d->books != NULL)
        look(d);
    for (size_t i = 0; c != NULL && d->books != NULL && i < c->n; i++)
        tell(d, &c->going[i], list, &sessions, &not_safe);
    if (days >= 0)
        jdoc_set_int(o, "days", days);
    else
        jdoc_set_null(o, "days");
    jdoc_set_int(o, "withinDays", SOON_DAYS);
    jdoc_set_int(o, "sessions", sessions);
    jdoc_set_int(o, "notSafe", not_safe);
    json_object_object_add(o, "soonest", list);
    return o;
}
