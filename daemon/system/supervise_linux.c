#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/str.h"

#include "daemon/system/sandbox.h"
#include "daemon/system/supervise.h"

static int is_own_pid(const char *variable)
{
    const char *v = getenv(variable);
    unsigned long long pid;

    return v != NULL && str_parse_u64(v, &pid) == 0 && pid == (unsigned long long)getpid();
}

/* The variables go on to what a service starts, so a process id has to be ours. */
static int has_service_manager(void)
{
    return getenv("NOTIFY_SOCKET") != NULL || is_own_pid("SYSTEMD_EXEC_PID") ||
           is_own_pid("LISTEN_PID");
}

/* Return 0 in the child, with the signals as ${before}; else its process id, or -1. */
static pid_t begin(const sigset_t *before)
{
    pid_t parent = getpid(), pid = fork();

    if (pid != 0)
        return pid;
    /* Only what can't be handed on ends the parent first, so it ends both, and at once. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        raise(SIGKILL); /* it died before that */
    sigprocmask(SIG_SETMASK, before, NULL);
    return 0;
}

/* Wait until ${pid} has ended, handing on what it did not get itself.  Return its wait status. */
static int tend(pid_t pid, const sigset_t *set, int *ret_is_told)
{
    siginfo_t info;
    int sig, status;

    for (;;) {
        sig = sigwaitinfo(set, &info);
        if (sig == SIGCHLD && waitpid(pid, &status, WNOHANG) == pid)
            return status;
        if (sig < 0 || sig == SIGCHLD)
            continue;
        if (sig == SIGTERM || sig == SIGINT)
            *ret_is_told = 1;
        /* What comes from the terminal goes to all processes in front of it. */
        if (info.si_code != SI_KERNEL)
            kill(pid, sig);
    }
}

/* What the child ended of is what ends us. */
static int end_alike(int status)
{
    sigset_t set;
    int sig;

    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    sig = WTERMSIG(status);
    signal(sig, SIG_DFL);
    raise(sig);
    sigemptyset(&set);
    sigaddset(&set, sig);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    return 128 + sig;
}

int supervise(int restart_status)
{
    static const int handed_on[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
    sigset_t set, before;
    int status, is_told = 0;
    pid_t pid;

    if (has_service_manager() || sandbox_abi() <= 0)
        return -1;
    signal(SIGCHLD, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    for (size_t i = 0; i < sizeof(handed_on) / sizeof(handed_on[0]); i++)
        sigaddset(&set, handed_on[i]);
    sigprocmask(SIG_BLOCK, &set, &before);
    do {
        pid = begin(&before);
        if (pid == 0)
            return -1;
        if (pid < 0) { /* it can do its work all the same */
            sigprocmask(SIG_SETMASK, &before, NULL);
            return -1;
        }
        status = tend(pid, &set, &is_told);
    } while (WIFEXITED(status) && WEXITSTATUS(status) == restart_status && !is_told);
    return is_told && WIFEXITED(status) && WEXITSTATUS(status) == restart_status
               ? 0
               : end_alike(status);
}
