#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "ctctl/read/telling.h"

#define CUT_COLUMNS 100 /* of what is cut, where there is no width */
#define RESULT_LINES 3  /* of a result, unless all of it is wanted */

static int is_wanted(struct telling *x, const struct turn *t)
{
    if (t->is_aside && !x->with_asides) {
        x->asides++;
        return 0;
    }
    if (t->kind == TURN_NOTE && !x->with_notes) {
        x->notes++;
        return 0;
    }
    return t->kind != TURN_THINKING || x->with_thinking;
}

struct json_object *telling_json(const struct turn *t)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_str(o, "kind", turns_word(t->kind));
    jdoc_set_str(o, "at", t->at);
    if (t->tool != NULL) {
        jdoc_set_str(o, "tool", t->tool);
        jdoc_set_str(o, "brief", t->brief);
    }
    jdoc_set_str(o, "text", t->text);
    jdoc_set_str(o, "record", t->record);
    jdoc_set_int(o, "part", t->part);
    jdoc_set_str(o, "cwd", t->cwd);
    jdoc_set_bool(o, "subagent", t->is_aside);
    return o;
}

void telling_turn(const struct json_object *o, struct turn *ret)
{
    const char *text = jdoc_str(o, "text");

    memset(ret, 0, sizeof(*ret));
    while (strcmp(turns_word(ret->kind), jdoc_str(o, "kind")) != 0)
        ret->kind++;
    ret->text = text != NULL ? text : "";
    ret->tool = jdoc_str(o, "tool");
    ret->brief = jdoc_str(o, "brief");
    ret->at = jdoc_str(o, "at");
    ret->record = jdoc_str(o, "record");
    ret->cwd = jdoc_str(o, "cwd");
    ret->part = (int)jdoc_int(o, "part", 0);
    ret->is_aside = jdoc_bool(o, "subagent", 0);
}

/* Return a line of text fit to be shown, with blanks for its tabs; the caller frees it. */
static char *clean_line(const struct text_style *st, const char *s, size_t n)
{
    struct buf b = {0};
    char *clean;

    for (size_t i = 0; i < n; i++) {
        if (s[i] == '\t')
            buf_addstr(&b, "    ");
        else if (s[i] != '\r')
            buf_addc(&b, s[i]);
    }
    clean = text_clean(st, b.data);
    buf_free(&b);
    return clean;
}

static size_t columns(const struct telling *x)
{
    return x->st->width > 20 ? (size_t)x->st->width : CUT_COLUMNS;
}

/* Append the lines of ${s}, each behind ${before}, without empty ones at its end.  If ${most} is
 * not 0: the first so many, cut to the width. */
static void add_lines(struct telling *x, enum text_colour colour, const char *before, const char *s,
                      int most)
{
    size_t n = strlen(s);
    int lines = 0;

    while (n > 0 && strchr(" \t\r\n", s[n - 1]) != NULL)
        n--;
    for (size_t len; n > 0; s += len, n -= len) {
        const char *end = memchr(s, '\n', n);
        len = end != NULL ? (size_t)(end - s) : n;
        if (most == 0 || lines < most) {
            char *clean = clean_line(x->st, s, len);
            char *fit = most > 0 ? text_fit(x->st, clean, columns(x) - strlen(before)) : clean;
            buf_addstr(x->out, len > 0 || before[0] != ' ' ? before : "");
            text_add(x->out, x->st, colour, fit);
            buf_addc(x->out, '\n');
            if (fit != clean)
                free(fit);
            free(clean);
        }
        lines++;
        len += end != NULL;
    }
    if (most > 0 && lines > most) {
        char *more =
            str_printf("%s(%d more line%s)", before, lines - most, lines - most == 1 ? "" : "s");
        text_add(x->out, x->st, colour, more);
        buf_addc(x->out, '\n');
        free(more);
    }
}

