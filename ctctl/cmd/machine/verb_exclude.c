#include "ctctl/here/exclude.h"

#include "ctctl/ctx/verb.h"

static int run(struct ctx *c, int argc, char **argv)
{
    return exclude_run(c, 1, argc, argv);
}

const struct verb verb_exclude = {
    "exclude",
    "[PATH | ID]",
    "keep the sessions of a folder on this machine",
    "PATH  sessions that begin in this folder, or below it, are not saved any more\n"
    "ID    this one session is not saved any more\n"
    "\n"
    "Without a word: which folders are excluded, and where that was said: with this verb,\n"
    "or in codeteleportd.conf (exclude, include); and which sessions are by their ID. The\n"
    "longest path that fits a session decides, so an included folder may lie in an\n"
    "excluded one.\n"
    "\n"
    "What is in the cloud already stays there; ctctl delete --project PATH removes it.\n"
    "\n"
    "  ctctl exclude ~/secret\n"
    "  ctctl include ~/secret/talk\n",
    run,
    "ctctl exclude ~/work/secret  # a folder and what is below it\n"
    "ctctl exclude 29221bf7       # one session\n"
    "ctctl exclude                # which rules there are\n",
};
