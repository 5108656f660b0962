#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/str.h"

#include "server/auth/github_member.h"
#include "server/upkeep/members.h"

/* Who came by the organisation: three texts each. */
struct members {
    const struct settings *s;
    const _Atomic int *is_stopping;
    struct strlist ids, subjects, emails;
};

static void remember(void *arg, const char *user_id, const char *subject, const char *email)
{
    struct members *m = arg;

    if (strlist_has(&m->s->allowed_emails, email) ||
        (strchr(email, '@') != NULL && strlist_has(&m->s->allowed_emails, strchr(email, '@'))))
        return;
    strlist_add(&m->ids, user_id);
    strlist_add(&m->subjects, subject);
    strlist_add(&m->emails, email);
}

/* Whose answer is no, by their place; the caller frees ${left}. */
static int ask_all(struct members *m, size_t *left, size_t *ret_n, struct ct_err *err)
{
    int is_member;

    for (size_t i = 0; i < m->ids.n; i++) {
        if (atomic_load(m->is_stopping))
            return err_set(err, ERR_CANCELLED, "the server stops");
        if (github_is_member(m->s, m->subjects.v[i], &is_member, err) != 0)
            return -1;
        if (!is_member)
            left[(*ret_n)++] = i;
    }
    return 0;
}

static int disable(struct members *m, struct ledger *l, size_t i, int64_t now_ms,
                   struct ct_err *err)
{
    const struct ledger_event e = {.at_ms = now_ms,
                                   .event = "left-organisation",
                                   .user_id = m->ids.v[i],
                                   .client = "server",
                                   .detail = "disabled"};

    if (ledger_act(l, err) != 0)
        return -1;
    if (ledger_acted(l, ledger_user_disable(l, m->emails.v[i], now_ms, err), &e, err) != 0)
        return err->code == ERR_GONE ? 0 : -1;
    log_warn("audit event=left-organisation user=%s detail=\"disabled\"", m->ids.v[i]);
    return 0;
}

static int look(struct members *m, struct ledger *l, int64_t now_ms, struct ct_err *err)
{
    size_t *left, n = 0;
    int rc;

    if (ledger_identities(l, m->s->github_url, remember, m, err) != 0)
        return -1;
    left = str_calloc(m->ids.n + 1, sizeof(*left));
    rc = ask_all(m, left, &n, err);
    if (rc == 0 && m->ids.n > 1 && n * 2 > m->ids.n)
        rc = err_set(err, ERR_REFUSED,
                     "%zu of %zu accounts would be no members any more; does github_token see all "
                     "members of %s?",
                     n, m->ids.n, m->s->github_organization);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = disable(m, l, left[i], now_ms, err);
    free(left);
    return rc;
}

int members_look(const struct settings *s, struct ledger *ledger, const _Atomic int *is_stopping,
                 int64_t now_ms, struct ct_err *err)
{
    struct members m = {.s = s, .is_stopping = is_stopping};
    int rc;

    if (s->github_organization == NULL || s->github_token == NULL)
        return 0;
    rc = look(&m, ledger, now_ms, err);
    strlist_free(&m.ids);
    strlist_free(&m.subjects);
    strlist_free(&m.emails);
    return rc;
}
