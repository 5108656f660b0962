#include <string.h>

#include "common/base/str.h"

#include "ctctl/verbs.h"

/* In the order in which help shows them. */
static const struct verb *const verbs[] = {
    &verb_status,   &verb_list,    &verb_show,     &verb_search,  &verb_cat,    &verb_diff,
    &verb_versions, &verb_pull,    &verb_verify,   &verb_scan,    &verb_export, &verb_import,
    &verb_sync,     &verb_seal,    &verb_watch,    &verb_pause,   &verb_resume, &verb_exclude,
    &verb_include,  &verb_delete,  &verb_undelete, &verb_backups, &verb_login,  &verb_logout,
    &verb_key,      &verb_devices, &verb_tokens,   &verb_account, &verb_doctor, &verb_mcp,
    &verb_plugin,   &verb_stats,   &verb_rename,   &verb_tag,     &verb_web,    &verb_share,
    &verb_shares,   &verb_unshare,
};

#define N_VERBS (sizeof(verbs) / sizeof(verbs[0]))

const struct verb *verbs_find(const char *name)
{
    for (size_t i = 0; i < N_VERBS; i++) {
        if (strcmp(verbs[i]->name, name) == 0)
            return verbs[i];
    }
    return NULL;
}

const struct verb *verbs_at(size_t i)
{
    return i < N_VERBS ? verbs[i] : NULL;
}

/* What people type who know another program. */
static const struct {
    const char *word, *verb;
} meanings[] = {
    {"push", "sync"},
    {"save", "sync"},
    {"backup", "sync"},
    {"upload", "sync"},
    {"restore", "pull"},
    {"download", "pull"},
    {"get", "pull"},
    {"fetch", "pull"},
    {"checkout", "pull"},
    {"clone", "pull"},
    {"ls", "list"},
    {"sessions", "list"},
    {"log", "show"},
    {"info", "show"},
    {"view", "cat"},
    {"read", "cat"},
    {"print", "cat"},
    {"less", "cat"},
    {"history", "versions"},
    {"snapshots", "versions"},
    {"rm", "delete"},
    {"remove", "delete"},
    {"del", "delete"},
    {"forget", "delete"},
    {"check", "verify"},
    {"signin", "login"},
    {"auth", "login"},
    {"register", "login"},
    {"signup", "login"},
    {"signout", "logout"},
    {"stop", "pause"},
    {"start", "resume"},
    {"continue", "resume"},
    {"ignore", "exclude"},
    {"unignore", "include"},
    {"keys", "key"},
    {"machines", "devices"},
    {"hosts", "devices"},
    {"token", "tokens"},
    {"password", "account"},
    {"passwd", "account"},
    {"whoami", "account"},
    {"unregister", "account"},
    {"diagnose", "doctor"},
    {"st", "status"},
    {"state", "status"},
    {"follow", "watch"},
    {"tail", "watch"},
    {"restore-deleted", "undelete"},
    {"trash", "undelete"},
    {"undo", "undelete"},
    {"grep", "search"},
    {"find", "search"},
    {"cost", "stats"},
    {"name", "rename"},
    {"title", "rename"},
    {"label", "tag"},
    {"usage", "stats"},
    {"browser", "web"},
    {"dashboard", "web"},
    {"compare", "diff"},
    {"secrets", "scan"},
    {"publish", "share"},
    {"link", "share"},
    {"links", "shares"},
};

const char *verbs_resembles(const char *word)
{
    const char *names[N_VERBS];

    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (strcmp(meanings[i].word, word) == 0)
            return meanings[i].verb;
    }
    for (size_t i = 0; i < N_VERBS; i++)
        names[i] = verbs[i]->name;
    return str_resembles(word, names, N_VERBS);
}
