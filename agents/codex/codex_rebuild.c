#include <stdlib.h>
#include <string.h>

#include "agents/lines/anew.h"
#include "agents/codex/codex.h"
#include "common/base/buf.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

/*
 * A rollout on its way home.  One's own comes line by line as it is, but for its paths.  But Codex
 * takes up the permissions that stand in the last settings of a rollout, so where these would let
 * it act without asking, a line at the end says otherwise.  Of what others wrote each record is
 * made anew, from what the tables below name: no instructions (base_instructions, messages of a
 * developer), no settings, nothing of the machine that it was made on.
 */

/* ---- one's own: permissions --------------------------------------------------------------------
 */

#define SETTINGS "thread_settings_applied"
#define CONTEXT "turn_context"
#define ASKS "on-request"

/* What the lines said so far. */
struct settings {
    struct buf line;             /* the last one */
    struct json_object *last;    /* of the records that have settings */
    struct json_object *context; /* of those that say what a turn began with: older ones have no
                                    settings, and then these count */
};

static void settings_free(void *p)
{
    struct settings *s = p;

    buf_free(&s->line);
    json_object_put(s->last);
    json_object_put(s->context);
    free(s);
}

static void keep(struct json_object **to, struct json_object *o)
{
    json_object_put(*to);
    *to = json_object_get(o);
}

static struct json_object *note_own(struct rebuild *r, const char *p, size_t n)
{
    struct settings *s = r->own;
    struct json_object *o = NULL;
    const char *type, *kind;

    if (s == NULL)
        s = r->own = str_calloc(1, sizeof(*s));
    buf_reset(&s->line);
    buf_add(&s->line, p, n);
    /* A word can be spelled otherwise. */
    if ((memmem(p, n, SETTINGS, strlen(SETTINGS)) == NULL &&
         memmem(p, n, CONTEXT, strlen(CONTEXT)) == NULL && memmem(p, n, "\\u", 2) == NULL) ||
        jdoc_parse(p, n, &o, NULL) != 0)
        return NULL;
    type = jdoc_str(o, "type");
    kind = jdoc_str(jdoc_obj(o, "payload"), "type");
    if (type != NULL && strcmp(type, CONTEXT) == 0)
        keep(&s->context, o);
    else if (kind != NULL && strcmp(kind, SETTINGS) == 0) {
        keep(&s->last, o);
        keep(&s->context, NULL); /* it was before that */
    }
    json_object_put(o);
    return NULL;
}

static struct json_object *settings_of(const struct json_object *record)
{
    struct json_object *payload = jdoc_obj(record, "payload");
    struct json_object *settings = jdoc_obj(payload, "thread_settings");

    return settings != NULL ? settings : payload;
}

static int is_word(const struct json_object *o, const char *key, const char *word)
{
    const char *s = jdoc_str(o, key);

    return s != NULL && strcmp(s, word) == 0;
}

/* Is it below the session's folder, by plain names? */
static int is_of_folder(const char *path, const char *cwd)
{
    return path != NULL && cwd != NULL && cwd[0] == '/' && cwd[1] != '\0' &&
           path_stays_below(path, cwd);
}

/* May it write there?  To the session's folder and to those for temporary files. */
static int is_tame_entry(const struct json_object *entry, const char *cwd)
{
    const struct json_object *path = jdoc_obj(entry, "path"), *value = jdoc_obj(path, "value");

    if (is_word(entry, "access", "read") || is_word(entry, "access", "none"))
        return 1;
    if (is_word(path, "type", "special"))
        return is_word(value, "kind", "slash_tmp") || is_word(value, "kind", "tmpdir");
    return is_word(path, "type", "path") && is_of_folder(jdoc_str(path, "path"), cwd);
}

static int is_tame_profile(const struct json_object *profile, const char *cwd)
{
    const struct json_object *files = jdoc_obj(profile, "file_system");
    struct json_object *entries = jdoc_array(files, "entries");

    if (!is_word(profile, "type", "managed") || !is_word(files, "type", "restricted") ||
        entries == NULL ||
        (jdoc_has(profile, "network") && !is_word(profile, "network", "restricted")))
        return 0;
    for (size_t i = 0; i < json_object_array_length(entries); i++) {
        if (!is_tame_entry(json_object_array_get_idx(entries, i), cwd))
            return 0;
    }
    return 1;
}

