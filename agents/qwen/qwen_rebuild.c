#include <stdlib.h>
#include <string.h>

#include "agents/lines/anew.h"
#include "agents/qwen/qwen.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

/*
 * A chat of Qwen Code on its way home (anew.h).  Of others' come messages, titles and what a
 * compression left: no goals, no snapshots of files (/rewind writes and deletes what they name), no
 * prompts that were not typed.  One's own comes whole, but a goal does not go on by itself, and
 * snapshots are of files below the working folder.
 */

static const struct anew_member call[] = {TAKE_WORD("id"), TAKE_WORD("name"), TAKE_VALUE("args"),
                                          TAKE_END};
static const struct anew_member result[] = {TAKE_WORD("id"), TAKE_WORD("name"),
                                            TAKE_VALUE("response"), TAKE_END};
static const struct anew_member data[] = {TAKE_WORD("mimeType"), TAKE_TEXT("data"), TAKE_END};
static const struct anew_member part[] = {TAKE_TEXT("text"),
                                          TAKE_YES_OR_NO("thought"),
                                          TAKE_OBJECT("functionCall", call),
                                          TAKE_OBJECT("functionResponse", result),
                                          TAKE_OBJECT("inlineData", data),
                                          TAKE_END};
static const struct anew_member message[] = {TAKE_WORD("role"), TAKE_LIST("parts", part), TAKE_END};
static const struct anew_member members[] = {TAKE_WORD("version"),
                                             TAKE_WORD("gitBranch"),
                                             TAKE_WORD("model"),
                                             TAKE_OBJECT("message", message),
                                             TAKE_NUMBERS("usageMetadata"),
                                             TAKE_END};

static const struct anew_member title[] = {TAKE_TEXT("customTitle"), TAKE_WORD("titleSource"),
                                           TAKE_END};
static const struct anew_member compression[] = {TAKE_NUMBERS("info"),
                                                 TAKE_LIST("compressedHistory", message), TAKE_END};
static const struct anew_member title_members[] = {TAKE_WORD("version"),
                                                   TAKE_OBJECT("systemPayload", title), TAKE_END};
static const struct anew_member compression_members[] = {
    TAKE_WORD("version"), TAKE_OBJECT("systemPayload", compression), TAKE_END};

/* ${subtype}: NULL for none. */
static const struct {
    const char *type, *subtype, *provenance;
    const struct anew_member *members;
} records[] = {
    {"user", NULL, "real_user", members},
    {"user", "mid_turn_user_message", "real_user", members},
    {"assistant", NULL, "assistant_output", members},
    {"tool_result", NULL, "tool_result", members},
    {"system", "custom_title", "system", title_members},
    {"system", "chat_compression", "system", compression_members},
};

static int is_same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static struct json_object *make(struct rebuild *r, struct json_object *in, const char *type)
{
    const char *subtype = jdoc_str(in, "subtype"), *from = jdoc_str(in, "provenance");
    struct json_object *o;
    char *cwd;
    size_t i = 0, n = sizeof(records) / sizeof(records[0]);

    while (i < n && !(is_same(type, records[i].type) && is_same(subtype, records[i].subtype) &&
                      (from == NULL || strcmp(from, records[i].provenance) == 0)))
        i++;
    if (i == n || anew_id(in, "uuid")[0] == '\0')
        return NULL;
    o = json_object_new_object();
    cwd = anew_cwd(r, in);
    anew_add_base(r, in, o);
    jdoc_set_str(o, "sessionId", r->opts.session_id);
    jdoc_set_str(o, "type", type);
    jdoc_set_str(o, "provenance", records[i].provenance);
    jdoc_set_str(o, "cwd", cwd);
    if (subtype != NULL)
        jdoc_set_str(o, "subtype", subtype);
    anew_take(in, records[i].members, o);
    free(cwd);
    r->has_begun = 1;
    return o;
}

static int is_said(const struct json_object *in, const char *type)
{
    (void)in;
    return type != NULL && strcmp(type, "system") != 0;
}

