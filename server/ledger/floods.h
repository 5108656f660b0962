#ifndef SERVER_LEDGER_FLOODS_H
#define SERVER_LEDGER_FLOODS_H

#include <stddef.h>

#include "common/base/uuid.h"

#include "server/ledger/event.h"

/*
 * Acts that can be done for ever and change little, such as a log-in: as many of one kind and
 * account are rows of the audit table as FLOODS_ROWS in an hour, and of those beyond there is a
 * number, and the last one, until somebody writes that down.  Any thread may call.
 */
struct floods;

#define FLOODS_ROWS 1000
#define FLOODS_DETAIL_SIZE 200

/* What was not written by itself. */
struct floods_sum {
    int64_t n;        /* so many */
    int64_t since_ms; /* the first of them */
    int64_t at_ms;    /* the last; what follows is of it */
    char event[32], user_id[UUID_SIZE], token_id[UUID_SIZE], client[64];
    char detail[FLOODS_DETAIL_SIZE];
};

/**
 * floods_new(), floods_free(f):
 * Make it, with nothing in it; NULL is harmless to free.
 */
struct floods *floods_new(void);
void floods_free(struct floods *f);

/**
 * floods_take(f, e), floods_keep(f, e):
 * Return 1 if ${e} is to be a row by itself; 0 if it was counted.  That row could not be written:
 * count it too.
 */
int floods_take(struct floods *f, const struct ledger_event *e);
void floods_keep(struct floods *f, const struct ledger_event *e);

/**
 * floods_next(f, i, ret), floods_written(f, sum):
 * The next sum from place ${i} on that has something in it: return the place after it, or 0.  What
 * was written down counts no more.
 */
size_t floods_next(struct floods *f, size_t i, struct floods_sum *ret);
void floods_written(struct floods *f, const struct floods_sum *sum);

#endif
