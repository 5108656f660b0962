#include <string.h>

#include "agents/qwen/qwen.h"
#include "common/data/jdoc.h"

/*
 * Qwen Code's records as turns: a message is a list of parts, of which each holds a text, a
 * thought, a call, what that printed, or a picture.
 */

static void tell_call(struct teller *x, const struct json_object *call)
{
    static const char *const keys[] = {
        "command", "file_path", "absolute_path", "path",        "pattern", "query",
        "url",     "prompt",    "name",          "description", NULL};

    teller_call(x, jdoc_str(call, "name"), jdoc_obj(call, "args"), keys);
}

static void tell_result(struct teller *x, const struct json_object *result)
{
    struct json_object *response = jdoc_obj(result, "response");
    const char *text = jdoc_str(response, "output");

    if (text == NULL)
        text = jdoc_str(response, "error");
    if (text == NULL)
        text = response != NULL ? jdoc_text(response) : "";
    teller_say(x, TURN_RESULT, text);
}

static void tell_image(struct teller *x, enum turn_kind said, const struct json_object *data)
{
    const struct turn_image image = {jdoc_str(data, "mimeType"), jdoc_str(data, "data")};

    x->turn.images = &image;
    x->turn.n_images = image.type != NULL && image.data != NULL;
    teller_say(x, said, "[image]");
    x->turn.images = NULL;
    x->turn.n_images = 0;
}

static void tell_part(struct teller *x, enum turn_kind said, struct json_object *part)
{
    const char *text = jdoc_str(part, "text");

    if (text != NULL)
        teller_say(x, jdoc_bool(part, "thought", 0) ? TURN_THINKING : said, text);
    else if (jdoc_obj(part, "functionCall") != NULL)
        tell_call(x, jdoc_obj(part, "functionCall"));
    else if (jdoc_obj(part, "functionResponse") != NULL)
        tell_result(x, jdoc_obj(part, "functionResponse"));
    else if (jdoc_obj(part, "inlineData") != NULL)
        tell_image(x, said, jdoc_obj(part, "inlineData"));
    else if (part != NULL)
        teller_say(x, TURN_NOTE, jdoc_text(part));
}

/* What a compression left is the conversation again, in fewer words. */
static void tell_compressed(struct teller *x, const struct json_object *record)
{
    struct json_object *list = jdoc_array(jdoc_obj(record, "systemPayload"), "compressedHistory");

    for (size_t i = 0; list != NULL && i < json_object_array_length(list); i++) {
        struct json_object *parts = jdoc_array(json_object_array_get_idx(list, i), "parts");
        for (size_t k = 0; parts != NULL && k < json_object_array_length(parts); k++)
            tell_part(x, TURN_SUMMARY, json_object_array_get_idx(parts, k));
    }
}

/* Is it a prompt that a person typed, or what was put in as one? */
static enum turn_kind kind_of(const struct json_object *record)
{
    const char *from = jdoc_str(record, "provenance"), *type = jdoc_str(record, "type");

    if (strcmp(type, "assistant") == 0)
        return TURN_ANSWER;
    if (strcmp(type, "tool_result") == 0)
        return TURN_RESULT;
    return from == NULL || strcmp(from, "real_user") == 0 ? TURN_PROMPT : TURN_NOTE;
}

void qwen_record_turns(struct json_object *record, turns_f *f, void *arg)
{
    struct teller x = {.f = f, .arg = arg};
    const char *type = jdoc_str(record, "type"), *subtype = jdoc_str(record, "subtype");
    struct json_object *parts = jdoc_array(jdoc_obj(record, "message"), "parts");

    x.turn.at = jdoc_str(record, "timestamp");
    x.turn.record = jdoc_str(record, "uuid");
    x.turn.cwd = jdoc_str(record, "cwd");
    if (type == NULL) {
        teller_say(&x, TURN_NOTE, jdoc_text(record));
    } else if (strcmp(type, "system") == 0) {
        if (subtype != NULL && strcmp(subtype, "chat_compression") == 0)
            tell_compressed(&x, record);
        else if (!qwen_is_setting(type, subtype != NULL ? subtype : ""))
            teller_say(&x, TURN_NOTE, jdoc_text(record));
    } else {
        for (size_t i = 0; parts != NULL && i < json_object_array_length(parts); i++)
            tell_part(&x, kind_of(record), json_object_array_get_idx(parts, i));
    }
}
