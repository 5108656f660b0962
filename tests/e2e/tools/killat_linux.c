/*
 * killat N COMMAND...: run COMMAND and kill it (SIGKILL) right before its Nth system call that
 * changes something outside of it: files, folders, sockets.  N = 0: only count.  The number of
 * those calls goes to the file that $KILLAT_COUNT names.  Exit status: 137 when it was killed, else
 * COMMAND's own.
 */
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>

#include <linux/ptrace.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int changes_something(unsigned long long nr)
{
    static const long calls[] = {
#ifdef SYS_open
        SYS_open,
#endif
#ifdef SYS_unlink
        SYS_unlink,
#endif
#ifdef SYS_rename
        SYS_rename,
#endif
#ifdef SYS_mkdir
        SYS_mkdir,
#endif
        SYS_openat,    SYS_unlinkat, SYS_renameat2, SYS_renameat, SYS_mkdirat,
        SYS_ftruncate, SYS_fsync,    SYS_fdatasync, SYS_write,    SYS_writev,
        SYS_pwrite64,  SYS_sendto,   SYS_sendmsg,   SYS_connect,
    };

    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        if (nr == (unsigned long long)calls[i])
            return 1;
    }
    return 0;
}

static pid_t run(char **argv)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) {
        perror("killat: ptrace");
        _exit(125);
    }
    raise(SIGSTOP);
    execvp(argv[0], argv);
    perror(argv[0]);
    _exit(127);
}

static int is_counted(pid_t tid)
{
    struct ptrace_syscall_info info = {0};

    /* The whole structure, or as much as this kernel has of it. */
    if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, (void *)sizeof(info), &info) <= 0)
        return 0;
    return info.op == PTRACE_SYSCALL_INFO_ENTRY && changes_something(info.entry.nr);
}

/* What to pass on: its own signals, but not the stops that tracing brings. */
static int signal_of(int status)
{
    int sig = WSTOPSIG(status);

    if (sig == SIGTRAP || sig == (SIGTRAP | 0x80) || status >> 16 != 0 || sig == SIGSTOP)
        return 0;
    return sig;
}

static void say_count(long count)
{
    const char *path = getenv("KILLAT_COUNT");
    FILE *f = path != NULL ? fopen(path, "w") : NULL;

    if (f != NULL) {
        fprintf(f, "%ld\n", count);
        fclose(f);
    }
}

static int follow(pid_t child, long at)
{
    long count = 0;
    int status, rc = 1;
    pid_t tid;

    while ((tid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
        if (tid < 0)
            continue;
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            if (tid != child)
                continue;
            rc = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            break;
        }
        if (WSTOPSIG(status) == (SIGTRAP | 0x80) && is_counted(tid) && ++count == at) {
            kill(child, SIGKILL);
            continue;
        }
        ptrace(PTRACE_SYSCALL, tid, NULL, (void *)(long)signal_of(status));
    }
    say_count(count);
    return rc;
}

int main(int argc, char **argv)
{
    const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
                         PTRACE_O_TRACEVFORK | PTRACE_O_EXITKILL;
    int status;
    pid_t child;

    if (argc < 3) {
        fprintf(stderr, "usage: killat N COMMAND...\n");
        return 64;
    }
    child = run(argv + 2);
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) {
        fprintf(stderr, "killat: can't trace\n");
        return 125;
    }
    if (ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)options) != 0 ||
        ptrace(PTRACE_SYSCALL, child, NULL, NULL) != 0) {
        perror("killat: ptrace");
        kill(child, SIGKILL);
        return 125;
    }
    return follow(child, atol(argv[1]));
}
