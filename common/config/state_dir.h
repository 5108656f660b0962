#ifndef COMMON_CONFIG_STATE_DIR_H
#define COMMON_CONFIG_STATE_DIR_H

#include "common/base/err.h"

/*
 * Where state lies when the configuration says nothing: one folder for each machine below
 * $XDG_STATE_HOME/codeteleport, for machines may share a home.  It is called as the host was called
 * when it was made, and found again by a mark of the machine in it, so that a machine that gets
 * another name keeps its books, its spool, its device id and what it knows of keys.  What a person
 * said about the home (what is to stay here, a pause) lies in one folder beside these, for all.
 */

/**
 * state_dir_find():
 * Return the folder of this machine: the one that bears its mark, else the one of the host's name,
 * if no other machine's mark is in that, else one of the host's name and the mark.  It need not
 * exist.  The caller frees it.
 */
char *state_dir_find(void);

/**
 * state_dir_shared():
 * Return the folder for all machines of this home.  It need not exist.  The caller frees it.
 */
char *state_dir_shared(void);

/**
 * state_dir_mark(dir, err):
 * Put this machine's mark into the private folder ${dir}, which exists, unless there is one.  A
 * system without a machine id has no marks: then this does nothing, and names decide.
 */
int state_dir_mark(const char *dir, struct ct_err *err);

#endif
