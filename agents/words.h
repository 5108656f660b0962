#ifndef AGENTS_WORDS_H
#define AGENTS_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "agents/turns.h"
#include "common/base/err.h"
#include "common/base/uuid.h"

/*
 * A conversation in words alone, to go on with in another agent: what a person typed and what the
 * model answered, in turns; what tools were asked and printed stands in the answers as text.
 */
enum words_by { WORDS_PERSON, WORDS_MODEL };

struct words_part {
    enum words_by by;
    const char *text; /* UTF-8, not empty */
    int64_t ms;       /* since 1970; no part is older than the one before it */
};

/* What an agent is given to write a session of its own from (write_words() of its row). */
struct words {
    const char *session_id; /* a new one, of version 7 (has_random_ids of the row: 4) */
    const char *root;       /* the agent's data folder here */
    const char *cwd;        /* where it is to live: absolute, symbolic links resolved */
    const char *title;      /* one line */
    int64_t now_ms;
    const struct words_part *v; /* a person's first, a model's last, in turns */
    size_t n;
};

/* A file of the new session: its path below the data folder, and all that is in it.  The transcript
 * comes last.  Whoever is called makes folders, and replaces nothing. */
typedef int words_file_f(void *arg, const char *path, const void *p, size_t n, struct ct_err *err);

/**
 * words_quoted(text):
 * Return ${text} as a string of JSON, for what is written by hand; the caller frees it.
 */
char *words_quoted(const char *text);

/* Gathers words from turns. */
struct words_gathering;

/**
 * words_new(came_from):
 * Begin; ${came_from} is what a person's first words say before all else.
 */
struct words_gathering *words_new(const char *came_from);
void words_free(struct words_gathering *g);

/**
 * words_add(arg, t):
 * Take a turn: a turns_f of which the argument is the gathering.  What subagents said, what the
 * model thought and what an agent put in by itself is passed over.
 */
void words_add(void *arg, const struct turn *t);

/**
 * words_end(g, now_ms, ret_id, ret):
 * Make up an id, and fill in all of ${ret} but root and cwd; borrowed from ${g}.  Return how many
 * prompts and answers there are, 0: nothing was said.
 */
int64_t words_end(struct words_gathering *g, int64_t now_ms, char ret_id[UUID_SIZE],
                  struct words *ret);

#endif
