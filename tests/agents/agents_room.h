#ifndef TESTS_AGENTS_AGENTS_ROOM_H
#define TESTS_AGENTS_AGENTS_ROOM_H

#include "agents/agent.h"
#include "agents/news.h"
#include "agents/rebuild.h"
#include "agents/turns.h"

/* What the tests of each agent do with a transcript. */

/**
 * room_news(agent, text):
 * Return the news of a whole transcript; the caller frees them.
 */
struct news *room_news(const struct agent *agent, const char *text);

/**
 * room_turn(arg, t):
 * A turns_f: append "kind: text" and a newline to the struct buf ${arg}.
 */
void room_turn(void *arg, const struct turn *t);

/**
 * room_put(arg, ...), room_put_marked(arg, ...), room_stays(arg, path),
 * room_moves(arg, path):
 * Members of struct rebuild_opts: append what comes to the struct buf ${arg}; the same with what is
 * exact between < and >; no path moves; what lies in the project of the samples moves to
 * /home/bob/w.
 */
int room_put(void *arg, const void *p, size_t n, int is_exact, struct ct_err *err);
int room_put_marked(void *arg, const void *p, size_t n, int is_exact, struct ct_err *err);
char *room_stays(void *arg, const char *path);
char *room_moves(void *arg, const char *path);

/**
 * room_rebuilt(agent, opts, entry, text):
 * Return what comes home of ${text}, fed byte by byte, or NULL if it does not end well; the caller
 * frees it.  ${opts} has all but arg.
 */
char *room_rebuilt(const struct agent *agent, const struct rebuild_opts *opts, const char *entry,
                   const char *text);

#endif
