#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/agent.h"
#include "api/api.h"
#include "common/data/jdoc.h"
#include "common/base/str.h"
#include "common/base/strlist.h"
#include "ctctl/cloud/item.h"
#include "ctctl/cloud/revocable.h"
#include "ctctl/cloud/sessions.h"
#include "ctctl/pull/backups.h"
#include "ctctl/ui/state.h"
#include "ctctl/verbs.h"

#include "ctctl/complete.h"

#define LONGEST_WAIT_S 3 /* nobody waits longer for a list of words */
#define MOST_IDS 500

struct completion {
    struct ctx *c;
    const char *word; /* the beginning of what is looked for */
};

static void offer(const struct completion *k, const char *candidate, const char *what)
{
    char *clean, *text;

    if (strncmp(candidate, k->word, strlen(k->word)) != 0)
        return;
    clean = text_line(&k->c->out, what);
    text = text_fit(&k->c->out, clean, 60);
    printf("%s%s%s\n", candidate, text[0] != '\0' ? "\t" : "", text);
    free(text);
    free(clean);
}

/* ---- verbs and options ------------------------------------------------------------------------
 */

static void offer_verbs(const struct completion *k)
{
    const struct verb *v;

    for (size_t i = 0; (v = verbs_at(i)) != NULL; i++)
        offer(k, v->name, v->summary);
    offer(k, "help", "about a verb");
}

/* Where an option stands in ${text}: anywhere, or at the beginnings of lines. */
static void add_options_of(const char *text, int is_help, struct strlist *ret)
{
    const char *line = text;

    for (const char *p = text; (p = strstr(p, "--")) != NULL;) {
        size_t n = 2 + strspn(p + 2, "abcdefghijklmnopqrstuvwxyz-");
        char *option = str_printf("%.*s", (int)n, p);
        while (strchr(line, '\n') != NULL && strchr(line, '\n') < p)
            line = strchr(line, '\n') + 1;
        if (n > 2 && (!is_help || strspn(line, " ") == (size_t)(p - line)))
            strlist_add_once(ret, option);
        free(option);
        p += n;
    }
}

static void add_options(const struct verb *v, struct strlist *ret)
{
    if (v != NULL) {
        add_options_of(v->args, 0, ret);
        add_options_of(v->help, 1, ret);
    }
    strlist_add_once(ret, "--json");
    strlist_add_once(ret, "--socket");
    strlist_add_once(ret, "--help");
}

static void offer_options(const struct completion *k, const struct verb *v)
{
    struct strlist options = {0};

    add_options(v, &options);
    if (v == NULL)
        strlist_add(&options, "--version");
    for (size_t i = 0; i < options.n; i++)
        offer(k, options.v[i], NULL);
    strlist_free(&options);
}

/* ---- sessions, projects, machines -------------------------------------------------------------
 */

static void offer_id(const struct completion *k, const char *id, const char *what)
{
    char short_id[9];

    /* Who has typed more than a short ID wants the whole one.  What a server says and is none is
     * not offered: it would stand on the command line. */
    if (id != NULL && api_session_id_is_valid(id))
        offer(k, strlen(k->word) > 8 ? id : text_short_id(id, short_id), what);
}

static struct json_object *local(const struct completion *k)
{
    const struct sessions_filter f = {.limit = MOST_IDS};
    struct json_object *list;

    return sessions_local(k->c, &f, &list, NULL) == 0 ? list : NULL;
}

static struct json_object *cloud(const struct completion *k)
{
    const struct sessions_filter f = {.limit = MOST_IDS, .which = SESSIONS_ONLY};
    struct json_object *answer;

    return sessions_cloud(k->c, &f, &answer, NULL) == 0 ? answer : NULL;
}

static void offer_local_ids(const struct completion *k)
{
    struct json_object *list = local(k);
    size_t n = list != NULL ? json_object_array_length(list) : 0;

    for (size_t i = 0; i < n; i++) {
        const struct json_object *o = json_object_array_get_idx(list, i);
        offer_id(k, jdoc_str(o, "sessionId"), jdoc_str(o, "title"));
    }
    json_object_put(list);
}

/* One that can't be opened has nothing that a person knows it by, but can be named all the same. */
static void offer_cloud_ids(const struct completion *k)
{
    struct json_object *answer = cloud(k), *list = jdoc_array(answer, "sessions");
    size_t n = list != NULL ? json_object_array_length(list) : 0;
    char title[256];

    for (size_t i = 0; i < n; i++) {
        const struct json_object *o = json_object_array_get_idx(list, i);
        offer_id(k, item_id(o), item_title(o, title, sizeof(title)));
    }
    json_object_put(answer);
}

