#ifndef CTCTL_PULL_PULL_ADOPT_H
#define CTCTL_PULL_PULL_ADOPT_H

#include "bundle/install/install.h"
#include "ctctl/cloud/download.h"
#include "ctctl/cloud/heads.h"
#include "ctctl/ctx/ctx.h"

/**
 * pull_adopt(c, root, d, r):
 * Leave the record of what is about to be installed in the data folder ${root}, as the version that
 * ${d} brought, for the daemon (bundle/install/adopted.h).  Without it the session is uploaded once
 * more, and a head stays that is contained: so it never fails.
 */
void pull_adopt(struct ctx *c, const char *root, const struct download *d,
                const struct install_result *r);

/**
 * pull_adopt_heads(c, h):
 * ${h} was judged after the pull, files too: those that have nothing that is not here are in it.
 */
void pull_adopt_heads(struct ctx *c, const struct heads *h);

/**
 * pull_adopt_tell(c, session_id, apart):
 * Have the daemon, if one runs, look at the record: perhaps nothing changed here that it would
 * notice.  ${apart} is not 0: nothing was installed, for what is here has something that this
 * version lacks, and the other way round.
 */
void pull_adopt_tell(struct ctx *c, const char *session_id, int64_t apart);

#endif
