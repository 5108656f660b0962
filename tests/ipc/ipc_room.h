#ifndef TESTS_IPC_IPC_ROOM_H
#define TESTS_IPC_IPC_ROOM_H

#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

#include "ipc/ipc.h"

/*
 * A server on a socket of its own, and raw peers of it: both ends in one thread, so the loop turns
 * whenever a test waits for something.
 */
#define ROOM_LIMIT_MS 20000 /* how long anything may take */
#define ROOM_HELD 256

struct room {
    char dir[64];
    char *path;
    struct event_base *base;
    struct ipc_server *server;
    struct ipc_request *held[ROOM_HELD]; /* of the method "hold", in the order they came */
    int n_held;
    int n_called;
    int n_gone;
};

typedef void room_handler(void *arg, struct ipc_request *rq, const char *method,
                          struct json_object *params);

/**
 * room_new(handler):
 * Make a room whose server calls ${handler} with it.
 */
struct room *room_new(room_handler *handler);

/**
 * room_setup(state), room_teardown(state):
 * Make one with the methods echo, big {bytes}, hold, hold-all, subscribe, refuse and free (the
 * server); end any.
 */
int room_setup(void **state);
int room_teardown(void **state);

#define ROOM(name) cmocka_unit_test_setup_teardown(name, room_setup, room_teardown)

/**
 * room_on_request(arg, rq, method, params):
 * The handler that room_setup() takes.
 */
room_handler room_on_request;

/**
 * room_text(n):
 * Return {"text":"xx..."} with ${n} bytes of text.
 */
struct json_object *room_text(size_t n);

/**
 * room_turn(r):
 * Let the loop turn once, within 2 ms.
 */
void room_turn(struct room *r);

/**
 * room_dial(r):
 * Return a new connection, which does not block.
 */
int room_dial(struct room *r);

/**
 * room_say_n(r, fd, p, n), room_say(r, fd, s):
 * Write all of it; return how much it was before the server closed.  A text must go whole.
 */
size_t room_say_n(struct room *r, int fd, const char *p, size_t n);
void room_say(struct room *r, int fd, const char *s);

/**
 * room_hear(r, fd), room_hear_error(r, fd, code), room_hear_result(r, fd, id), room_hear_end(r,
 * fd): Read one line: return it, or NULL at the end of the stream; or fail the test unless it is
 * this.
 */
struct json_object *room_hear(struct room *r, int fd);
void room_hear_error(struct room *r, int fd, int code);
void room_hear_result(struct room *r, int fd, int64_t id);
void room_hear_end(struct room *r, int fd);

/**
 * room_wait_held(r, n), room_wait_gone(r, n):
 * Wait until so many requests are held; until the peers of so many are gone.
 */
void room_wait_held(struct room *r, int n);
void room_wait_gone(struct room *r, int n);

#endif