static int is_tame_sandbox(const struct json_object *sandbox, const char *cwd)
{
    struct json_object *roots = jdoc_array(sandbox, "writable_roots");

    if (jdoc_bool(sandbox, "network_access", 0) ||
        (!is_word(sandbox, "type", "read-only") && !is_word(sandbox, "type", "workspace-write")))
        return 0;
    for (size_t i = 0; roots != NULL && i < json_object_array_length(roots); i++) {
        if (!is_of_folder(json_object_get_string(json_object_array_get_idx(roots, i)), cwd))
            return 0;
    }
    return 1;
}

/* Does it ask before it leaves its sandbox, and is that one of the two that Codex has by itself?
 * So if nothing is said at all: then those of the configuration count. */
static int asks(const struct json_object *record)
{
    const struct json_object *settings = settings_of(record);
    const char *cwd = jdoc_str(settings, "cwd");

    return record == NULL || ((is_word(settings, "approval_policy", ASKS) ||
                               is_word(settings, "approval_policy", "untrusted")) &&
                              (!jdoc_has(settings, "permission_profile") ||
                               is_tame_profile(jdoc_obj(settings, "permission_profile"), cwd)) &&
                              (!jdoc_has(settings, "sandbox_policy") ||
                               is_tame_sandbox(jdoc_obj(settings, "sandbox_policy"), cwd)));
}

/* It may read, and asks for all else. */
static void set_back(struct json_object *record)
{
    static const char profile[] =
        "{\"type\":\"managed\",\"file_system\":{\"type\":\"restricted\",\"entries\":[{\"path\":{"
        "\"type\":\"special\",\"value\":{\"kind\":\"root\"}},\"access\":\"read\"}]},\"network\":"
        "\"restricted\"}";
    struct json_object *settings = settings_of(record), *o = NULL;

    jdoc_set_str(settings, "approval_policy", ASKS);
    json_object_object_del(settings, "active_permission_profile");
    if (jdoc_has(settings, "sandbox_policy")) {
        o = json_object_new_object();
        jdoc_set_str(o, "type", "read-only");
        json_object_object_add(settings, "sandbox_policy", o);
    }
    if ((jdoc_has(settings, "permission_profile") || !jdoc_has(settings, "sandbox_policy")) &&
        jdoc_parse(profile, strlen(profile), &o, NULL) == 0)
        json_object_object_add(settings, "permission_profile", o);
}

static struct json_object *end_own(struct rebuild *r)
{
    struct settings *s = r->own;
    struct json_object *last, *line = NULL;

    if (s == NULL || r->opts.keep_mode || (asks(s->last) && asks(s->context)))
        return NULL;
    last = s->last != NULL ? s->last : s->context;
    set_back(last);
    /* Codex goes on counting where the last line ended. */
    if (jdoc_parse(s->line.data, s->line.len, &line, NULL) == 0) {
        if (jdoc_str(line, "timestamp") != NULL)
            jdoc_set_str(last, "timestamp", jdoc_str(line, "timestamp"));
        if (jdoc_has(line, "ordinal"))
            jdoc_set_int(last, "ordinal", jdoc_int(line, "ordinal", 0) + 1);
    }
    json_object_put(line);
    if (r->opts.has_mode_reset != NULL)
        *r->opts.has_mode_reset = 1;
    return json_object_get(last);
}

/* ---- what of others' ----------------------------------------------------------------------------
 */

static const struct anew_member text_block[] = {TAKE_TEXT("text"), TAKE_END};
static const struct anew_member image_block[] = {TAKE_TEXT("image_url"), TAKE_END};
static const struct anew_type blocks[] = {
    {"input_text", text_block},
    {"output_text", text_block},
    {"text", text_block},
    {"Text", text_block},
    {"input_image", image_block},
    {"image", image_block},
    {NULL, NULL},
};

static const struct anew_member message[] = {TAKE_WORD("role"), TAKE_WORD("id"),
                                             TAKE_BLOCKS("content", blocks), TAKE_WORD("phase"),
                                             TAKE_END};