/* ---- one's own ----------------------------------------------------------------------------------
 */

/* Does the snapshot's ${path}, which is below the working folder if it is not absolute, lie there
 * when it is moved? */
static int is_inside(const struct rebuild *r, const char *path)
{
    char *whole = path[0] == '/' ? r->opts.moved(r->opts.arg, path) : path_join(r->opts.cwd, path);
    int is_so = path_stays_below(whole, r->opts.cwd);

    free(whole);
    return is_so;
}

/* Take out of all snapshots what lies elsewhere.  Return how many. */
static int trim(const struct rebuild *r, struct json_object *record)
{
    struct json_object *list = jdoc_array(jdoc_obj(record, "systemPayload"), "snapshots");
    int n = 0;

    for (size_t i = 0; list != NULL && i < json_object_array_length(list); i++) {
        struct json_object *files =
            jdoc_obj(json_object_array_get_idx(list, i), "trackedFileBackups");
        if (files == NULL)
            continue;
        json_object_object_foreach(files, path, backup)
        {
            (void)backup;
            if (is_inside(r, path))
                continue;
            if (r->opts.losses != NULL)
                losses_add(r->opts.losses, "snapshot of a file", "elsewhere");
            json_object_object_del(files, path);
            n++;
        }
    }
    return n;
}

static struct json_object *make_own(struct rebuild *r, const char *p, size_t n)
{
    struct json_object *o = NULL;
    const char *subtype;

    /* A name can be spelled with \u. */
    if (memmem(p, n, "\"goal_state\"", 12) == NULL &&
        memmem(p, n, "\"file_history_snapshot\"", 23) == NULL && memmem(p, n, "\\u", 2) == NULL)
        return NULL;
    if (jdoc_parse(p, n, &o, NULL) != 0)
        return NULL;
    subtype = jdoc_str(o, "subtype");
    if (subtype != NULL && strcmp(subtype, "goal_state") == 0) {
        jdoc_set_str(o, "subtype", QWEN_GOAL_LEFT);
        return o;
    }
    if (subtype != NULL && strcmp(subtype, "file_history_snapshot") == 0 && r->opts.cwd != NULL &&
        trim(r, o) > 0)
        return o;
    json_object_put(o);
    return NULL;
}

/* ---- */

const char *qwen_why_not(const struct rebuild_opts *opts, const char *entry)
{
    if (qwen_agent.entry_kind(opts->session_id, entry) == AGENT_NOTHING)
        return "no session of Qwen Code has such a file";
    if (opts->trust == TRUST_OWN || strcmp(entry, "session.jsonl") == 0 ||
        strncmp(entry, "session-subdir/codeteleport-other/", 34) == 0)
        return NULL;
    if (opts->trust == TRUST_ACCOUNT &&
        (strncmp(entry, "todos/", 6) == 0 || strncmp(entry, "plans/", 6) == 0))
        return NULL;
    if (strncmp(entry, "memory/", 7) != 0)
        return opts->trust == TRUST_ACCOUNT
                   ? "such a file comes only if one's own key has sealed it"
                   : "such a file does not come from a stranger";
    return opts->trust == TRUST_ACCOUNT || opts->with_memory
               ? NULL
               : "memory that comes from elsewhere is taken only when asked for";
}

struct rebuild *qwen_rebuild_new(const struct rebuild_opts *opts, const char *entry)
{
    static const struct anew_rules rules = {.id = "uuid",
                                            .parent = "parentUuid",
                                            .content = "parts",
                                            .signature = "thoughtSignature",
                                            .make = make,
                                            .is_said = is_said,
                                            .make_own = make_own};
    size_t n = strlen(entry);
    int is_main = strcmp(entry, "session.jsonl") == 0;
    struct rebuild *r;

    if (!is_main && (n < 6 || strcmp(entry + n - 6, ".jsonl") != 0 ||
                     strncmp(entry, "session-subdir/", 15) != 0))
        return NULL;
    r = anew_new(opts, &rules);
    r->has_begun = !is_main;
    return r;
}
