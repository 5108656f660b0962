#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/data/jdoc.h"
#include "common/base/str.h"
#include "ctctl/ui/pager.h"
#include "ctctl/ui/table.h"
#include "ctctl/ui/term.h"
#include "ctctl/pull/backups.h"
#include "ctctl/pull/pull_say.h"

#include "ctctl/ctx/verb.h"

#define YEARS_100 (100LL * 366 * 86400)

/* ---- list -------------------------------------------------------------------------------------
 */

static void table(const struct text_style *st, const struct backups *b, struct buf *ret)
{
    static const struct table_column columns[] = {
        {"ID", 0, 0, 0},   {"SESSION", 0, 0, 0}, {"TITLE", 0, 32, 0},
        {"MSGS", 1, 0, 3}, {"SIZE", 1, 0, 2},    {"KEPT", 0, 0, 1},
    };
    struct table *t = table_new(st, columns, 6);

    for (size_t i = 0; i < b->n; i++) {
        const struct backup *one = &b->all[i];
        char session[9], messages[24] = "", size[24], ago[64];
        const char *cells[6];
        if (one->messages >= 0)
            snprintf(messages, sizeof(messages), "%" PRId64, one->messages);
        cells[0] = one->id;
        cells[1] = text_short_id(one->session_id, session);
        cells[2] = one->messages < 0 ? "(no transcript)" : one->title;
        cells[3] = messages;
        cells[4] = str_human_bytes((unsigned long long)one->size_bytes, size, sizeof(size));
        cells[5] = text_ago(st, one->kept_ms, ago, sizeof(ago));
        table_row(t, cells);
    }
    table_print(t, ret);
    table_free(t);
}

static struct json_object *json_of(const struct backup *one)
{
    struct json_object *o = json_object_new_object();
    char *path = str_printf("%s/%s", one->dir, one->name);

    jdoc_set_str(o, "id", one->id);
    jdoc_set_str(o, "sessionId", one->session_id);
    jdoc_set_str(o, "title", one->title);
    if (one->messages >= 0)
        jdoc_set_int(o, "messageCount", one->messages);
    jdoc_set_int(o, "files", one->files);
    jdoc_set_int(o, "sizeBytes", one->size_bytes);
    jdoc_set_time(o, "keptAt", one->kept_ms);
    jdoc_set_str(o, "path", path);
    free(path);
    return o;
}

static int list(struct ctx *c, const struct backups *b)
{
    struct json_object *all = json_object_new_array();
    struct buf text = {0};

    for (size_t i = 0; c->json && i < b->n; i++)
        json_object_array_add(all, json_of(&b->all[i]));
    if (c->json)
        ctx_json(c, all);
    else if (b->n == 0)
        ctx_say(c, "there are no backups: no pull and no import has replaced anything here");
    else
        table(&c->out, b, &text);
    if (text.len > 0)
        pager_print(&c->out, &text);
    buf_free(&text);
    json_object_put(all);
    return CTX_OK;
}

/* ---- restore ----------------------------------------------------------------------------------
 */

static int restore(struct ctx *c, const struct backups *b, const char *word, struct pull_opts *opts)
{
    struct pull_result r = {0};
    struct pull_front front;
    struct ct_err e;
    const struct backup *what = backups_find(b, word, &e);
    int rc;

    if (what == NULL)
        return ctx_fail(c, &e);
    pull_say_begin(&front, c, opts);
    rc = backups_restore(c, what, opts, &r, &e);
    pull_say_end(&front);
    if (rc == 0)
        pull_say(c, &r, opts);
    else
        rc = ctx_fail(c, &e);
    pull_result_clear(&r);
    return rc;
}

/* ---- prune ------------------------------------------------------------------------------------
 */

/* What is removed can't be had back: a person says yes, a script --yes. */
static int agree(struct ctx *c, const struct backups *gone, int is_agreed)
{
    int64_t bytes = 0;
    struct buf text = {0};
    char size[24], *n, *question;
    int rc = CTX_OK;

    if (is_agreed)
        return CTX_OK;
    if (!term_is_interactive())
        return ctx_usage(c, "to remove backups without being asked, add --yes");
    for (size_t i = 0; i < gone->n; i++)
        bytes += gone->all[i].size_bytes;
    table(&c->err, gone, &text);
    fputs(text.data, stderr);
    buf_free(&text);
    n = text_count((int64_t)gone->n, "backup", "backups");
    question = str_printf("Remove %s (%s) for good?", n,
                          str_human_bytes((unsigned long long)bytes, size, sizeof(size)));
    if (!term_confirm(question)) {
        ctx_say(c, "nothing was changed");
        rc = CTX_FAILED;
    }
    free(question);
    free(n);
    return rc;
}

static int remove_all(struct ctx *c, const struct backups *gone)
{
    struct json_object *all = json_object_new_array();
    struct buf text = {0};
    struct ct_err e;
    int rc = CTX_OK;
    int64_t n = 0;
    char *count;

    for (size_t i = 0; rc == CTX_OK && i < gone->n; i++) {
        if (backups_remove(&gone->all[i], &e) != 0)
            rc = ctx_fail(c, &e);
        else if (c->json)
            json_object_array_add(all, json_of(&gone->all[i]));
        n += rc == CTX_OK;
    }
    count = text_count(n, "backup", "backups");
    buf_printf(&text, "Removed %s.\n", count);
    if (c->json && rc == CTX_OK)
        ctx_json(c, all);
    else if (!c->json && n > 0)
        ctx_print(c, &text);
    free(count);
    buf_free(&text);
    json_object_put(all);
    return rc;
}