static const struct anew_member call[] = {
    TAKE_WORD("id"),    TAKE_WORD("status"),    TAKE_WORD("call_id"),
    TAKE_WORD("name"),  TAKE_WORD("namespace"), TAKE_TEXT("arguments"),
    TAKE_TEXT("input"), TAKE_VALUE("action"),   TAKE_END};
static const struct anew_member output[] = {TAKE_WORD("id"), TAKE_WORD("call_id"),
                                            TAKE_BLOCKS("output", blocks), TAKE_END};
static const struct anew_type responses[] = {
    {"message", message},
    {"function_call", call},
    {"custom_tool_call", call},
    {"local_shell_call", call},
    {"web_search_call", call},
    {"function_call_output", output},
    {"custom_tool_call_output", output},
    {NULL, NULL},
};

static const struct anew_member said[] = {TAKE_WORD("id"), TAKE_BLOCKS("content", blocks),
                                          TAKE_END};
static const struct anew_type items[] = {
    {"UserMessage", said}, {"AgentMessage", said}, {NULL, NULL}};
static const struct anew_member words[] = {TAKE_TEXT("message"), TAKE_END};
static const struct anew_member turn[] = {TAKE_WORD("turn_id"),
                                          TAKE_TEXT("last_agent_message"),
                                          TAKE_NUMBER("started_at"),
                                          TAKE_NUMBER("completed_at"),
                                          TAKE_NUMBER("duration_ms"),
                                          TAKE_NUMBER("model_context_window"),
                                          TAKE_NUMBER("num_turns"),
                                          TAKE_WORD("reason"),
                                          TAKE_WORD("collaboration_mode_kind"),
                                          TAKE_END};
static const struct anew_member tokens[] = {TAKE_NUMBERS("info"), TAKE_END};
static const struct anew_type events[] = {
    {"user_message", words}, {"agent_message", words},
    {"task_started", turn},  {"task_complete", turn},
    {"turn_aborted", turn},  {"thread_rolled_back", turn},
    {"token_count", tokens}, {NULL, NULL},
};

static const struct anew_member git[] = {TAKE_WORD("commit_hash"), TAKE_WORD("branch"), TAKE_END};
static const struct anew_member meta[] = {TAKE_WORD("timestamp"),
                                          TAKE_WORD("originator"),
                                          TAKE_WORD("cli_version"),
                                          TAKE_WORD("source"),
                                          TAKE_WORD("history_mode"),
                                          TAKE_OBJECT("git", git),
                                          TAKE_END};
static const struct anew_member completed[] = {TAKE_WORD("turn_id"), TAKE_NUMBER("started_at_ms"),
                                               TAKE_NUMBER("completed_at_ms"), TAKE_END};

static const struct anew_member *members_of(const struct anew_type *types, const char *type)
{
    for (; type != NULL && types->type != NULL; types++) {
        if (strcmp(types->type, type) == 0)
            return types->members;
    }
    return NULL;
}

static struct json_object *made_of(const struct anew_type *types, struct json_object *in)
{
    const char *type = jdoc_str(in, "type");
    const struct anew_member *members = members_of(types, type);
    struct json_object *o;

    if (members == NULL)
        return NULL;
    o = json_object_new_object();
    jdoc_set_str(o, "type", type);
    anew_take(in, members, o);
    return o;
}

/* Whoever sends an address to the model has it fetched; a picture that is here is data. */
static int has_addresses(const struct json_object *o, const char *key)
{
    struct json_object *list = jdoc_array(o, key);

    for (size_t i = 0; list != NULL && i < json_object_array_length(list); i++) {
        const char *url = jdoc_str(json_object_array_get_idx(list, i), "image_url");
        if (url != NULL && strncmp(url, "data:", 5) != 0)
            return 1;
    }
    return 0;
}

static struct json_object *made_response(struct json_object *in)
{
    const char *type = jdoc_str(in, "type"), *role = jdoc_str(in, "role");
    struct json_object *o;

    if (type != NULL && strcmp(type, "message") == 0 &&
        (role == NULL || (strcmp(role, "user") != 0 && strcmp(role, "assistant") != 0) ||
         codex_is_put_in(in)))
        return NULL;
    o = made_of(responses, in);
    if (o != NULL && (has_addresses(o, "content") || has_addresses(o, "output"))) {
        json_object_put(o);
        o = NULL;
    }
    return o;
}

