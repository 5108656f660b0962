#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/data/jdoc.h"
#include "common/base/now.h"
#include "common/base/str.h"
#include "ctctl/ui/headline.h"
#include "ctctl/ui/progress.h"

#include "ctctl/here/sync_follow.h"

#define ANSWER_MS 2000
#define LOOK_MS 250

struct sync_follow {
    struct ctl *client;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    int is_over;

    struct progress *progress;
    int64_t most, most_bytes; /* sessions and bytes that were waiting at once */
    char why[512];            /* nothing moves for this reason; under ${lock} */
};

/* Of the first in the queue that failed and is to be tried again. */
static const char *why_queued(const struct json_object *status, const char **ret_when)
{
    struct json_object *queue = jdoc_array(status, "queue");
    size_t n = queue != NULL ? json_object_array_length(queue) : 0;

    for (size_t i = 0; i < n; i++) {
        const struct json_object *o = json_object_array_get_idx(queue, i);
        const char *phase = jdoc_str(o, "phase"), *why = jdoc_str(o, "lastError");
        *ret_when = jdoc_str(o, "nextAttemptAt");
        if (why != NULL && *ret_when != NULL && phase != NULL &&
            (strcmp(phase, "ready") == 0 || strcmp(phase, "stored") == 0))
            return why;
    }
    return NULL;
}

/* Why nothing moves, and when it is tried again (or NULL); NULL: it moves, as far as one sees. */
static const char *why_waiting(const struct json_object *status, const char **ret_when)
{
    const struct json_object *daemon = jdoc_obj(status, "daemon");
    struct json_object *uploads = jdoc_array(status, "uploads");
    const char *state = jdoc_str(daemon, "state"), *why = jdoc_str(daemon, "stateReason");

    *ret_when = jdoc_str(jdoc_obj(status, "server"), "nextAttemptAt");
    if (state != NULL && why != NULL &&
        (strcmp(state, "offline") == 0 || (strcmp(state, "degraded") == 0 && *ret_when != NULL)))
        return why;
    if (uploads != NULL && json_object_array_length(uploads) > 0)
        return NULL;
    return why_queued(status, ret_when);
}

static void say_until(const char *when, char *buf, size_t size)
{
    int64_t ms, s;

    buf[0] = '\0';
    if (when == NULL || now_parse_rfc3339(when, &ms) != 0)
        return;
    s = (ms - now_wall_ms() + 999) / 1000;
    if (s > 0)
        snprintf(buf, size, "next try in %" PRId64 " s", s);
    else
        snprintf(buf, size, "trying now");
}

/* What is under way counts by as much of it as was sent. */
static int64_t bytes_left(const struct json_object *status)
{
    struct json_object *uploads = jdoc_array(status, "uploads");
    size_t n = uploads != NULL ? json_object_array_length(uploads) : 0;
    double left = (double)headline_number(jdoc_obj(status, "sessions"), "pendingBytes", 0);

    for (size_t i = 0; i < n; i++) {
        const struct json_object *o = json_object_array_get_idx(uploads, i);
        double size = (double)headline_number(o, "sizeBytes", 0);
        if (size > 0)
            left -= (double)headline_number(o, "rawBytes", 0) *
                    (double)headline_number(o, "sentBytes", 0) / size;
    }
    return left > 0 ? (int64_t)left : 0;
}

static void show_progress(struct sync_follow *f, const struct json_object *status)
{
    const struct json_object *sessions = jdoc_obj(status, "sessions");
    int64_t n = headline_number(sessions, "pending", 0), left = bytes_left(status);

    if (n > f->most)
        f->most = n;
    if (left > f->most_bytes)
        f->most_bytes = left;
    if (n == 0)
        return;
    progress_of(f->progress, f->most - n, f->most);
    progress_to(f->progress, f->most_bytes - left, f->most_bytes, now_mono_ms());
}

static void show(struct sync_follow *f, const struct json_object *status)
{
    const char *when, *why = why_waiting(status, &when);
    char until[48];

    pthread_mutex_lock(&f->lock);
    snprintf(f->why, sizeof(f->why), "%s", why != NULL ? why : "");
    pthread_mutex_unlock(&f->lock);
    if (why == NULL) {
        show_progress(f, status);
        return;
    }
    say_until(when, until, sizeof(until));
    progress_note(f->progress, why, until, now_mono_ms());
}

/* Return whether it goes on. */
static int rest(struct sync_follow *f)
{
    struct timespec t;
    int over;

    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_nsec += LOOK_MS * 1000000L;
    t.tv_sec += t.tv_nsec / 1000000000L;
    t.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&f->lock);
    if (!f->is_over)
        pthread_cond_timedwait(&f->wake, &f->lock, &t);
    over = f->is_over;
    pthread_mutex_unlock(&f->lock);
    return !over;
}

static void *follow(void *arg)
{
    struct sync_follow *f = arg;
    struct json_object *o;

    while (rest(f) && ctl_status(f->client, ANSWER_MS, &o) == CTL_OK) {
        show(f, o);
        json_object_put(o);
    }
    return NULL;
}

static void free_follow(struct sync_follow *f)
{
    progress_free(f->progress);
    pthread_cond_destroy(&f->wake);
    pthread_mutex_destroy(&f->lock);
    ctl_close(f->client);
    free(f);
}

struct sync_follow *sync_follow_start(struct ctx *c)
{
    struct sync_follow *f;
    struct ctl *client;
    struct ct_err err;

    if (ctx_daemon(c, &client, &err) != 0)
        return NULL;
    f = str_calloc(1, sizeof(*f));
    f->client = client;
    f->progress = progress_new(&c->err, "Saving", now_mono_ms());
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->wake, NULL);
    if (pthread_create(&f->thread, NULL, follow, f) == 0)
        return f;
    free_follow(f);
    return NULL;
}

void sync_follow_why(struct sync_follow *f, char *buf, size_t size)
{
    buf[0] = '\0';
    if (f == NULL)
        return;
    pthread_mutex_lock(&f->lock);
    snprintf(buf, size, "%s", f->why);
    pthread_mutex_unlock(&f->lock);
}

void sync_follow_stop(struct sync_follow *f)
{
    if (f == NULL)
        return;
    pthread_mutex_lock(&f->lock);
    f->is_over = 1;
    pthread_cond_signal(&f->wake);
    pthread_mutex_unlock(&f->lock);
    pthread_join(f->thread, NULL);
    free_follow(f);
}
