#ifndef TESTS_CTCTL_CTCTL_ROOM_H
#define TESTS_CTCTL_CTCTL_ROOM_H

#include <sys/types.h>

#include <stddef.h>

#include <json-c/json.h>

#include "common/base/buf.h"
#include "ipc/ipc.h"

/*
 * Each test runs the whole program in a child, against a daemon and an API that this process plays:
 * what a method or a path answers is put into a table first, what was asked is looked up after.
 */
#define ROOM_LIMIT_MS 60000 /* how long anything may take */
#define ID1 "3f2a9c1b-1111-4111-8111-111111111111"
#define ID2 "3f2a9c1b-2222-4222-8222-222222222222"
#define ID3 "77777777-3333-4333-8333-333333333333"

struct answer {
    const char *what; /* a method, or "GET /path?query" below /v1 */
    int status; /* of the API; 0: a method that succeeds, -1: that fails with the body as err */
    const char *body;
    int n_asked;
};

struct room {
    char dir[64];
    char *socket, *url, *out_path, *err_path;
    struct event_base *base;
    struct ipc_server *server;
    struct evhttp *http;
    struct answer answers[24];
    size_t n_answers;
    struct buf asked; /* a line for each: what it was and its parameters or body */
    struct buf out, err;
    struct ipc_request *held; /* the method that never answers */
    int is_held_gone;
    const char *stdin_text;
};

/**
 * room_setup(state), room_teardown(state):
 * Make a scratch home, a daemon's socket and an API on loopback; end them.
 */
int room_setup(void **state);
int room_teardown(void **state);

#define ROOM(name) cmocka_unit_test_setup_teardown(name, room_setup, room_teardown)

/**
 * room_on_request(arg, rq, method, params):
 * What the daemon's socket answers, for a test that makes it anew.
 */
void room_on_request(void *arg, struct ipc_request *rq, const char *method,
                     struct json_object *params);

/**
 * room_answers(r, what, status, body):
 * From now on this is answered to ${what}; of several for the same, each once, the last for ever.
 */
void room_answers(struct room *r, const char *what, int status, const char *body);

/**
 * room_write(r, name, text, mode), room_read(r, name):
 * Write a file below the scratch folder; return what one holds, "" if it is not there (the caller
 * frees it).
 */
void room_write(struct room *r, const char *name, const char *text, mode_t mode);
char *room_read(struct room *r, const char *name);

/**
 * room_log_in(r):
 * Write credentials for the API.
 */
void room_log_in(struct room *r);

/**
 * room_start(r, line), room_finish(r, pid), room_run(r, line):
 * Start ctctl with the words of ${line}; play its peers until it has ended, and return its exit
 * status, with what it printed in r->out and r->err; both.
 */
pid_t room_start(struct room *r, const char *line);
int room_finish(struct room *r, pid_t pid);
int room_run(struct room *r, const char *line);

/**
 * room_has(b, text), room_lacks(b, text):
 * Fail the test unless ${text} is in ${b}; if it is.
 */
void room_has(const struct buf *b, const char *text);
void room_lacks(const struct buf *b, const char *text);

/**
 * room_document(r):
 * Return stdout, which has to be one JSON document on one line.
 */
struct json_object *room_document(struct room *r);

#endif
