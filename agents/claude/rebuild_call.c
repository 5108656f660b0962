#include <string.h>

#include "agents/claude/rebuild_inside.h"

/*
 * A call that schedules something or watches for it is carried out again when the session goes on,
 * without a key being pressed.  As text it is what was said, and no more.  Claude Code knows such
 * calls by their names, letter by letter; what a newer one adds is on no list of ours, so of others
 * only calls of tools that are known to do nothing of that kind stay calls.
 */

static void add_span(struct rebuild *r, uint32_t begin, uint32_t end)
{
    buf_add(&r->out, r->tree.text + begin, end - begin);
}

static void add_text(struct rebuild *r, uint32_t string)
{
    buf_addstr(&r->out, "{\"type\":\"text\",\"text\":");
    add_span(r, r->tree.values[string].begin, r->tree.values[string].end);
    buf_addc(&r->out, '}');
}

int rebuild_is_call(struct rebuild *r, uint32_t block)
{
    if (!jtree_is(&r->tree, jtree_member(&r->tree, block, "type"), "tool_use") ||
        jtree_string(&r->tree, jtree_member(&r->tree, block, "name"), &r->word) != 0)
        return 0;
    return r->opts.trust == TRUST_OWN ? allow_is_schedule(r->word.data)
                                      : !allow_is_tool(r->word.data);
}

int rebuild_call(struct rebuild *r, uint32_t block)
{
    uint32_t id = jtree_member(&r->tree, block, "id");
    uint32_t input = jtree_member(&r->tree, block, "input");
    struct buf text = {0};

    if (!rebuild_is_call(r, block))
        return 0;
    losses_add(r->opts.losses, "call", r->word.data);
    buf_printf(&text, "(called %s", r->word.data);
    if (input != JTREE_NONE) {
        buf_addstr(&text, " with ");
        buf_add(&text, r->tree.text + r->tree.values[input].begin,
                r->tree.values[input].end - r->tree.values[input].begin);
    }
    buf_addc(&text, ')');
    buf_addstr(&r->out, "{\"type\":\"text\",\"text\":");
    jtree_quote(&r->out, text.data, text.len);
    buf_addc(&r->out, '}');
    buf_free(&text);
    if (jtree_string(&r->tree, id, &r->word) == 0)
        map_put(r->calls, r->word.data, r);
    return 1;
}

int rebuild_result(struct rebuild *r, uint32_t block)
{
    uint32_t id = jtree_member(&r->tree, block, "tool_use_id");
    uint32_t content = jtree_member(&r->tree, block, "content");
    int is_first = 1;

    if (!jtree_is(&r->tree, jtree_member(&r->tree, block, "type"), "tool_result") ||
        jtree_string(&r->tree, id, &r->word) != 0 || map_get(r->calls, r->word.data) == NULL)
        return 0;
    if (content == JTREE_NONE)
        return 1;
    if (r->tree.values[content].type == JSCAN_STRING)
        add_text(r, content);
    if (r->tree.values[content].type != JSCAN_ARRAY)
        return 1;
    for (uint32_t i = r->tree.values[content].child; i != JTREE_NONE; i = r->tree.values[i].next) {
        uint32_t text = jtree_member(&r->tree, i, "text");
        if (text == JTREE_NONE || r->tree.values[text].type != JSCAN_STRING)
            continue;
        if (!is_first)
            buf_addc(&r->out, ',');
        is_first = 0;
        add_text(r, text);
    }
    return 1;
}
