#ifndef CTCTL_UI_KEYS_H
#define CTCTL_UI_KEYS_H

#include <termios.h>

#include <signal.h>

#include "common/base/err.h"

/*
 * The controlling terminal, key by key, on a screen of its own.  Whatever ends or stops the program
 * meanwhile finds the terminal as it was.
 */
struct keys {
    int fd;
    int width, height; /* of the screen, as of the last key */

    /* Its own. */
    struct termios was;
    sigset_t before;
    unsigned char in[64];
    size_t n, at;
};

enum keystroke {
    KEY_TEXT, /* bytes of a character, perhaps one of several */
    KEY_ENTER,
    KEY_LEAVE, /* Escape, Ctrl-C, Ctrl-D, the end of the terminal */
    KEY_UP,
    KEY_DOWN,
    KEY_PAGE_UP,
    KEY_PAGE_DOWN,
    KEY_FIRST,
    KEY_LAST,
    KEY_ERASE, /* one character */
    KEY_CLEAR, /* all of them */
    KEY_DRAW,  /* none: the screen is to be drawn anew, for it has another size */
    KEY_OTHER,
};

/**
 * keys_open(k, err), keys_close(k):
 * Take the terminal, and give it back.  ERR_CONFIG if there is none that can do it.
 */
int keys_open(struct keys *k, struct ct_err *err);
void keys_close(struct keys *k);

/**
 * keys_read(k, ret_byte):
 * Wait for a key; of KEY_TEXT, ${ret_byte} is what was typed.  A signal that ends the program does
 * so from here; after one that stops it, KEY_DRAW.
 */
enum keystroke keys_read(struct keys *k, char *ret_byte);

#endif
