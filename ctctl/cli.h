#ifndef CTCTL_CLI_H
#define CTCTL_CLI_H

#include "ctctl/ctx/verb.h"

/**
 * cli_main(argc, argv):
 * All of the program.  Return its exit status.
 */
int cli_main(int argc, char **argv);

/**
 * cli_help(v):
 * Return the help of the verb ${v}, or of the program if it is NULL.  The caller frees it.
 */
char *cli_help(const struct verb *v);

#endif
