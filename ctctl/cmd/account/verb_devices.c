#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/data/jdoc.h"
#include "ctctl/ui/headline.h"
#include "ctctl/ui/table.h"
#include "ctctl/cloud/revocable.h"

#include "ctctl/ctx/verb.h"

static void table(const struct text_style *st, struct json_object *list, struct buf *b)
{
    static const struct table_column columns[] = {
        {"ID", 0, 0, 0},        {"NAME", 0, 16, 0}, {"SESSIONS", 1, 0, 2},
        {"LAST SEEN", 0, 0, 1}, {"SINCE", 0, 0, 3},
    };
    struct table *t = table_new(st, columns, 5);

    for (size_t i = 0; i < json_object_array_length(list); i++) {
        const struct json_object *o = json_object_array_get_idx(list, i);
        char id[9], sessions[24], seen[64], since[64], *name = revocable_name(o);
        const char *cells[5];
        snprintf(sessions, sizeof(sessions), "%" PRId64, headline_number(o, "sessionCount", 0));
        cells[0] = text_short_id(jdoc_str(o, "id"), id);
        cells[1] = name;
        cells[2] = sessions;
        cells[3] = text_ago_of(st, jdoc_str(o, "lastSeenAt"), seen, sizeof(seen));
        cells[4] = text_clock(jdoc_str(o, "firstSeenAt"), "%Y-%m-%d", since, sizeof(since));
        table_row(t, cells);
        free(name);
    }
    table_print(t, b);
    table_free(t);
}

static int run(struct ctx *c, int argc, char **argv)
{
    static const struct revocable devices = {"/devices", "devices", "device", "no devices yet",
                                             table};

    return revocable_run(c, &devices, argc, argv);
}

const struct verb verb_devices = {
    "devices",
    "[list | revoke ID [--yes]]",
    "machines that save to this account",
    "list        show them (this is the default)\n"
    "revoke ID   forget a machine and end its access; what it has saved stays.\n"
    "            It asks first; --yes answers\n",
    run,
    "ctctl devices                  # machines that save here\n"
    "ctctl devices revoke 3f2a9c1b  # one that was lost\n",
};
