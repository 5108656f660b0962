#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/data/jdoc.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "ctctl/ui/headline.h"
#include "ctctl/ctx/opts.h"
#include "ctctl/ui/folder.h"
#include "ctctl/ui/table.h"

#include "ctctl/here/exclude.h"

#define ANSWER_MS 60000 /* a folder may hold very many sessions */

/* A single word is a session's ID or its beginning, unless a folder of that name is here: nobody
 * gets a rule for a folder that is not there because of a slip in an ID. */
static int is_id(const char *word)
{
    struct stat st;

    return word[0] != '~' && strchr(word, '/') == NULL &&
           (stat(word, &st) != 0 || !S_ISDIR(st.st_mode));
}

static void table(const struct text_style *st, struct json_object *rules, struct buf *b)
{
    static const struct table_column columns[] = {
        {"RULE", 0, 0, 0}, {"FOLDER", 0, 16, 0}, {"SAID IN", 0, 0, 1}};
    struct table *t = table_new(st, columns, 3);

    for (size_t i = 0; i < json_object_array_length(rules); i++) {
        const struct json_object *o = json_object_array_get_idx(rules, i);
        char *path = folder_short(jdoc_str(o, "path"));
        const char *cells[3];
        cells[0] = jdoc_bool(o, "excluded", 0) ? "exclude" : "include";
        cells[1] = path;
        cells[2] = jdoc_str(o, "from");
        table_row(t, cells);
        free(path);
    }
    table_print(t, b);
    table_free(t);
}

static void single(const struct text_style *st, struct json_object *sessions, struct buf *b)
{
    static const struct table_column columns[] = {
        {"EXCLUDED", 0, 0, 0}, {"TITLE", 0, 16, 1}, {"PROJECT", 0, 16, 0}};
    struct table *t = table_new(st, columns, 3);

    for (size_t i = 0; i < json_object_array_length(sessions); i++) {
        const struct json_object *o = json_object_array_get_idx(sessions, i);
        const char *title = jdoc_str(o, "title"), *path = jdoc_str(o, "projectPath");
        char id[9], *folder = path != NULL ? folder_short(path) : str_dup("");
        const char *cells[3];
        cells[0] = text_short_id(jdoc_str(o, "sessionId"), id);
        cells[1] = title != NULL ? title : "";
        cells[2] = folder;
        table_row(t, cells);
        free(folder);
    }
    table_print(t, b);
    table_free(t);
}

static void say_all(struct ctx *c, struct json_object *rules, struct json_object *sessions,
                    struct buf *b)
{
    size_t n = rules != NULL ? json_object_array_length(rules) : 0;
    size_t m = sessions != NULL ? json_object_array_length(sessions) : 0;

    if (n + m == 0)
        ctx_say(c, "nothing is excluded; to exclude a folder or a session: ctctl exclude PATH or "
                   "ctctl exclude ID");
    if (n > 0)
        table(&c->out, rules, b);
    if (n > 0 && m > 0)
        buf_addc(b, '\n');
    if (m > 0)
        single(&c->out, sessions, b);
}

/* It went there when nobody had excluded anything. */
static void say_profile(struct ctx *c, const struct json_object *o)
{
    int64_t n = headline_number(o, "inProfile", 0);
    const char *id = jdoc_str(o, "profileId");

    if (n > 0 && id != NULL)
        ctx_say(c,
                "%" PRId64
                " file%s of what belongs to no session %s or may be of it, and %s in the "
                "cloud. To remove all of that there: ctctl delete %.8s; then, to save what may go "
                "there: ctctl sync %.8s",
                n, n == 1 ? "" : "s", n == 1 ? "is" : "are", n == 1 ? "is" : "are", id, id);
}

