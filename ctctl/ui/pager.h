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

#endif
