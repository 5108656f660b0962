#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"
#include "common/data/jdoc.h"
#include "ctctl/cloud/sessions.h"
#include "ctctl/share/shares.h"
#include "ctctl/ui/headline.h"
#include "ctctl/ui/table.h"

#include "ctctl/ctx/verb.h"

/* Give those of sessions that are here the id and the title that people know them by. */
static void name_those_here(struct ctx *c, struct json_object *shares)
{
    const struct sessions_filter f = {0};
    const struct keyring *ring = ctx_ring(c, NULL);
    struct json_object *here;

    if (json_object_array_length(shares) == 0 || sessions_local(c, &f, &here, NULL) != 0)
        return;
    for (size_t i = 0; i < json_object_array_length(here); i++) {
        const struct json_object *s = json_object_array_get_idx(here, i);
        const char *id = jdoc_str(s, "sessionId");
        char wire_id[UUID_SIZE];
        if (id == NULL || strlen(id) >= UUID_SIZE)
            continue;
        if (ring == NULL || keyring_opaque_id(ring, id, wire_id) != 0)
            memcpy(wire_id, id, strlen(id) + 1);
        for (size_t k = 0; k < json_object_array_length(shares); k++) {
            struct json_object *o = json_object_array_get_idx(shares, k);
            const char *of = jdoc_str(o, "sessionId");
            if (of == NULL || strcmp(of, wire_id) != 0)
                continue;
            jdoc_set_str(o, "sessionId", id);
            jdoc_set_str(o, "title", jdoc_str(s, "title"));
        }
    }
    json_object_put(here);
}

static void add_table(const struct text_style *st, struct json_object *list, struct buf *b)
{
    static const struct table_column columns[] = {
        {"ID", 0, 0, 0},   {"SESSION", 0, 0, 0}, {"TITLE", 0, 20, 3},      {"SIZE", 1, 0, 2},
        {"ENDS", 0, 0, 0}, {"OPENED", 1, 0, 1},  {"LAST OPENED", 0, 0, 1},
    };
    struct table *t = table_new(st, columns, 7);

    for (size_t i = 0; i < json_object_array_length(list); i++) {
        const struct json_object *o = json_object_array_get_idx(list, i);
        char id[9], session[9], size[32], ends[64], opened[24], last[64];
        char *title = text_line(st, jdoc_str(o, "title"));
        const char *cells[7];
        cells[0] = text_short_id(jdoc_str(o, "id"), id);
        cells[1] = text_short_id(jdoc_str(o, "sessionId"), session);
        cells[2] = title;
        str_human_bytes((unsigned long long)headline_number(o, "sizeBytes", 0), size, sizeof(size));
        cells[3] = size;
        cells[4] = text_ago_of(st, jdoc_str(o, "expiresAt"), ends, sizeof(ends));
        snprintf(opened, sizeof(opened), "%" PRId64, headline_number(o, "visits", 0));
        cells[5] = opened;
        cells[6] = text_ago_of(st, jdoc_str(o, "lastVisitAt"), last, sizeof(last));
        table_row(t, cells);
        free(title);
    }
    table_print(t, b);
    table_free(t);
}

static int run(struct ctx *c, int argc, char **argv)
{
    struct strlist words = {0};
    struct json_object *o, *list;
    struct buf b = {0};
    struct ct_err e;
    int rc = opts_parse(c, NULL, 0, argc, argv, &words);

    if (rc == -1 && words.n > 0)
        rc = ctx_usage(c, "shares lists all there are; to end one: ctctl unshare ID");
    strlist_free(&words);
    if (rc != -1)
        return rc;
    if (shares_list(c, &o, &e) != 0)
        return ctx_fail(c, &e);
    list = jdoc_array(o, "shares");
    name_those_here(c, list);
    if (c->json)
        ctx_json(c, o);
    else if (json_object_array_length(list) == 0)
        ctx_say(c, "nothing is shared%s",
                jdoc_bool(o, "allowed", 0) ? "" : "; this server does not allow it");
    else
        add_table(&c->out, list, &b);
    ctx_print(c, &b);
    buf_free(&b);
    json_object_put(o);
    return CTX_OK;
}

const struct verb verb_shares = {
    "shares",
    "",
    "what is shared by a link",
    "Lists what others can read by a link of this account: which session, until when, and how\n"
    "often it was opened. A program that only looks at links, for a preview, does not count.\n"
    "The links themselves are not kept anywhere.\n",
    run,
    "ctctl shares            # what can be read, and until when\n"
    "ctctl unshare 3f2a9c1b  # end one at once\n",
};