static void say_folder(struct ctx *c, const struct json_object *o, int is_excluded)
{
    int64_t n = headline_number(o, "sessions", 0), cloud = headline_number(o, "inCloud", 0);
    char *path = folder_short(jdoc_str(o, "path")), *count = text_count(n, "session", "sessions");
    char *clean = text_clean(&c->out, path);
    struct stat there;
    struct buf b = {0};

    if (!jdoc_bool(o, "changed", 0))
        buf_printf(&b, "Sessions of %s were %s already.\n", clean,
                   is_excluded ? "excluded" : "included");
    else if (is_excluded)
        buf_printf(&b, "Sessions that begin in %s stay on this machine from now on: %s so far.\n",
                   clean, count);
    else
        buf_printf(&b, "Sessions that begin in %s are saved from now on: %s to begin with.\n",
                   clean, count);
    ctx_print(c, &b);
    buf_free(&b);
    if (stat(jdoc_str(o, "path"), &there) != 0)
        ctx_say(c, "note: there is no folder %s on this machine", clean);
    if (is_excluded && cloud > 0)
        ctx_say(c,
                "%" PRId64 " of them %s in the cloud, and what is there stays there. To remove it: "
                "ctctl delete --project %s",
                cloud, cloud == 1 ? "is" : "are", path);
    say_profile(c, o);
    free(clean);
    free(count);
    free(path);
}

static void say_session(struct ctx *c, const struct json_object *o, int is_excluded)
{
    struct buf b = {0};
    char id[9];

    text_short_id(jdoc_str(o, "sessionId"), id);
    if (is_excluded)
        buf_printf(&b,
                   "Session %s stays on this machine from now on. What is in the cloud of it stays "
                   "there; to remove it: ctctl delete %s\n",
                   id, id);
    else
        buf_printf(&b, "Session %s is saved again.\n", id);
    ctx_print(c, &b);
    say_profile(c, o);
    buf_free(&b);
}

static int ask(struct ctx *c, int is_excluded, struct json_object *params)
{
    struct json_object *o, *rules;
    struct buf b = {0};
    struct ct_err e;

    if (ctx_call(c, is_excluded ? "exclude" : "include", params, ANSWER_MS, &o, &e) != 0) {
        if (strcmp(e.reason, "not_found") == 0)
            err_prefix(&e, "there is no folder %.80s here", jdoc_str(params, "id"));
        return ctx_fail(c, &e);
    }
    rules = jdoc_array(o, "rules");
    if (c->json)
        ctx_json(c, o);
    else if (jdoc_str(o, "path") != NULL)
        say_folder(c, o, is_excluded);
    else if (jdoc_str(o, "sessionId") != NULL)
        say_session(c, o, is_excluded);
    else
        say_all(c, rules, jdoc_array(o, "sessions"), &b);
    ctx_print(c, &b);
    buf_free(&b);
    json_object_put(o);
    return CTX_OK;
}

/* A session can have been begun in a folder under the name that a symbolic link gives it. */
static int say_too(struct ctx *c, int is_excluded, const char *path)
{
    struct json_object *params = json_object_new_object(), *o;
    struct ct_err e;
    int rc = -1;

    jdoc_set_str(params, "path", path);
    if (ctx_call(c, is_excluded ? "exclude" : "include", params, ANSWER_MS, &o, &e) != 0)
        rc = ctx_fail(c, &e);
    else
        json_object_put(o);
    json_object_put(params);
    return rc;
}

int exclude_run(struct ctx *c, int is_excluded, int argc, char **argv)
{
    struct json_object *params = json_object_new_object();
    struct strlist words = {0};
    int rc = opts_parse(c, NULL, 0, argc, argv, &words);
    char *path, *spelled;

    if (rc == -1 && words.n > 1)
        rc = ctx_usage(c, "%s takes one folder, or the ID of one session", c->verb);
    if (rc == -1 && words.n == 1 && is_id(words.v[0])) {
        jdoc_set_str(params, "id", words.v[0]);
    } else if (rc == -1 && words.n == 1) {
        path = folder_real(words.v[0]);
        spelled = folder_spelled(words.v[0]);
        jdoc_set_str(params, "path", path);
        if (strcmp(spelled, path) != 0)
            rc = say_too(c, is_excluded, spelled);
        free(spelled);
        free(path);
    }
    if (rc == -1)
        rc = ask(c, is_excluded, params);
    json_object_put(params);
    strlist_free(&words);
    return rc;
}