static int prune(struct ctx *c, const struct backups *b, const struct strlist *words, int is_all,
                 int64_t older_s, int is_agreed)
{
    /* A choice of them, which borrows. */
    struct backups gone = {0};
    const struct backup *one;
    struct ct_err e;
    int rc = CTX_OK;

    gone.all = str_calloc(b->n + words->n + 1, sizeof(*gone.all));
    for (size_t i = 1; rc == CTX_OK && i < words->n; i++) {
        one = backups_find(b, words->v[i], &e);
        if (one == NULL)
            rc = ctx_fail(c, &e);
        else
            gone.all[gone.n++] = *one;
    }
    for (size_t i = 0; words->n == 1 && i < b->n; i++) {
        if (is_all || c->out.now_ms - b->all[i].kept_ms >= older_s * 1000)
            gone.all[gone.n++] = b->all[i];
    }
    if (rc == CTX_OK && gone.n == 0)
        ctx_say(c, "there are no backups of that kind");
    else if (rc == CTX_OK)
        rc = agree(c, &gone, is_agreed);
    if (rc == CTX_OK && (gone.n > 0 || c->json))
        rc = remove_all(c, &gone);
    free(gone.all);
    return rc;
}

/* ---- */

struct command {
    struct pull_opts opts;
    const char *older;
    int64_t older_s;
    int is_all, is_agreed;
};

static int check(struct ctx *c, struct command *cmd, const struct strlist *words)
{
    const char *what = words->n > 0 ? words->v[0] : "list";
    int is_restore = strcmp(what, "restore") == 0, is_prune = strcmp(what, "prune") == 0;
    int chosen = (words->n > 1) + cmd->is_all + (cmd->older != NULL);

    if (!is_restore && !is_prune && (strcmp(what, "list") != 0 || words->n > 1))
        return ctx_usage(c, "say \"backups\" to list them, or \"backups restore ID\" or \"backups "
                            "prune\"");
    if (is_restore && words->n != 2)
        return ctx_usage(c, "restore wants the ID of one backup; see: ctctl backups");
    if (!is_restore && (cmd->opts.is_forced || cmd->opts.is_copy || cmd->opts.is_rehearsal))
        return ctx_usage(c, "--force, --as-copy and --dry-run go with restore");
    if (!is_prune && (cmd->is_all || cmd->is_agreed || cmd->older != NULL))
        return ctx_usage(c, "--all, --older-than and --yes go with prune");
    if (cmd->opts.is_forced && cmd->opts.is_copy)
        return ctx_usage(c, "say --force or --as-copy, not both");
    if (is_prune && chosen != 1)
        return ctx_usage(c, "prune wants IDs, or --older-than TIME, or --all");
    if (cmd->older != NULL)
        return opts_duration(c, "--older-than", cmd->older, OPTS_NO_MINUTES, YEARS_100,
                             &cmd->older_s);
    return -1;
}

static int run(struct ctx *c, int argc, char **argv)
{
    struct command cmd = {0};
    struct strlist words = {0};
    const struct opt opts[] = {
        {"force", OPT_FLAG, &cmd.opts.is_forced},
        {"as-copy", OPT_FLAG, &cmd.opts.is_copy},
        {"dry-run", OPT_FLAG, &cmd.opts.is_rehearsal},
        {"older-than", OPT_STRING, &cmd.older},
        {"all", OPT_FLAG, &cmd.is_all},
        {"yes", OPT_FLAG, &cmd.is_agreed},
    };
    int rc = opts_parse(c, opts, sizeof(opts) / sizeof(opts[0]), argc, argv, &words);
    struct backups b;
    struct ct_err e;

    if (rc == -1)
        rc = check(c, &cmd, &words);
    if (rc == -1 && (rc = backups_list(c, &b, &e)) != 0) {
        rc = ctx_fail(c, &e);
    } else if (rc == 0 && words.n == 0) {
        rc = list(c, &b);
        backups_clear(&b);
    } else if (rc == 0) {
        rc = words.v[0][0] == 'r'   ? restore(c, &b, words.v[1], &cmd.opts)
             : words.v[0][0] == 'p' ? prune(c, &b, &words, cmd.is_all, cmd.older_s, cmd.is_agreed)
                                    : list(c, &b);
        backups_clear(&b);
    }
    strlist_free(&words);
    return rc;
}

const struct verb verb_backups = {
    "backups",
    "[list | restore ID [--force|--as-copy] [--dry-run]\n"
    "                      | prune ID... | prune --older-than TIME | prune --all [--yes]]",
    "what pull and import have replaced here",
    "Whatever a pull with --force or an import replaces is kept in the data folder, in\n"
    ".codeteleport/backups, until you remove it.\n"
    "\n"
    "list        show them (this is the default), the newest first\n"
    "restore ID  put one back where it was; what is there by then is kept in its turn\n"
    "prune       remove some for good; it asks first, --yes answers\n"
    "\n"
    "  --force            restore although the session is in use\n"
    "  --as-copy          restore beside what is here, under a new id\n"
    "  --dry-run          say what would happen, and touch nothing\n"
    "  --older-than TIME  those that are older: 30d, 8w, 6mo, 1y\n"
    "  --all              all of them\n"
    "  --yes              without being asked\n"
    "\n"
    "An ID is that of a backup, or of its session if there is but one of it.\n",
    run,
    "ctctl backups                         # what there is\n"
    "ctctl backups restore 29221bf7        # what the last pull --force took the place of\n"
    "ctctl backups prune --older-than 6mo  # make room\n",
};
