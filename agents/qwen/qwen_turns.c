#include <string.h>

#include "agents/qwen/qwen.h"
#include "common/data/jdoc.h"

/*
 * Qwen Code's records as turns: a message is a list of parts, of which each holds a text, a
 * thought, a call, what that printed, or a picture.
 */
struct telling {
    turns_f *f;
    void *arg;
    struct turn turn;
    struct turn_image image;
};

static void tell(struct telling *x, enum turn_kind kind, const char *text)
{
    x->turn.kind = kind;
    x->turn.text = text;
    x->f(x->arg, &x->turn);
    x->turn.part++;
}

static void tell_call(struct telling *x, const struct json_object *call)
{
    static const char *const keys[] = {
        "command", "file_path", "absolute_path", "path",        "pattern", "query",
        "url",     "prompt",    "name",          "description", NULL};
    struct json_object *args = jdoc_obj(call, "args");

    x->turn.tool = jdoc_str(call, "name") != NULL ? jdoc_str(call, "name") : "?";
    for (size_t i = 0; x->turn.brief == NULL && keys[i] != NULL; i++)
        x->turn.brief = jdoc_str(args, keys[i]);
    tell(x, TURN_CALL, args != NULL ? jdoc_text(args) : "");
    x->turn.tool = x->turn.brief = NULL;
}

static void tell_result(struct telling *x, const struct json_object *result)
{
    struct json_object *response = jdoc_obj(result, "response");
    const char *text = jdoc_str(response, "output");

    if (text == NULL)
        text = jdoc_str(response, "error");
    if (text == NULL)
        text = response != NULL ? jdoc_text(response) : "";
    tell(x, TURN_RESULT, text);
}

static void tell_image(struct telling *x, enum turn_kind said, const struct json_object *data)
{
    x->image.type = jdoc_str(data, "mimeType");
    x->image.data = jdoc_str(data, "data");
    x->turn.images = &x->image;
    x->turn.n_images = x->image.type != NULL && x->image.data != NULL;
    tell(x, said, "[image]");
    x->turn.images = NULL;
    x->turn.n_images = 0;
}

static void tell_part(struct telling *x, enum turn_kind said, struct json_object *part)
{
    const char *text = jdoc_str(part, "text");

    if (text != NULL)
        tell(x, jdoc_bool(part, "thought", 0) ? TURN_THINKING : said, text);
    else if (jdoc_obj(part, "functionCall") != NULL)
        tell_call(x, jdoc_obj(part, "functionCall"));
    else if (jdoc_obj(part, "functionResponse") != NULL)
        tell_result(x, jdoc_obj(part, "functionResponse"));
    else if (jdoc_obj(part, "inlineData") != NULL)
        tell_image(x, said, jdoc_obj(part, "inlineData"));
    else if (part != NULL)
        tell(x, TURN_NOTE, jdoc_text(part));
}

/* What a compression left is the conversation again, in fewer words. */
static void tell_compressed(struct telling *x, const struct json_object *record)
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
    struct telling x = {.f = f, .arg = arg};
    const char *type = jdoc_str(record, "type"), *subtype = jdoc_str(record, "subtype");
    struct json_object *parts = jdoc_array(jdoc_obj(record, "message"), "parts");

    x.turn.at = jdoc_str(record, "timestamp");
    x.turn.record = jdoc_str(record, "uuid");
    x.turn.cwd = jdoc_str(record, "cwd");
    if (type == NULL) {
        tell(&x, TURN_NOTE, jdoc_text(record));
    } else if (strcmp(type, "system") == 0) {
        if (subtype != NULL && strcmp(subtype, "chat_compression") == 0)
            tell_compressed(&x, record);
        else if (!qwen_is_setting(type, subtype != NULL ? subtype : ""))
            tell(&x, TURN_NOTE, jdoc_text(record));
    } else {
        for (size_t i = 0; parts != NULL && i < json_object_array_length(parts); i++)
            tell_part(&x, kind_of(record), json_object_array_get_idx(parts, i));
    }
}
