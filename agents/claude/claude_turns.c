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
};

static void tell(struct telling *x, enum turn_kind kind, const char *text)
{
    x->turn.kind = kind;
    x->turn.text = text;
    x->f(x->arg, &x->turn);
    x->turn.part++;
}

/* Append what stands in the element <${name}> of ${text}; return whether there is one. */
static int add_element(struct buf *b, const char *text, const char *name)
{
    char *open = str_printf("<%s>", name), *close = str_printf("</%s>", name);
    const char *p = strstr(text, open), *end = p != NULL ? strstr(p, close) : NULL;

    if (end != NULL)
        buf_add(b, p + strlen(open), (size_t)(end - p) - strlen(open));
    free(close);
    free(open);
    return end != NULL;
}

/* What a person typed, without the elements around a command and its output. */
static void tell_typed(struct telling *x, const char *text)
{
    struct buf b = {0}, words = {0};

    if (strncmp(text, "<command-", 9) == 0 && add_element(&b, text, "command-name")) {
        if (add_element(&words, text, "command-args") && words.len > 0)
            buf_printf(&b, " %s", words.data);
        tell(x, TURN_PROMPT, b.data != NULL ? b.data : "");
    } else if (strncmp(text, "<local-command-stdout>", 22) == 0 &&
               add_element(&b, text, "local-command-stdout")) {
        if (b.len > 0)
            tell(x, TURN_RESULT, b.data);
    } else if (strncmp(text, "<local-command-caveat>", 22) != 0) {
        tell(x, TURN_PROMPT, text);
    }
    buf_free(&words);
    buf_free(&b);
}

/* Append the text of what a tool gave back, a string or blocks. */
static void add_result(struct buf *b, struct json_object *content)
{
    if (json_object_get_type(content) == json_type_string) {
        buf_addstr(b, json_object_get_string(content));
        return;
    }
    if (json_object_get_type(content) != json_type_array)
        return;
    for (size_t i = 0; i < json_object_array_length(content); i++) {
        const struct json_object *block = json_object_array_get_idx(content, i);
        const char *type = jdoc_str(block, "type"), *text = jdoc_str(block, "text");
        if (b->len > 0)
            buf_addc(b, '\n');
        if (text != NULL)
            buf_addstr(b, text);
        else if (type != NULL)
            buf_printf(b, "[%s]", type);
    }
}

static void tell_result(struct telling *x, const struct json_object *block)
{
    struct json_object *content;
    struct buf b = {0};

    if (json_object_object_get_ex(block, "content", &content))
        add_result(&b, content);
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

static void tell_block(struct telling *x, const struct json_object *block, int is_model)
{
    const char *type = jdoc_str(block, "type"), *text = jdoc_str(block, "text");
    char *what;

    if (type == NULL)
        return;
    if (strcmp(type, "text") == 0) {
        if (text != NULL && is_model)
            tell(x, TURN_ANSWER, text);
        else if (text != NULL)
            tell_typed(x, text);
    } else if (strcmp(type, "thinking") == 0) {
        text = jdoc_str(block, "thinking");
        if (text != NULL && text[0] != '\0')
            tell(x, TURN_THINKING, text);
    } else if (strcmp(type, "tool_use") == 0 || strcmp(type, "server_tool_use") == 0) {
        tell_call(x, block);
    } else if (ends_in(type, "tool_result")) {
        tell_result(x, block);
    } else if (strcmp(type, "redacted_thinking") != 0) {
        what = str_printf("[%s]", type);
        tell(x, is_model ? TURN_ANSWER : TURN_PROMPT, what);
        free(what);
    }
}

/* A message's content, or a prompt: a string or blocks. */
static void tell_content(struct telling *x, struct json_object *content, int is_model)
{
    if (json_object_get_type(content) == json_type_string) {
        if (is_model)
            tell(x, TURN_ANSWER, json_object_get_string(content));
        else
            tell_typed(x, json_object_get_string(content));
    } else if (json_object_get_type(content) == json_type_array) {
        for (size_t i = 0; i < json_object_array_length(content); i++)
            tell_block(x, json_object_array_get_idx(content, i), is_model);
    }
}

/* What a compaction left: words of the model that stand as a message of the user. */
static void tell_summary(struct telling *x, struct json_object *content)
{
    struct buf b = {0};

    add_result(&b, content);
    tell(x, TURN_SUMMARY, b.data != NULL ? b.data : "");
    buf_free(&b);
}

void claude_record_turns(struct json_object *record, turns_f *f, void *arg)
{
    struct telling x = {.f = f, .arg = arg};
    struct json_object *attachment = jdoc_obj(record, "attachment"), *content;
    const char *type = jdoc_str(record, "type");

    x.turn.at = jdoc_str(record, "timestamp");
    x.turn.record = jdoc_str(record, "uuid");
    x.turn.is_aside = jdoc_bool(record, "isSidechain", 0);
    if (type == NULL || jdoc_bool(record, "isMeta", 0))
        return;
    if (strcmp(type, "attachment") == 0) {
        const char *kind = jdoc_str(attachment, "type");
        if (kind != NULL && strcmp(kind, "queued_command") == 0 &&
            json_object_object_get_ex(attachment, "prompt", &content))
            tell_content(&x, content, 0);
        return;
    }
    if ((strcmp(type, "user") != 0 && strcmp(type, "assistant") != 0) ||
        !json_object_object_get_ex(jdoc_obj(record, "message"), "content", &content))
        return;
    if (jdoc_bool(record, "isCompactSummary", 0))
        tell_summary(&x, content);
    else
        tell_content(&x, content, strcmp(type, "assistant") == 0);
}
