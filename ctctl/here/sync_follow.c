#include <pthread.h>
#include <stdlib.h>
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
    struct text_style style;
    struct ipc_client *client;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    int is_over;

    struct progress *progress;
    int is_uploading; /* what the progress is about */
    int64_t most;     /* bytes that were waiting at once */
};

/* The uploads under way tell exactly how far they are; before that, it is what still waits. */
static void show(struct sync_follow *f, const struct json_object *status)
{
    struct json_object *uploads = jdoc_array(status, "uploads");
    size_t n = uploads != NULL ? json_object_array_length(uploads) : 0;
    int64_t left = headline_number(jdoc_obj(status, "sessions"), "pendingBytes", 0);
    int64_t done = 0, total = 0;

    for (size_t i = 0; i < n; i++) {
        done += headline_number(json_object_array_get_idx(uploads, i), "sentBytes", 0);
        total += headline_number(json_object_array_get_idx(uploads, i), "sizeBytes", 0);
    }
    if (left > f->most)
        f->most = left;
    if (n == 0) {
        done = f->most - left;
        total = f->most;
    }
    if (total == 0)
        return;
    if (f->progress == NULL || f->is_uploading != (n > 0)) {
        progress_free(f->progress);
        f->progress = progress_new(&f->style, n > 0 ? "Uploading" : "Saving", now_mono_ms());
        f->is_uploading = n > 0;
    }
    progress_to(f->progress, done, total, now_mono_ms());
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

    while (rest(f) && ipc_client_call(f->client, "status", NULL, ANSWER_MS, &o, NULL) == 0) {
        show(f, o);
        json_object_put(o);
    }
    return NULL;
}

struct sync_follow *sync_follow_start(struct ctx *c)
{
    struct sync_follow *f;
    struct ipc_client *client;
    struct ct_err err;

    if (!c->err.is_terminal || ctx_daemon(c, &client, &err) != 0)
        return NULL;
    f = str_calloc(1, sizeof(*f));
    f->style = c->err;
    f->client = client;
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->wake, NULL);
    if (pthread_create(&f->thread, NULL, follow, f) == 0)
        return f;
    pthread_cond_destroy(&f->wake);
    pthread_mutex_destroy(&f->lock);
    ipc_client_close(f->client);
    free(f);
    return NULL;
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
    progress_free(f->progress);
    pthread_cond_destroy(&f->wake);
    pthread_mutex_destroy(&f->lock);
    ipc_client_close(f->client);
    free(f);
}
