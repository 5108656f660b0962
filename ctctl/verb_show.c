#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/jdoc.h"
#include "common/str.h"
#include "ctctl/headline.h"
#include "ctctl/sessions.h"

#include "ctctl/verb.h"

#define ANSWER_MS 30000

static void row(struct buf *b, const struct text_style *st, const char *label, const char *text)
{
    char *clean = text_clean(st, text);
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
    for (size_t i = 0; i < m; i++) {
        struct json_object *s = json_object_array_get_idx(twins, i);
        if (json_object_get_type(s) == json_type_string)
            row(b, st, "Also at", json_object_get_string(s));
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
        buf_printf(&text, "%" PRId64 " is the newest", newest);
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

static void render(const struct text_style *st, const struct json_object *o, struct buf *b)
{
    row(b, st, "Session", jdoc_str(o, "sessionId"));
    row(b, st, "Title", jdoc_str(o, "title"));
    state_row(b, st, o);
    row(b, st, "Project", jdoc_str(o, "projectPath"));
    row(b, st, "Agent", jdoc_str(o, "agent"));
    row(b, st, "Machine", jdoc_str(o, "deviceName"));
    size_row(b, st, o);
    time_row(b, st, "Changed", jdoc_str(o, "modifiedAt"));
    time_row(b, st, "Saved", jdoc_str(o, "confirmedAt"));
    versions_row(b, st, o);
    kept_rows(b, st, o);
    row(b, st, "Content", jdoc_str(o, "contentId"));
    row(b, st, "Checksum", jdoc_str(o, "checksum"));
    list_rows(b, st, o);
}

static int run(struct ctx *c, int argc, char **argv)
{
    struct strlist words = {0};
    struct json_object *params, *o;
    struct buf b = {0};
    struct ct_err e;
    int rc = opts_parse(c, NULL, 0, argc, argv, &words);

    if (rc == -1 && words.n != 1)
        rc = ctx_usage(c, "show wants the ID of one session; they are listed by: ctctl list");
    if (rc != -1)
        goto done;
    params = json_object_new_object();
    jdoc_set_str(params, "id", words.v[0]);
    rc = ctx_call(c, "show", params, ANSWER_MS, &o, &e);
    json_object_put(params);
    if (rc != 0) {
        rc = ctx_fail(c, &e);
        goto done;
    }
    if (c->json)
        ctx_json(c, o);
    else
        render(&c->out, o, &b);
    ctx_print(c, &b);
    buf_free(&b);
    json_object_put(o);
    rc = CTX_OK;

done:
    strlist_free(&words);
    return rc;
}

const struct verb verb_show = {
    "show",
    "ID",
    "one session, all that is known of it",
    "ID is a session's ID or its beginning, as long as only one session has it.\n",
    run,
};
