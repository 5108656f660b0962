#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/data/jdoc.h"
#include "common/data/names.h"
#include "common/base/str.h"
#include "ctctl/ui/headline.h"
#include "ctctl/ui/not_saved.h"
#include "ctctl/here/unknown.h"
#include "ctctl/cloud/heads.h"
#include "ctctl/cloud/item.h"
#include "common/config/keyring.h"
#include "ctctl/key/key.h"
#include "ctctl/cloud/sessions.h"
#include "ctctl/read/spent.h"
#include "ctctl/cloud/resolve.h"

#include "ctctl/ctx/verb.h"

#define ANSWER_MS 30000

static void row(struct buf *b, const struct text_style *st, const char *label, const char *text)
{
    char *clean = text_line(st, text);
    char *first = str_printf("%-10s ", label);

    if (clean[0] != '\0')
        text_wrap(b, st, TEXT_PLAIN, first, "           ", clean);
    free(first);
    free(clean);
}

static void time_row(struct buf *b, const struct text_style *st, const char *label, const char *at)
{
    char clock[64], ago[64], *text;

    if (at == NULL)
        return;
    text = str_printf("%s (%s)", text_clock(at, "%Y-%m-%d %H:%M:%S", clock, sizeof(clock)),
                      text_ago_of(st, at, ago, sizeof(ago)));
    row(b, st, label, text);
    free(text);
}

static void size_row(struct buf *b, const struct text_style *st, const struct json_object *o)
{
    int64_t size = headline_number(o, "sizeBytes", -1), n = headline_number(o, "messageCount", -1);
    struct json_object *files = jdoc_array(o, "files");
    struct buf text = {0};
    char t[32];

    if (size >= 0)
        buf_addstr(&text, str_human_bytes((unsigned long long)size, t, sizeof(t)));
    if (n >= 0)
        buf_printf(&text, "%s%" PRId64 " %s", text.len > 0 ? ", " : "", n,
                   n == 1 ? "message" : "messages");
    n = files != NULL ? (int64_t)json_object_array_length(files) : headline_number(o, "files", -1);
    if (n >= 0)
        buf_printf(&text, "%s%" PRId64 " %s", text.len > 0 ? ", " : "", n,
                   n == 1 ? "file" : "files");
    if (text.len > 0)
        row(b, st, "Size", text.data);
    buf_free(&text);
}

/* What it is called, who said so, and what another machine called it at the same time. */
static void title_rows(struct buf *b, const struct text_style *st, const struct json_object *o)
{
    const struct json_object *named = jdoc_obj(o, "named"), *before = jdoc_obj(named, "before");
    struct json_object *tags = jdoc_array(o, "tags");
    const char *by = jdoc_str(named, "by");
    struct buf text = {0};
    char ago[64];

    row(b, st, "Title", jdoc_str(o, "title"));
    if (named != NULL) {
        buf_printf(&text, "%s%s%s", by != NULL ? by : "", by != NULL ? ", " : "",
                   text_ago(st, jdoc_int(named, "at", 0), ago, sizeof(ago)));
        if (jdoc_str(before, "text") != NULL)
            buf_printf(&text, "; %s called it \"%s\" at the same time",
                       jdoc_str(before, "by") != NULL ? jdoc_str(before, "by") : "another machine",
                       jdoc_str(before, "text"));
        row(b, st, "Named", text.data);
        buf_reset(&text);
    }
    for (size_t i = 0; tags != NULL && i < json_object_array_length(tags); i++)
        buf_printf(&text, "%s%s", i > 0 ? ", " : "",
                   json_object_get_string(json_object_array_get_idx(tags, i)));
    if (text.len > 0)
        row(b, st, "Tags", text.data);
    buf_free(&text);
}

static void usage_rows(struct buf *b, const struct text_style *st, const struct json_object *o)
{
    char *tokens, *cost;
    struct usage u;

    usage_parse(jdoc_obj(o, "usage"), &u);
    tokens = spent_tokens_text(&u);
    cost = spent_cost_text(&u);
    if (tokens != NULL)
        row(b, st, "Tokens", tokens);
    if (cost != NULL)
        row(b, st, "Cost", cost);
    free(cost);
    free(tokens);
}

