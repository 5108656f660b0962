#include <string.h>

#include "agents/pi/pi.h"
#include "common/base/buf.h"
#include "common/data/jdoc.h"

/*
 * pi's records as turns.  Only the header has a working folder, so a turn has none; settings and
 * counts are none of the conversation.
 */

static void tell_call(struct teller *x, const struct json_object *block)
{
    static const char *const keys[] = {"command", "path",        "pattern", "query",
                                       "url",     "description", NULL};

    teller_call(x, jdoc_str(block, "name"), jdoc_obj(block, "arguments"), keys);
}

static void tell_block(struct teller *x, struct json_object *block, enum turn_kind said)
{
    const char *type = jdoc_str(block, "type"), *text = jdoc_str(block, "text");

    if (json_object_get_type(block) == json_type_string)
        teller_say(x, said, json_object_get_string(block));
    else if (type != NULL && strcmp(type, "text") == 0 && text != NULL)
        teller_say(x, said, text);
    else if (type != NULL && strcmp(type, "thinking") == 0 && jdoc_str(block, type) != NULL)
        teller_say(x, TURN_THINKING, jdoc_str(block, type));
    else if (type != NULL && strcmp(type, "toolCall") == 0)
        tell_call(x, block);
    else if (type != NULL && strcmp(type, "image") == 0)
        teller_say(x, said, "[image]");
    else if (block != NULL)
        teller_say(x, TURN_NOTE, jdoc_text(block));
}

/* A string or blocks. */
static void tell_content(struct teller *x, const struct json_object *o, enum turn_kind said)
{
    struct json_object *content = NULL;

    json_object_object_get_ex(o, "content", &content);
    if (json_object_get_type(content) == json_type_string)
        teller_say(x, said, json_object_get_string(content));
    else if (json_object_get_type(content) == json_type_array)
        for (size_t i = 0; i < json_object_array_length(content); i++)
            tell_block(x, json_object_array_get_idx(content, i), said);
}

static void tell_message(struct teller *x, const struct json_object *message)
{
    const char *role = jdoc_str(message, "role"), *text;

    if (role == NULL)
        teller_say(x, TURN_NOTE, jdoc_text((struct json_object *)(uintptr_t)message));
    else if (strcmp(role, "user") == 0)
        tell_content(x, message, TURN_PROMPT);
    else if (strcmp(role, "assistant") == 0)
        tell_content(x, message, TURN_ANSWER);
    else if (strcmp(role, "toolResult") == 0)
        tell_content(x, message, TURN_RESULT);
    else if (strcmp(role, "bashExecution") == 0) {
        text = jdoc_str(message, "command");
        teller_say(x, TURN_PROMPT, text != NULL ? text : "");
        text = jdoc_str(message, "output");
        teller_say(x, TURN_RESULT, text != NULL ? text : "");
    } else
        tell_content(x, message, TURN_NOTE);
    text = jdoc_str(message, "errorMessage");
    if (text != NULL)
        teller_say(x, TURN_NOTE, text);
}

void pi_record_turns(struct json_object *record, turns_f *f, void *arg)
{
    static const char *const silent[] = {"session",      "model_change", "thinking_level_change",
                                         "session_info", "usage",        "label",
                                         "custom"};
    struct teller x = {.f = f, .arg = arg};
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
        teller_say(&x, TURN_SUMMARY, jdoc_str(record, "summary"));
    else
        teller_say(&x, TURN_NOTE, jdoc_text(record));
}