static void add_name(struct strlist *names, const char *name)
{
    static const char never[] = "\001\002\003\004\005\006\a\b\t\n\v\f\r\016\017\020\021\022\023\024"
                                "\025\026\027\030\031\032\033\034\035\036\037 \177";

    /* Neither an option nor a word of the scripts (":dirs"); they quote what is left. */
    if (name != NULL && name[0] != '\0' && name[0] != '-' && name[0] != ':' &&
        name[strcspn(name, never)] == '\0' && str_is_utf8(name, strlen(name)))
        strlist_add_once(names, name);
}

static void offer_names(const struct completion *k, struct strlist *names)
{
    for (size_t i = 0; i < names->n; i++)
        offer(k, names->v[i], NULL);
    strlist_free(names);
}

static void offer_projects(const struct completion *k)
{
    struct json_object *list = local(k);
    size_t n = list != NULL ? json_object_array_length(list) : 0;
    struct strlist names = {0};

    for (size_t i = 0; i < n; i++)
        add_name(&names, jdoc_str(json_object_array_get_idx(list, i), "projectName"));
    offer_names(k, &names);
    json_object_put(list);
    puts(":dirs");
}

static void offer_agents(const struct completion *k)
{
    const struct agent *agent;

    for (size_t i = 0; (agent = agent_at(i)) != NULL; i++)
        offer(k, agent->id, agent->name);
}

static void offer_machines(const struct completion *k)
{
    struct json_object *answer = cloud(k), *list = jdoc_array(answer, "sessions");
    size_t n = list != NULL ? json_object_array_length(list) : 0;
    struct strlist names = {0};

    for (size_t i = 0; i < n; i++)
        add_name(&names, item_str(json_object_array_get_idx(list, i), "sourceMachine"));
    offer_names(k, &names);
    json_object_put(answer);
}

/* ---- which of them ----------------------------------------------------------------------------
 */

static void offer_dirs(const struct completion *k)
{
    (void)k;
    puts(":dirs");
}

static void offer_files(const struct completion *k)
{
    (void)k;
    puts(":files");
}

static void offer_nothing(const struct completion *k)
{
    (void)k;
}

static void offer_ids_and_dirs(const struct completion *k)
{
    offer_local_ids(k);
    puts(":dirs");
}

static void offer_revoke(const struct completion *k)
{
    offer(k, "list", "show them");
    offer(k, "revoke", "end one");
}

/* After "tokens revoke" and "devices revoke": those that there are. */
static void offer_things(const struct completion *k, const char *path, const char *member)
{
    struct json_object *answer = NULL, *list;
    char *name;

    if (ctx_cloud(k->c, "GET", path, NULL, &answer, NULL) != 0)
        return;
    list = jdoc_array(answer, member);
    for (size_t i = 0; list != NULL && i < json_object_array_length(list); i++) {
        const struct json_object *o = json_object_array_get_idx(list, i);
        name = revocable_name(o);
        offer_id(k, jdoc_str(o, "id"), name);
        free(name);
    }
    json_object_put(answer);
}

static void offer_tokens(const struct completion *k)
{
    offer_things(k, "/auth/tokens", "tokens");
}

static void offer_devices(const struct completion *k)
{
    offer_things(k, "/devices", "devices");
}

/* Each known by the session that it shows. */
static void offer_shares(const struct completion *k)
{
    struct json_object *answer = NULL, *list;

    if (ctx_cloud(k->c, "GET", "/shares", NULL, &answer, NULL) != 0)
        return;
    list = jdoc_array(answer, "shares");
    for (size_t i = 0; list != NULL && i < json_object_array_length(list); i++) {
        const struct json_object *o = json_object_array_get_idx(list, i);
        offer_id(k, jdoc_str(o, "id"), jdoc_str(o, "sessionId"));
    }
    json_object_put(answer);
}

/* A backup is known by what it kept: the session's title. */
static void offer_backups(const struct completion *k)
{
    struct backups b;

    if (backups_list(k->c, &b, NULL) != 0)
        return;
    for (size_t i = 0; i < b.n; i++)
        offer(k, b.all[i].id, b.all[i].title);
    backups_clear(&b);
}

static void offer_backup_actions(const struct completion *k)
{
    offer(k, "list", "show them");
    offer(k, "restore", "put one back");
    offer(k, "prune", "remove some for good");
}

static void offer_account_actions(const struct completion *k)
{
    offer(k, "show", "whose it is and what it holds");
    offer(k, "passwd", "another password");
    offer(k, "logout-all", "end all other log-ins");
    offer(k, "delete", "delete it");
}

