#ifndef CTCTL_UI_TERM_H
#define CTCTL_UI_TERM_H

#include <stddef.h>

#include "common/base/err.h"
#include "ctctl/ui/text.h"

/**
 * term_style(fd, ret):
 * Learn how to show text on ${fd}: width from COLUMNS, else of the terminal, else (a pipe) no
 * limit; on a terminal, or with CLICOLOR_FORCE, colour unless NO_COLOR is set or TERM is "dumb";
 * UTF-8 if the locale says so.
 */
void term_style(int fd, struct text_style *ret);

/**
 * term_is_interactive():
 * Return whether a person can be asked: stdin and stderr are terminals.
 */
int term_is_interactive(void);

/**
 * term_ask(prompt, is_hidden, buf, size, err):
 * Ask on the controlling terminal and read one line into ${buf}, without its newline; with
 * ${is_hidden}, without echo.  ERR_CONFIG if there is no terminal; ERR_CANCELLED at end of file;
 * ERR_REFUSED if the line does not fit.  A signal finds the terminal as it was.
 */
int term_ask(const char *prompt, int is_hidden, char *buf, size_t size, struct ct_err *err);

/**
 * term_confirm(question), term_agree(question):
 * Ask a question, of clean lines, on the controlling terminal and return whether the answer is yes.
 * An empty answer is a no; for term_agree() it is a yes.
 */
int term_confirm(const char *question);
int term_agree(const char *question);

/**
 * term_show(p, err):
 * Write ${p} to the controlling terminal, wherever stdout and stderr go, and keep no copy of it.
 * ERR_CONFIG if there is none.
 */
int term_show(const char *p, struct ct_err *err);

/**
 * term_read_line(fd, buf, size, err):
 * Read one line from ${fd} into ${buf} as term_ask() does; the end of the file ends it too, if
 * there is something before it.
 */
int term_read_line(int fd, char *buf, size_t size, struct ct_err *err);

#endif
