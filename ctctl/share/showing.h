#ifndef CTCTL_SHARE_SHOWING_H
#define CTCTL_SHARE_SHOWING_H

#include "bundle/leak/leak.h"
#include "ctctl/read/reading.h"
#include "ctctl/read/telling.h"

/* What would be shown of a session: just what "ctctl cat" prints of it, turn by turn. */
struct showing {
    struct leak_rules *rules; /* what credentials look like */
    int with_tools;           /* as of struct telling */
    int with_thinking;

    /* Out. */
    struct buf text;           /* all of it, as it looks on a terminal without colours */
    struct buf json;           /* {"turns": [{"kind", "text"}, ...]}, whose texts make up ${text} */
    int64_t turns;             /* in there */
    struct json_object *found; /* what looks like credentials: {"rule", "about", "kind", "at"} */

    struct telling telling; /* our own; zeroed */
    struct text_style style;
    const struct turn *turn; /* that is being looked through */
};

/**
 * showing_read(c, s, r, err):
 * Read the session that ${r} means.  Fails as reading_do().  Afterwards showing_clear(s).
 */
int showing_read(struct ctx *c, struct showing *s, struct reading *r, struct ct_err *err);
void showing_clear(struct showing *s);

#endif
