#include <stdlib.h>
#include <string.h>

#include "agents/lines/anew.h"
#include "agents/opencode/opencode.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

/*
 * A session of opencode on its way home.  Of what others wrote words, pictures, calls and their
 * results come; not what they may do (permission), not what goes to the model as the system's
 * words, not the snapshots by which files are put back, no agent or session of this user, and
 * nothing that would be fetched.
 */

static const struct anew_member words[] = {TAKE_WORD("id"), TAKE_WORD("providerID"),
                                           TAKE_WORD("modelID"), TAKE_WORD("variant"), TAKE_END};
static const struct anew_member session[] = {TAKE_TEXT("title"),
                                             TAKE_WORD("version"),
                                             TAKE_NUMBER("cost"),
                                             TAKE_OBJECT("model", words),
                                             TAKE_NUMBERS("tokens"),
                                             TAKE_NUMBERS("time"),
                                             TAKE_END};
static const struct anew_member info[] = {
    TAKE_WORD("role"),      TAKE_NUMBERS("time"),    TAKE_OBJECT("model", words),
    TAKE_WORD("modelID"),   TAKE_WORD("providerID"), TAKE_NUMBER("cost"),
    TAKE_NUMBERS("tokens"), TAKE_WORD("finish"),     TAKE_END};
static const struct anew_member state[] = {TAKE_WORD("status"),
                                           TAKE_VALUE("input"),
                                           TAKE_TEXT("output"),
                                           TAKE_TEXT("error"),
                                           TAKE_TEXT("title"),
                                           TAKE_NUMBERS("time"),
                                           TAKE_END};
static const struct anew_member text_part[] = {TAKE_WORD("id"), TAKE_TEXT("text"),
                                               TAKE_NUMBERS("time"), TAKE_END};
static const struct anew_member tool_part[] = {
    TAKE_WORD("id"), TAKE_WORD("tool"), TAKE_WORD("callID"), TAKE_OBJECT("state", state), TAKE_END};
static const struct anew_member file_part[] = {TAKE_WORD("id"), TAKE_WORD("mime"),
                                               TAKE_TEXT("filename"), TAKE_TEXT("url"), TAKE_END};
static const struct anew_member begin_part[] = {TAKE_WORD("id"), TAKE_END};
static const struct anew_member finish_part[] = {
    TAKE_WORD("id"), TAKE_WORD("reason"), TAKE_NUMBER("cost"), TAKE_NUMBERS("tokens"), TAKE_END};
static const struct anew_type types[] = {
    {"text", text_part}, {"reasoning", text_part},   {"tool", tool_part},
    {"file", file_part}, {"step-start", begin_part}, {"step-finish", finish_part},
    {NULL, NULL},
};
static const struct anew_member message[] = {TAKE_WORD("type"),
                                             TAKE_WORD("id"),
                                             TAKE_WORD("role"),
                                             TAKE_WORD("timestamp"),
                                             TAKE_NUMBER("completed"),
                                             TAKE_BLOCKS("parts", types),
                                             TAKE_END};

/* Which agent goes on: one that every opencode has, for one of the user's may be allowed more. */
static void add_agent(struct json_object *from, const char *key, struct json_object *to)
{
    static const char *const known[] = {"build", "plan", "general", "explore"};
    const char *agent = jdoc_str(from, key);

    for (size_t i = 0; agent != NULL && i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(agent, known[i]) == 0)
            jdoc_set_str(to, key, agent);
    }
    if (jdoc_str(to, key) == NULL)
        jdoc_set_str(to, key, known[0]);
}

/* A name from which opencode makes paths. */
static void add_name(struct json_object *from, const char *key, struct json_object *to,
                     const char *otherwise)
{
    const char *name = jdoc_str(from, key);
    size_t n = name != NULL ? strlen(name) : 0;
    int is_plain = n > 0 && n <= 64 && name[0] != '-' &&
                   strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;

    jdoc_set_str(to, key, is_plain ? name : otherwise);
}

