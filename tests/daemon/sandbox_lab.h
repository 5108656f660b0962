#ifndef TESTS_DAEMON_SANDBOX_LAB_H
#define TESTS_DAEMON_SANDBOX_LAB_H

#include <sys/types.h>

#include <stddef.h>

/*
 * Trying things from inside the sandbox: in a child, as an ordinary user, so that nothing but the
 * sandbox refuses; a test that runs as root gives that up.
 */
struct sandbox_lab {
    int abi;
    const long long *ports;
    size_t n_ports;
    int to_parent, from_parent; /* pipes */
    const void *arg;
};

/**
 * lab_setup(state), lab_teardown(state):
 * As cmocka calls them: a scratch folder to be in, with the folders "root" and "state", and what
 * lies around them.
 */
int lab_setup(void **state);
int lab_teardown(void **state);

/**
 * lab_put(path, text):
 * Write a file.
 */
void lab_put(const char *path, const char *text);

/**
 * lab_needs_abi(abi):
 * Skip the test if the kernel's Landlock is older; return how new it is.
 */
int lab_needs_abi(int abi);

/**
 * lab_begin(play, s), lab_end(pid), lab_act(play, abi):
 * Run ${play} in a child; wait until it ends, and fail unless all was as it has to be; both, with
 * the rights of ${abi}.
 */
pid_t lab_begin(void (*play)(const struct sandbox_lab *), struct sandbox_lab *s);
void lab_end(pid_t pid);
void lab_act(void (*play)(const struct sandbox_lab *), int abi);

/* In the child. */

/**
 * lab_complain(line, what, is), lab_deny(line, what, rc), lab_permit(line, what, rc):
 * Something is not as it has to be; unless a call was refused as a sandbox refuses; unless it
 * worked.
 */
void lab_complain(int line, const char *what, const char *is);
void lab_deny(int line, const char *what, long rc);
void lab_permit(int line, const char *what, long rc);

#define DENIED(call) lab_deny(__LINE__, #call, (long)(call))
#define ALLOWED(call) lab_permit(__LINE__, #call, (long)(call))

/**
 * lab_opened(path, flags), lab_listed(path):
 * Open a file, read a folder: -1 with errno if that is refused.
 */
long lab_opened(const char *path, int flags);
long lab_listed(const char *path);

#endif
