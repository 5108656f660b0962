#include "ctctl/here/exclude.h"

#include "ctctl/ctx/verb.h"

static int run(struct ctx *c, int argc, char **argv)
{
    return exclude_run(c, 0, argc, argv);
}

const struct verb verb_include = {
    "include",
    "[PATH | ID]",
    "save the sessions of a folder (again)",
    "PATH  sessions that begin in this folder, or below it, are saved, although it may lie\n"
    "      in an excluded one\n"
    "ID    this one session is saved again after it was excluded or deleted from the cloud\n"
    "\n"
    "Without a word: the rules that there are; see ctctl exclude --help\n",
    run,
    "ctctl include ~/work/secret  # save it again\n"
    "ctctl include 29221bf7       # one session\n",
};
