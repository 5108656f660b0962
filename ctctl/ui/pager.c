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
    if (rc != 0)
        close(fds[1]);
    *ret_fd = fds[1];
    return rc == 0 ? 0 : -1;
}

void pager_print(const struct text_style *st, struct buf *b)
{
    const char *command = getenv("PAGER");
    struct winsize ws;
    void (*before)(int);
    pid_t pid;
    int fd;

    fflush(stdout);
    /* Colours, and nothing at all of it where it fits after all. */
    setenv("LESS", "FRX", 0);
    if (!st->is_terminal || ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) != 0 || ws.ws_row == 0 ||
        !is_longer(b, ws.ws_row) ||
        (command != NULL && (command[0] == '\0' || strcmp(command, "cat") == 0)) ||
        start(command, &pid, &fd) != 0) {
        fwrite(b->data != NULL ? b->data : "", 1, b->len, stdout);
        buf_reset(b);
        return;
    }
    /* Ctrl-C is the pager's, and whoever has seen enough closes the pipe early. */
    before = signal(SIGINT, SIG_IGN);
    (void)!file_write_all(fd, b->data, b->len);
    close(fd);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    signal(SIGINT, before);
    buf_reset(b);
}
