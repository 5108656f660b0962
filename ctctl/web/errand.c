#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fd.h"
#include "common/base/str.h"
#include "ctctl/here/system.h"

#include "ctctl/web/errand.h"

#define READ_BYTES (64 << 10)

extern char **environ;

/* One of the two that are read: what it prints, what it says. */
struct ear {
    struct errand *errand;
    struct event *event; /* NULL once it has ended */
    struct buf heard;
    size_t max;
};

struct errand {
    pid_t pid;
    int fds[2];
    struct ear ears[2];
    int is_too_much;
    errand_f *f;
    void *arg;
};

/* It ends by itself or by the signal that it got, and says so by closing what we read. */
static int await(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return -1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void forget(struct errand *e)
{
    for (size_t i = 0; i < 2; i++) {
        if (e->ears[i].event != NULL)
            event_free(e->ears[i].event);
        if (e->fds[i] >= 0)
            close(e->fds[i]);
        if (e->ears[i].heard.data != NULL)
            str_wipe(e->ears[i].heard.data, e->ears[i].heard.len);
        buf_free(&e->ears[i].heard);
    }
    free(e);
}

static void end(struct errand *e)
{
    int status = await(e->pid);

    if (e->is_too_much)
        status = -1;
    if (e->f != NULL)
        e->f(e->arg, status, &e->ears[0].heard, &e->ears[1].heard);
    forget(e);
}

static void hear(int fd, short what, void *arg)
{
    struct ear *ear = arg;
    struct errand *e = ear->errand;
    char *p = buf_reserve(&ear->heard, READ_BYTES);
    ssize_t n;

    (void)what;
    *p = '\0'; /* also of one that never says anything, what was heard is a string */
    n = read(fd, p, READ_BYTES);
    if (n > 0) {
        ear->heard.len += (size_t)n;
        p[n] = '\0';
        if (ear->heard.len > ear->max && ear == &e->ears[1]) {
            ear->heard.len = ear->max;
            ear->heard.data[ear->max] = '\0';
        } else if (ear->heard.len > ear->max) {
            e->is_too_much = 1;
            kill(e->pid, SIGTERM);
            buf_reset(&ear->heard);
        }
    } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
        event_free(ear->event);
        ear->event = NULL;
        if (e->ears[0].event == NULL && e->ears[1].event == NULL)
            end(e);
    }
}

/* It asks nobody anything: there is no terminal for it. */
static int spawn(char *const argv[], int out, int said, pid_t *ret)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none, usual;
    int rc;

    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    sigaddset(&usual, SIGINT);
    sigaddset(&usual, SIGTERM);
    sigaddset(&usual, SIGHUP);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attr);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawn_file_actions_adddup2(&actions, said, 2);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &usual);
    posix_spawnattr_setflags(&attr, (short)(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
    rc = posix_spawnp(ret, system_self(), &actions, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    return rc;
}

int errand_start(struct event_base *base, char *const argv[], int out_fd, errand_f *f, void *arg,
                 struct errand **ret, struct ct_err *err)
{
    static const size_t limits[] = {ERRAND_MAX, ERRAND_SAID_MAX};
    int out[2] = {-1, -1}, said[2] = {-1, -1}, rc;
    struct errand *e;
    pid_t pid = -1;

    rc = (out_fd < 0 && fd_pipe(out) != 0) || fd_pipe(said) != 0 ? errno : 0;
    if (rc == 0)
        rc = spawn(argv, out_fd < 0 ? out[1] : out_fd, said[1], &pid);
    if (out[1] >= 0)
        close(out[1]);
    if (said[1] >= 0)
        close(said[1]);
    if (rc != 0) {
        if (out[0] >= 0)
            close(out[0]);
        if (said[0] >= 0)
            close(said[0]);
        errno = rc;
        return err_sys(err, "can't start ctctl %s", argv[1]);
    }
    e = str_calloc(1, sizeof(*e));
    e->pid = pid;
    e->f = f;
    e->arg = arg;
    e->fds[0] = out[0];
    e->fds[1] = said[0];
    for (size_t i = 0; i < 2; i++) {
        struct ear *ear = &e->ears[i];
        ear->errand = e;
        ear->max = limits[i];
        if (e->fds[i] < 0)
            continue;
        fd_no_wait(e->fds[i]);
        ear->event = event_new(base, e->fds[i], EV_READ | EV_PERSIST, hear, ear);
        if (ear->event != NULL)
            event_add(ear->event, NULL);
    }
    *ret = e;
    return 0;
}

void errand_stop(struct errand *e)
{
    kill(e->pid, SIGTERM);
}

void errand_cancel(struct errand *e)
{
    if (e == NULL)
        return;
    e->f = NULL;
    errand_stop(e);
}
