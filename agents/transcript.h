#ifndef AGENTS_TRANSCRIPT_H
#define AGENTS_TRANSCRIPT_H

#include <stddef.h>
#include <stdint.h>

#include "agents/usage.h"
#include "common/base/buf.h"
#include "common/base/strlist.h"

/*
 * What a transcript says of its session, gathered line by line in one pass.  Bytes are
 * pushed in pieces of any size; lines may have any length; memory stays constant but for the sets
 * of distinct things (eight to sixteen bytes for each message).  A line counts only once its
 * newline has come and only if it is one whole valid JSON object, nested no deeper than
 * JSCAN_DEPTH.
 */
struct transcript;

struct agent;

struct transcript *transcript_new(const struct agent *agent);

/**
 * transcript_beside(main):
 * Begin one of what a session's agents wrote: messages that ${main}, which has to outlive it, has
 * too are not counted in its usage.
 */
struct transcript *transcript_beside(const struct transcript *main);
void transcript_free(struct transcript *t);

/**
 * transcript_feed(t, p, n):
 * Take the next ${n} bytes of the file.
 */
void transcript_feed(struct transcript *t, const char *p, size_t n);

#define TRANSCRIPT_TITLE 200 /* characters of a title, at most */

/* Strings are borrowed until the next feed; NULL: the transcript does not say. */
struct transcript_facts {
    int64_t lines;     /* that counted */
    int64_t bad_lines; /* that did not, empty ones aside */
    int64_t user_messages;
    int64_t assistant_messages;
    int64_t tool_calls;
    int64_t files_modified;
    int has_times;
    int64_t started_ms, ended_ms; /* since 1970 */
    const char *model;
    const char *title;      /* at most TRANSCRIPT_TITLE characters */
    const char *cwd;        /* the first */
    const char *relocated;  /* the folder that it was moved to last (/cd) */
    const char *git_branch; /* the last */
    const char *slug;       /* the last */
    const char *session_id; /* the first; any string */
    struct usage usage;     /* of its own messages, not those that a fork took along */
};

/**
 * transcript_facts(t, ret):
 * Fill in what is known so far, by the rules for metadata.
 */
void transcript_facts(const struct transcript *t, struct transcript_facts *ret);

/**
 * transcript_files(t):
 * Paths of files that the session modified, distinct, in the order of their first change; borrowed.
 * At most TRANSCRIPT_FILES of them: files_modified above counts all.
 */
#define TRANSCRIPT_FILES 2000
const struct strlist *transcript_files(const struct transcript *t);

/**
 * transcript_slugs(t), transcript_pastes(t):
 * Distinct slugs (names of plans) and contentHash values (names of pastes) in its records;
 * borrowed.
 */
#define TRANSCRIPT_SLUGS 256
#define TRANSCRIPT_PASTES 4096
const struct strlist *transcript_slugs(const struct transcript *t);
const struct strlist *transcript_pastes(const struct transcript *t);

/**
 * transcript_save(t, ret), transcript_load(agent, p, n):
 * Append the whole state, in the middle of a line as well; take it up again.  NULL if it was not
 * saved by this very build of the scanner or is damaged.
 */
void transcript_save(const struct transcript *t, struct buf *ret);
struct transcript *transcript_load(const struct agent *agent, const char *p, size_t n);

/**
 * transcript_project_name(cwd, buf, size):
 * Write the last component of ${cwd} into ${buf} and return it.
 */
const char *transcript_project_name(const char *cwd, char *buf, size_t size);

#endif
