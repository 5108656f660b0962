#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "ctctl/share/showing.h"

static void add_found(struct showing *s, const char *rule, const char *about)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_str(o, "rule", rule);
    jdoc_set_str(o, "about", about);
    jdoc_set_str(o, "kind", turns_word(s->turn->kind));
    jdoc_set_str(o, "at", s->turn->at);
    json_object_array_add(s->found, o);
}

static void on_found(void *arg, const char *rule, int64_t line)
{
    struct showing *s = arg;

    (void)line;
    add_found(s, rule, leak_rules_about(s->rules, rule));
}

/* Whole, also where it is shown cut: half a key is no key, and yet too much of one. */
static void look_through(struct showing *s, const struct turn *t, const char *text)
{
    struct leak_scan *scan = leak_scan_new(s->rules, "", 1, on_found, s);

    s->turn = t;
    leak_scan_feed(scan, text, strlen(text));
    leak_scan_end(scan);
    if (leak_scan_gave_up(scan) != NULL)
        add_found(s, leak_scan_gave_up(scan), "this rule takes too many steps here");
    leak_scan_free(scan);
}

static void on_turn(void *arg, const struct turn *t)
{
    struct showing *s = arg;
    size_t before = s->text.len;
    struct json_object *o;

    telling_add(&s->telling, t);
    if (s->text.len == before)
        return;
    look_through(
        s, t, t->kind == TURN_CALL && !s->with_tools ? t->brief != NULL ? t->brief : "" : t->text);
    o = json_object_new_object();
    jdoc_set_str(o, "kind", turns_word(t->kind));
    json_object_object_add(
        o, "text", json_object_new_string_len(s->text.data + before, (int)(s->text.len - before)));
    buf_addstr(&s->json, s->turns++ == 0 ? "{\"turns\":[" : ",\n");
    buf_addstr(&s->json, jdoc_text(o));
    json_object_put(o);
}

int showing_read(struct ctx *c, struct showing *s, struct reading *r, struct ct_err *err)
{
    s->style = (struct text_style){.is_utf8 = 1};
    s->telling = (struct telling){.st = &s->style,
                                  .with_tools = s->with_tools,
                                  .with_thinking = s->with_thinking,
                                  .out = &s->text};
    s->found = json_object_new_array();
    if (reading_do(c, r, on_turn, s, err) != 0)
        return -1;
    buf_addstr(&s->json, s->turns == 0 ? "{\"turns\":[]}" : "]}");
    return 0;
}

void showing_clear(struct showing *s)
{
    buf_free(&s->text);
    buf_free(&s->json);
    json_object_put(s->found);
    s->found = NULL;
}
