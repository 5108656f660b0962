#ifndef SERVER_ADMIN_VERBS_IMPL_H
#define SERVER_ADMIN_VERBS_IMPL_H

#include "server/upkeep/data_dir.h"
#include "server/settings/settings.h"

/* What the verbs*.c share; nobody else includes it. */

#define VERBS_USAGE 64

/* One verb: with the house opened, or (house NULL) without. */
struct verb {
    const char *name;
    int needs_house;
    int (*run)(const struct settings *s, struct data_dir *h, int argc, char **argv,
               struct ct_err *err);
};

/**
 * verbs_usage(text):
 * Say how the verb is used; return the exit status for that.
 */
int verbs_usage(const char *text);

/**
 * verbs_find_user(h, argc, argv, user_id), verbs_audit(h, argc, argv, user_id):
 * Whose account is a verb about, before it is done or (nobody was there) after?  Write down that it
 * was done, if it changes something: in the audit table (${h} NULL: not there) and the system log.
 */
void verbs_find_user(struct data_dir *h, int argc, char **argv, char user_id[UUID_SIZE]);
void verbs_audit(struct data_dir *h, int argc, char **argv, const char *user_id);

/* In verbs_audit.c. */
int verb_audit(const struct settings *s, struct data_dir *h, int argc, char **argv,
               struct ct_err *err);

/* In verbs_user.c. */
int verb_user(const struct settings *s, struct data_dir *h, int argc, char **argv,
              struct ct_err *err);

/**
 * verbs_clean(s, buf, size):
 * What others typed (NULL: "-") so that it is not for this terminal to obey.
 */
const char *verbs_clean(const char *s, char *buf, size_t size);

/* In verbs_admin.c. */
int verb_invite(const struct settings *s, struct data_dir *h, int argc, char **argv,
                struct ct_err *err);
int verb_undelete(const struct settings *s, struct data_dir *h, int argc, char **argv,
                  struct ct_err *err);
int verb_key(const struct settings *s, struct data_dir *h, int argc, char **argv,
             struct ct_err *err);
int verb_backup(const struct settings *s, struct data_dir *h, int argc, char **argv,
                struct ct_err *err);

#endif
