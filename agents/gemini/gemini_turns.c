#include <string.h>

#include "agents/gemini/gemini.h"
#include "common/base/buf.h"
#include "common/data/jdoc.h"

/*
 * Gemini CLI's records as turns.  A message comes again when more of it is known, and all of them
 * when a session is resumed; a call's result stands in it and in the message behind it.  So each
 * part is told by what it is known by, and those who listen hear it once.
 */

static void tell(struct teller *x, enum turn_kind kind, const char *once, const char *text)
{
    x->turn.once = once;
    teller_say(x, kind, text);
}

static void tell_call(struct teller *x, const struct json_object *call)
{
    static const char *const keys[] = {"command", "file_path", "pattern",  "query", "url",
                                       "prompt",  "path",      "dir_path", NULL};

    x->turn.once = jdoc_str(call, "id");
    teller_call(x, jdoc_str(call, "name"), jdoc_obj(call, "args"), keys);
}

static void tell_result(struct teller *x, const struct json_object *response)
{
    struct json_object *said = jdoc_obj(response, "response");
    const char *output = jdoc_str(said, "output");

    if (output == NULL)
        output = jdoc_str(said, "error");
    if (output == NULL && said != NULL)
        output = jdoc_text(said);
    tell(x, TURN_RESULT, jdoc_str(response, "id"), output != NULL ? output : "");
}

static void tell_part(struct teller *x, struct json_object *part, enum turn_kind said)
{
    const char *text = jdoc_str(part, "text"), *id = x->turn.record;

    if (json_object_get_type(part) == json_type_string)
        tell(x, said, id, json_object_get_string(part));
    else if (text != NULL)
        tell(x, jdoc_bool(part, "thought", 0) ? TURN_THINKING : said, id, text);
    else if (jdoc_obj(part, "functionCall") != NULL)
        tell_call(x, jdoc_obj(part, "functionCall"));
    else if (jdoc_obj(part, "functionResponse") != NULL)
        tell_result(x, jdoc_obj(part, "functionResponse"));
    else if (jdoc_obj(part, "inlineData") != NULL)
        tell(x, said, id, "[image]");
    else if (part != NULL)
        tell(x, TURN_NOTE, id, jdoc_text(part));
}

/* A string, one part or several; a string that is empty says nothing. */
static void tell_content(struct teller *x, struct json_object *content, enum turn_kind said)
{
    if (json_object_get_type(content) == json_type_array)
        for (size_t i = 0; i < json_object_array_length(content); i++)
            tell_part(x, json_object_array_get_idx(content, i), said);
    else if (json_object_get_type(content) != json_type_string ||
             json_object_get_string_len(content) > 0)
        tell_part(x, content, said);
}

static void tell_thoughts(struct teller *x, const struct json_object *thoughts)
{
    struct buf b = {0};

    for (size_t i = 0; thoughts != NULL && i < json_object_array_length(thoughts); i++) {
        const struct json_object *t = json_object_array_get_idx(thoughts, i);
        const char *subject = jdoc_str(t, "subject"), *more = jdoc_str(t, "description");
        buf_reset(&b);
        buf_printf(&b, "%s%s%s", subject != NULL ? subject : "",
                   subject != NULL && more != NULL ? ": " : "", more != NULL ? more : "");
        buf_addc(&b, '\0');
        tell(x, TURN_THINKING, x->turn.record, b.data);
    }
    buf_free(&b);
}

static void tell_calls(struct teller *x, const struct json_object *calls)
{
    for (size_t i = 0; calls != NULL && i < json_object_array_length(calls); i++) {
        const struct json_object *call = json_object_array_get_idx(calls, i);
        struct json_object *result = NULL;
        tell_call(x, call);
        json_object_object_get_ex(call, "result", &result);
        if (json_object_get_type(result) == json_type_string)
            tell(x, TURN_RESULT, jdoc_str(call, "id"), json_object_get_string(result));
        else if (result != NULL)
            tell_content(x, result, TURN_RESULT);
    }
}

static void tell_message(struct teller *x, const struct json_object *m)
{
    const char *type = jdoc_str(m, "type");
    enum turn_kind said = TURN_NOTE;
    const char *text = gemini_first_text(m);
    struct json_object *content = NULL;

    x->turn.at = jdoc_str(m, "timestamp");
    x->turn.record = jdoc_str(m, "id");
    x->turn.part = 0;
    json_object_object_get_ex(m, "content", &content);
    if (type != NULL && strcmp(type, "user") == 0)
        said = text != NULL && gemini_is_context(text) ? TURN_NOTE : TURN_PROMPT;
    else if (type != NULL && strcmp(type, "gemini") == 0)
        said = TURN_ANSWER;
    tell_thoughts(x, jdoc_array(m, "thoughts"));
    if (content != NULL)
        tell_content(x, content, said);
    tell_calls(x, jdoc_array(m, "toolCalls"));
}

void gemini_record_turns(struct json_object *record, turns_f *f, void *arg)
{
    struct teller x = {.f = f, .arg = arg};
    const struct json_object *messages = jdoc_array(jdoc_obj(record, "$set"), "messages");

    if (messages == NULL)
        messages = jdoc_array(record, "messages");
    for (size_t i = 0; messages != NULL && i < json_object_array_length(messages); i++)
        tell_message(&x, json_object_array_get_idx(messages, i));
    if (jdoc_str(record, "$rewindTo") != NULL)
        tell(&x, TURN_NOTE, NULL, "[went back: what was said from some message on is taken back]");
    else if (jdoc_str(record, "id") != NULL)
        tell_message(&x, record);
    else if (jdoc_str(record, "sessionId") == NULL && jdoc_obj(record, "$set") == NULL)
        tell(&x, TURN_NOTE, NULL, jdoc_text(record));
}
