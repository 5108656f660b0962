#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

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
