#ifndef SERVER_LEDGER_EVENT_H
#define SERVER_LEDGER_EVENT_H

#include <stdint.h>

/* Something that was done to an account; texts may be NULL.  The detail is of our own making. */
struct ledger_event {
    int64_t at_ms;
    const char *event; /* a word */
    const char *user_id, *token_id, *client, *detail;
    const char *email; /* of the account; NULL as it is written down: what it is then */
};

#endif
