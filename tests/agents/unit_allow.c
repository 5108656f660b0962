/* SECURITY.md says what comes home at each level of trust, and says the truth: its tables are those
 * of agents/claude/allow.c.  With --print they come out, to be put there. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "agents/claude/allow.h"
#include "common/base/buf.h"
#include "common/base/file.h"

static void add_members(struct buf *b, const struct allow_member *m, int is_first)
{
    for (; m != NULL && m->name != NULL; m++) {
        if (strcmp(m->name, "type") == 0 || strcmp(m->name, "subtype") == 0)
            continue;
        buf_printf(b, "%s%s", is_first ? "" : ", ", m->name);
        is_first = 0;
        if (m->members != NULL) {
            buf_addstr(b, " (");
            add_members(b, m->members, 1);
            buf_addc(b, ')');
        }
        for (const struct allow_block *k = m->blocks; k != NULL && k->type != NULL; k++) {
            buf_printf(b, "%s%s (", k == m->blocks ? " of " : ", ", k->type);
            add_members(b, k->members, 1);
            buf_addc(b, ')');
        }
    }
}

static void add_record(struct buf *b, const struct allow_record *r)
{
    static const char *const own[] = {
        [OWN_COMES] = "comes",
        [OWN_NEVER] = "never",
        [OWN_IF_LISTED] = "if git here lists that work tree",
        [OWN_BELOW] = "for files below the folders that move, by plain names",
    };

    buf_printf(b, "| `%s`", r->type);
    if (r->subtype != NULL)
        buf_printf(b, " %s", r->subtype[0] != '\0' ? r->subtype : "(without a subtype)");
    buf_printf(b, " | %s | ", own[r->own]);
    if (r->others == OTHERS_NEVER)
        buf_addstr(b, "never");
    if (r->others == OTHERS_BELOW)
        buf_addstr(b, "for files below the project's folder, a stranger's if asked for: ");
    if (r->members != NULL)
        add_members(b, r->members, 1);
    buf_addstr(b, " |\n");
}

static void add_entry(struct buf *b, const struct allow_entry *e)
{
    buf_printf(b, "| %s%s%s | `%s`%s | ", e->own != NULL ? "`" : "",
               e->own != NULL ? e->own : "as above", e->own != NULL ? "`" : "", e->pattern,
               e->needs_asking  ? ", a stranger's if asked for"
               : e->is_accounts ? ", the account's only"
                                : "");
    if (e->content == ENTRY_BYTES)
        buf_addstr(b, "as it is");
    else if (e->content == ENTRY_PASTE)
        buf_addstr(b, "as it is, if it is what its name is the digest of");
    else if (e->content == ENTRY_RECORDS)
        buf_addstr(b, "records");
    else
        add_members(b, e->content == ENTRY_PROMPTS ? allow_prompts : e->members, 1);
    buf_addstr(b, " |\n");
}

static void add_words(struct buf *b, const char *const *words)
{
    for (const char *const *w = words; *w != NULL; w++)
        buf_printf(b, "%s`%s`", w == words ? "" : ", ", *w);
    buf_addc(b, '\n');
}

static void add_tables(struct buf *b)
{
    buf_addstr(b, "| file, one's own | of others | what is in it |\n|---|---|---|\n");
    for (const struct allow_entry *e = allow_entries; e->pattern != NULL; e++)
        add_entry(b, e);
    buf_addstr(b, "\n| record | one's own | of others, with these members |\n|---|---|---|\n");
    for (const struct allow_record *r = allow_records; r->type != NULL; r++)
        add_record(b, r);
    buf_addstr(b, "| any other | comes | never |\n| those with a uuid | | also ");
    add_members(b, allow_chain, 1);
    buf_addstr(b, " |\n\nCalls of one's own that become text: ");
    add_words(b, allow_schedules);
    buf_addstr(b, "\nCalls of others that stay calls: `" ALLOW_MCP "WORD`, ");
    add_words(b, allow_tools);
    buf_addstr(b, "\nSubagents that keep their type: ");
    add_words(b, allow_agents);
}

static void security_md_quotes_the_table(void **state)
{
    const char *src = getenv("CT_SRC");
    struct buf table = {0}, page = {0};
    char path[4096];

    (void)state;
    snprintf(path, sizeof(path), "%s/SECURITY.md", src != NULL ? src : "..");
    assert_int_equal(file_read(path, 1 << 20, &page, NULL), 0);
    add_tables(&table);
    if (strstr(page.data, table.data) == NULL)
        fail_msg("SECURITY.md lacks the tables; tests/agents/unit_allow --print has them");
    buf_free(&table);
    buf_free(&page);
}

static void a_name_is_plain_or_it_is_none(void **state)
{
    static const struct {
        const char *name;
        int comes;
    } rows[] = {
        {"session.jsonl", 1},
        {"session.jsonl/", 0},
        {"session-subdir/subagents/agent-a1.jsonl", 1},
        {"session-subdir/subagents/agent-.jsonl", 0},
        {"session-subdir/subagents/agent-a.b.jsonl", 0},
        {"session-subdir/subagents/x/agent-a1.jsonl", 0},
        {"session-subdir/subagents/agent-a1.meta.json", 1},
        {"session-subdir/subagents/.agent-a1.jsonl", 0},
        {"session-subdir/tool-results/a b.txt", 1},
        {"session-subdir/tool-results/.git", 0},
        {"session-subdir/tool-results/.git/config", 0},
        {"session-subdir/tool-results/a/b", 0},
        {"session-subdir/CLAUDE.md", 0},
        {"session-subdir/.mcp.json", 0},
        {"session-subdir/codeteleport-other/00ff.jsonl", 1},
        {"session-subdir/codeteleport-other/zz.jsonl", 0},
        {"file-history/74f89b15ace58fc9@v12", 1},
        {"file-history/74f89b15ace58fc9@v", 0},
        {"file-history/x@v1", 0},
        {"memory/MEMORY.md", 1},
        {"memory/a/b.md", 1},
        {"memory/a/.b.md", 0},
        {"memory/.a/b.md", 0},
        {"memory/", 0},
        {"plans/calm.md", 1},
        {"plans/.md", 0},
        {"plans/a/b.md", 0},
        {"history.jsonl", 1},
        {"paste-cache/376585f309b1c630.txt", 1},
        {"paste-cache/x.txt", 0},
        {"settings.json", 0},
        {"", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if ((allow_entry(rows[i].name) != NULL) != rows[i].comes)
            fail_msg("%s", rows[i].name);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(security_md_quotes_the_table),
        cmocka_unit_test(a_name_is_plain_or_it_is_none),
    };
    struct buf b = {0};

    if (argc > 1 && strcmp(argv[1], "--print") == 0) {
        add_tables(&b);
        fputs(b.data, stdout);
        buf_free(&b);
        return 0;
    }
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
