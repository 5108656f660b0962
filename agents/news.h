#ifndef AGENTS_NEWS_H
#define AGENTS_NEWS_H

#include <stddef.h>
#include <stdint.h>

#include "agents/trust.h"
#include "common/base/err.h"
#include "common/base/strlist.h"

/*
 * The records of a transcript that make up its conversation, as a set, so that two copies of one
 * session can be told apart: which has what the other lacks?  A record is known by its uuid, which
 * no relocation changes (by that and its time, where ids are short: record_names of the row).  The
 * agent says what is conversation (record_news() of its row); a record of a type that it doesn't
 * know counts if it has a uuid.  Other records with a uuid (attachments, local commands, a
 * compaction's summary) are a second set, beside the first.  One pass, sixteen to 32 bytes for each
 * record, lines of any length; a line counts only if it is one whole JSON object, and its newline
 * has come or news_end() says that none will.  A message without a uuid is known by its place in
 * the copy; of those only the first 65536 are told apart, and a copy with more of them has what no
 * other has.
 *
 * A uuid is anybody's to write.  So it is enough between two for which somebody vouches alike, and
 * for the one that is vouched for more.  The other has a record of it only if it says the same
 * (agents/body.h): words, calls and results, not what is left out on the way home.
 */
struct news;

enum news_order {
    NEWS_SAME,
    NEWS_BEHIND,   /* all of the first is in the second, which has more */
    NEWS_AHEAD,    /* the other way round */
    NEWS_DIVERGED, /* each has something that the other lacks */
};

/* One line, on its way through.  Strings are "" where it says nothing, or no string. */
struct news_line {
    int64_t at, len; /* without its newline */
    int is_record;   /* it is one whole JSON object; else the rest says nothing */
    const char *uuid, *parent, *type, *subtype;
    const char *owner; /* the record that it belongs to, if it has no uuid of its own */
    int is_news;       /* it is conversation */
    int is_idle;       /* it holds nothing that is worth keeping by itself */
    int64_t ms;        /* its timestamp, -1: none */
};

struct agent;

struct news *news_new(const struct agent *agent);

/**
 * news_new_glance(agent):
 * Look for folder, branch and beginnings only, in constant memory: no record is counted, no time
 * known.
 */
struct news *news_new_glance(const struct agent *agent);
void news_free(struct news *n);

/**
 * news_vouch(n, trust):
 * Say who vouches for what is fed to it; until then it is a stranger's.
 */
void news_vouch(struct news *n, enum trust trust);

/**
 * news_feed(n, p, len):
 * Take the next ${len} bytes of a transcript.
 */
void news_feed(struct news *n, const char *p, size_t len);

/**
 * news_feed_file(n, fd, end, err):
 * Feed the first ${end} bytes of the file behind ${fd}, or all that there are if it is shorter, as
 * one whole copy.
 */
int news_feed_file(struct news *n, int fd, int64_t end, struct ct_err *err);

/**
 * news_each(n, f, arg):
 * Call ${f} with each line that is fed from here on.
 */
void news_each(struct news *n, void (*f)(void *arg, const struct news_line *l), void *arg);

/**
 * news_end(n):
 * The copy ends here: its last record counts even if it lacks its newline.
 */
void news_end(struct news *n);

/**
 * news_next(n):
 * What is fed from here on is another copy of the same session: its records join the set.
 */
void news_next(struct news *n);

/**
 * news_look_for(n, project), news_project_cwd(n):
 * Look, in what is fed from here on, for the folder that the project folder ${project} (NULL: none)
 * is named after: a session may have gone through several.  Return the last that fits, or "".
 */
void news_look_for(struct news *n, const char *project);
const char *news_project_cwd(const struct news *n);

/**
 * news_count(n):
 * Return how many distinct records of conversation there are.
 */
size_t news_count(const struct news *n);

/**
 * news_is_something(n):
 * Return whether there is anything to keep in what was fed: a record that is not idle
 * (record_is_idle() of the agent's row; one of an unknown kind is not), or a line that is no JSON
 * object and so can't be judged.
 */
int news_is_something(const struct news *n);

/**
 * news_cwd(n), news_git_branch(n):
 * The folder in which the first copy began, the git branch that the last record with one was on;
 * "" if nothing says.  Borrowed until the next feed.
 */
const char *news_cwd(const struct news *n);
const char *news_git_branch(const struct news *n);

/**
 * news_begins(n):
 * Return the ids of records that something begins with: the first one, and those without a parent,
 * each once, at most NEWS_BEGINS_MAX.  Borrowed.
 */
#define NEWS_BEGINS_MAX 16384
const struct strlist *news_begins(const struct news *n);

/**
 * news_has_time(n, wall_ms):
 * Return whether a record, one without news too, bears that very timestamp.
 */
int news_has_time(const struct news *n, int64_t wall_ms);

/**
 * news_compare(a, b):
 * Return how the conversation of ${a} stands to that of ${b}.
 */
enum news_order news_compare(const struct news *a, const struct news *b);

/**
 * news_compare_all(a, b):
 * The same for every record that has a uuid, conversation or not: for whoever is about to throw
 * one of the two away.
 */
enum news_order news_compare_all(const struct news *a, const struct news *b);

/**
 * news_has_bodies(a, b):
 * Return whether ${a} has every record of ${b} that has a uuid, conversation or not, and all say
 * the same, whoever vouches for them.
 */
int news_has_bodies(const struct news *a, const struct news *b);

/**
 * news_lacking(a, b):
 * Return how many records of conversation ${b} has that ${a} lacks.
 */
size_t news_lacking(const struct news *a, const struct news *b);

/**
 * news_messages_lacking(a, b):
 * The same in what people count: prompts, and answers, each once in however many records it came.
 */
size_t news_messages_lacking(const struct news *a, const struct news *b);

#endif
