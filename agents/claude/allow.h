#ifndef AGENTS_CLAUDE_ALLOW_H
#define AGENTS_CLAUDE_ALLOW_H

#include <stddef.h>

#include "agents/rebuild.h"

/*
 * What of a bundle comes home at each level of trust, as one table.  SECURITY.md quotes it, and
 * tests/agents/unit_allow.c compares the two.  What is not named does not come from a stranger; of
 * one's own, what is not named comes.
 */

/* What the value of a member has to be. */
enum allow_value {
    ALLOW_TEXT,    /* a string */
    ALLOW_WORD,    /* a short one of letters, digits and a few signs */
    ALLOW_NUMBER,  /* */
    ALLOW_BOOL,    /* */
    ALLOW_TIME,    /* RFC 3339 */
    ALLOW_ID,      /* a UUID */
    ALLOW_LINK,    /* the UUID of another record, or null; if that is left out, of the one before */
    ALLOW_IDS,     /* a list of UUIDs */
    ALLOW_WORDS,   /* a list of words */
    ALLOW_SESSION, /* becomes this session's id */
    ALLOW_CWD,     /* the folder of the session here, or one below it */
    ALLOW_SLUG,    /* a word; of a stranger's, a fresh one */
    ALLOW_AGENT,   /* one of the agent's own subagents */
    ALLOW_TYPED,   /* what was typed as a prompt: no command, no shell, no memory */
    ALLOW_PROMPT,  /* the word "prompt" */
    ALLOW_ROLE,    /* "user" or "assistant" */
    ALLOW_BASE64,  /* the word "base64" */
    ALLOW_ANY,     /* JSON */
    ALLOW_OBJECT,  /* an object of .members */
    ALLOW_MAP,     /* an object of those, under words */
    ALLOW_CONTENT, /* a string, or a list of .blocks */
    ALLOW_TRACKED, /* path of a file that may be rewound */
    ALLOW_BACKUPS, /* an object of .members, under such paths */
    ALLOW_BACKUP,  /* name of a file of file history, or null */
};

struct allow_member {
    const char *name;
    enum allow_value value;
    int is_needed;                      /* without it there is no record */
    int is_strict;                      /* the same, if it is another than it may be */
    const struct allow_member *members; /* of an object */
    const struct allow_block *blocks;   /* of a list of content */
};

/* A block of a message. */
struct allow_block {
    const char *type;
    const struct allow_member *members;
};

enum allow_own {
    OWN_COMES,
    OWN_NEVER,     /* it would act by itself */
    OWN_IF_LISTED, /* if git here lists that work tree */
    OWN_BELOW,     /* for files below the mapped folders */
};

enum allow_others {
    OTHERS_NEVER,
    OTHERS_REBUILT,
    OTHERS_BELOW, /* for files below the target folder; a stranger's if asked for */
};

struct allow_record {
    const char *type;
    const char *subtype; /* or the type of what is attached, or of a progress' data; NULL: any, "":
                            none */
    enum allow_own own;
    enum allow_others others; /* of the account and of strangers */
    const struct allow_member *members;
};

/* A file of a bundle, below the level of one's own. */
struct allow_entry {
    const char *pattern; /* WORD, HEX and N stand for what they say, * for a plain name, ** for
                            several with slashes between them; a plain one does not begin with a
                            dot */
    const char *own;     /* what of the same place is taken at the level of one's own */
    int needs_asking;    /* from a stranger */
    int is_accounts;     /* of the account, and never from a stranger */
    enum {
        ENTRY_BYTES,
        ENTRY_PASTE, /* bytes, and the file is named after them */
        ENTRY_RECORDS,
        ENTRY_PROMPTS,
        ENTRY_DOCUMENT,
        ENTRY_LIST,
    } content;
    const struct allow_member *members; /* of a document, or of each of a list's */
};

extern const struct allow_record allow_records[]; /* ends with a type of NULL */
extern const struct allow_member allow_chain[];   /* members of all of those that have a uuid */
extern const struct allow_member allow_prompts[]; /* of a line of the prompt history */
extern const struct allow_entry allow_entries[];  /* ends with a pattern of NULL */
extern const char *const allow_schedules[];       /* tools whose calls become text, at each level */
extern const char *const allow_tools[];  /* of others the only ones whose calls stay calls */
extern const char *const allow_agents[]; /* subagents that are the agent's own */

/**
 * allow_record(type, subtype):
 * Return the row of the record, or NULL.
 */
const struct allow_record *allow_record(const char *type, const char *subtype);

/**
 * allow_entry(entry):
 * Return the row of the file ${entry} of a bundle, or NULL.
 */
const struct allow_entry *allow_entry(const char *entry);

/* What the calls of all tools of MCP servers begin with. */
#define ALLOW_MCP "mcp__"

/**
 * allow_is_schedule(name), allow_is_tool(name), allow_is_agent(name):
 * Return whether it is one of those; a tool of an MCP server is one that stays.
 */
int allow_is_schedule(const char *name);
int allow_is_tool(const char *name);
int allow_is_agent(const char *name);

#endif
