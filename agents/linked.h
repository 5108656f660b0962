#ifndef AGENTS_LINKED_H
#define AGENTS_LINKED_H

#include <stddef.h>
#include <sys/stat.h>

#include "agents/agent.h"

/*
 * Folders of a data folder that people put on another disk: symbolic links that are followed.  The
 * agent's row says where they may be (may_be_link).  Followed is a link of this user's that leads
 * to a folder of this user's which neither is, nor lies in, nor holds a folder of credentials, the
 * data folder itself or the home folder.  Every other link stays closed.
 */

enum linked {
    LINKED_FOLLOWED,
    LINKED_WATCHED, /* leads to a neighbour, which is taken under its own name */
    LINKED_REFUSED,
};

/**
 * linked_is_place(agent, path):
 * Return whether a symbolic link at ${path} may be followed at all.
 */
int linked_is_place(const struct agent *agent, const char *path);

/**
 * linked_judge(agent, root_fd, path, st, why, size):
 * What becomes of the symbolic link at ${path} below the data folder ${root_fd}?  If it is
 * followed, ${st} is what it leads to; else its inode is 0.  If it is refused, ${why} of ${size}
 * bytes says why, for a person.
 */
enum linked linked_judge(const struct agent *agent, int root_fd, const char *path, struct stat *st,
                         char *why, size_t size);

/**
 * linked_open(agent, root_fd, path, flags):
 * As beneath_open(), and through the links that are followed.  ELOOP: there is another one.
 */
int linked_open(const struct agent *agent, int root_fd, const char *path, int flags);

/**
 * linked_make(agent, root_fd, path):
 * As beneath_make(), and through the links that are followed.
 */
int linked_make(const struct agent *agent, int root_fd, const char *path);

/**
 * linked_each(agent, root, f, arg):
 * Call ${f} with the path below ${root} of each link in it that is followed, and with the folder
 * (absolute) that it leads to.
 */
void linked_each(const struct agent *agent, const char *root,
                 void (*f)(void *arg, const char *path, const char *target), void *arg);

/*
 * For the lists of an agent (list_transcripts() and its like) whose files are to be read: each
 * regular file is opened and handed to ${f}, which borrows ${fd}; what can't be taken is passed
 * over.
 */
struct linked_visit {
    const struct agent *agent;
    int root_fd;
    void (*f)(void *arg, const char *path, int fd, const struct stat *st);
    void *arg;
};
extern const struct agent_list_ops linked_visit_ops; /* their arg is a struct linked_visit */

#endif
