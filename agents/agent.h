#ifndef AGENTS_AGENT_H
#define AGENTS_AGENT_H

#include "common/uuid.h"

/*
 * What a coding agent's data folder means.  One row of one table (agent.c) for each agent; the rest
 * of the house asks here and knows no path by heart.  Paths are relative to the agent's root, with
 * single slashes, no leading slash, and any bytes in their names.
 */

enum agent_kind {
    AGENT_NOTHING,      /* not ours */
    AGENT_TRANSCRIPT,   /* the session's own transcript */
    AGENT_SIDECHAIN,    /* flat agent-*.jsonl: its session is named inside */
    AGENT_SUBDIR,       /* what lies in the session's own folder */
    AGENT_FILE_HISTORY, /* versions of edited files */
    AGENT_TASK,         /* task lists, new and old */
    AGENT_TODO,
    AGENT_PLAN,         /* its session's transcript carries the name (slug) */
    AGENT_MEMORY,       /* of the whole project */
    AGENT_HISTORY,      /* prompts of all sessions in one file */
    AGENT_PASTE,        /* named by lines of the prompt history */
    AGENT_LIVE,         /* a running process and its session */
};

struct agent_place {
    enum agent_kind kind;
    char session_id[UUID_SIZE]; /* where the path names it, else "" */
    char project[256];          /* name of the project folder, where there is one, else "" */
};

struct agent {
    const char *id; /* "claude-code": agentId on the wire */

    /* What is the file at ${path}?  Fills ${ret}; AGENT_NOTHING for what is never uploaded. */
    void (*classify)(const char *path, struct agent_place *ret);

    /* Can the folder at ${path} ("" is the root) hold, itself or below, anything that classify()
     * knows?  Others are not watched. */
    int (*wants_dir)(const char *path);
};

/**
 * agent_default():
 * Return the agent that a root belongs to unless something says otherwise: Claude Code.
 */
const struct agent *agent_default(void);

/**
 * agent_find(id):
 * Return the agent with ${id}, or NULL.
 */
const struct agent *agent_find(const char *id);

#endif
