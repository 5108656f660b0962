#include <stdlib.h>
#include <string.h>

#include "agents/lines/anew.h"
#include "agents/pi/pi.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

/*
 * A session of pi on its way home (anew.h): what of others' comes.
 */

static const struct anew_member text_block[] = {TAKE_TEXT("text"), TAKE_END};
static const struct anew_member thinking_block[] = {TAKE_TEXT("thinking"), TAKE_END};
static const struct anew_member image_block[] = {TAKE_TEXT("data"), TAKE_WORD("mimeType"),
                                                 TAKE_END};
static const struct anew_member call_block[] = {TAKE_WORD("id"), TAKE_WORD("name"),
                                                TAKE_VALUE("arguments"), TAKE_END};

static const struct anew_type blocks[] = {
    {"text", text_block},   {"thinking", thinking_block},
    {"image", image_block}, {"toolCall", call_block},
    {NULL, NULL},
};

static const struct anew_member user_members[] = {TAKE_BLOCKS("content", blocks),
                                                  TAKE_NUMBER("timestamp"), TAKE_END};
static const struct anew_member assistant_members[] = {TAKE_BLOCKS("content", blocks),
                                                       TAKE_WORD("api"),
                                                       TAKE_WORD("provider"),
                                                       TAKE_WORD("model"),
                                                       TAKE_NUMBERS("usage"),
                                                       TAKE_WORD("stopReason"),
                                                       TAKE_TEXT("errorMessage"),
                                                       TAKE_NUMBER("timestamp"),
                                                       TAKE_END};
static const struct anew_member result_members[] = {
    TAKE_WORD("toolCallId"),   TAKE_WORD("toolName"),    TAKE_BLOCKS("content", blocks),
    TAKE_YES_OR_NO("isError"), TAKE_NUMBER("timestamp"), TAKE_END};
static const struct anew_member bash_members[] = {
    TAKE_TEXT("command"),        TAKE_TEXT("output"),
    TAKE_NUMBER("exitCode"),     TAKE_YES_OR_NO("cancelled"),
    TAKE_YES_OR_NO("truncated"), TAKE_YES_OR_NO("excludeFromContext"),
    TAKE_NUMBER("timestamp"),    TAKE_END};

static const struct {
    const char *role;
    const struct anew_member *members;
} roles[] = {
    {"user", user_members},
    {"assistant", assistant_members},
    {"toolResult", result_members},
    {"bashExecution", bash_members},
};

static const struct anew_member thinking_level[] = {TAKE_WORD("thinkingLevel"), TAKE_END};
static const struct anew_member model_change[] = {TAKE_WORD("provider"), TAKE_WORD("modelId"),
                                                  TAKE_END};
static const struct anew_member session_info[] = {TAKE_TEXT("name"), TAKE_END};
static const struct anew_member label[] = {TAKE_TEXT("label"), TAKE_END};
static const struct anew_member compaction[] = {TAKE_TEXT("summary"), TAKE_NUMBER("tokensBefore"),
                                                TAKE_END};
static const struct anew_member branch_summary[] = {TAKE_TEXT("summary"), TAKE_END};

/* ${id}: the member that names another record. */
static const struct {
    const char *type;
    const struct anew_member *members;
    const char *id;
    int is_accounts; /* not from strangers */
} records[] = {
    {"thinking_level_change", thinking_level, NULL, 0},
    {"model_change", model_change, NULL, 1},
    {"session_info", session_info, NULL, 0},
    {"label", label, "targetId", 0},
    {"compaction", compaction, "firstKeptEntryId", 0},
    {"branch_summary", branch_summary, "fromId", 0},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static struct json_object *made_header(struct rebuild *r, const struct json_object *in)
{
    struct json_object *o = json_object_new_object();
    const char *at = jdoc_str(in, "timestamp");
    char *cwd = anew_cwd(r, in);

    jdoc_set_str(o, "type", "session");
    if (jdoc_int(in, "version", 0) > 0)
        jdoc_set_int(o, "version", jdoc_int(in, "version", 0));
    jdoc_set_str(o, "id", r->opts.session_id);
    if (at != NULL && anew_is_word(at))
        jdoc_set_str(o, "timestamp", at);
    jdoc_set_str(o, "cwd", cwd);
    free(cwd);
    r->has_begun = 1;
    return o;
}

static struct json_object *made_message(struct rebuild *r, struct json_object *in)
{
    struct json_object *message = jdoc_obj(in, "message"), *o, *m;
    const char *role = jdoc_str(message, "role"), *stop = jdoc_str(message, "stopReason");

    if (stop != NULL && strcmp(stop, "deferred") == 0)
        return NULL; /* it would be fetched from wherever it says */
    for (size_t i = 0; role != NULL && i < COUNT(roles); i++) {
        if (strcmp(role, roles[i].role) != 0)
            continue;
        o = json_object_new_object();
        jdoc_set_str(o, "type", "message");
        anew_add_base(r, in, o);
        m = json_object_new_object();
        jdoc_set_str(m, "role", role);
        anew_take(message, roles[i].members, m);
        json_object_object_add(o, "message", m);
        return o;
    }
    return NULL;
}

static struct json_object *make(struct rebuild *r, struct json_object *in, const char *type)
{
    struct json_object *o;

    if (type == NULL)
        return NULL;
    if (strcmp(type, "session") == 0)
        return r->has_begun ? NULL : made_header(r, in);
    if (strcmp(type, "message") == 0)
        return made_message(r, in);
    for (size_t i = 0; i < COUNT(records); i++) {
        if (strcmp(type, records[i].type) != 0 ||
            (records[i].is_accounts && r->opts.trust == TRUST_STRANGER))
            continue;
        o = json_object_new_object();
        jdoc_set_str(o, "type", type);
        anew_add_base(r, in, o);
        anew_take(in, records[i].members, o);
        if (records[i].id != NULL)
            jdoc_set_str(o, records[i].id, anew_link(r, anew_id(in, records[i].id)));
        return o;
    }
    return NULL;
}

static int is_said(const struct json_object *in, const char *type)
{
    const char *role = jdoc_str(jdoc_obj(in, "message"), "role");

    if (type != NULL && strcmp(type, "message") == 0)
        return role == NULL || strcmp(role, "system") != 0;
    return type != NULL &&
           (strcmp(type, "custom_message") == 0 || strcmp(type, "context_edit") == 0);
}

struct rebuild *pi_rebuild_new(const struct rebuild_opts *opts, const char *entry)
{
    static const struct anew_rules rules = {.id = "id",
                                            .parent = "parentId",
                                            .content = "content",
                                            .signature = "thinkingSignature",
                                            .make = make,
                                            .is_said = is_said};
    struct rebuild *r = anew_new(opts, &rules);

    r->has_begun = strcmp(entry, "session.jsonl") != 0; /* others' lines have no header */
    return r;
}