static void offer_key_actions(const struct completion *k)
{
    offer(k, "status", "which keys are here");
    offer(k, "init", "make the first one");
    offer(k, "import", "bring one from another device");
    offer(k, "show", "the recovery text");
    offer(k, "export", "the texts, for a pipe");
    offer(k, "rotate", "one more, which seals from now on");
}

static void offer_plugin_actions(const struct completion *k)
{
    offer(k, "install", "put it into Claude Code");
    offer(k, "uninstall", "take it out");
}

static void offer_states(const struct completion *k)
{
    for (size_t i = 0; state_word(i) != NULL; i++) {
        if (strchr(state_word(i)->json, ' ') == NULL)
            offer(k, state_word(i)->json, state_word(i)->word);
    }
}

static void offer_orders(const struct completion *k)
{
    offer(k, "time", "the newest first");
    offer(k, "size", "the largest first");
    offer(k, "messages", "those of most messages first");
    offer(k, "title", "by the alphabet");
    offer(k, "cost", "the dearest first");
}

static void offer_sums(const struct completion *k)
{
    offer(k, "project", "a line for each project");
    offer(k, "agent", "for each agent");
    offer(k, "machine", "for each machine");
    offer(k, "model", "for each model");
}

struct context {
    const char *word; /* a verb, or an option that wants a value */
    void (*offer)(const struct completion *k);
};

static const struct context after_options[] = {
    {"--socket", offer_files},
    {"--project", offer_projects},
    {"--machine", offer_machines},
    {"--agent", offer_agents},
    {"--target-dir", offer_dirs},
    {"-o", offer_files},
    {"--limit", offer_nothing},
    {"--version", offer_nothing},
    {"--timeout", offer_nothing},
    {"--email", offer_nothing},
    {"--api-url", offer_nothing},
    {"--invite", offer_nothing},
    {"--older-than", offer_nothing},
    {"--map", offer_nothing},
    {"--since", offer_nothing},
    {"--expires", offer_nothing},
    {"--state", offer_states},
    {"--sort", offer_orders},
    {"--by", offer_sums},
};

static const struct context after_verbs[] = {
    {"rename", offer_local_ids},       {"tag", offer_local_ids},
    {"show", offer_local_ids},         {"cat", offer_local_ids},
    {"diff", offer_local_ids},         {"sync", offer_local_ids},
    {"versions", offer_cloud_ids},     {"delete", offer_cloud_ids},
    {"pull", offer_cloud_ids},         {"verify", offer_cloud_ids},
    {"export", offer_cloud_ids},       {"import", offer_files},
    {"exclude", offer_ids_and_dirs},   {"include", offer_ids_and_dirs},
    {"seal", offer_cloud_ids},         {"devices", offer_revoke},
    {"tokens", offer_revoke},          {"key", offer_key_actions},
    {"backups", offer_backup_actions}, {"account", offer_account_actions},
    {"plugin", offer_plugin_actions},  {"help", offer_verbs},
    {"share", offer_local_ids},        {"unshare", offer_shares},
};

static const struct context after_revoke[] = {
    {"tokens", offer_tokens},
    {"devices", offer_devices},
};

static const struct context after_backups[] = {
    {"backups", offer_backups},
};

static const struct context *find(const struct context *all, size_t n, const char *word)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(all[i].word, word) == 0)
            return &all[i];
    }
    return NULL;
}

#define FIND(table, word) find(table, sizeof(table) / sizeof((table)[0]), word)

int complete_run(struct ctx *c, int argc, char **argv)
{
    struct completion k = {c, argc > 0 ? argv[argc - 1] : ""};
    const struct verb *v = NULL;
    const struct context *p = NULL;
    const char *verb = NULL, *before = argc > 1 ? argv[argc - 2] : "";

    alarm(LONGEST_WAIT_S);
    c->is_hurried = 1;
    c->err.is_terminal = 0;
    for (int i = 0; i < argc - 1 && verb == NULL; i++) {
        if (argv[i][0] != '-')
            verb = argv[i];
        else if (FIND(after_options, argv[i]) != NULL)
            i++;
    }
    if (verb != NULL)
        v = verbs_find(verb);
    if (before[0] == '-')
        p = FIND(after_options, before);
    if (p == NULL && k.word[0] == '-') {
        offer_options(&k, v);
        return CTX_OK;
    }
    if (p == NULL && verb == NULL) {
        offer_verbs(&k);
        return CTX_OK;
    }
    if (p == NULL && strcmp(before, "revoke") == 0)
        p = FIND(after_revoke, verb);
    if (p == NULL && (strcmp(before, "restore") == 0 || strcmp(before, "prune") == 0))
        p = FIND(after_backups, verb);
    if (p == NULL)
        p = FIND(after_verbs, verb);
    if (p != NULL)
        p->offer(&k);
    return CTX_OK;
}