static void state_row(struct buf *b, const struct text_style *st, const struct json_object *o)
{
    enum text_colour colour;
    const char *reason = jdoc_str(o, "reason"), *error = jdoc_str(o, "lastError");
    int64_t attempts = headline_number(o, "attempts", 0);
    char *state = text_clean(st, sessions_state(o, &colour));
    char *tries;

    buf_printf(b, "%-10s ", "State");
    text_add(b, st, colour, state);
    buf_addstr(b, jdoc_bool(o, "live", 0) ? ", in use right now\n" : "\n");
    free(state);
    row(b, st, "Because", reason);
    if (error != NULL && (reason == NULL || strcmp(error, reason) != 0))
        row(b, st, "Error", error);
    if (attempts > 0) {
        tries = text_count(attempts, "attempt", "attempts");
        row(b, st, "Tried", tries);
        free(tries);
        time_row(b, st, "Next try", jdoc_str(o, "nextAttemptAt"));
    }
    if (jdoc_bool(o, "rewritten", 0))
        row(b, st, "Note", "its earlier part was rewritten here; the fuller version is kept");
}

/* Further transcripts with this id that hold more. */
static void other_rows(struct buf *b, const struct text_style *st, struct json_object *others)
{
    size_t n = others != NULL ? json_object_array_length(others) : 0;

    for (size_t i = 0; i < n; i++) {
        const struct json_object *s = json_object_array_get_idx(others, i);
        const char *path = jdoc_str(s, "path");
        int64_t records = headline_number(s, "records", 0);
        char *text = str_printf("%s: %" PRId64 " record%s of conversation that the transcript "
                                "lacks; saved beside it",
                                path != NULL ? path : "?", records, records == 1 ? "" : "s");
        row(b, st, "Also at", text);
        free(text);
    }
}

static void list_rows(struct buf *b, const struct text_style *st, const struct json_object *o)
{
    struct json_object *skipped = jdoc_array(o, "skipped"), *twins = jdoc_array(o, "duplicates");
    size_t n = skipped != NULL ? json_object_array_length(skipped) : 0;
    size_t m = twins != NULL ? json_object_array_length(twins) : 0;

    for (size_t i = 0; i < n; i++) {
        const struct json_object *s = json_object_array_get_idx(skipped, i);
        const char *path = jdoc_str(s, "path"), *reason = jdoc_str(s, "reason");
        char *text = str_printf("%s: %s", path != NULL ? path : "?", reason != NULL ? reason : "?");
        row(b, st, "Left out", text);
        free(text);
    }
    other_rows(b, st, jdoc_array(o, "others"));
    for (size_t i = 0; i < m; i++) {
        struct json_object *s = json_object_array_get_idx(twins, i);
        if (json_object_get_type(s) == json_type_string)
            row(b, st, "Also at", json_object_get_string(s));
    }
}

/* Of what nobody knows, what lies beside this session or bears its id. */
static void not_saved_row(struct buf *b, const struct text_style *st, const struct json_object *o)
{
    char *text = not_saved_text(jdoc_array(o, "notSaved"), jdoc_str(o, "sessionId"),
                                jdoc_str(o, "projectFolder"));

    if (text != NULL)
        row(b, st, "Not saved", text);
    free(text);
}

/* Where, never what. */
static void secret_rows(struct buf *b, const struct text_style *st, const struct json_object *o)
{
    struct json_object *secrets = jdoc_array(o, "secrets");
    size_t n = secrets != NULL ? json_object_array_length(secrets) : 0;

    for (size_t i = 0; i < n; i++) {
        const struct json_object *s = json_object_array_get_idx(secrets, i);
        const char *path = jdoc_str(s, "path"), *rule = jdoc_str(s, "rule");
        const char *about = jdoc_str(s, "about");
        char *text = str_printf("%s%s%s%s at %s:%" PRId64, rule != NULL ? rule : "?",
                                about != NULL ? " (" : "", about != NULL ? about : "",
                                about != NULL ? ")" : "", path != NULL ? path : "?",
                                headline_number(s, "line", 0));
        row(b, st, "Credential", text);
        free(text);
    }
}

