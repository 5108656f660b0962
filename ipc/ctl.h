#ifndef CODETELEPORT_CTL_H
#define CODETELEPORT_CTL_H

#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

/*
 * libcodeteleport: ask the codeteleportd of this user whether work with coding agents is safe, from
 * a program of one's own.  `pkg-config --cflags --libs codeteleport` says how to compile and link;
 * example.c is a whole program; libcodeteleport(3) is the manual.
 *
 * A handle is one connection.  It is used by one thread at a time and does nothing by itself.
 * Answers and events are documents of json-c as `ctctl --json` and `ctctl --json watch` print them:
 * members may be added to them, and none is taken away or gets another meaning, before the library
 * is called libcodeteleport.so.1.
 */
#ifdef __cplusplus
extern "C" {
#endif

#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

struct ctl;

enum ctl_result {
    CTL_OK = 0,
    CTL_FAILED = -1,    /* for the reason that ctl_error() says */
    CTL_NO_DAEMON = -2, /* none is running, or it went away: nothing is being saved */
    CTL_LATER = -3,     /* the time ran out, or the daemon can't now; the same may work later */
    CTL_NOT_FOUND = -4, /* no session has that ID */
};

/**
 * ctl_open(socket, ret):
 * Connect to the daemon that listens on ${socket}, or, with NULL, on the one that ctctl would use:
 * that of $CTCTL_SOCKET, else of the configuration file.  Whatever it returns, ${ret} is a handle
 * that the caller closes; after anything but CTL_OK it is good for ctl_error() only.  After
 * CTL_NO_DAEMON, here or later, close it and open another when there is reason to try again.
 */
enum ctl_result ctl_open(const char *socket, struct ctl **ret);

/**
 * ctl_close(c):
 * Close the connection.  NULL is harmless.
 */
void ctl_close(struct ctl *c);

/**
 * ctl_error(c):
 * Return a sentence for people about the last call that failed, without a newline; it is valid
 * until the next call.
 */
const char *ctl_error(const struct ctl *c);

/**
 * ctl_status(c, timeout_ms, ret), ctl_list(c, limit, cursor, timeout_ms, ret),
 * ctl_show(c, id, timeout_ms, ret):
 * Ask for the status document; for at most ${limit} sessions (0: as many as go into one answer),
 * the newest first, or after those of an answer whose "next" is ${cursor} (NULL: from the first);
 * for all that is known of the session ${id}, which may be the beginning of an ID.  Wait at most
 * ${timeout_ms} (0: for ever).  The caller owns ${ret}, an object, and ends it with
 * json_object_put(); it is set after CTL_OK only.
 */
enum ctl_result ctl_status(struct ctl *c, int64_t timeout_ms, struct json_object **ret);
enum ctl_result ctl_list(struct ctl *c, int64_t limit, const char *cursor, int64_t timeout_ms,
                         struct json_object **ret);
enum ctl_result ctl_show(struct ctl *c, const char *id, int64_t timeout_ms,
                         struct json_object **ret);

/**
 * ctl_sync(c, ids, n, is_waiting, timeout_ms, ret):
 * Have the ${n} sessions ${ids} (none: all) saved now, without waiting for quiet.  With
 * ${is_waiting} the answer comes when they are safe or can't become so; it says which.
 */
enum ctl_result ctl_sync(struct ctl *c, const char *const *ids, size_t n, int is_waiting,
                         int64_t timeout_ms, struct json_object **ret);

/**
 * ctl_subscribe(c, timeout_ms), ctl_event(c, timeout_ms, ret):
 * Ask for events from now on; wait for the next one at most ${timeout_ms} (0: for ever; CTL_LATER
 * when the time ran out).  Those that come while another call waits are kept.
 */
enum ctl_result ctl_subscribe(struct ctl *c, int64_t timeout_ms);
enum ctl_result ctl_event(struct ctl *c, int64_t timeout_ms, struct json_object **ret);

/**
 * ctl_fd(c):
 * Return the descriptor that becomes readable when events come, for a loop of one's own; it stays
 * the handle's.  Take events with ctl_event(c, 1, ...) until CTL_LATER, also after any other call.
 */
int ctl_fd(const struct ctl *c);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif
