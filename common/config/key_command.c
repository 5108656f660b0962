#include <sys/types.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/now.h"
#include "common/sys/secret.h"

#include "common/config/key_command.h"

#define LOOK_MS 10 /* between two looks whether it has ended */

extern char **environ;

/*
 * A program that asks for a PIN on the terminal has to be in the terminal's foreground group.
 * Where there is no terminal it leads a group of its own, so that all of it can be killed.
 */
static int has_terminal(void)
{
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0)
        return 0;
    close(fd);
    return 1;
}

/* Whatever we ignore or block is no business of the command. */
static int spawn(const char *command, int out, int is_leader, pid_t *ret)
{
    char *argv[] = {"sh", "-c", (char *)(uintptr_t)command, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none, usual;
    int rc;

    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    sigaddset(&usual, SIGCHLD);
    sigaddset(&usual, SIGTERM);
    sigaddset(&usual, SIGHUP);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attr);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &usual);
    posix_spawnattr_setpgroup(&attr, 0);
    posix_spawnattr_setflags(&attr, (short)(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                            (is_leader ? POSIX_SPAWN_SETPGROUP : 0)));
    rc = posix_spawn(ret, "/bin/sh", &actions, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    return rc;
}

static int read_output(int fd, char *out, int64_t deadline_ms, struct ct_err *err)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    size_t len = 0;

    for (;;) {
        int64_t left = deadline_ms - now_mono_ms();
        ssize_t n;
        if (left <= 0)
            return err_set(err, ERR_CONFIG, "key_command has not ended in time");
        if (poll(&p, 1, (int)left) <= 0)
            continue;
        n = read(fd, out + len, KEY_COMMAND_MAX + 1 - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            err_sys(err, "can't read what key_command prints");
            return -1;
        }
        if (n == 0)
            break;
        len += (size_t)n;
        if (len > KEY_COMMAND_MAX)
            return err_set(err, ERR_CONFIG, "key_command prints more than keys (%d bytes)",
                           KEY_COMMAND_MAX);
    }
    if (memchr(out, '\0', len) != NULL)
        return err_set(err, ERR_CONFIG, "what key_command prints is no text");
    out[len] = '\0';
    return 0;
}

static int await(pid_t pid, int64_t deadline_ms, struct ct_err *err)
{
    const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
    int status;
    pid_t got;

    while ((got = waitpid(pid, &status, WNOHANG)) != pid) {
        if (got < 0 && errno != EINTR)
            return err_sys(err, "can't wait for key_command");
        if (now_mono_ms() >= deadline_ms)
            return err_set(err, ERR_CONFIG, "key_command has not ended in time");
        nanosleep(&pause, NULL);
    }
    if (WIFSIGNALED(status))
        return err_set(err, ERR_CONFIG, "key_command was ended by signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        return err_set(err, ERR_CONFIG, "key_command failed with exit status %d",
                       WEXITSTATUS(status));
    return 0;
}

/* It may have ended by itself: then its number still is ours, for nobody has waited for it. */
static void kill_it(pid_t pid, int is_leader)
{
    kill(is_leader ? -pid : pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

static int run(const char *command, int64_t deadline_ms, char *out, struct ct_err *err)
{
    int fds[2], rc, is_leader = !has_terminal(), is_running = 1;
    pid_t pid;

    if (pipe(fds) != 0)
        return err_sys(err, "can't make a pipe for key_command");
    fcntl(fds[0], F_SETFD, FD_CLOEXEC);
    fcntl(fds[1], F_SETFD, FD_CLOEXEC);
    rc = spawn(command, fds[1], is_leader, &pid);
    close(fds[1]);
    if (rc != 0) {
        close(fds[0]);
        errno = rc;
        return err_sys(err, "can't run key_command");
    }
    rc = read_output(fds[0], out, deadline_ms, err);
    close(fds[0]);
    if (rc == 0) {
        rc = await(pid, deadline_ms, err);
        is_running = rc != 0 && waitpid(pid, NULL, WNOHANG) == 0;
    }
    if (is_running)
        kill_it(pid, is_leader);
    return rc;
}

int key_command_run(const char *command, int timeout_ms, char **ret, struct ct_err *err)
{
    const struct sigaction usual = {.sa_handler = SIG_DFL};
    char *out = secret_alloc(KEY_COMMAND_MAX + 1);
    struct ct_err e = {0};
    struct sigaction before;
    int rc;

    /* If SIGCHLD is ignored nobody learns how a child ended. */
    sigaction(SIGCHLD, &usual, &before);
    rc = run(command, now_mono_ms() + timeout_ms, out, &e);
    sigaction(SIGCHLD, &before, NULL);
    if (rc != 0) {
        secret_free(out);
        e.code = ERR_CONFIG;
        if (err != NULL)
            *err = e;
        return -1;
    }
    *ret = out;
    return 0;
}