static void versions_row(struct buf *b, const struct text_style *st, const struct json_object *o)
{
    struct json_object *versions = jdoc_array(o, "versions");
    int64_t newest = headline_number(o, "version", 0);
    int64_t n = versions != NULL ? (int64_t)json_object_array_length(versions)
                                 : headline_number(o, "versions", 0);
    struct buf text = {0};

    if (newest > 0)
        buf_printf(&text, "%" PRId64 " is %s", newest,
                   headline_number(o, "elsewhereVersion", 0) > 0 ? "this machine's" : "the newest");
    if (n > 0)
        buf_printf(&text, "%s%" PRId64 " known; all: ctctl versions %.8s", newest > 0 ? ", " : "",
                   n, jdoc_str(o, "sessionId") != NULL ? jdoc_str(o, "sessionId") : "ID");
    if (text.len > 0)
        row(b, st, "Version", text.data);
    buf_free(&text);
}

static void kept_rows(struct buf *b, const struct text_style *st, const struct json_object *o)
{
    struct json_object *kept = jdoc_array(o, "kept");
    size_t n = kept != NULL ? json_object_array_length(kept) : 0;

    for (size_t i = 0; i < n; i++) {
        const struct json_object *v = json_object_array_get_idx(kept, i);
        const char *path = jdoc_str(v, "path");
        char size[32], *text;
        str_human_bytes((unsigned long long)headline_number(v, "sizeBytes", 0), size, sizeof(size));
        text = str_printf("version %" PRId64 " (%s), which held more: %s",
                          headline_number(v, "version", 0), size, path != NULL ? path : "?");
        row(b, st, "Kept here", text);
        free(text);
    }
}

static void seal_row(struct buf *b, const struct text_style *st, const struct json_object *o,
                     int has_key)
{
    const char *key = jdoc_str(o, "keyId");
    int64_t clear = headline_number(o, "clearVersion", 0);
    char *text;

    if (key != NULL && key[0] != '\0') {
        text = str_printf("with the key %.8s, state %" PRId64, key,
                          headline_number(o, "generation", 0));
        row(b, st, "Sealed", text);
        free(text);
    }
    if (clear > 0) {
        text = str_printf("version %" PRId64 " is in the cloud in clear%s%.8s", clear,
                          has_key ? "; to seal it: ctctl seal " : "",
                          has_key ? jdoc_str(o, "sessionId") : "");
        row(b, st, "In clear", text);
        free(text);
    }
}

static void render(const struct text_style *st, const struct json_object *o, int has_key,
                   struct buf *b)
{
    row(b, st, "Session", jdoc_str(o, "sessionId"));
    title_rows(b, st, o);
    state_row(b, st, o);
    row(b, st, "Project", jdoc_str(o, "projectPath"));
    row(b, st, "Agent", jdoc_str(o, "agent"));
    row(b, st, "Machine", jdoc_str(o, "deviceName"));
    size_row(b, st, o);
    usage_rows(b, st, o);
    time_row(b, st, "Changed", jdoc_str(o, "modifiedAt"));
    time_row(b, st, "Saved", jdoc_str(o, "confirmedAt"));
    versions_row(b, st, o);
    kept_rows(b, st, o);
    seal_row(b, st, o, has_key);
    row(b, st, "Content", jdoc_str(o, "contentId"));
    row(b, st, "Checksum", jdoc_str(o, "checksum"));
    list_rows(b, st, o);
    not_saved_row(b, st, o);
    secret_rows(b, st, o);
}

/* ---- of the cloud alone ------------------------------------------------------------------------
 */

static struct json_object *describe(const struct json_object *item, const char *id)
{
    const struct json_object *m = item_metadata(item), *opened = jdoc_obj(item, "opened");
    struct json_object *o = json_object_new_object();
    char title[256];