/* The folder is at or below the one that the session is to live in. */
static struct json_object *made_session(struct rebuild *r, struct json_object *in)
{
    const char *id = anew_id(in, "id");
    struct json_object *o, *from = jdoc_obj(in, "info"), *to;
    char *cwd, uuid[UUID_SIZE];

    if (!opencode_is_id(id, strlen(id), "ses_") || from == NULL)
        return NULL;
    opencode_uuid(id, uuid);
    if (strcmp(uuid, r->opts.session_id) != 0)
        return NULL;
    o = json_object_new_object();
    to = json_object_new_object();
    cwd = anew_cwd(r, in);
    jdoc_set_str(o, "type", "session");
    jdoc_set_str(o, "id", id);
    jdoc_set_str(o, "cwd", cwd);
    if (anew_id(in, "timestamp")[0] != '\0')
        jdoc_set_str(o, "timestamp", anew_id(in, "timestamp"));
    jdoc_set_str(to, "id", id);
    add_name(from, "slug", to, "from-codeteleport");
    add_name(from, "projectID", to, "global");
    add_agent(from, "agent", to);
    anew_take(from, session, to);
    json_object_object_add(o, "info", to);
    free(cwd);
    r->has_begun = 1;
    return o;
}

/* What is not in the part itself would be fetched, or read from here. */
static int is_elsewhere(const struct json_object *part)
{
    const char *type = jdoc_str(part, "type"), *url = jdoc_str(part, "url");

    return type != NULL && strcmp(type, "file") == 0 &&
           (url == NULL || strncmp(url, "data:", 5) != 0);
}

/* Some are made by programs: they would be a person's here. */
static void drop_parts(struct json_object *in)
{
    struct json_object *parts = jdoc_array(in, "parts");

    for (size_t i = parts != NULL ? json_object_array_length(parts) : 0; i-- > 0;) {
        const struct json_object *part = json_object_array_get_idx(parts, i);
        if (is_elsewhere(part) || jdoc_bool(part, "synthetic", 0))
            json_object_array_del_idx(parts, i, 1);
    }
}

static void made_info(struct json_object *from, struct json_object *to)
{
    const char *parent = jdoc_str(from, "parentID"), *role = jdoc_str(from, "role");

    anew_take(from, info, to);
    add_agent(from, "agent", to);
    if (role != NULL && strcmp(role, "assistant") == 0)
        add_agent(from, "mode", to);
    if (parent != NULL && opencode_is_id(parent, strlen(parent), "msg_"))
        jdoc_set_str(to, "parentID", parent);
}

static struct json_object *make(struct rebuild *r, struct json_object *in, const char *type)
{
    const char *id = anew_id(in, "id");
    struct json_object *o, *to;

    if (type != NULL && strcmp(type, "session") == 0)
        return made_session(r, in);
    if (type == NULL || !opencode_is_id(id, strlen(id), "msg_"))
        return NULL;
    o = json_object_new_object();
    if (strcmp(type, "removed") == 0) {
        jdoc_set_str(o, "type", type);
        jdoc_set_str(o, "id", id);
        return o;
    }
    if (strcmp(type, "message") != 0 || jdoc_obj(in, "info") == NULL) {
        json_object_put(o);
        return NULL;
    }
    drop_parts(in);
    anew_take(in, message, o);
    to = json_object_new_object();
    made_info(jdoc_obj(in, "info"), to);
    json_object_object_add(o, "info", to);
    return o;
}

static int is_said(const struct json_object *in, const char *type)
{
    (void)in;
    return type != NULL && strcmp(type, "message") == 0;
}

struct rebuild *opencode_rebuild_new(const struct rebuild_opts *opts, const char *entry)
{
    static const struct anew_rules rules = {
        .id = "id", .parent = "", .make = make, .is_said = is_said};

    (void)entry;
    return anew_new(opts, &rules);
}
