#include <string.h>

#include "common/data/jdoc.h"
#include "ctctl/here/naming.h"

#include "ctctl/ctx/verb.h"

/* "+word" and "word" give it one, "-word" takes one away. */
static struct json_object *params_of(const struct strlist *words)
{
    struct json_object *o = json_object_new_object(), *add = json_object_new_array(),
                       *remove = json_object_new_array();

    for (size_t i = 1; i < words->n; i++) {
        const char *w = words->v[i];
        if (w[0] == '-')
            json_object_array_add(remove, jdoc_new_str(w + 1));
        else
            json_object_array_add(add, jdoc_new_str(w[0] == '+' ? w + 1 : w));
    }
    json_object_object_add(o, "add", add);
    json_object_object_add(o, "remove", remove);
    return o;
}

/* A tag that is to go looks like an option: only those of every verb are any here. */
static int is_option(const char *word)
{
    return word[0] != '-' || word[1] == '-' || (word[1] == 'h' && word[2] == '\0');
}

static int run(struct ctx *c, int argc, char **argv)
{
    struct strlist words = {0};
    struct json_object *params;
    int rc = -1;

    for (int i = 0; i < argc && rc == -1; i++) {
        if (is_option(argv[i]) && argv[i][0] == '-') {
            int n = strcmp(argv[i], "--socket") == 0 && i + 1 < argc ? 2 : 1;
            rc = opts_parse(c, NULL, 0, n, argv + i, &words);
            i += n - 1;
        } else if (argv[i][0] != '\0') {
            strlist_add(&words, argv[i]);
        }
    }
    if (rc == -1 && (words.n < 2 || words.v[0][0] == '-' || words.v[0][0] == '+'))
        rc = ctx_usage(c, "tag wants the ID of one session, and +TAG or -TAG");
    if (rc == -1) {
        params = params_of(&words);
        rc = naming_do(c, words.v[0], params);
        json_object_put(params);
    }
    strlist_free(&words);
    return rc;
}

const struct verb verb_tag = {
    "tag",
    "ID +TAG | -TAG ...",
    "give a session tags, or take them away",
    "Tags are words of your own, kept with the session's versions as its title is (see ctctl\n"
    "rename --help), and chosen by with ctctl list --tag. Two machines may give and take them\n"
    "at the same time.\n",
    run,
    "ctctl tag 29221bf7 +parser +done  # two more\n"
    "ctctl tag 29221bf7 -done          # one less\n"
    "ctctl list --tag parser           # those that have it\n",
};
