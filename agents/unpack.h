#ifndef AGENTS_UNPACK_H
#define AGENTS_UNPACK_H

#include "agents/agent.h"

/*
 * Transcripts that an agent packs where they lie (Codex: .jsonl.zst).  Everybody else reads what is
 * in them, from a file without a name.
 */

#define UNPACK_SUFFIX ".zst"
#define UNPACK_BYTES_MAX (INT64_C(1) << 30) /* of what comes out */

/**
 * unpack_is_packed(path):
 * Return whether the transcript at ${path} is a packed one, by its name.
 */
int unpack_is_packed(const char *path);

/**
 * unpack_name(path):
 * Return ${path} as it is called when it is not packed; the caller frees it.
 */
char *unpack_name(const char *path);

/**
 * unpack(fd, err):
 * Return a descriptor of a file without a name that holds what is packed in the file behind ${fd},
 * which stays the caller's.  -1: ERR_FAIL, the message is a reason for a person.
 */
int unpack(int fd, struct ct_err *err);

/**
 * unpack_open(agent, root_fd, path):
 * As linked_open() of a file, and unpack it if it is packed.  -1 with errno; EBADMSG: it is packed,
 * and can't be read.
 */
int unpack_open(const struct agent *agent, int root_fd, const char *path);

/**
 * unpack_stream(fd, to_fd, err):
 * Write what is packed behind ${fd} to ${to_fd}; the one of the library.
 *
 * unpack_nameless():
 * Return the descriptor of a new file without a name, or -1 with errno; the one of the system.
 */
int unpack_stream(int fd, int to_fd, struct ct_err *err);
int unpack_nameless(void);

#endif
