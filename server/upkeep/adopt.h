#ifndef SERVER_UPKEEP_ADOPT_H
#define SERVER_UPKEEP_ADOPT_H

#include <stdint.h>
#include <stdio.h>

#include "common/base/err.h"

#include "server/ledger/ledger.h"
#include "server/store/store.h"

struct adopt_result {
    long adopted; /* or would be */
    long failed;
    long unowned; /* objects of users whom the database does not know */
};

/**
 * adopt(l, s, dry_run, out, ret, err):
 * Make versions, again, of the objects that no version knows: whose they are says their key, and
 * nothing inside them; what they are says the object's own meta.json, unless it is sealed.  Users
 * whom the database does not know are told to ${out}, a line each.  Nothing is changed with
 * ${dry_run}.
 */
int adopt(struct ledger *l, struct store *s, int dry_run, FILE *out, struct adopt_result *ret,
          struct ct_err *err);

#endif