/* A line of who speaks now, and when; the day where it is another one. */
static void add_speaker(struct telling *x, const struct turn *t, const char *who)
{
    char day[16], clock[16];
    int is_timed = t->at != NULL;

    if (is_timed) {
        text_clock(t->at, "%Y-%m-%d", day, sizeof(day));
        text_clock(t->at, "%H:%M", clock, sizeof(clock));
    }
    if (x->is_begun)
        buf_addc(x->out, '\n');
    if (x->is_markdown)
        buf_addstr(x->out, "## ");
    text_add(x->out, x->st, t->kind == TURN_PROMPT ? TEXT_GREEN : TEXT_CYAN, who);
    if (is_timed) {
        char *when = strcmp(day, x->day) != 0 ? str_printf(", %s %s", day, clock)
                                              : str_printf(", %s", clock);
        text_add(x->out, x->st, TEXT_DIM, when);
        memcpy(x->day, day, sizeof(day));
        free(when);
    }
    buf_addstr(x->out, x->is_markdown ? "\n\n" : "\n");
}

static void add_call(struct telling *x, const struct turn *t)
{
    const char *about = x->with_tools ? t->text : t->brief != NULL ? t->brief : "";
    char *tool = text_line(x->st, t->tool), *clean = text_line(x->st, about), *line, *fit;

    if (x->is_markdown) {
        for (char *p = clean; *p != '\0'; p++)
            *p = *p == '`' ? '\'' : *p;
        line = clean[0] != '\0' ? str_printf("- **%s** `%s`", tool, clean)
                                : str_printf("- **%s**", tool);
    } else {
        line = str_printf("  %s %s%s%s", x->st->is_utf8 ? "\xE2\x96\xB8" : ">", tool,
                          clean[0] != '\0' ? ": " : "", clean);
    }
    fit = x->with_tools || x->is_markdown ? str_dup(line) : text_fit(x->st, line, columns(x));
    text_add(x->out, x->st, TEXT_YELLOW, fit);
    buf_addc(x->out, '\n');
    free(fit);
    free(line);
    free(clean);
    free(tool);
}

static int is_said(const struct turn *t)
{
    return t->kind == TURN_PROMPT || t->kind == TURN_ANSWER;
}

static void add_words(struct telling *x, const struct turn *t)
{
    if (t->kind == TURN_RESULT)
        add_lines(x, TEXT_DIM, "    ", t->text, x->with_tools ? 0 : RESULT_LINES);
    else if (x->is_markdown)
        add_lines(x, TEXT_PLAIN, is_said(t) ? "" : "> ", t->text, 0);
    else /* away from the margin, where only we write who speaks */
        add_lines(x, is_said(t) ? TEXT_PLAIN : TEXT_DIM, "  ", t->text, 0);
}

void telling_add(struct telling *x, const struct turn *t)
{
    int is_person = t->kind == TURN_PROMPT, was_person = x->last == TURN_PROMPT;

    if (!is_wanted(x, t))
        return;
    if (x->to != NULL) {
        json_object_array_add(x->to, telling_json(t));
        return;
    }
    if (t->kind == TURN_SUMMARY || t->kind == TURN_NOTE)
        add_speaker(x, t, t->kind == TURN_NOTE ? "A note" : "What came before, in short");
    else if (is_person && !(x->is_begun && was_person))
        add_speaker(x, t, "You");
    else if (!is_person && t->kind != TURN_RESULT && (!x->is_begun || was_person))
        add_speaker(x, t, "The agent");
    else if (x->is_begun && t->kind != TURN_CALL && t->kind != TURN_RESULT)
        buf_addc(x->out, '\n');
    else if (x->is_begun && t->kind == TURN_CALL && x->last != TURN_CALL && x->last != TURN_RESULT)
        buf_addc(x->out, '\n');
    if (t->kind == TURN_CALL)
        add_call(x, t);
    else if (t->kind != TURN_RESULT || x->with_tools || !x->is_markdown)
        add_words(x, t);
    x->is_begun = 1;
    x->last = t->kind;
}
