#ifndef DAEMON_SYSTEM_SANDBOX_H
#define DAEMON_SYSTEM_SANDBOX_H

#include <stddef.h>

#include "common/base/err.h"

/*
 * The kernel's sandbox (Landlock, see landlock(7)): from sandbox_enter() on, this process can touch
 * what a rule names and nothing else, whoever it runs as, until it ends.  What it had open stays
 * open.
 *
 * Not covered by any version so far: chmod, chown, utimes, setxattr; stat and readlink; connecting
 * to a UNIX socket that has a path; UDP.
 */

/* What may be done below a path (or, if it is a file, with it): */
#define SANDBOX_READ 1U   /* read files, list folders */
#define SANDBOX_WRITE 2U  /* write to files that are there */
#define SANDBOX_REMOVE 4U /* remove files */
#define SANDBOX_CHANGE 8U /* all of that, and make and move files, folders and sockets */

struct sandbox_rule {
    const char *path; /* symbolic links are followed, now; what is not there is passed over */
    unsigned what;
};

struct sandbox_rules {
    const struct sandbox_rule *v;
    size_t n;
    const long long *ports;     /* TCP ports that may be connected to; */
    size_t n_ports;             /* 0: all */
    int needs_abstract_sockets; /* UNIX sockets without a path are used */
};

/* From which version on ... */
#define SANDBOX_ABI_REFER 2    /* files can be linked and moved between folders of one rule */
#define SANDBOX_ABI_TRUNCATE 3 /* truncate(2) is covered */
#define SANDBOX_ABI_PORTS 4    /* TCP ports are covered */

/**
 * sandbox_abi():
 * Return the version of the sandbox that the kernel offers, or 0: none.
 */
int sandbox_abi(void);

/**
 * sandbox_enter(rules, abi, err):
 * Restrict this process (that is, the calling thread and those that it starts: call it before there
 * are others) with what version ${abi} knows, which is at most sandbox_abi().  It gives up the
 * gaining of privileges by exec (PR_SET_NO_NEW_PRIVS), and executes nothing any more.  On error
 * nothing is restricted.
 */
int sandbox_enter(const struct sandbox_rules *rules, int abi, struct ct_err *err);

/**
 * sandbox_blocks(path):
 * Return whether it is the sandbox that keeps us from reading the file or folder: file modes
 * would let us.
 */
int sandbox_blocks(const char *path);

#endif
