#ifndef CTCTL_WEB_PAGES_H
#define CTCTL_WEB_PAGES_H

#include "common/data/page.h"

/* The pages of ctctl web, made by web/embed.sh. */
extern const struct page pages[];
extern const size_t pages_n;

#endif
