#ifndef CTCTL_COMPLETE_H
#define CTCTL_COMPLETE_H

#include "ctctl/ctx/ctx.h"

/**
 * complete_run(c, argc, argv):
 * What could stand in the place of the last of the words after "ctctl", one candidate a line, with
 * a tab and a description where there is one; ":dirs" and ":files" stand for the shell's own.  For
 * the scripts in completion/.  Says nothing else, whatever fails.  Return the exit status.
 */
int complete_run(struct ctx *c, int argc, char **argv);

#endif
