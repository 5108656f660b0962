#include <string.h>

#include "agents/opencode/opencode.h"
#include "common/data/jdoc.h"

/*
 * Sessions of opencode as turns.  A message comes again when there is more of it: each part is told
 * by its id, and heard once.
 */

static void tell_call(struct teller *x, const struct json_object *part)
{
    static const char *const keys[] = {"command", "filePath", "pattern",     "query",
                                       "url",     "path",     "description", NULL};
    const struct json_object *state = jdoc_obj(part, "state");
    const char *output = jdoc_str(state, "output");

    teller_call(x, jdoc_str(part, "tool"), jdoc_obj(state, "input"), keys);
    if (output == NULL)
        output = jdoc_str(state, "error");
    teller_say(x, TURN_RESULT, output);
}

static void tell_part(struct teller *x, struct json_object *part, enum turn_kind said)
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
        teller_say(x, jdoc_bool(part, "synthetic", 0) ? TURN_NOTE : said, text);
    else if (type != NULL && strcmp(type, "reasoning") == 0 && text != NULL)
        teller_say(x, TURN_THINKING, text);
    else if (type != NULL && strcmp(type, "tool") == 0)
        tell_call(x, part);
    else if (type != NULL && strcmp(type, "file") == 0 && mime != NULL &&
             strncmp(mime, "image/", 6) == 0)
        teller_say(x, said, "[image]");
    else if (part != NULL)
        teller_say(x, TURN_NOTE, jdoc_text(part));
}

void opencode_record_turns(struct json_object *record, turns_f *f, void *arg)
{
    struct teller x = {.f = f, .arg = arg};
    const struct json_object *parts = jdoc_array(record, "parts");
    const char *type = jdoc_str(record, "type"), *role = jdoc_str(record, "role");
    enum turn_kind said = TURN_NOTE;

    x.turn.at = jdoc_str(record, "timestamp");
    x.turn.record = jdoc_str(record, "id");
    if (type == NULL || strcmp(type, "session") == 0)
        return;
    if (strcmp(type, "removed") == 0) {
        teller_say(&x, TURN_NOTE, "[a message was taken back]");
        return;
    }
    if (role != NULL && strcmp(role, "user") == 0)
        said = TURN_PROMPT;
    else if (role != NULL && strcmp(role, "assistant") == 0)
        said = TURN_ANSWER;
    for (size_t i = 0; parts != NULL && i < json_object_array_length(parts); i++)
        tell_part(&x, json_object_array_get_idx(parts, i), said);
}
