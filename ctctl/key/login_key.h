#ifndef CTCTL_KEY_LOGIN_KEY_H
#define CTCTL_KEY_LOGIN_KEY_H

#include "ctctl/ctx/ctx.h"

/*
 * Sealing, at log-in: whether a person wants a key is asked before a token is made, for its name
 * goes to the server; the key itself comes when the account is known.
 */
enum login_key {
    LOGIN_KEY_NOT_ASKED, /* nobody is there, or nothing to ask: a key is here, or never wanted */
    LOGIN_KEY_WANTED,
    LOGIN_KEY_DECLINED,
};

/**
 * login_key_ask(c):
 * Ask, where there is a terminal, no key, and sealing is not off.
 */
enum login_key login_key_ask(struct ctx *c);

/**
 * login_key_token_name(c, answer, device_name):
 * Return what the new token is to be called: the device's name where what it saves leaves in clear
 * anyway, else one that says nothing.  The caller frees it.
 */
char *login_key_token_name(const struct ctx *c, enum login_key answer, const char *device_name);

/**
 * login_key_obtain(c):
 * Make the key that was wanted, or take the account's, while the credentials are not saved yet: the
 * daemon would begin to save in clear at once. ${c} works with the new token.  Return 0 if the
 * log-in may go on, -1 if the person would rather not.
 */
int login_key_obtain(struct ctx *c);

/**
 * login_key_settle(c, answer):
 * After the log-in: say what a declined key means, that nothing is saved where the account has a
 * key and this device does not, and if keys that are here do not go with the account.
 */
void login_key_settle(struct ctx *c, enum login_key answer);

#endif
