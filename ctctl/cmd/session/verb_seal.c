#include "ctctl/seal/seal.h"

#include "ctctl/ctx/verb.h"

static int run(struct ctx *c, int argc, char **argv)
{
    struct strlist ids = {0};
    struct seal_opts o = {.ids = &ids};
    int is_all = 0;
    const struct opt opts[] = {
        {"all", OPT_FLAG, &is_all},
        {"yes", OPT_FLAG, &o.is_agreed},
    };
    int rc = opts_parse(c, opts, sizeof(opts) / sizeof(opts[0]), argc, argv, &ids);

    if (rc == -1 && is_all == (ids.n > 0))
        rc =
            ctx_usage(c, "seal wants the ID of a session that is in the cloud in clear (see: ctctl "
                         "list --clear), or --all");
    if (rc == -1)
        rc = seal_run(c, &o);
    strlist_free(&ids);
    return rc;
}

const struct verb verb_seal = {
    "seal",
    "ID... | --all [--yes]",
    "bring what is in the cloud in clear there sealed",
    "What is on this machine goes up sealed by itself, once there is a key. This is for what\n"
    "the cloud still has in clear: each version is fetched, sealed, stored, fetched back,\n"
    "opened with the key and compared; only then it is deleted in clear. A version that\n"
    "holds what no sealed one does stays. It can be stopped and run again.\n"
    "\n"
    "  --all  all sessions that are in clear; ctctl list --clear shows them\n"
    "  --yes  do not ask, but for what this device never had: that is left, unless its ID\n"
    "         is given\n"
    "\n"
    "What this device never had can have been written by whoever runs the server: it stays\n"
    "a stranger's when it is sealed.\n"
    "\n"
    "Exit status: 0 nothing of it is in clear any more; 1 something is; 75 try again later.\n",
    run,
    "ctctl seal 29221bf7  # one session\n"
    "ctctl seal --all     # all that was saved before there was a key\n",
};
