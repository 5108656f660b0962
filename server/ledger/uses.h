#ifndef SERVER_LEDGER_USES_H
#define SERVER_LEDGER_USES_H

#include <stdint.h>

#include "common/base/err.h"
#include "common/base/uuid.h"

#include "server/sql/sql.h"

/*
 * When tokens were used last, remembered until somebody writes it down: a request must not wait for
 * a write of its own.  What a crash loses is a minute of it.  Any thread may call.
 */
struct uses;

/**
 * uses_new(), uses_free(u):
 * Make it, with nothing in it; NULL is harmless to free.
 */
struct uses *uses_new(void);
void uses_free(struct uses *u);

/**
 * uses_note(u, token_id, now_ms):
 * The token was used now.
 */
void uses_note(struct uses *u, const char *token_id, int64_t now_ms);

/**
 * uses_write(u, db, err):
 * Write down what was noted, in one transaction, and forget it.  What fails is forgotten too.
 */
int uses_write(struct uses *u, struct sql *db, struct ct_err *err);

#endif
