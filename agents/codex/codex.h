#ifndef AGENTS_CODEX_CODEX_H
#define AGENTS_CODEX_CODEX_H

#include "agents/rows.h"

/* Codex's data folder, version 0.171.0 (rollouts of both history modes). */

#define CODEX_TIME 19 /* characters of the time in a rollout's name */

/**
 * codex_is_rollout(name, ret_id):
 * Return whether ${name}, that of a file, is a rollout's, and write the id that it ends with.
 */
int codex_is_rollout(const char *name, char ret_id[UUID_SIZE]);

/**
 * codex_is_put_in(message):
 * Return whether a message that goes to the model is one that Codex put there, and no person.
 */
int codex_is_put_in(const struct json_object *message);

/* For the row; the contracts are those of the members of struct agent. */
extern const struct record_form codex_record_form;
void codex_record_turns(struct json_object *record, turns_f *f, void *arg);
enum agent_news codex_record_news(const struct agent_record *r);
void codex_record_identity(const struct agent_record *r, char *ret, size_t size);
int codex_record_is_idle(const struct agent_record *r);
int codex_list_transcripts(int root_fd, const char *session_id, const struct agent_list_ops *ops,
                           void *arg, const _Atomic int *cancel, struct ct_err *err);
struct rebuild *codex_rebuild_new(const struct rebuild_opts *opts, const char *entry);
int codex_write_words(const struct words *w, words_file_f *file, void *arg, struct ct_err *err);
char *codex_obstacle(const char *root, const char *session_id, const char *path);
char *codex_title(int root_fd, const char *session_id);

#endif
