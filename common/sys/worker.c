#include <sys/queue.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/base/str.h"

#include "common/sys/worker.h"

struct job {
    STAILQ_ENTRY(job) link;
    void (*run)(void *arg);
    void (*done)(void *arg);
    void (*discard)(void *arg);
    void *arg;
};

STAILQ_HEAD(jobs, job);

struct worker {
    pthread_t thread;
    void (*begin)(void);
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct jobs todo;     /* under lock */
    struct jobs finished; /* under lock */
    int is_stopping;      /* under lock */
    int pending;          /* the loop's */
    int pipe[2];          /* a byte in it: something is finished */
    struct event *ev;
};

static struct job *next_job(struct worker *w)
{
    struct job *j = NULL;

    pthread_mutex_lock(&w->lock);
    while (!w->is_stopping && STAILQ_EMPTY(&w->todo))
        pthread_cond_wait(&w->wake, &w->lock);
    if (!w->is_stopping) {
        j = STAILQ_FIRST(&w->todo);
        STAILQ_REMOVE_HEAD(&w->todo, link);
    }
    pthread_mutex_unlock(&w->lock);
    return j;
}

static void *thread_main(void *arg)
{
    struct worker *w = arg;
    struct job *j;

    if (w->begin != NULL)
        w->begin();
    while ((j = next_job(w)) != NULL) {
        j->run(j->arg);
        pthread_mutex_lock(&w->lock);
        STAILQ_INSERT_TAIL(&w->finished, j, link);
        pthread_mutex_unlock(&w->lock);
        /* A full pipe has a byte in it already, which is all that it has to have. */
        while (write(w->pipe[1], "", 1) < 0 && errno == EINTR)
            ;
    }
    return NULL;
}

static void on_finished(evutil_socket_t fd, short what, void *arg)
{
    struct worker *w = arg;
    char drain[64];

    (void)what;
    while (read(fd, drain, sizeof(drain)) > 0)
        ;
    for (;;) {
        struct job *j;
        pthread_mutex_lock(&w->lock);
        j = STAILQ_FIRST(&w->finished);
        if (j != NULL)
            STAILQ_REMOVE_HEAD(&w->finished, link);
        pthread_mutex_unlock(&w->lock);
        if (j == NULL)
            return;
        w->pending--;
        j->done(j->arg);
        free(j);
    }
}

int worker_new(struct event_base *base, void (*begin)(void), struct worker **ret,
               struct ct_err *err)
{
    struct worker *w = str_calloc(1, sizeof(*w));
    sigset_t all, old;
    int rc;

    w->begin = begin;
    STAILQ_INIT(&w->todo);
    STAILQ_INIT(&w->finished);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    if (pipe(w->pipe) != 0) {
        err_sys(err, "can't make a pipe");
        goto err0;
    }
    for (int i = 0; i < 2; i++) {
        fcntl(w->pipe[i], F_SETFD, FD_CLOEXEC);
        fcntl(w->pipe[i], F_SETFL, O_NONBLOCK);
    }
    w->ev = event_new(base, w->pipe[0], EV_READ | EV_PERSIST, on_finished, w);
    if (w->ev == NULL || event_add(w->ev, NULL) != 0)
        abort();
    /* Signals belong to the loop. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    rc = pthread_create(&w->thread, NULL, thread_main, w);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (rc != 0) {
        errno = rc;
        err_sys(err, "can't start the worker thread");
        goto err1;
    }
    *ret = w;
    return 0;

err1:
    event_free(w->ev);
    close(w->pipe[0]);
    close(w->pipe[1]);
err0:
    free(w);
    return -1;
}

static void discard_all(struct jobs *jobs)
{
    struct job *j;

    while ((j = STAILQ_FIRST(jobs)) != NULL) {
        STAILQ_REMOVE_HEAD(jobs, link);
        j->discard(j->arg);
        free(j);
    }
}

void worker_free(struct worker *w)
{
    if (w == NULL)
        return;
    pthread_mutex_lock(&w->lock);
    w->is_stopping = 1;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    discard_all(&w->todo);
    discard_all(&w->finished);
    event_free(w->ev);
    close(w->pipe[0]);
    close(w->pipe[1]);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

void worker_submit(struct worker *w, void (*run)(void *arg), void (*done)(void *arg),
                   void (*discard)(void *arg), void *arg)
{
    struct job *j = str_calloc(1, sizeof(*j));

    j->run = run;
    j->done = done;
    j->discard = discard;
    j->arg = arg;
    w->pending++;
    pthread_mutex_lock(&w->lock);
    STAILQ_INSERT_TAIL(&w->todo, j, link);
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

int worker_pending(const struct worker *w)
{
    return w->pending;
}