    jdoc_set_str(o, "sessionId", id);
    jdoc_set_str(o, "agent", jdoc_str(m, "agentId"));
    jdoc_set_str(o, "title", item_title(item, title, sizeof(title)));
    if (names_title(item_names(item)) != NULL)
        json_object_object_add(o, "named", json_object_get(jdoc_obj(item_names(item), "title")));
    json_object_object_add(o, "tags", names_tags(item_names(item)));
    jdoc_set_str(o, "state", "cloud");
    jdoc_set_str(o, "projectPath", item_str(item, "sourceCwd"));
    jdoc_set_str(o, "projectName", jdoc_str(m, "projectName"));
    jdoc_set_str(o, "deviceName", item_str(item, "sourceMachine"));
    if (jdoc_has(m, "messageCount"))
        jdoc_set_int(o, "messageCount", headline_number(m, "messageCount", 0));
    if (jdoc_has(item, "sizeBytes"))
        jdoc_set_int(o, "sizeBytes", headline_number(item, "sizeBytes", 0));
    json_object_object_add(o, "usage", json_object_get(jdoc_obj(m, "usage")));
    jdoc_set_str(o, "modifiedAt", jdoc_str(m, "sessionEndedAt"));
    jdoc_set_str(o, "confirmedAt", jdoc_str(item, "createdAt"));
    jdoc_set_int(o, "version", headline_number(item, "currentVersion", 0));
    jdoc_set_bool(o, "sealed", opened != NULL);
    if (opened == NULL)
        jdoc_set_int(o, "clearVersion", headline_number(item, "currentVersion", 0));
    if (opened != NULL) {
        jdoc_set_str(o, "keyId", jdoc_str(opened, "keyId"));
        jdoc_set_int(o, "generation", headline_number(opened, "generation", 0));
        jdoc_set_str(o, "wireId", item_wire_id(item));
    }
    return o;
}

/* Who has no key here can't seal anything either. */
static int has_key(struct ctx *c)
{
    struct keyring *ring = NULL;
    struct ct_err e;
    int ret = ctx_config(c, &e) == 0 && key_ring_open(c, &ring, &e) == 0 && keyring_n(ring) > 0;

    keyring_free(ring);
    return ret;
}

/* One machine's version, and what it has that the current one lacks. */
static void head_row(struct ctx *c, const struct heads *h, const struct head *head, struct buf *b)
{
    const char *machine = heads_machine(head->item);
    char *lacks = heads_sentence(h, head, HEADS_CURRENT_LACKS, 1);
    struct buf text = {0}, bases = {0};

    buf_printf(&text, "version %" PRId64 "%s of %s", head->version,
               head->is_current ? ", the current one," : "",
               machine != NULL ? machine : "another machine");
    if (heads_messages(head->item) >= 0)
        buf_printf(&text, ", %" PRId64 " messages", heads_messages(head->item));
    if (heads_bases(head->item, &bases)[0] != '\0')
        buf_printf(&text, ", builds on %s", bases.data);
    if (lacks != NULL)
        buf_printf(&text, "; %s", lacks);
    row(b, &c->out, "Head", text.data);
    buf_free(&bases);
    buf_free(&text);
    free(lacks);
}

/* A session that stands alone has nothing to say here, and nobody is asked. */
static void add_heads(struct ctx *c, struct json_object *o, const char *wire_id, struct buf *b)
{
    struct heads h;

    heads_compare(c, wire_id, NULL, &h);
    if (h.n > 1)
        json_object_object_add(o, "heads", heads_json(&h));
    for (size_t i = 0; h.n > 1 && i < h.n; i++)
        head_row(c, &h, &h.v[i], b);
    heads_clear(&h);
}

static int may_have_heads(const struct json_object *o)
{
    const char *state = jdoc_str(o, "state");

    return state != NULL && (strcmp(state, "behind") == 0 || strcmp(state, "diverged") == 0 ||
                             strcmp(state, "cloud") == 0 || jdoc_bool(o, "rewritten", 0) ||
                             jdoc_has(o, "elsewhereVersion"));
}

