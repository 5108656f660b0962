#ifndef SERVER_UPKEEP_MEMBERS_H
#define SERVER_UPKEEP_MEMBERS_H

#include <stdatomic.h>

#include "common/base/err.h"

#include "server/ledger/ledger.h"
#include "server/settings/settings.h"

/**
 * members_look(s, ledger, is_stopping, now_ms, err):
 * Where the settings name an organisation and a token that may read its members: disable the
 * account of each who came by it and is a member no more, unless allowed_emails names their
 * address.  If that were more than half of them nothing is done: the token rather sees too little.
 * ERR_CANCELLED once ${is_stopping} is set.
 */
int members_look(const struct settings *s, struct ledger *ledger, const _Atomic int *is_stopping,
                 int64_t now_ms, struct ct_err *err);

#endif
