#include <string.h>

#include "agents/opencode/opencode.h"
#include "common/data/jdoc.h"

/*
 * Sessions of opencode as turns.  A message comes again when there is more of it: each part is told
 * by its id, and heard once.
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

static void tell_call(struct telling *x, const struct json_object *part)
{
    static const char *const keys[] = {"command", "filePath", "pattern",    "query",
                                       "url",     "path",     "description"};
    const struct json_object *state = jdoc_obj(part, "state");
    struct json_object *input = jdoc_obj(state, "input");
    const char *output = jdoc_str(state, "output");

    x->turn.tool = jdoc_str(part, "tool") != NULL ? jdoc_str(part, "tool") : "?";
    for (size_t i = 0; x->turn.brief == NULL && i < sizeof(keys) / sizeof(keys[0]); i++)
        x->turn.brief = jdoc_str(input, keys[i]);
    tell(x, TURN_CALL, input != NULL ? jdoc_text(input) : "");
    x->turn.tool = x->turn.brief = NULL;
    if (output == NULL)
        output = jdoc_str(state, "error");
    if (output != NULL)
        tell(x, TURN_RESULT, output);
}

static void tell_part(struct telling *x, struct json_object *part, enum turn_kind said)
{
    static const char *const silent[] = {"step-start", "step-finish", "patch", "snapshot"};
    const char *type = jdoc_str(part, "type"), *text = jdoc_str(part, "text");
    const char *mime = jdoc_str(part, "mime");

    x->turn.once = jdoc_str(part, "id");
    for (size_t i = 0; type != NULL && i < sizeof(silent) / sizeof(silent[0]); i++) {
        if (strcmp(type, silent[i]) == 0)
            return;
    }
    if (type != NULL && strcmp(type, "text") == 0 && text != NULL)
        tell(x, jdoc_bool(part, "synthetic", 0) ? TURN_NOTE : said, text);
    else if (type != NULL && strcmp(type, "reasoning") == 0 && text != NULL)
        tell(x, TURN_THINKING, text);
    else if (type != NULL && strcmp(type, "tool") == 0)
        tell_call(x, part);
    else if (type != NULL && strcmp(type, "file") == 0 && mime != NULL &&
             strncmp(mime, "image/", 6) == 0)
        tell(x, said, "[image]");
    else if (part != NULL)
        tell(x, TURN_NOTE, jdoc_text(part));
}

void opencode_record_turns(struct json_object *record, turns_f *f, void *arg)
{
    struct telling x = {.f = f, .arg = arg};
    const struct json_object *parts = jdoc_array(record, "parts");
    const char *type = jdoc_str(record, "type"), *role = jdoc_str(record, "role");
    enum turn_kind said = TURN_NOTE;

    x.turn.at = jdoc_str(record, "timestamp");
    x.turn.record = jdoc_str(record, "id");
    if (type == NULL || strcmp(type, "session") == 0)
        return;
    if (strcmp(type, "removed") == 0) {
        tell(&x, TURN_NOTE, "[a message was taken back]");
        return;
    }
    if (role != NULL && strcmp(role, "user") == 0)
        said = TURN_PROMPT;
    else if (role != NULL && strcmp(role, "assistant") == 0)
        said = TURN_ANSWER;
    for (size_t i = 0; parts != NULL && i < json_object_array_length(parts); i++)
        tell_part(&x, json_object_array_get_idx(parts, i), said);
}
