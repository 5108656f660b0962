#ifndef SERVER_API_SHARE_PAGE_H
#define SERVER_API_SHARE_PAGE_H

#include "common/data/page.h"

#include "server/api/app.h"

/* The page and what it loads, made by web/embed.sh. */
extern const struct page share_pages[];
extern const size_t share_pages_n;

/**
 * share_page_handler(a, ret):
 * Fill ${ret} for the listener that shows what is shared.  It has one page, the same for every
 * link: /s/ID says nothing of ID, so that whatever looks at links learns nothing and counts for
 * nothing.  The page's own script asks by POST for where the object lies, which counts as a visit,
 * and opens it with the key that only the reader's browser has.
 */
void share_page_handler(struct app *a, struct web_handler *ret);

#endif
