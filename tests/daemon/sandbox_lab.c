#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/system/sandbox.h"
#include "tests/unit.h"

#include "tests/daemon/sandbox_lab.h"

#define NOBODY 65534

void lab_put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

int lab_setup(void **state)
{
    static const char *const dirs[] = {"root",    "root/sub", "root/empty", "state",
                                       "state/a", "state/b",  ".ssh",       "outside"};

    if (unit_setup(state) != 0 || chdir(*state) != 0)
        return -1;
    for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
        if (mkdir(dirs[i], 0755) != 0)
            return -1;
    }
    lab_put("root/f", "content");
    lab_put("root/sub/g", "content");
    lab_put("outside/secret", "content");
    lab_put(".ssh/id", "content");
    lab_put("state/old", "content");
    if (symlink("../outside/secret", "root/leaves") != 0)
        return -1;
    return getuid() == 0 ? system("chown -R 65534:65534 .") : 0;
}

int lab_teardown(void **state)
{
    return chdir("/") == 0 ? unit_teardown(state) : -1;
}

int lab_needs_abi(int abi)
{
    if (sandbox_abi() >= abi)
        return sandbox_abi();
    print_message("skipped: this kernel's Landlock is ABI %d, and this needs %d\n", sandbox_abi(),
                  abi);
    skip();
    return 0;
}

static int bad; /* in the child: how many things were not as they have to be */

void lab_complain(int line, const char *what, const char *is)
{
    fprintf(stderr, "line %d: %s: %s\n", line, what, is);
    bad++;
}

/* What fails for another reason than the sandbox would prove nothing. */
void lab_deny(int line, const char *what, long rc)
{
    int e = errno;

    if (rc >= 0)
        lab_complain(line, what, "was allowed");
    else if (e != EACCES && e != EXDEV && e != EPERM)
        lab_complain(line, what, strerror(e));
}

void lab_permit(int line, const char *what, long rc)
{
    if (rc < 0)
        lab_complain(line, what, strerror(errno));
}

pid_t lab_begin(void (*play)(const struct sandbox_lab *), struct sandbox_lab *s)
{
    pid_t pid;

    fflush(NULL);
    pid = fork();
    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    alarm(60);
    if (getuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
        lab_complain(__LINE__, "setuid()", strerror(errno));
    play(s);
    _exit(bad != 0);
}

void lab_end(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

void lab_act(void (*play)(const struct sandbox_lab *), int abi)
{
    struct sandbox_lab s = {.abi = abi};

    lab_end(lab_begin(play, &s));
}

long lab_opened(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);

    if (fd >= 0)
        close(fd);
    return fd;
}

long lab_listed(const char *path)
{
    DIR *d = opendir(path);

    if (d == NULL)
        return -1;
    closedir(d);
    return 0;
}
