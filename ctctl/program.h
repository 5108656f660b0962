#ifndef CTCTL_PROGRAM_H
#define CTCTL_PROGRAM_H

#include "ctctl/ctx/verb.h"

/**
 * program_run(argc, argv, dispatch):
 * What both programs have around a verb: begin, have ${dispatch} do what the words after the
 * program's name ask for, and see that the output arrived.  Return the exit status.
 */
int program_run(int argc, char **argv, int (*dispatch)(struct ctx *c, int argc, char **argv));

/**
 * program_verb(c, v, argc, argv):
 * Run ${v} with the words behind it.  Return its exit status, or OPTS_HELP.
 */
int program_verb(struct ctx *c, const struct verb *v, int argc, char **argv);

#endif
