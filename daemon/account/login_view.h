#ifndef DAEMON_LOGIN_H
#define DAEMON_LOGIN_H

#include "common/config.h"
#include "common/cred.h"
#include "common/err.h"

/*
 * Credentials and account.
 */
struct daemon;
struct login;

enum login_state {
    LOGIN_NONE,     /* not logged in */
    LOGIN_CHECKING, /* asking the server whose token this is */
    LOGIN_OK,
    LOGIN_REFUSED, /* the server refuses the token */
    LOGIN_CHANGED, /* another account than the one confirmed here */
    LOGIN_BROKEN,  /* credentials or configuration need an edit */
    LOGIN_NO_BOOKS /* the account's state can't be opened at the moment */
};

struct login *login_new(struct daemon *d);
void login_free(struct login *l);

/**
 * login_refresh(l):
 * Read the credentials anew and go by them.
 */
void login_refresh(struct login *l);

/**
 * login_check_port(c, cred, err):
 * ERR_CONFIG, with the cure, if the server's port is not among allowed_ports.
 */
int login_check_port(const struct config *c, const struct cred *cred, struct ct_err *err);

/**
 * login_reopen(l):
 * The account's books were closed: open them again.
 */
void login_reopen(struct login *l);

/**
 * login_is_offline(l):
 * Return whether the server could not be asked whose token this is.
 */
int login_is_offline(const struct login *l);

/**
 * login_refused(l, err):
 * The server does not take the token any more.
 */
void login_refused(struct login *l, const struct ct_err *err);

/**
 * login_try_now(l):
 * If the server could not be asked, ask it now: the network may be back.
 */
void login_try_now(struct login *l);

/**
 * login_look(l, ret_email, ret_api_url, ret_device, ret_why):
 * Return the state of affairs; strings are borrowed, "" where unknown.
 */
enum login_state login_look(const struct login *l, const char **ret_email, const char **ret_api_url,
                            const char **ret_device, const char **ret_why);

/**
 * login_cred(l), login_token_tag(l):
 * The credentials, borrowed, or NULL; something short that tells their token from another and does
 * not give it away, "" without one.
 */
const struct cred *login_cred(const struct login *l);
const char *login_token_tag(const struct login *l);

/**
 * login_listed(l):
 * What the server lists is known, or can't be known now: uploads may begin.
 */
void login_listed(struct login *l);

/**
 * login_credentials_path(l):
 * The file that login_refresh() reads, borrowed.
 */
const char *login_credentials_path(const struct login *l);

#endif
