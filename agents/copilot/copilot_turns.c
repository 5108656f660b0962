#include <string.h>

#include "agents/copilot/copilot.h"
#include "common/data/jdoc.h"

/*
 * Copilot CLI's events as turns.  A call stands in the message that asks for it, and again when it
 * begins: it is told once.
 */

static void tell(struct teller *x, enum turn_kind kind, const char *text)
{
    if (text != NULL && text[0] != '\0')
        teller_say(x, kind, text);
}

static void tell_call(struct teller *x, const char *name, struct json_object *arguments)
{
    static const char *const keys[] = {"command", "path",   "pattern",     "query",
                                       "url",     "prompt", "description", NULL};

    x->turn.tool = name != NULL ? name : "?";
    for (size_t i = 0; x->turn.brief == NULL && keys[i] != NULL; i++)
        x->turn.brief = jdoc_str(arguments, keys[i]);
    tell(x, TURN_CALL, arguments != NULL ? jdoc_text(arguments) : "{}");
    x->turn.tool = x->turn.brief = NULL;
}

static void tell_answer(struct teller *x, const struct json_object *data)
{
    struct json_object *requests = jdoc_array(data, "toolRequests");

    tell(x, TURN_THINKING, jdoc_str(data, "reasoningText"));
    tell(x, TURN_ANSWER, jdoc_str(data, "content"));
    for (size_t i = 0; requests != NULL && i < json_object_array_length(requests); i++) {
        struct json_object *request = json_object_array_get_idx(requests, i);
        tell_call(x, jdoc_str(request, "name"), jdoc_obj(request, "arguments"));
    }
}

static void tell_result(struct teller *x, const struct json_object *data)
{
    const char *text = jdoc_str(jdoc_obj(data, "result"), "content");

    if (text == NULL)
        text = jdoc_str(jdoc_obj(data, "error"), "message");
    tell(x, TURN_RESULT, text);
}

static void tell_prompt(struct teller *x, const struct json_object *data)
{
    int is_put_in =
        jdoc_str(data, "source") != NULL || jdoc_bool(data, "isAutopilotContinuation", 0);

    tell(x, is_put_in ? TURN_NOTE : TURN_PROMPT, jdoc_str(data, "content"));
}

/* What else may have words: its own, else all of it. */
static void tell_note(struct teller *x, struct json_object *record)
{
    static const char *const keys[] = {"content", "message", "summary"};
    struct json_object *data = jdoc_obj(record, "data");
    const char *text = NULL;

    for (size_t i = 0; text == NULL && i < sizeof(keys) / sizeof(keys[0]); i++)
        text = jdoc_str(data, keys[i]);
    tell(x, TURN_NOTE, text != NULL ? text : jdoc_text(record));
}

void copilot_record_turns(struct json_object *record, turns_f *f, void *arg)
{
    struct teller x = {.f = f, .arg = arg};
    const char *type = jdoc_str(record, "type");
    struct json_object *data = jdoc_obj(record, "data");

    x.turn.at = jdoc_str(record, "timestamp");
    x.turn.record = jdoc_str(record, "id");
    x.turn.is_aside =
        jdoc_str(record, "agentId") != NULL || jdoc_str(data, "parentToolCallId") != NULL;
    if (type == NULL || data == NULL)
        tell(&x, TURN_NOTE, jdoc_text(record));
    else if (strcmp(type, "user.message") == 0)
        tell_prompt(&x, data);
    else if (strcmp(type, "assistant.message") == 0)
        tell_answer(&x, data);
    else if (strcmp(type, "tool.execution_complete") == 0)
        tell_result(&x, data);
    else if (strcmp(type, "tool.user_requested") == 0)
        tell_call(&x, jdoc_str(data, "toolName"), jdoc_obj(data, "arguments"));
    else if (strcmp(type, "session.compaction_complete") == 0)
        tell(&x, TURN_SUMMARY, jdoc_str(data, "summaryContent"));
    else if (!copilot_is_silent(type))
        tell_note(&x, record);
}
