#ifndef CTCTL_KEY_KEY_H
#define CTCTL_KEY_KEY_H

#include "common/config/keyring.h"
#include "ctctl/ctx/ctx.h"
#include "ctctl/key/key_account.h"

/*
 * ctctl key: one function an action.  A key's recovery text goes to the terminal itself, to the
 * pipe that somebody asked for it, and nowhere else; it is kept in secret memory.
 */
struct key_opts {
    int no_confirm; /* nobody is there to write the text down */
    int is_fork;    /* a key of its own although the account has another, or may have */
    int force;      /* show the text although stdout is no terminal, or export it to one */
    int with_qr;
    int is_compromised; /* somebody else may have the keys that are here */
    int is_list;        /* export: what the retired keys had sealed, and not the texts */
};

/**
 * key_init(c, o), key_rotate(c, o), key_show(c, o), key_export(c, o), key_status(c):
 * The action of that name.  Return the exit status.
 */
int key_init(struct ctx *c, const struct key_opts *o);
int key_rotate(struct ctx *c, const struct key_opts *o);
int key_show(struct ctx *c, const struct key_opts *o);
int key_export(struct ctx *c, const struct key_opts *o);
int key_status(struct ctx *c);

/**
 * key_import(c, o, is_pipe):
 * The same; the recovery texts come from stdin, or are typed on the terminal.
 */
int key_import(struct ctx *c, const struct key_opts *o, int is_pipe);

/* ---- what they share: key_ring.c --------------------------------------------------------------
 */

/**
 * key_ring_open(c, ret, err):
 * The keys of this device, read anew and the caller's own, to add to them; else ctx_ring().
 */
int key_ring_open(struct ctx *c, struct keyring **ret, struct ct_err *err);

/**
 * key_ring_keep(c, ring, ret_is_told, err):
 * Write the file, and have the daemon read it if it runs; whether it did goes to ${ret_is_told}.
 */
int key_ring_keep(struct ctx *c, const struct keyring *ring, int *ret_is_told, struct ct_err *err);

/**
 * key_missing_say(a, b):
 * Append, in one sentence, which keys the account's sealed sessions use that are not here.
 */
void key_missing_say(const struct key_account *a, struct buf *b);

#endif
