#include <stdlib.h>

#include "common/data/jdoc.h"
#include "common/base/str.h"
#include "ctctl/ui/table.h"
#include "ctctl/cloud/revocable.h"

#include "ctctl/ctx/verb.h"

static void table(const struct text_style *st, struct json_object *list, struct buf *b)
{
    static const struct table_column columns[] = {
        {"ID", 0, 0, 0},      {"NAME", 0, 16, 0},     {"ENDS IN", 0, 0, 2},
        {"CREATED", 0, 0, 4}, {"LAST USED", 0, 0, 1}, {"EXPIRES", 0, 0, 3},
    };
    struct table *t = table_new(st, columns, 6);

    for (size_t i = 0; i < json_object_array_length(list); i++) {
        const struct json_object *o = json_object_array_get_idx(list, i);
        char id[9], created[64], used[64], expires[64], *name = revocable_name(o);
        const char *cells[6];
        cells[0] = text_short_id(jdoc_str(o, "id"), id);
        cells[1] = name;
        cells[2] = jdoc_str(o, "last4");
        cells[3] = text_clock(jdoc_str(o, "createdAt"), "%Y-%m-%d", created, sizeof(created));
        cells[4] = text_ago_of(st, jdoc_str(o, "lastUsedAt"), used, sizeof(used));
        cells[5] = text_ago_of(st, jdoc_str(o, "expiresAt"), expires, sizeof(expires));
        table_row(t, cells);
        free(name);
    }
    table_print(t, b);
    table_free(t);
}

static int run(struct ctx *c, int argc, char **argv)
{
    static const struct revocable tokens = {"/auth/tokens", "tokens", "token", "no tokens", table};

    return revocable_run(c, &tokens, argc, argv);
}

const struct verb verb_tokens = {
    "tokens",
    "[list | revoke ID [--yes]]",
    "what may act for this account",
    "list        show them (this is the default): name, last four characters, last use\n"
    "revoke ID   end a token at once; it asks first, --yes answers\n"
    "\n"
    "Each login makes one, with a name that says nothing (device- and six digits), or, if what\n"
    "this device saves is not sealed, that of its machine.\n",
    run,
    "ctctl tokens                  # what may act for this account\n"
    "ctctl tokens revoke 3f2a9c1b  # end one\n",
};
