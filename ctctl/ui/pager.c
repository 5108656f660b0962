#include <sys/ioctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/str.h"

#include "ctctl/ui/pager.h"

extern char **environ;

static int is_longer(const struct buf *b, int rows)
{
    int n = 1; /* the prompt that comes back */

    for (size_t i = 0; i < b->len && n <= rows; i++)
        n += b->data[i] == '\n';
    return n > rows;
}

/* Start the pager with its end of a pipe as stdin.  Return 0, or -1 if there is none. */
static int start(const char *command, pid_t *ret_pid, int *ret_fd)
{
    char *by_shell[] = {(char[]){"sh"}, (char[]){"-c"}, (char *)(uintptr_t)command, NULL};
    char *less[] = {(char[]){"less"}, NULL};
    char *const *argv = command != NULL ? by_shell : less;
    posix_spawn_file_actions_t actions;
    int fds[2], rc;

    if (pipe(fds) != 0)
        return -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fds[0], STDIN_FILENO);
    posix_spawn_file_actions_addclose(&actions, fds[0]);
    posix_spawn_file_actions_addclose(&actions, fds[1]);
    rc = posix_spawnp(ret_pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(fds[0]);
    if (rc != 0) {
        close(fds[1]);
        return -1;
    }
    *ret_fd = fds[1];
    return 0;
}

struct pager {
    int rows;       /* of the terminal; 0: no pager */
    struct buf now; /* what has come, as long as it fits */
    int fd;         /* of the pager, or -1 */
    pid_t pid;
    int is_closed; /* it has seen enough */
    void (*before)(int);
};

struct pager *pager_new(const struct text_style *st)
{
    struct pager *p = str_calloc(1, sizeof(*p));
    const char *command = getenv("PAGER");
    struct winsize ws;

    fflush(stdout);
    p->fd = -1;
    if (st->is_terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 &&
        (command == NULL || (command[0] != '\0' && strcmp(command, "cat") != 0)))
        p->rows = ws.ws_row;
    return p;
}

/* Write ${b} to where it goes. */
static void put(struct pager *p, struct buf *b)
{
    if (p->fd < 0)
        fwrite(b->data != NULL ? b->data : "", 1, b->len, stdout);
    else if (!p->is_closed)
        p->is_closed = file_write_all(p->fd, b->data, b->len) != 0;
    buf_reset(b);
}

void pager_add(struct pager *p, struct buf *b)
{
    if (p->rows == 0 || p->fd >= 0) {
        put(p, b);
        return;
    }
    buf_add(&p->now, b->data != NULL ? b->data : "", b->len);
    buf_reset(b);
    if (!is_longer(&p->now, p->rows))
        return;
    /* Colours, and nothing at all of it where it fits after all. */
    setenv("LESS", "FRX", 0);
    /* Ctrl-C is the pager's, and whoever has seen enough closes the pipe early. */
    if (start(getenv("PAGER"), &p->pid, &p->fd) == 0)
        p->before = signal(SIGINT, SIG_IGN);
    else
        p->rows = 0;
    put(p, &p->now);
}

void pager_end(struct pager *p)
{
    put(p, &p->now);
    if (p->fd >= 0) {
        close(p->fd);
        while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
        signal(SIGINT, p->before);
    }
    buf_free(&p->now);
    free(p);
}

void pager_print(const struct text_style *st, struct buf *b)
{
    struct pager *p = pager_new(st);

    pager_add(p, b);
    pager_end(p);
}
