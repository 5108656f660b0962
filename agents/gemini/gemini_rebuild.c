#include <stdlib.h>
#include <string.h>

#include "agents/lines/anew.h"
#include "agents/gemini/gemini.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

/*
 * A session of Gemini CLI on its way home.  Of what others wrote words, pictures, calls and their
 * results come; not the folders that a session added to its workspace, not what it noted for the
 * agent's memory, not another text to be shown in place of a message, not the records of edits by
 * which /rewind writes and deletes files, and no signatures.  Of one's own such a record comes only
 * if the file is below the folder that was chosen.
 */

static const struct anew_member data[] = {TAKE_WORD("mimeType"), TAKE_TEXT("data"), TAKE_END};
static const struct anew_member function_call[] = {TAKE_WORD("id"), TAKE_WORD("name"),
                                                   TAKE_VALUE("args"), TAKE_END};
static const struct anew_member function_response[] = {TAKE_WORD("id"), TAKE_WORD("name"),
                                                       TAKE_VALUE("response"), TAKE_END};
static const struct anew_member part[] = {TAKE_TEXT("text"),
                                          TAKE_YES_OR_NO("thought"),
                                          TAKE_OBJECT("inlineData", data),
                                          TAKE_OBJECT("functionCall", function_call),
                                          TAKE_OBJECT("functionResponse", function_response),
                                          TAKE_END};
static const struct anew_member thought[] = {TAKE_TEXT("subject"), TAKE_TEXT("description"),
                                             TAKE_WORD("timestamp"), TAKE_END};
static const struct anew_member tool_call[] = {TAKE_WORD("id"),
                                               TAKE_WORD("name"),
                                               TAKE_VALUE("args"),
                                               TAKE_LIST("result", part),
                                               TAKE_WORD("status"),
                                               TAKE_WORD("timestamp"),
                                               TAKE_TEXT("resultDisplay"),
                                               TAKE_TEXT("description"),
                                               TAKE_TEXT("displayName"),
                                               TAKE_YES_OR_NO("renderOutputAsMarkdown"),
                                               TAKE_END};
static const struct anew_member message[] = {TAKE_WORD("id"),
                                             TAKE_WORD("timestamp"),
                                             TAKE_WORD("type"),
                                             TAKE_LIST("content", part),
                                             TAKE_LIST("thoughts", thought),
                                             TAKE_NUMBERS("tokens"),
                                             TAKE_WORD("model"),
                                             TAKE_LIST("toolCalls", tool_call),
                                             TAKE_END};
static const struct anew_member header[] = {TAKE_WORD("projectHash"), TAKE_WORD("startTime"),
                                            TAKE_WORD("lastUpdated"), TAKE_TEXT("summary"),
                                            TAKE_END};
static const struct anew_member set[] = {TAKE_WORD("lastUpdated"), TAKE_TEXT("summary"), TAKE_END};

/* What Gemini CLI itself said first, without what it listed of the project; NULL if it speaks of
 * a folder that is none of this one. */
static struct json_object *made_context(const struct rebuild *r, const char *text)
{
    char cwd[4097], *moved = NULL, *said;
    struct json_object *list = NULL, *block;

    gemini_context_cwd(text, cwd, sizeof(cwd));
    if (cwd[0] != '\0' && r->opts.cwd != NULL)
        moved = r->opts.moved(r->opts.arg, cwd);
    if (cwd[0] != '\0' &&
        (r->opts.cwd == NULL || (moved != NULL && path_stays_below(moved, r->opts.cwd)))) {
        said = gemini_context(cwd);
        block = json_object_new_object();
        jdoc_set_str(block, "text", said);
        list = json_object_new_array();
        json_object_array_add(list, block);
        free(said);
    }
    free(moved);
    return list;
}

/* Messages of other types are for the eye. */
static struct json_object *made_message(const struct rebuild *r, struct json_object *in)
{
    const char *type = jdoc_str(in, "type"), *text = gemini_first_text(in);
    struct json_object *o, *context;

    if (type == NULL || (strcmp(type, "user") != 0 && strcmp(type, "gemini") != 0) ||
        anew_id(in, "id")[0] == '\0')
        return NULL;
    o = json_object_new_object();
    anew_take(in, message, o);
    if (text == NULL || !gemini_is_context(text))
        return o;
    context = made_context(r, text);
    if (context != NULL) {
        json_object_object_add(o, "content", context);
        return o;
    }
    json_object_put(o);
    return NULL;
}

static struct json_object *made_set(const struct rebuild *r, struct json_object *in)
{
    struct json_object *o = json_object_new_object(), *to = json_object_new_object(), *list, *copy;
    const struct json_object *messages = jdoc_array(in, "messages");