static void print(struct ctx *c, struct json_object *o)
{
    const char *wire_id = jdoc_str(o, "wireId");
    struct buf b = {0}, heads = {0};

    if (wire_id == NULL || wire_id[0] == '\0')
        wire_id = jdoc_str(o, "sessionId");
    if (wire_id != NULL && may_have_heads(o))
        add_heads(c, o, wire_id, &heads);
    if (c->json)
        ctx_json(c, o);
    else
        render(&c->out, o, has_key(c), &b);
    if (!c->json && heads.len > 0)
        buf_add(&b, heads.data, heads.len);
    ctx_print(c, &b);
    buf_free(&heads);
    buf_free(&b);
}

static void look_for_unsaved(struct ctx *c, struct json_object *o)
{
    struct strlist roots = {0};

    if (jdoc_str(o, "root") != NULL && jdoc_str(o, "root")[0] != '\0')
        strlist_add(&roots, jdoc_str(o, "root"));
    json_object_object_add(o, "notSaved", unknown_look(c, &roots, NULL));
    strlist_free(&roots);
}

static int ask_daemon(struct ctx *c, const char *id, struct json_object **ret, struct ct_err *err)
{
    struct json_object *params = json_object_new_object();
    int rc;

    jdoc_set_str(params, "id", id);
    ctx_refresh(c);
    rc = ctx_call(c, "show", params, ANSWER_MS, ret, err);
    json_object_put(params);
    if (rc == 0)
        look_for_unsaved(c, *ret);
    return rc;
}

/* The daemon does not know it by ${word}, or does not run: ${why}. */
static int show_cloud(struct ctx *c, const char *word, const struct ct_err *why)
{
    const struct json_object *item;
    struct json_object *o;
    struct ct_err e;
    struct resolved w;
    int rc = resolve_session(c, word, 0, &w, &e);

    if (rc != 0 && strcmp(e.reason, RESOLVE_IN_CLEAR) == 0)
        rc = resolve_session(c, word, 1, &w, &e);
    if (rc != 0)
        return ctx_fail(c, e.reason[0] != '\0' && e.code == ERR_GONE ? &e : why);
    if (strncmp(w.id, word, strlen(word)) != 0 && ask_daemon(c, w.id, &o, &e) == 0) {
        print(c, o);
        json_object_put(o);
        resolve_clear(&w);
        return CTX_OK;
    }
    item = w.item;
    if (item_is_locked(item)) {
        item_lock(item, &e);
        rc = ctx_fail(c, &e);
    } else {
        if (ctx_is_no_daemon(why))
            ctx_say(c, "%s", why->msg);
        o = describe(item, w.id);
        print(c, o);
        json_object_put(o);
        rc = CTX_OK;
    }
    resolve_clear(&w);
    return rc;
}

static int run(struct ctx *c, int argc, char **argv)
{
    struct strlist words = {0};
    struct json_object *o;
    struct ct_err e;
    int rc = opts_parse(c, NULL, 0, argc, argv, &words);

    if (rc == -1 && words.n != 1)
        rc = ctx_usage(c, "show wants the ID of one session; they are listed by: ctctl list");
    if (rc != -1)
        goto done;
    if (ask_daemon(c, words.v[0], &o, &e) == 0) {
        print(c, o);
        json_object_put(o);
        rc = CTX_OK;
    } else if (e.code == ERR_GONE) {
        rc = show_cloud(c, words.v[0], &e);
    } else {
        rc = ctx_fail(c, &e);
    }

done:
    strlist_free(&words);
    return rc;
}

const struct verb verb_show = {
    "show",
    "ID",
    "one session, all that is known of it",
    "ID is a session's ID or its beginning, as long as only one session has it. Of one that\n"
    "is not on this machine: what the cloud knows, opened if it is sealed.\n",
    run,
    "ctctl show 29221bf7         # the beginning of an ID will do\n"
    "ctctl show 29221bf7 --json  # all that is known, for scripts\n",
};
