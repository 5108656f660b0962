#ifndef BUNDLE_INSTALL_LOCAL_H
#define BUNDLE_INSTALL_LOCAL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "agents/agent.h"
#include "agents/news.h"
#include "common/base/err.h"
#include "common/base/strlist.h"

/* By what a file that was read is known to be still the same. */
struct local_stamp {
    int64_t size_bytes, mtime_ns;
    uint64_t inode, device;
};

/*
 * A session as it lies in the data folder already: its transcripts, one in each project folder that
 * has one (there should be one at most), and what is in them.
 */
struct local_copy {
    char *path;    /* below the root */
    char *project; /* name of its project folder */
    struct local_stamp was;
};

struct local {
    struct local_copy *copies; /* the one that counts first: the longest, then the newest */
    size_t n;
    struct news *news; /* of all copies together, and of what lies beside them (read_beside()) */
};

/**
 * local_find(root_fd, agent, session_id, ret, err):
 * Find and read the copies.  None is no error (${ret}->n is 0), a ${root_fd} of -1 has none.
 * ERR_FAIL if there is something in the place of a transcript that can't be read.  The caller ends
 * it with local_clear().
 */
int local_find(int root_fd, const struct agent *agent, const char *session_id, struct local *ret,
               struct ct_err *err);
void local_clear(struct local *l);

/**
 * local_cwd(l):
 * Return the folder that the session is in here, as its records say: the last one that its project
 * folder is named after, else the first; "" if they say none.  Borrowed.
 */
const char *local_cwd(const struct local *l);

/**
 * local_clash(root_fd, agent, path, session_id):
 * Is there, in the folder where ${path} is to be, a transcript of another session whose id begins
 * like this one's, and does the agent go by that beginning?  Return its path, which the caller
 * frees, or NULL.
 */
char *local_clash(int root_fd, const struct agent *agent, const char *path, const char *session_id);

/**
 * local_each(agent, root, f, arg):
 * Call ${f} with the path below ${root} of each transcript, and with its session's id, in no order.
 */
void local_each(const struct agent *agent, const char *root,
                void (*f)(void *arg, const char *path, const char *id), void *arg);

/**
 * local_list(agent, root, ret):
 * Append the ids of all sessions that have a transcript below ${root}, sorted.
 */
void local_list(const struct agent *agent, const char *root, struct strlist *ret);

/**
 * local_has_changed(root_fd, agent, l):
 * Return whether a copy is not any more what was read.
 */
int local_has_changed(int root_fd, const struct agent *agent, const struct local *l);

/**
 * local_restamp(root_fd, agent, c):
 * The transcript ${c} was moved to its path: take that file's stamp, if its size and its time are
 * what they were.  Return 0, or -1 if it has changed.
 */
int local_restamp(int root_fd, const struct agent *agent, struct local_copy *c);

/**
 * local_stamp(st, ret), local_is_still(root_fd, agent, path, stamp):
 * Note which file it is and what state it is in; return whether ${path} is still that.
 */
void local_stamp(const struct stat *st, struct local_stamp *ret);
int local_is_still(int root_fd, const struct agent *agent, const char *path,
                   const struct local_stamp *stamp);

/**
 * local_is_live(agent, root, session_id):
 * Return whether a running process says that it works on the session.  One whose word can't be
 * read, because it is half written and stays so for a moment, may do so: then it is live.
 */
int local_is_live(const struct agent *agent, const char *root, const char *session_id);

#endif
