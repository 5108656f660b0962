#ifndef DAEMON_ACCOUNT_LOGIN_VIEW_H
#define DAEMON_ACCOUNT_LOGIN_VIEW_H

#include "common/config/config.h"
#include "common/config/cred.h"
#include "common/base/err.h"

/*
 * Credentials and account.
 */
struct http_res;
struct daemon;
struct login_view;

enum login_view_state {
    LOGIN_NONE,     /* not logged in */
    LOGIN_CHECKING, /* asking the server whose token this is */
    LOGIN_OK,
    LOGIN_REFUSED, /* the server refuses the token */
    LOGIN_CHANGED, /* another account than the one confirmed here */
    LOGIN_BROKEN,  /* credentials or configuration need an edit */
    LOGIN_NO_BOOKS /* the account's state can't be opened at the moment */
};

struct login_view *login_view_new(struct daemon *d);
void login_view_free(struct login_view *l);

/**
 * login_view_refresh(l):
 * Read the credentials anew and go by them.
 */
void login_view_refresh(struct login_view *l);

/**
 * login_check_port(c, cred, err):
 * ERR_CONFIG, with the cure, if the server's port is not among allowed_ports.
 */
int login_check_port(const struct config *c, const struct cred *cred, struct ct_err *err);

/**
 * login_view_reopen(l):
 * The account's books were closed: open them again.
 */
void login_view_reopen(struct login_view *l);

/**
 * login_view_note_own_machine(l, is_own), login_view_answered(l, res),
 * login_view_is_own_machine(l): Remember in the account's books, which are open, whether an upload
 * reached this very machine, for the API or for the store; remember it if the API's answer ${res}
 * (NULL: none) came from this machine; return whether the server of the log-in is known to be on
 * it, by that note or by its URL.
 */
void login_view_note_own_machine(struct login_view *l, int is_own);
void login_view_answered(struct login_view *l, const struct http_res *res);
int login_view_is_own_machine(struct login_view *l);

/**
 * login_view_is_offline(l):
 * Return whether the server could not be asked whose token this is.
 */
int login_view_is_offline(const struct login_view *l);

/**
 * login_view_next_ms(l):
 * Return when it is asked again, of the monotonic clock, or 0 if that is not planned.
 */
int64_t login_view_next_ms(const struct login_view *l);

/**
 * login_view_why(l):
 * Return why it could not; its code is ERR_NONE if it could.
 */
const struct ct_err *login_view_why(const struct login_view *l);

/**
 * login_view_refused(l, err):
 * The server does not take the token any more.
 */
void login_view_refused(struct login_view *l, const struct ct_err *err);

/**
 * login_view_try_now(l):
 * If the server could not be asked, ask it now: the network may be back.  So it is with what could
 * not be written.
 */
void login_view_try_now(struct login_view *l);

/**
 * login_view_look(l, ret_email, ret_api_url, ret_device, ret_why):
 * Return the state of affairs; strings are borrowed, "" where unknown.
 */
enum login_view_state login_view_look(const struct login_view *l, const char **ret_email,
                                      const char **ret_api_url, const char **ret_device,
                                      const char **ret_why);

/**
 * login_view_cred(l), login_view_token_tag(l):
 * The credentials, borrowed, or NULL; something short that tells their token from another and does
 * not give it away, "" without one.
 */
const struct cred *login_view_cred(const struct login_view *l);
const char *login_view_token_tag(const struct login_view *l);

/**
 * login_view_has_answered(l), login_view_features(l):
 * Return whether the server has answered since this log-in, and what it has told that it can do, of
 * enum api_feature; 0 until then.
 */
int login_view_has_answered(const struct login_view *l);
unsigned login_view_features(const struct login_view *l);

/**
 * login_view_listed(l):
 * What the server lists is known, or can't be known now: uploads may begin.
 */
void login_view_listed(struct login_view *l);

/**
 * login_view_credentials_path(l):
 * The file that login_view_refresh() reads, borrowed.
 */
const char *login_view_credentials_path(const struct login_view *l);

#endif
