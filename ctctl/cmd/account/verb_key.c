#include <string.h>

#include "ctctl/key/key.h"

#include "ctctl/ctx/verb.h"

enum {
    TAKES_NO_CONFIRM = 1,
    TAKES_FORK = 2,
    TAKES_FORCE = 4,
    TAKES_QR = 8,
    TAKES_COMPROMISED = 16,
    TAKES_RETIRED = 32,
};

static int status(struct ctx *c, const struct key_opts *o)
{
    (void)o;
    return key_status(c);
}

static int from_terminal(struct ctx *c, const struct key_opts *o)
{
    return key_import(c, o, 0);
}

static const struct action {
    const char *name;
    int (*run)(struct ctx *c, const struct key_opts *o);
    int takes;
} actions[] = {
    {"status", status, 0},
    {"init", key_init, TAKES_NO_CONFIRM | TAKES_FORK},
    {"rotate", key_rotate, TAKES_NO_CONFIRM | TAKES_FORK | TAKES_COMPROMISED},
    {"show", key_show, TAKES_FORCE | TAKES_QR},
    {"export", key_export, TAKES_FORCE | TAKES_RETIRED},
    {"import", from_terminal, TAKES_FORK},
};

static const struct action *find(const char *name)
{
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strcmp(actions[i].name, name) == 0)
            return &actions[i];
    }
    return NULL;
}

static int unknown(struct ctx *c, const char *word)
{
    /* Never what was typed if it can be a key. */
    if (strlen(word) > 16)
        return ctx_usage(c, "a recovery text never stands on the command line, where others can "
                            "see it: ctctl key import asks for it, ctctl key import - takes it "
                            "from a pipe");
    return ctx_usage(c, "key knows init, show, export, import, status and rotate, but not \"%s\"",
                     word);
}

static int act(struct ctx *c, const struct action *a, const struct strlist *words,
               const struct key_opts *o)
{
    int is_import = strcmp(a->name, "import") == 0;

    if (o->no_confirm && strcmp(a->name, "export") == 0)
        return ctx_usage(c, "key export asks nothing, so there is nothing to confirm: ctctl key "
                            "export; onto a terminal it wants --force");
    if ((o->no_confirm && !(a->takes & TAKES_NO_CONFIRM)) ||
        (o->is_fork && !(a->takes & TAKES_FORK)) || (o->force && !(a->takes & TAKES_FORCE)) ||
        (o->with_qr && !(a->takes & TAKES_QR)) ||
        (o->is_compromised && !(a->takes & TAKES_COMPROMISED)) ||
        (o->is_list && !(a->takes & TAKES_RETIRED)))
        return ctx_usage(c, "key %s does not take that option", a->name);
    if (is_import && words->n == 2 && strcmp(words->v[1], "-") == 0)
        return key_import(c, o, 1);
    if (words->n > 1 && (is_import || strlen(words->v[1]) > 16))
        return unknown(c, "a recovery text, or what may be one");
    if (words->n > 1)
        return ctx_usage(c, "key %s takes no further word", a->name);
    return a->run(c, o);
}

static int run(struct ctx *c, int argc, char **argv)
{
    struct strlist words = {0};
    struct key_opts o = {0};
    const struct opt opts[] = {
        {"no-confirm", OPT_FLAG, &o.no_confirm},
        {"fork", OPT_FLAG, &o.is_fork},
        {"force", OPT_FLAG, &o.force},
        {"qr", OPT_FLAG, &o.with_qr},
        {"compromised", OPT_FLAG, &o.is_compromised},
        {"retired", OPT_FLAG, &o.is_list},
    };
    const struct action *a;
    int rc = opts_parse(c, opts, sizeof(opts) / sizeof(opts[0]), argc, argv, &words);

    if (rc == -1) {
        a = find(words.n > 0 ? words.v[0] : "status");
        rc = a != NULL ? act(c, a, &words, &o) : unknown(c, words.v[0]);
    }
    strlist_free(&words);
    return rc;
}

const struct verb verb_key = {
    "key",
    "[status] | init | import [-] | show [--qr] | export [--retired] |\n"
    "                 rotate [--compromised]",
    "encryption keys: make one, bring it to other devices",
    "With a key, everything that this device saves is sealed before it leaves; only devices\n"
    "that have the key can open it. Whoever loses the key loses what was sealed with it.\n"
    "\n"
    "  status    which keys are here, and which the account's sessions use (the default)\n"
    "  init      make the first key of an account; shows its recovery text, to be written down\n"
    "  import    bring a key from another device: its recovery text is asked for\n"
    "  import -  the same from a pipe, one text a line: ctctl key export | ssh HOST ctctl key\n"
    "            import -\n"
    "  show      the recovery text of each key, on the terminal\n"
    "  export    the texts, one a line and oldest first, for a pipe\n"
    "  rotate    one more key, which seals from now on; the older ones stay for reading\n"
    "\n"
    "  --qr          show: as a QR code\n"
    "  --compromised rotate: somebody else may have the keys that are here. What they have\n"
    "                sealed so far is shown and listed; whatever else they seal is a\n"
    "                stranger's from then on, as if it were in clear\n"
    "  --retired     export: that list, for ctctl key import - on a device that has the new\n"
    "                key\n"
    "  --force       show: although stdout is no terminal; export: although it is one\n"
    "  --no-confirm  init, rotate: for scripts; nothing is shown or asked, and the text is had\n"
    "                by: ctctl key export\n"
    "  --fork        init, rotate, import: although the account has sealed sessions of another\n"
    "                key, or nobody can tell; if that one is lost for good\n"
    "\n"
    "The first key makes the names under which a server knows sealed sessions, and all\n"
    "devices need the same one: a key that does not go with the account is refused.\n"
    "\n"
    "Keys lie in ~/.codeteleport/keyring, which only you can read; with key_command in the\n"
    "configuration they come from there, and nothing is written here.\n",
    run,
    "ctctl key init                                  # the first device\n"
    "ctctl key export | ssh other ctctl key import -  # the next one\n"
    "ctctl key show --qr                             # for a camera\n"
    "ctctl key status                                # what is sealed under which key\n",
};
