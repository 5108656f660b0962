#ifndef AGENTS_OPENCODE_OPENCODE_H
#define AGENTS_OPENCODE_OPENCODE_H

#include "agents/rows.h"
#include "agents/words.h"

/*
 * opencode, version 1.18.33, which keeps all sessions in one database.  What we have of each is a
 * file in a folder of our own, <its id>.jsonl, that only grows:
 *
 *   {"type":"session","id","cwd","timestamp","info":{}}     as in `opencode export`; the last
 * counts
 *   {"type":"message","id","role","timestamp","completed","info":{},"parts":[]}     the same, by id
 *   {"type":"removed","id","timestamp"}     a message that is not in the database any more
 */

/**
 * opencode_uuid(id, ret):
 * Write the UUID by which a server knows the session that opencode calls ${id}: of version 8, from
 * a hash of it; or the one that its digits are, for a session that we made.
 */
void opencode_uuid(const char *id, char ret[UUID_SIZE]);

/**
 * opencode_is_id(id, n, prefix):
 * Are the ${n} bytes an id that begins with ${prefix}: letters and digits, few enough?
 */
int opencode_is_id(const char *id, size_t n, const char *prefix);

/* For the row; the contracts are those of the members of struct agent. */
extern const struct record_form opencode_record_form;
void opencode_record_turns(struct json_object *record, turns_f *f, void *arg);
struct rebuild *opencode_rebuild_new(const struct rebuild_opts *opts, const char *entry);
void opencode_sources(struct strlist *ret);
int opencode_gather(const char *root, int64_t *ret_again_ms, struct ct_err *err);
int opencode_write_words(const struct words *w, words_file_f *file, void *arg, struct ct_err *err);
int opencode_hand_over(int fd, const char *cwd, struct ct_err *err);

#endif
