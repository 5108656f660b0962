#include <string.h>

#include "agents/codex/codex.h"
#include "common/base/buf.h"
#include "common/data/jdoc.h"

/*
 * Codex's records as turns.  Prompts and answers come from events, for what goes to the model has
 * them once more, among instructions that nobody typed; calls and what they printed come from what
 * goes to the model, for events have them in many forms.
 */

static int is(const char *s, const char *word)
{
    return s != NULL && strcmp(s, word) == 0;
}

static int is_one_of(const char *s, const char *const *words)
{
    for (; s != NULL && *words != NULL; words++) {
        if (strcmp(s, *words) == 0)
            return 1;
    }
    return 0;
}

/* A string, or blocks of text and pictures. */
static void tell_content(struct teller *x, struct json_object *content, enum turn_kind kind)
{
    struct json_object *block;
    const char *type;

    if (json_object_get_type(content) == json_type_string)
        teller_say(x, kind, json_object_get_string(content));
    if (json_object_get_type(content) != json_type_array)
        return;
    for (size_t i = 0; i < json_object_array_length(content); i++) {
        block = json_object_array_get_idx(content, i);
        type = jdoc_str(block, "type");
        if (jdoc_str(block, "text") != NULL)
            teller_say(x, kind, jdoc_str(block, "text"));
        else if (type != NULL && strstr(type, "image") != NULL)
            teller_say(x, kind, "[image]");
        else
            teller_say(x, TURN_NOTE, jdoc_text(block));
    }
}

static struct json_object *member(const struct json_object *o, const char *key)
{
    struct json_object *v = NULL;

    json_object_object_get_ex(o, key, &v);
    return v;
}

/* ---- calls --------------------------------------------------------------------------------------
 */

/* The argument that says most: a string, or a command's words. */
static const char *brief_of(const struct json_object *arguments)
{
    static const char *const keys[] = {"cmd", "command", "path", "query", "url", "pattern"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        struct json_object *v = member(arguments, keys[i]);
        if (json_object_get_type(v) == json_type_array && json_object_array_length(v) > 0)
            v = json_object_array_get_idx(v, json_object_array_length(v) - 1);
        if (json_object_get_type(v) == json_type_string)
            return json_object_get_string(v);
    }
    return NULL;
}

static void tell_call(struct teller *x, const struct json_object *payload)
{
    const char *type = jdoc_str(payload, "type"), *name = jdoc_str(payload, "name");
    const char *arguments = jdoc_str(payload, "arguments"), *input = jdoc_str(payload, "input");
    struct json_object *action = member(payload, "action"), *parsed = NULL;

    x->turn.tool = name != NULL ? name : type;
    if (arguments != NULL && jdoc_parse(arguments, strlen(arguments), &parsed, NULL) == 0)
        x->turn.brief = brief_of(parsed);
    else
        x->turn.brief = brief_of(action);
    if (arguments == NULL)
        arguments = input != NULL ? input : action != NULL ? jdoc_text(action) : "";
    teller_say(x, TURN_CALL, arguments);
    x->turn.tool = x->turn.brief = NULL;
    json_object_put(parsed);
}

/* ---- what goes to the model ---------------------------------------------------------------------
 */

int codex_is_put_in(const struct json_object *payload)
{
    static const char *const marks[] = {"<environment_context>", "<user_instructions>",
                                        "# AGENTS.md instructions", "<permissions instructions>"};
    struct json_object *content = member(payload, "content"), *block;
    const char *text;

    if (is(jdoc_str(payload, "role"), "developer") || is(jdoc_str(payload, "role"), "system"))
        return 1;
    if (json_object_get_type(content) != json_type_array || json_object_array_length(content) == 0)
        return 0;
    block = json_object_array_get_idx(content, 0);
    text = jdoc_str(block, "text");
    for (size_t i = 0; text != NULL && i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (strncmp(text, marks[i], strlen(marks[i])) == 0)
            return 1;
    }
    return 0;
}

static void tell_response(struct teller *x, struct json_object *payload)
{
    const char *type = jdoc_str(payload, "type");
    size_t n = type != NULL ? strlen(type) : 0;

    if (is(type, "message")) {
        if (codex_is_put_in(payload))
            tell_content(x, member(payload, "content"), TURN_NOTE);
    } else if (is(type, "reasoning")) {
        tell_content(x, member(payload, "summary"), TURN_THINKING);
        tell_content(x, member(payload, "content"), TURN_THINKING);
    } else if (n > 5 && strcmp(type + n - 5, "_call") == 0) {
        tell_call(x, payload);
    } else if (n > 7 && strcmp(type + n - 7, "_output") == 0) {
        struct json_object *output = member(payload, "output");
        if (json_object_get_type(output) == json_type_object)
            teller_say(x, TURN_RESULT, jdoc_text(output));
        else
            tell_content(x, output, TURN_RESULT);
    } else if (!is(type, "compaction") && !is(type, "ghost_snapshot")) {
        teller_say(x, TURN_NOTE, jdoc_text(payload));
    }
}

/* ---- events -------------------------------------------------------------------------------------
 */

static void tell_event(struct teller *x, struct json_object *payload)
{
    const char *type = jdoc_str(payload, "type");
    const struct json_object *item = jdoc_obj(payload, "item");
    const char *of = jdoc_str(item, "type");

    if (is(type, "user_message"))
        teller_say(x, TURN_PROMPT, jdoc_str(payload, "message"));
    else if (is(type, "agent_message"))
        teller_say(x, TURN_ANSWER, jdoc_str(payload, "message"));
    else if (is(type, "item_completed") && is(of, "UserMessage"))
        tell_content(x, member(item, "content"), TURN_PROMPT);
    else if (is(type, "item_completed") && is(of, "AgentMessage"))
        tell_content(x, member(item, "content"), TURN_ANSWER);
    else if (is(type, "turn_aborted"))
        teller_say(x, TURN_NOTE, "[interrupted]");
    else if (is(type, "error") || is(type, "warning"))
        teller_say(x, TURN_NOTE, jdoc_str(payload, "message"));
}

void codex_record_turns(struct json_object *record, turns_f *f, void *arg)
{
    static const char *const silent[] = {"session_meta", "turn_context", "world_state",
                                         "token_usage_record", NULL};
    struct teller x = {.f = f, .arg = arg};
    const char *type = jdoc_str(record, "type");
    struct json_object *payload = jdoc_obj(record, "payload");

    x.turn.at = jdoc_str(record, "timestamp");
    x.turn.record = jdoc_str(payload, "id");
    if (x.turn.record == NULL)
        x.turn.record = jdoc_str(jdoc_obj(payload, "item"), "id");
    if (is_one_of(type, silent))
        return;
    if (is(type, "event_msg"))
        tell_event(&x, payload);
    else if (is(type, "response_item"))
        tell_response(&x, payload);
    else if (is(type, "compacted"))
        teller_say(&x, TURN_SUMMARY, jdoc_str(payload, "message"));
    else
        teller_say(&x, TURN_NOTE, jdoc_text(record));
}
