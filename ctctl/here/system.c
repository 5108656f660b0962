#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/str.h"

#include "ctctl/here/system.h"

extern char **environ;

int system_start(char *const argv[])
{
    posix_spawn_file_actions_t quiet;
    pid_t pid;
    int rc;

    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&quiet, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    rc = posix_spawnp(&pid, argv[0], &quiet, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&quiet);
    return rc == 0 ? 0 : -1;
}

int system_run(char *const argv[], int is_quiet)
{
    posix_spawn_file_actions_t actions;
    int rc, status;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    if (is_quiet)
        posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    rc = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (rc != 0)
        return 127;
    while ((rc = (int)waitpid(pid, &status, 0)) < 0 && errno == EINTR)
        continue;
    return rc > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int system_has_program(const char *name)
{
    const char *path = getenv("PATH");
    int has = 0;

    while (!has && path != NULL && path[0] != '\0') {
        size_t n = strcspn(path, ":");
        char *file = str_printf("%.*s/%s", (int)n, n > 0 ? path : ".", name);
        has = access(file, X_OK) == 0;
        free(file);
        path += n + (path[n] == ':');
    }
    return has;
}
