#ifndef AGENTS_CLAUDE_HISTORY_H
#define AGENTS_CLAUDE_HISTORY_H

#include <stdatomic.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/uuid.h"

/*
 * The prompt history: one file with the prompts of all sessions, one JSON object a line.  Read as a
 * stream, for it can be large.
 */
struct agent_history_names;

struct history_line {
    int64_t offset;
    int64_t bytes; /* with its newline */
    const char *session_id;
    const char *project;      /* the folder it was typed in, or "" */
    const struct buf *pastes; /* contentHash values, each with a NUL behind it */
};

#define HISTORY_ALL ""

/**
 * history_read(names, fd, offset, end, session_id, f, arg, cancel, ret_next, err):
 * Call ${f} for each complete line in [${offset}, ${end}) that is a JSON object with a session id,
 * or with that ${session_id} if it is not NULL; HISTORY_ALL means those with and without one.
 * ${offset} is the beginning of a line.  ${ret_next} is where the first incomplete line begins.
 * ERR_CANCELLED if ${cancel} (may be NULL) says so.
 */
int history_read(const struct agent_history_names *names, int fd, int64_t offset, int64_t end,
                 const char *session_id, void (*f)(void *arg, const struct history_line *line),
                 void *arg, const _Atomic int *cancel, int64_t *ret_next, struct ct_err *err);

#endif
