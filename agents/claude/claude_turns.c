#include <stdlib.h>
#include <string.h>

#include "agents/claude/claude.h"
#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

/*
 * Claude Code's records as turns.  A message is a string or a list of blocks; an answer of several
 * blocks is mostly written as several records.  A command of Claude Code's own (/compact, /model)
 * is kept as a prompt with its words in elements.
 */

struct telling {
    turns_f *f;
    void *arg;
    struct turn turn;
    struct turn_image images[TURN_IMAGES_MAX]; /* of the turn that is being made */
};

static void tell(struct telling *x, enum turn_kind kind, const char *text)
{
    x->turn.kind = kind;
    x->turn.text = text;
    x->turn.images = x->images;
    x->f(x->arg, &x->turn);
    x->turn.n_images = 0;
    x->turn.part++;
}

/* The elements that Claude Code puts around a command of its own and what that printed. */
enum element { NAME, MESSAGE, ARGS, STDOUT, STDERR, CAVEAT, ELEMENTS };

/* Take a text apart that is such elements, each at most once, and nothing else.  Return whether it
 * is. */
static int take_apart(const char *text, struct buf parts[ELEMENTS])
{
    static const char *const names[] = {
        "command-name",         "command-message",      "command-args",
        "local-command-stdout", "local-command-stderr", "local-command-caveat",
    };
    unsigned seen = 0;

    while (*(text += strspn(text, " \t\r\n")) != '\0') {
        const char *end = NULL;
        for (size_t i = 0; end == NULL && i < ELEMENTS; i++) {
            size_t n = strlen(names[i]);
            char *close = str_printf("</%s>", names[i]);
            if (text[0] == '<' && strncmp(text + 1, names[i], n) == 0 && text[1 + n] == '>' &&
                (seen & 1U << i) == 0 && (end = strstr(text, close)) != NULL) {
                buf_add(&parts[i], text + n + 2, (size_t)(end - text) - n - 2);
                seen |= 1U << i;
                end += n + 3;
            }
            free(close);
        }
        if (end == NULL)
            return 0;
        text = end;
    }
    return seen != 0;
}

static const char *text_of(const struct buf *b)
{
    return b->data != NULL ? b->data : "";
}

/* What a person typed.  A command and its output stand in elements; if there is anything beside
 * those, all of it is shown as it is. */
static void tell_typed(struct telling *x, const char *text)
{
    struct buf parts[ELEMENTS] = {0};
    const char *name, *message;
    char *command;

    if (!take_apart(text, parts)) {
        tell(x, TURN_PROMPT, text);
    } else {
        name = text_of(&parts[NAME]);
        message = text_of(&parts[MESSAGE]);
        command = str_printf("%s%s%s", name, parts[ARGS].len > 0 ? " " : "", text_of(&parts[ARGS]));
        if (command[0] != '\0')
            tell(x, TURN_PROMPT, command);
        if (message[0] != '\0' && strcmp(message, name + (name[0] == '/')) != 0)
            tell(x, TURN_PROMPT, message);
        if (parts[STDOUT].len > 0)
            tell(x, TURN_RESULT, parts[STDOUT].data);
        if (parts[STDERR].len > 0)
            tell(x, TURN_RESULT, parts[STDERR].data);
        if (parts[CAVEAT].len > 0)
            tell(x, TURN_NOTE, parts[CAVEAT].data);
        free(command);
    }
    for (size_t i = 0; i < ELEMENTS; i++)
        buf_free(&parts[i]);
}

/* What is not for reading: bytes of a picture, of a document. */
static int is_opaque(const char *type)
{
    return strcmp(type, "image") == 0 || strcmp(type, "document") == 0 ||
           strcmp(type, "tool_reference") == 0;
}

/* The bytes of a picture, for who shows them; a place for it, if it has none. */
static void add_image(struct telling *x, const struct json_object *block)
{
    const struct json_object *source = jdoc_obj(block, "source");

    if (x->turn.n_images < TURN_IMAGES_MAX)
        x->images[x->turn.n_images++] =
            (struct turn_image){jdoc_str(source, "media_type"), jdoc_str(source, "data")};
}

static void add_opaque(struct telling *x, struct buf *b, const char *type,
                       const struct json_object *block)
{
    buf_printf(b, "[%s]", type);
    if (strcmp(type, "image") == 0)
        add_image(x, block);
}

/* Append the text of what a tool gave back, a string or blocks. */
static void add_result(struct telling *x, struct buf *b, struct json_object *content)
{
    if (json_object_get_type(content) == json_type_string) {
        buf_addstr(b, json_object_get_string(content));
        return;
    }
    if (json_object_get_type(content) != json_type_array)
        return;
    for (size_t i = 0; i < json_object_array_length(content); i++) {
        struct json_object *block = json_object_array_get_idx(content, i);
        const char *type = jdoc_str(block, "type"), *text = jdoc_str(block, "text");
        if (b->len > 0)
            buf_addc(b, '\n');
        if (text != NULL)
            buf_addstr(b, text);
        else if (type != NULL && is_opaque(type))
            add_opaque(x, b, type, block);
        else if (json_object_get_type(block) == json_type_string)
            buf_addstr(b, json_object_get_string(block));
        else if (block != NULL)
            buf_addstr(b, jdoc_text(block));
    }
}

