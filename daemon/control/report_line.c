#include <stdio.h>
#include <string.h>

#include "daemon/daemon.h"
#include "daemon/account/login_view.h"
#include "daemon/session/profile.h"

static void say_on_their_way(const struct sessions_counts *c, int64_t total, char *buf, size_t size)
{
    snprintf(buf, size, "%lld of %lld session%s on %s way",
             (long long)(c->all - c->failed - c->limit), (long long)total, total == 1 ? "" : "s",
             total == 1 ? "its" : "their");
}

static void say_done(struct daemon *d, int64_t safe, int64_t deleted, char *buf, size_t size)
{
    if (safe == 0 && deleted > 0)
        snprintf(buf, size, "Nothing to save: %lld deleted in the cloud by another machine",
                 (long long)deleted);
    else if (safe == 0)
        snprintf(buf, size, "No sessions yet");
    else if (safe == 1)
        snprintf(buf, size, "The only session is %s",
                 login_view_is_own_machine(d->login) ? "saved, on this machine only" : "safe");
    else
        snprintf(buf, size, "All %lld sessions are %s", (long long)safe,
                 login_view_is_own_machine(d->login) ? "saved, on this machine only" : "safe");
}

/* What ctctl's headline says, in fewer words, and without times: it is to change with the state. */
void report_line(struct daemon *d, char *buf, size_t size)
{
    struct state_counts st = {0};
    struct sessions_counts c;
    char why[512], cure[256];
    const char *state = report_state(d, why, cure);
    int64_t total;

    sessions_counts(d, &c);
    if (d->books != NULL)
        state_counts(d->books->state, &st);
    total = st.known + c.is_new;
    if (strcmp(state, "auth_required") == 0 || strcmp(state, "account_changed") == 0)
        snprintf(buf, size, "NOT SAFE: %.200s%s%.60s", why, cure[0] != '\0' ? ". Run: " : "", cure);
    else if (c.failed > 0)
        snprintf(buf, size, "NOT SAFE: %lld of %lld sessions could not be saved",
                 (long long)c.failed, (long long)total);
    else if (c.limit > 0)
        snprintf(buf, size, "NOT SAFE: %lld of %lld sessions are over the plan's limit",
                 (long long)c.limit, (long long)total);
    else if (profile_is_unsafe(d))
        snprintf(buf, size, "NOT SAFE: what belongs to no session could not be saved");
    else if (why[0] != '\0')
        snprintf(buf, size, "%s: %.200s", state, why);
    else if (c.all > 0)
        say_on_their_way(&c, total, buf, size);
    else
        say_done(d, st.safe, st.deleted, buf, size);
}
