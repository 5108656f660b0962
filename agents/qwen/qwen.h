#ifndef AGENTS_QWEN_QWEN_H
#define AGENTS_QWEN_QWEN_H

#include "agents/rows.h"

/* Qwen Code's data folder, version 0.24.4. */

/* What the state of a goal is called that came from another machine: nothing goes on by itself. */
#define QWEN_GOAL_LEFT "goal_state_elsewhere"

/* For the row; the contracts are those of the members of struct agent. */
extern const struct record_form qwen_record_form;
int qwen_is_setting(const char *type, const char *subtype); /* none of the conversation */
void qwen_record_turns(struct json_object *record, turns_f *f, void *arg);
const char *qwen_why_not(const struct rebuild_opts *opts, const char *entry);
struct rebuild *qwen_rebuild_new(const struct rebuild_opts *opts, const char *entry);
int qwen_write_words(const struct words *w, words_file_f *file, void *arg, struct ct_err *err);

#endif