static void tell_result(struct telling *x, const struct json_object *block)
{
    struct json_object *content;
    struct buf b = {0};

    if (json_object_object_get_ex(block, "content", &content))
        add_result(x, &b, content);
    tell(x, TURN_RESULT, b.data != NULL ? b.data : "");
    buf_free(&b);
}

/* The argument that tells a reader what a call is about. */
static const char *brief(const struct json_object *input)
{
    static const char *const keys[] = {
        "command", "file_path", "notebook_path", "pattern",     "path",   "url",
        "query",   "skill",     "subject",       "description", "prompt",
    };
    const char *s = NULL;

    for (size_t i = 0; s == NULL && i < sizeof(keys) / sizeof(keys[0]); i++)
        s = jdoc_str(input, keys[i]);
    return s;
}

static void tell_call(struct telling *x, const struct json_object *block)
{
    struct json_object *input = jdoc_obj(block, "input");
    const char *name = jdoc_str(block, "name");

    x->turn.tool = name != NULL ? name : "?";
    x->turn.brief = brief(input);
    tell(x, TURN_CALL, input != NULL ? jdoc_text(input) : "");
    x->turn.tool = x->turn.brief = NULL;
}

static int ends_in(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);

    return n >= m && strcmp(s + n - m, end) == 0;
}

/* One block of a message; ${typed} is what text of it is. */
static void tell_block(struct telling *x, struct json_object *block, enum turn_kind typed)
{
    const char *type = jdoc_str(block, "type"), *text = jdoc_str(block, "text");
    struct buf what = {0};

    if (json_object_get_type(block) == json_type_string)
        tell(x, typed, json_object_get_string(block));
    else if (type != NULL && strcmp(type, "text") == 0 && text != NULL && typed == TURN_PROMPT)
        tell_typed(x, text);
    else if (type != NULL && strcmp(type, "text") == 0 && text != NULL)
        tell(x, typed, text);
    else if (type != NULL && strcmp(type, "thinking") == 0 && jdoc_str(block, type) != NULL)
        tell(x, TURN_THINKING, jdoc_str(block, type));
    else if (type != NULL && strcmp(type, "redacted_thinking") == 0)
        tell(x, TURN_THINKING, "[redacted]");
    else if (type != NULL &&
             (strcmp(type, "tool_use") == 0 || strcmp(type, "server_tool_use") == 0))
        tell_call(x, block);
    else if (type != NULL && ends_in(type, "tool_result"))
        tell_result(x, block);
    else if (type != NULL && is_opaque(type)) {
        add_opaque(x, &what, type, block);
        tell(x, typed, what.data);
        buf_free(&what);
    } else if (block != NULL) {
        tell(x, TURN_NOTE, jdoc_text(block));
    }
}

/* A message's content, or a prompt: a string or blocks. */
static void tell_content(struct telling *x, struct json_object *content, enum turn_kind typed)
{
    if (json_object_get_type(content) == json_type_string && typed == TURN_PROMPT) {
        tell_typed(x, json_object_get_string(content));
    } else if (json_object_get_type(content) == json_type_array) {
        for (size_t i = 0; i < json_object_array_length(content); i++)
            tell_block(x, json_object_array_get_idx(content, i), typed);
    } else {
        tell(x, typed, json_object_get_string(content));
    }
}

/* The content of a record that somebody said; NULL if it is of another kind, or has none. */
static struct json_object *content_of(const struct json_object *record, const char *type,
                                      enum turn_kind *ret)
{
    struct json_object *attachment = jdoc_obj(record, "attachment"), *content = NULL;
    const char *kind = jdoc_str(attachment, "type");

    if (strcmp(type, "attachment") == 0 && kind != NULL && strcmp(kind, "queued_command") == 0)
        json_object_object_get_ex(attachment, "prompt", &content);
    else if (strcmp(type, "user") == 0 || strcmp(type, "assistant") == 0)
        json_object_object_get_ex(jdoc_obj(record, "message"), "content", &content);
    *ret = strcmp(type, "assistant") == 0             ? TURN_ANSWER
           : jdoc_bool(record, "isCompactSummary", 0) ? TURN_SUMMARY
           : jdoc_bool(record, "isMeta", 0)           ? TURN_NOTE
                                                      : TURN_PROMPT;
    return content;
}

void claude_record_turns(struct json_object *record, turns_f *f, void *arg)
{
    struct telling x = {.f = f, .arg = arg};
    const char *type = jdoc_str(record, "type"), *words;
    struct json_object *content;
    enum turn_kind kind;

    x.turn.at = jdoc_str(record, "timestamp");
    x.turn.record = jdoc_str(record, "uuid");
    x.turn.cwd = jdoc_str(record, "cwd");
    x.turn.is_aside = jdoc_bool(record, "isSidechain", 0);
    if (type != NULL && (content = content_of(record, type, &kind)) != NULL) {
        tell_content(&x, content, kind);
    } else if (type != NULL && strcmp(type, "system") == 0) {
        words = jdoc_str(record, "content");
        if (words != NULL)
            tell(&x, TURN_NOTE, words);
    } else if (type == NULL || !claude_type_is_idle(type)) {
        content = type != NULL ? jdoc_obj(record, type) : NULL;
        tell(&x, TURN_NOTE, jdoc_text(content != NULL ? content : record));
    }
}
