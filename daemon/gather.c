#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "agents/roots.h"
#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/str.h"
#include "common/sys/worker.h"

#include "daemon/daemon.h"

#define QUIET_MS 500 /* it writes several times in a row */
#define SHARE 20     /* of the time, one part at most goes into it */

struct gathering {
    struct daemon *d;
    struct strlist sources; /* of all of them */
    struct buf looked;      /* what look() said before the first gathering */
    struct event *timer;
    int64_t next_ms;  /* monotonic: not before that */
    int64_t again_ms; /* after the first gathering: something is to be looked at again then, or 0 */
    int is_running;
    int is_again; /* something changed while it ran */
};

struct gather_job {
    struct daemon *d;
    struct strlist agents, roots;
    int64_t took_ms, again_ms;
};

static void job_free(void *arg)
{
    struct gather_job *j = arg;

    strlist_free(&j->agents);
    strlist_free(&j->roots);
    free(j);
}

static struct gather_job *job_new(struct daemon *d)
{
    struct gather_job *j = str_calloc(1, sizeof(*j));

    j->d = d;
    for (size_t i = 0; i < d->config->roots.n; i++) {
        if (daemon_agent(d, (int)i)->gather == NULL)
            continue;
        strlist_add(&j->agents, daemon_agent(d, (int)i)->id);
        strlist_add(&j->roots, d->config->roots.v[i]);
    }
    return j;
}

static void run(void *arg)
{
    struct gather_job *j = arg;
    int64_t begun_ms = now_mono_ms(), again_ms;
    struct ct_err err;

    for (size_t i = 0; i < j->roots.n; i++) {
        again_ms = 0;
        if (agent_find(j->agents.v[i])->gather(j->roots.v[i], &again_ms, &err) != 0) {
            log_warn("gather-failed agent=%s error=\"%s\"", j->agents.v[i], err.msg);
            again_ms = 60000;
        }
        if (again_ms > 0 && (j->again_ms == 0 || again_ms < j->again_ms))
            j->again_ms = again_ms;
    }
    j->took_ms = now_mono_ms() - begun_ms;
}

static void begin_in(struct gathering *g, int64_t ms)
{
    int64_t wait_ms = g->next_ms - now_mono_ms();
    struct timeval tv;

    if (wait_ms > ms)
        ms = wait_ms;
    tv.tv_sec = (time_t)(ms / 1000);
    tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
    evtimer_add(g->timer, &tv);
}

static void done(void *arg)
{
    struct gather_job *j = arg;
    struct gathering *g = j->d->gathering;

    g->is_running = 0;
    g->next_ms = now_mono_ms() + j->took_ms * SHARE;
    if (g->is_again)
        begin_in(g, QUIET_MS);
    else if (j->again_ms > 0)
        begin_in(g, j->again_ms);
    g->is_again = 0;
    job_free(j);
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
    struct gathering *g = arg;

    (void)fd;
    (void)what;
    g->is_running = 1;
    worker_submit(g->d->worker, run, done, job_free, job_new(g->d));
}

/* Append to ${b} what says of each source whether it is as it was. */
static void look(const struct gathering *g, struct buf *b)
{
    struct stat st;

    for (size_t i = 0; i < g->sources.n; i++) {
        int is_there = stat(g->sources.v[i], &st) == 0;
        buf_printf(
            b, "%d %llu %lld %lld %lld\n", is_there, is_there ? (unsigned long long)st.st_ino : 0,
            is_there ? (long long)st.st_size : 0, is_there ? (long long)file_mtime_ns(&st) : 0,
            is_there ? (long long)file_ctime_ns(&st) : 0);
    }
}

void gather_first(struct daemon *d)
{
    struct gathering *g = d->gathering = str_calloc(1, sizeof(*g));
    struct gather_job *j = job_new(d);

    g->d = d;
    for (size_t i = 0; i < d->config->roots.n; i++) {
        if (daemon_agent(d, (int)i)->sources != NULL)
            daemon_agent(d, (int)i)->sources(&g->sources);
    }
    look(g, &g->looked);
    run(j);
    g->again_ms = j->again_ms;
    job_free(j);
}

int gather_watch(struct daemon *d, struct ct_err *err)
{
    struct gathering *g = d->gathering;
    struct buf now = {0};

    g->timer = evtimer_new(d->base, on_time, g);
    if (g->timer == NULL)
        return err_set(err, ERR_FAIL, "can't make a timer");
    for (size_t i = 0; i < g->sources.n; i++) {
        if (watcher_add_file(d->watcher, g->sources.v[i], err) != 0)
            return -1;
    }
    look(g, &now);
    if (now.len != g->looked.len || (now.len > 0 && memcmp(now.data, g->looked.data, now.len) != 0))
        begin_in(g, QUIET_MS);
    else if (g->again_ms > 0)
        begin_in(g, g->again_ms);
    buf_free(&now);
    return 0;
}

int gather_changed(struct daemon *d, const char *path)
{
    struct gathering *g = d->gathering;

    if (g == NULL || g->timer == NULL || !strlist_has(&g->sources, path))
        return 0;
    if (g->is_running)
        g->is_again = 1;
    else
        begin_in(g, QUIET_MS);
    return 1;
}

void gathering_free(struct gathering *g)
{
    if (g == NULL)
        return;
    if (g->timer != NULL)
        event_free(g->timer);
    strlist_free(&g->sources);
    buf_free(&g->looked);
    free(g);
}
