#include <stdlib.h>
#include <string.h>

#include "agents/claude/rebuild_inside.h"

/*
 * What a session used on the machine that it comes from, and that does not come with it: agents and
 * skills that it called, and files with instructions.  Claude Code 2.1.197 writes down the
 * instructions of folders that it came to, 2.1.332 all of them.
 */

static void note_use(struct rebuild *r, uint32_t input, const char *what, const char *member)
{
    uint32_t name = jtree_member(&r->tree, input, member);

    if (jtree_string(&r->tree, name, &r->word) == 0 && strchr(r->word.data, '/') == NULL &&
        r->word.data[0] != '.' && !allow_is_agent(r->word.data))
        losses_add(r->opts.used, what, r->word.data);
}

static void note_calls(struct rebuild *r)
{
    uint32_t content = jtree_member(&r->tree, jtree_member(&r->tree, 0, "message"), "content");

    if (content == JTREE_NONE || r->tree.values[content].type != JSCAN_ARRAY)
        return;
    for (uint32_t i = r->tree.values[content].child; i != JTREE_NONE; i = r->tree.values[i].next) {
        uint32_t name = jtree_member(&r->tree, i, "name"), input;
        if (!jtree_is(&r->tree, jtree_member(&r->tree, i, "type"), "tool_use"))
            continue;
        input = jtree_member(&r->tree, i, "input");
        if (jtree_is(&r->tree, name, "Task") || jtree_is(&r->tree, name, "Agent"))
            note_use(r, input, "agent", "subagent_type");
        else if (jtree_is(&r->tree, name, "Skill"))
            note_use(r, input, "skill", "skill");
    }
}

/* What of ${path} is below ${root}, or NULL. */
static const char *below(const char *root, const char *path)
{
    size_t n = strlen(root);

    return strncmp(path, root, n) == 0 && path[n] == '/' && strstr(path + n, "/..") == NULL
               ? path + n + 1
               : NULL;
}

/* A file of people, not the memory that the agent keeps, which comes home by itself. */
static void note_file(struct rebuild *r, uint32_t file)
{
    uint32_t type = jtree_member(&r->tree, file, "type");
    const char *rest;
    char *moved;

    if ((!jtree_is(&r->tree, type, "User") && !jtree_is(&r->tree, type, "Project") &&
         !jtree_is(&r->tree, type, "Local")) ||
        jtree_string(&r->tree, jtree_member(&r->tree, file, "path"), &r->word) != 0)
        return;
    moved = r->opts.moved(r->opts.arg, r->word.data);
    rest = below(r->opts.cwd, moved);
    if (rest != NULL)
        losses_add(r->opts.used, USED_FILE, rest);
    else if (r->opts.home != NULL && (rest = below(r->opts.home, moved)) != NULL)
        losses_add(r->opts.used, USED_HOME_FILE, rest);
    free(moved);
}

static void note_instructions(struct rebuild *r, const char *subtype)
{
    uint32_t attachment = jtree_member(&r->tree, 0, "attachment"), files;

    if (r->opts.cwd == NULL || r->opts.trust == TRUST_STRANGER)
        return;
    if (strcmp(subtype, "nested_memory") == 0)
        note_file(r, jtree_member(&r->tree, attachment, "content"));
    files = jtree_member(&r->tree, attachment, "files");
    if (strcmp(subtype, "instructions") != 0 || files == JTREE_NONE ||
        r->tree.values[files].type != JSCAN_ARRAY)
        return;
    for (uint32_t i = r->tree.values[files].child; i != JTREE_NONE; i = r->tree.values[i].next)
        note_file(r, i);
}

void rebuild_note_uses(struct rebuild *r, const char *type, const char *subtype)
{
    if (strcmp(type, "assistant") == 0)
        note_calls(r);
    else if (strcmp(type, "attachment") == 0)
        note_instructions(r, subtype);
}