    anew_take(in, set, to);
    if (messages != NULL) {
        list = json_object_new_array();
        for (size_t i = 0; i < json_object_array_length(messages); i++) {
            copy = made_message(r, json_object_array_get_idx(messages, i));
            if (copy != NULL)
                json_object_array_add(list, copy);
        }
        json_object_object_add(to, "messages", list);
    }
    json_object_object_add(o, "$set", to);
    return o;
}

static struct json_object *made_header(struct rebuild *r, struct json_object *in, int is_main)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_str(o, "sessionId", is_main ? r->opts.session_id : anew_id(in, "sessionId"));
    anew_take(in, header, o);
    jdoc_set_str(o, "kind", is_main ? "main" : "subagent");
    r->has_begun = 1;
    return o;
}

static struct json_object *make_of(struct rebuild *r, struct json_object *in, int is_main)
{
    struct json_object *o;

    if (jdoc_str(in, "$rewindTo") != NULL && anew_id(in, "$rewindTo")[0] != '\0') {
        o = json_object_new_object();
        jdoc_set_str(o, "$rewindTo", anew_id(in, "$rewindTo"));
        return o;
    }
    if (jdoc_str(in, "id") != NULL)
        return made_message(r, in);
    if (jdoc_obj(in, "$set") != NULL)
        return made_set(r, jdoc_obj(in, "$set"));
    if (anew_id(in, "sessionId")[0] != '\0' && anew_id(in, "projectHash")[0] != '\0')
        return made_header(r, in, is_main);
    return NULL;
}

static struct json_object *make(struct rebuild *r, struct json_object *in, const char *type)
{
    (void)type;
    return make_of(r, in, 1);
}

static struct json_object *make_aside(struct rebuild *r, struct json_object *in, const char *type)
{
    (void)type;
    return make_of(r, in, 0);
}

/* Is that the record of an edit, by which /rewind writes or deletes a file, of one elsewhere? */
static int is_edit_elsewhere(const struct rebuild *r, const struct json_object *call)
{
    const char *path = jdoc_str(jdoc_obj(call, "resultDisplay"), "filePath");
    char *moved = path != NULL && r->opts.cwd != NULL ? r->opts.moved(r->opts.arg, path) : NULL;
    int is_so = path != NULL && (moved == NULL || !path_stays_below(moved, r->opts.cwd));

    free(moved);
    return is_so;
}

/* Take such records out of a message; return whether there was one. */
static int drop_edits(const struct rebuild *r, const struct json_object *m)
{
    const struct json_object *calls = jdoc_array(m, "toolCalls");
    int is_changed = 0;

    for (size_t i = 0; calls != NULL && i < json_object_array_length(calls); i++) {
        struct json_object *one = json_object_array_get_idx(calls, i);
        if (!is_edit_elsewhere(r, one))
            continue;
        json_object_object_del(one, "resultDisplay");
        is_changed = 1;
    }
    return is_changed;
}

static int drop_edits_of(const struct rebuild *r, const struct json_object *messages)
{
    int is_changed = 0;

    for (size_t i = 0; messages != NULL && i < json_object_array_length(messages); i++)
        is_changed |= drop_edits(r, json_object_array_get_idx(messages, i));
    return is_changed;
}

/* A message, messages that are set, or those in the header of an older file.  A name can be spelled
 * in many ways. */
static struct json_object *make_own(struct rebuild *r, const char *p, size_t n)
{
    struct json_object *o = NULL;
    int is_changed;

    if (r->opts.cwd == NULL ||
        (memmem(p, n, "\"filePath\"", 10) == NULL && memmem(p, n, "\\u", 2) == NULL) ||
        jdoc_parse(p, n, &o, NULL) != 0)
        return NULL;
    is_changed = drop_edits(r, o);
    is_changed |= drop_edits_of(r, jdoc_array(jdoc_obj(o, "$set"), "messages"));
    is_changed |= drop_edits_of(r, jdoc_array(o, "messages"));
    if (is_changed)
        return o;
    json_object_put(o);
    return NULL;
}

static int is_said(const struct json_object *in, const char *type)
{
    (void)in;
    return type != NULL && (strcmp(type, "user") == 0 || strcmp(type, "gemini") == 0);
}

struct rebuild *gemini_rebuild_new(const struct rebuild_opts *opts, const char *entry)
{
    static const struct anew_rules
        rules = {.id = "id", .parent = "", .make = make, .is_said = is_said, .make_own = make_own},
        aside = {
            .id = "id", .parent = "", .make = make_aside, .is_said = is_said, .make_own = make_own};
    size_t n = strlen(entry);
    struct rebuild *r;

    if (n < 6 || strcmp(entry + n - 6, ".jsonl") != 0)
        return NULL; /* a text */
    r = anew_new(opts, strncmp(entry, "session-subdir/subagents/", 25) == 0 ? &aside : &rules);
    r->has_begun = strcmp(entry, "session.jsonl") != 0; /* others' lines have no header */
    return r;
}
