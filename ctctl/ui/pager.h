#ifndef CTCTL_UI_PAGER_H
#define CTCTL_UI_PAGER_H

#include "common/base/buf.h"
#include "ctctl/ui/text.h"

/**
 * pager_print(st, b):
 * Print ${b}, which is clean, on stdout and empty it.  What has more lines than the terminal goes
 * through the program that PAGER names (less if it names none; "" or "cat" is no pager).
 */
void pager_print(const struct text_style *st, struct buf *b);

/**
 * pager_new(st), pager_add(p, b), pager_end(p):
 * The same for what comes in pieces: no more of it is kept than fits the terminal.
 */
struct pager;
struct pager *pager_new(const struct text_style *st);
void pager_add(struct pager *p, struct buf *b);
void pager_end(struct pager *p);

#endif
