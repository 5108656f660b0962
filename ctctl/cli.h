#ifndef CTCTL_CLI_H
#define CTCTL_CLI_H

#include "ctctl/ctx/verb.h"

/**
 * cli_main(argc, argv):
 * All of the program.  Return its exit status.
 */
int cli_main(int argc, char **argv);

/**
 * cli_find(name):
 * Return the verb ${name}, or NULL.
 */
const struct verb *cli_find(const char *name);

/**
 * cli_verb(i):
 * Return the verb of that number, in the order in which help shows them; NULL behind the last.
 */
const struct verb *cli_verb(size_t i);

/**
 * cli_resembles(word):
 * Return the name of the verb that ${word} was probably meant to be, or NULL.
 */
const char *cli_resembles(const char *word);

/**
 * cli_help(v):
 * Return the help of the verb ${v}, or of the program if it is NULL.  The caller frees it.
 */
char *cli_help(const struct verb *v);

#endif
