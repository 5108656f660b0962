#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <event2/event.h>

#include "common/base/buf.h"
#include "common/data/jdoc.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "ipc/ipc.h"

#include "tests/ipc/ipc_room.h"

static void on_gone(void *arg)
{
    struct room *r = arg;

    r->n_gone++;
}

/* This one ends the other requests of the same peer when the first is told. */
static void on_gone_end_all(void *arg)
{
    struct room *r = arg;

    r->n_gone++;
    for (int i = 0; i < r->n_held; i++)
        ipc_fail_code(r->held[i], IPC_INTERNAL, "gone");
    r->n_held = 0;
}

struct json_object *room_text(size_t n)
{
    struct json_object *o = json_object_new_object();
    char *s = str_calloc(n + 1, 1);

    memset(s, 'x', n);
    jdoc_set_str(o, "text", s);
    free(s);
    return o;
}

void room_on_request(void *arg, struct ipc_request *rq, const char *method,
                     struct json_object *params)
{
    struct room *r = arg;
    struct ct_err e;

    r->n_called++;
    if (strcmp(method, "echo") == 0) {
        ipc_reply(rq, params != NULL ? json_object_get(params) : json_object_new_object());
    } else if (strcmp(method, "big") == 0) {
        ipc_reply(rq, room_text((size_t)jdoc_int(params, "bytes", 0)));
    } else if (strcmp(method, "hold") == 0 || strcmp(method, "hold-all") == 0) {
        assert_true(r->n_held < ROOM_HELD);
        r->held[r->n_held++] = rq;
        ipc_request_on_gone(rq, strcmp(method, "hold") == 0 ? on_gone : on_gone_end_all, r);
    } else if (strcmp(method, "subscribe") == 0) {
        ipc_subscribe(rq);
        ipc_reply(rq, json_object_new_object());
    } else if (strcmp(method, "refuse") == 0) {
        err_set(&e, ERR_AUTH, "not logged in; run: ctctl login");
        e.http_status = 401;
        strcpy(e.reason, "token_revoked");
        ipc_fail(rq, &e);
    } else if (strcmp(method, "free") == 0) {
        ipc_server_free(r->server);
        r->server = NULL;
        ipc_reply(rq, json_object_new_object());
    } else {
        ipc_fail_code(rq, IPC_NO_METHOD, "there is no such method");
    }
}

struct room *room_new(room_handler *handler)
{
    struct room *r = str_calloc(1, sizeof(*r));
    struct ct_err e;

    strcpy(r->dir, "/tmp/unit_ipc.XXXXXX");
    assert_non_null(mkdtemp(r->dir));
    r->path = str_printf("%s/run/control.sock", r->dir);
    r->base = event_base_new();
    assert_int_equal(ipc_server_new(r->base, r->path, handler, r, &r->server, &e), 0);
    return r;
}

int room_setup(void **state)
{
    *state = room_new(room_on_request);
    return 0;
}

int room_teardown(void **state)
{
    struct room *r = *state;
    char *run = path_parent(r->path);

    for (int i = 0; i < r->n_held; i++)
        ipc_fail_code(r->held[i], IPC_INTERNAL, "the end");
    ipc_server_free(r->server);
    event_base_free(r->base);
    unlink(r->path);
    rmdir(run);
    assert_int_equal(rmdir(r->dir), 0);
    free(run);
    free(r->path);
    free(r);
    return 0;
}

void room_turn(struct room *r)
{
    struct timeval tv = {0, 2000};

    event_base_loopexit(r->base, &tv);
    event_base_loop(r->base, EVLOOP_ONCE);
    event_base_loop(r->base, EVLOOP_NONBLOCK);
}

int room_dial(struct room *r)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    strncpy(a.sun_path, r->path, sizeof(a.sun_path) - 1);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

size_t room_say_n(struct room *r, int fd, const char *p, size_t n)
{
    int64_t end = now_mono_ms() + ROOM_LIMIT_MS;
    size_t done = 0;

    while (done < n) {
        ssize_t k = send(fd, p + done, n - done, MSG_NOSIGNAL);
        if (k > 0)
            done += (size_t)k;
        else if (k < 0 && errno != EAGAIN)
            break;
        room_turn(r);
        assert_true(now_mono_ms() < end);
    }
    return done;
}

void room_say(struct room *r, int fd, const char *s)
{
    assert_int_equal(room_say_n(r, fd, s, strlen(s)), strlen(s));
}

struct json_object *room_hear(struct room *r, int fd)
{
    int64_t end = now_mono_ms() + ROOM_LIMIT_MS;
    struct json_object *o = NULL;
    struct buf line = {0};
    char c;

    for (;;) {
        ssize_t k = recv(fd, &c, 1, 0);
        if (k == 1 && c == '\n')
            break;
        if (k == 1) {
            buf_addc(&line, c);
            continue;
        }
        if (k == 0 || errno == ECONNRESET) {
            assert_int_equal(line.len, 0);
            return NULL;
        }
        assert_int_equal(errno, EAGAIN);
        room_turn(r);
        assert_true(now_mono_ms() < end);
    }
    assert_int_equal(jdoc_parse(line.data, line.len, &o, NULL), 0);
    assert_string_equal(jdoc_str(o, "jsonrpc"), "2.0");
    buf_free(&line);
    return o;
}

void room_hear_error(struct room *r, int fd, int code)
{
    struct json_object *o = room_hear(r, fd);

    assert_non_null(o);
    assert_int_equal(jdoc_int(jdoc_obj(o, "error"), "code", 0), code);
    assert_non_null(jdoc_str(jdoc_obj(o, "error"), "message"));
    json_object_put(o);
}

void room_hear_result(struct room *r, int fd, int64_t id)
{
    struct json_object *o = room_hear(r, fd);

    assert_non_null(o);
    assert_true(jdoc_has(o, "result"));
    assert_int_equal(jdoc_int(o, "id", -1), id);
    json_object_put(o);
}

void room_hear_end(struct room *r, int fd)
{
    assert_null(room_hear(r, fd));
}

void room_wait_held(struct room *r, int n)
{
    int64_t end = now_mono_ms() + ROOM_LIMIT_MS;

    while (r->n_held < n) {
        room_turn(r);
        assert_true(now_mono_ms() < end);
    }
}

void room_wait_gone(struct room *r, int n)
{
    int64_t end = now_mono_ms() + ROOM_LIMIT_MS;

    while (r->n_gone < n) {
        room_turn(r);
        assert_true(now_mono_ms() < end);
    }
}
