#ifndef AGENTS_PI_PI_H
#define AGENTS_PI_PI_H

#include "agents/rows.h"

/* pi's sessions folder, version 1.6.0 (session files of version 3). */

/* For the row; the contracts are those of the members of struct agent. */
extern const struct record_form pi_record_form;
void pi_record_turns(struct json_object *record, turns_f *f, void *arg);
struct rebuild *pi_rebuild_new(const struct rebuild_opts *opts, const char *entry);
int pi_write_words(const struct words *w, words_file_f *file, void *arg, struct ct_err *err);

#endif
