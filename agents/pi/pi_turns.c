#include <string.h>

#include "agents/pi/pi.h"
#include "common/base/buf.h"
#include "common/data/jdoc.h"

/*
 * pi's records as turns.  Only the header has a working folder, so a turn has none; settings and
 * counts are none of the conversation.
 */
struct telling {
    turns_f *f;
    void *arg;
    struct turn turn;
};

static void tell(struct telling *x, enum turn_kind kind, const char *text)
{
    x->turn.kind = kind;
    x->turn.text = text;
    x->f(x->arg, &x->turn);
    x->turn.part++;
}

static void tell_call(struct telling *x, const struct json_object *block)
{
    static const char *const keys[] = {"command", "path", "pattern", "query", "url", "description"};
    struct json_object *arguments = jdoc_obj(block, "arguments");

    x->turn.tool = jdoc_str(block, "name") != NULL ? jdoc_str(block, "name") : "?";
    for (size_t i = 0; x->turn.brief == NULL && i < sizeof(keys) / sizeof(keys[0]); i++)
        x->turn.brief = jdoc_str(arguments, keys[i]);
    tell(x, TURN_CALL, arguments != NULL ? jdoc_text(arguments) : "");
    x->turn.tool = x->turn.brief = NULL;
}

static void tell_block(struct telling *x, struct json_object *block, enum turn_kind said)
{
    const char *type = jdoc_str(block, "type"), *text = jdoc_str(block, "text");

    if (json_object_get_type(block) == json_type_string)
        tell(x, said, json_object_get_string(block));
    else if (type != NULL && strcmp(type, "text") == 0 && text != NULL)
        tell(x, said, text);
    else if (type != NULL && strcmp(type, "thinking") == 0 && jdoc_str(block, type) != NULL)
        tell(x, TURN_THINKING, jdoc_str(block, type));
    else if (type != NULL && strcmp(type, "toolCall") == 0)
        tell_call(x, block);
    else if (type != NULL && strcmp(type, "image") == 0)
        tell(x, said, "[image]");
    else if (block != NULL)
        tell(x, TURN_NOTE, jdoc_text(block));
}

/* A string or blocks. */
static void tell_content(struct telling *x, const struct json_object *o, enum turn_kind said)
{
    struct json_object *content = NULL;

    json_object_object_get_ex(o, "content", &content);
    if (json_object_get_type(content) == json_type_string)
        tell(x, said, json_object_get_string(content));
    else if (json_object_get_type(content) == json_type_array)
        for (size_t i = 0; i < json_object_array_length(content); i++)
            tell_block(x, json_object_array_get_idx(content, i), said);
}

static void tell_message(struct telling *x, const struct json_object *message)
{
    const char *role = jdoc_str(message, "role"), *text;

    if (role == NULL)
        tell(x, TURN_NOTE, jdoc_text((struct json_object *)(uintptr_t)message));
    else if (strcmp(role, "user") == 0)
        tell_content(x, message, TURN_PROMPT);
    else if (strcmp(role, "assistant") == 0)
        tell_content(x, message, TURN_ANSWER);
    else if (strcmp(role, "toolResult") == 0)
        tell_content(x, message, TURN_RESULT);
    else if (strcmp(role, "bashExecution") == 0) {
        text = jdoc_str(message, "command");
        tell(x, TURN_PROMPT, text != NULL ? text : "");
        text = jdoc_str(message, "output");
        tell(x, TURN_RESULT, text != NULL ? text : "");
    } else
        tell_content(x, message, TURN_NOTE);
    text = jdoc_str(message, "errorMessage");
    if (text != NULL)
        tell(x, TURN_NOTE, text);
}

void pi_record_turns(struct json_object *record, turns_f *f, void *arg)
{
    static const char *const silent[] = {"session",      "model_change", "thinking_level_change",
                                         "session_info", "usage",        "label",
                                         "custom"};
    struct telling x = {.f = f, .arg = arg};
    const char *type = jdoc_str(record, "type");

    x.turn.at = jdoc_str(record, "timestamp");
    x.turn.record = jdoc_str(record, "id");
    for (size_t i = 0; type != NULL && i < sizeof(silent) / sizeof(silent[0]); i++) {
        if (strcmp(type, silent[i]) == 0)
            return;
    }
    if (type != NULL && strcmp(type, "message") == 0 && jdoc_obj(record, "message") != NULL)
        tell_message(&x, jdoc_obj(record, "message"));
    else if (type != NULL && strcmp(type, "custom_message") == 0)
        tell_content(&x, record, TURN_NOTE);
    else if (jdoc_str(record, "summary") != NULL)
        tell(&x, TURN_SUMMARY, jdoc_str(record, "summary"));
    else
        tell(&x, TURN_NOTE, jdoc_text(record));
}