static struct json_object *made_item(const struct rebuild *r, struct json_object *in)
{
    struct json_object *item = made_of(items, jdoc_obj(in, "item")), *o;

    if (item == NULL || has_addresses(item, "content")) {
        json_object_put(item);
        return NULL;
    }
    o = json_object_new_object();
    jdoc_set_str(o, "type", "item_completed");
    jdoc_set_str(o, "thread_id", r->opts.session_id);
    anew_take(in, completed, o);
    json_object_object_add(o, "item", item);
    return o;
}

static struct json_object *made_event(const struct rebuild *r, struct json_object *in)
{
    const char *type = jdoc_str(in, "type");

    return type != NULL && strcmp(type, "item_completed") == 0 ? made_item(r, in)
                                                               : made_of(events, in);
}

/* What a compaction left, in which there may be all that a rollout has. */
static struct json_object *made_compacted(struct json_object *in)
{
    struct json_object *o = json_object_new_object(), *list = jdoc_array(in, "replacement_history"),
                       *made = list != NULL ? json_object_new_array() : NULL;

    anew_take(in, words, o);
    for (size_t i = 0; list != NULL && i < json_object_array_length(list); i++) {
        struct json_object *item = made_response(json_object_array_get_idx(list, i));
        if (item != NULL)
            json_object_array_add(made, item);
    }
    if (made != NULL)
        json_object_object_add(o, "replacement_history", made);
    return o;
}

/* The first one; further ones are those of the sessions that it was made out of. */
static struct json_object *made_meta(struct rebuild *r, struct json_object *in)
{
    struct json_object *o;
    char *cwd;

    if (r->has_begun)
        return NULL;
    r->has_begun = 1;
    cwd = anew_cwd(r, in);
    o = json_object_new_object();
    jdoc_set_str(o, "id", r->opts.session_id);
    if (jdoc_has(in, "session_id"))
        jdoc_set_str(o, "session_id", r->opts.session_id);
    jdoc_set_str(o, "cwd", cwd);
    anew_take(in, meta, o);
    free(cwd);
    return o;
}

static struct json_object *make(struct rebuild *r, struct json_object *in, const char *type)
{
    static const struct anew_member base[] = {TAKE_WORD("timestamp"), TAKE_NUMBER("ordinal"),
                                              TAKE_WORD("type"), TAKE_END};
    struct json_object *payload = jdoc_obj(in, "payload"), *made = NULL, *o;

    if (type == NULL || payload == NULL)
        return NULL;
    if (strcmp(type, "session_meta") == 0)
        made = made_meta(r, payload);
    else if (strcmp(type, "response_item") == 0)
        made = made_response(payload);
    else if (strcmp(type, "event_msg") == 0)
        made = made_event(r, payload);
    else if (strcmp(type, "compacted") == 0)
        made = made_compacted(payload);
    if (made == NULL)
        return NULL;
    o = json_object_new_object();
    anew_take(in, base, o);
    json_object_object_add(o, "payload", made);
    return o;
}

static int is_said(const struct json_object *in, const char *type)
{
    const struct json_object *payload = jdoc_obj(in, "payload");
    const char *kind = jdoc_str(payload, "type"),
               *item = jdoc_str(jdoc_obj(payload, "item"), "type");
    const struct agent_record r = {.type = type != NULL ? type : "",
                                   .subtype = kind != NULL ? kind : "",
                                   .attachment = item != NULL ? item : ""};
    enum agent_news news = codex_record_news(&r);

    return news == AGENT_IS_NEWS || news == AGENT_IS_STEP;
}

struct rebuild *codex_rebuild_new(const struct rebuild_opts *opts, const char *entry)
{
    static const struct anew_rules rules = {
        .id = "",
        .parent = "",
        .cwd_in = "payload",
        .make = make,
        .is_said = is_said,
        .make_own = note_own,
        .end_own = end_own,
        .free_own = settings_free,
    };
    struct rebuild *r = anew_new(opts, &rules);

    r->has_begun = strcmp(entry, "session.jsonl") != 0; /* others' lines have none */
    return r;
}
