#ifndef SERVER_ADMIN_VERBS_IMPL_H
#define SERVER_ADMIN_VERBS_IMPL_H

#include "server/upkeep/data_dir.h"
#include "server/settings/settings.h"

/* What the verbs*.c share; nobody else includes it. */

#define VERBS_USAGE 64

/* What a verb has at hand. */
struct visit {
    const struct settings *s;
    struct data_dir *h; /* NULL: not opened */
    int argc;           /* the verb and what stands behind it */
    char **argv;
    char user_id[UUID_SIZE]; /* whose account it is about, "" until that is known */
    int is_written;          /* it is in the audit table already */
};

/* One verb, with what stands behind it. */
struct verb {
    const char *name;
    int needs_house;
    int (*run)(struct visit *v, int argc, char **argv, struct ct_err *err);
};

/**
 * verbs_usage(text):
 * Say how the verb is used; return the exit status for that.
 */
int verbs_usage(const char *text);

/**
 * verbs_change(v):
 * Is it a verb that changes something, or one that looks?
 */
int verbs_change(const struct visit *v);

/**
 * verbs_act(v, err), verbs_acted(v, rc, err):
 * Around what a verb does to an account, which returned ${rc}: ledger_act(), with the verb in the
 * audit table, and in the system log if all of it is done.
 */
int verbs_act(struct visit *v, struct ct_err *err);
int verbs_acted(struct visit *v, int rc, struct ct_err *err);

/**
 * verbs_find_user(v), verbs_audit(v):
 * Whose account is a verb about, before it is done or (nobody was there) after?  Write down that it
 * was done, if it changes something and was no act.
 */
void verbs_find_user(struct visit *v);
void verbs_audit(struct visit *v);

/* In verbs_audit.c. */
int verb_audit(struct visit *v, int argc, char **argv, struct ct_err *err);

/* In verbs_user.c. */
int verb_user(struct visit *v, int argc, char **argv, struct ct_err *err);

/**
 * verbs_clean(s, buf, size):
 * What others typed (NULL: "-") so that it is not for this terminal to obey.
 */
const char *verbs_clean(const char *s, char *buf, size_t size);

/* In verbs_admin.c. */
int verb_invite(struct visit *v, int argc, char **argv, struct ct_err *err);
int verb_undelete(struct visit *v, int argc, char **argv, struct ct_err *err);
int verb_key(struct visit *v, int argc, char **argv, struct ct_err *err);
int verb_backup(struct visit *v, int argc, char **argv, struct ct_err *err);

#endif
