#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

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

#include "common/data/jdoc.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "ipc/ipc.h"

#include "tests/ipc/ipc_room.h"

/*
 * The client blocks, so it runs in a child and the server here.  The child checks for itself; its
 * exit status is 0 if all was as it should be, else the number of the check that was not.
 */

#define CHECK(n, condition) \
    do { \
        if (!(condition)) \
            return n; \
    } while (0)

static struct json_object *event_number(int i)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_int(o, "n", i);
    return o;
}

static void publish(struct room *r, int from, int to)
{
    for (int i = from; i <= to; i++) {
        struct json_object *o = event_number(i);
        ipc_publish(r->server, o);
        json_object_put(o);
    }
}

static void on_request(void *arg, struct ipc_request *rq, const char *method,
                       struct json_object *params)
{
    struct room *r = arg;
    struct ct_err e;

    if (strcmp(method, "echo") == 0) {
        ipc_reply(rq, params != NULL ? json_object_get(params) : json_object_new_object());
    } else if (strcmp(method, "subscribe") == 0) {
        ipc_subscribe(rq);
        publish(r, 1, 2);
        ipc_reply(rq, json_object_new_object());
        publish(r, 3, 3);
    } else if (strcmp(method, "refuse") == 0) {
        err_set(&e, ERR_REFUSED, "over the plan's limit");
        e.http_status = 403;
        e.retry_after_s = 7;
        strcpy(e.reason, "session_limit");
        ipc_fail(rq, &e);
    } else if (strcmp(method, "slow") == 0) {
        r->held[r->n_held++] = rq;
    } else if (strcmp(method, "release") == 0) {
        ipc_reply(r->held[0], event_number(99));
        r->n_held = 0;
        ipc_reply(rq, event_number(1));
    } else if (strcmp(method, "die") == 0) {
        ipc_server_free(r->server);
        r->server = NULL;
        ipc_reply(rq, json_object_new_object());
    } else {
        ipc_fail_code(rq, IPC_NO_METHOD, "there is no such method");
    }
}

static int setup(void **state)
{
    *state = room_new(on_request);
    return 0;
}

static void run(struct room *r, int (*client)(struct room *r))
{
    int64_t end = now_mono_ms() + ROOM_LIMIT_MS;
    struct timeval tv = {0, 5000};
    int status = 0;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0)
        _exit(client(r));
    assert_true(pid > 0);
    while (waitpid(pid, &status, WNOHANG) == 0) {
        event_base_loopexit(r->base, &tv);
        event_base_loop(r->base, EVLOOP_ONCE);
        assert_true(now_mono_ms() < end);
    }
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int calls(struct room *r)
{
    struct ipc_client *c;
    struct json_object *params = event_number(5), *o;
    struct ct_err e;

    CHECK(1, ipc_client_open(r->path, &c, &e) == 0);
    for (int i = 0; i < 100; i++) {
        CHECK(2, ipc_client_call(c, "echo", params, ROOM_LIMIT_MS, &o, &e) == 0);
        CHECK(3, jdoc_int(o, "n", 0) == 5);
        json_object_put(o);
    }
    json_object_put(params);
    ipc_client_close(c);
    return 0;
}

static void a_call_returns_what_the_server_answered(void **state)
{
    run(*state, calls);
}

static int megabyte(struct room *r)
{
    struct json_object *params = json_object_new_object(), *o;
    char *text = str_calloc(1, 1000001);
    struct ipc_client *c;
    struct ct_err e;

    memset(text, 'z', 1000000);
    jdoc_set_str(params, "t", text);
    CHECK(1, ipc_client_open(r->path, &c, &e) == 0);
    CHECK(2, ipc_client_call(c, "echo", params, ROOM_LIMIT_MS, &o, &e) == 0);
    CHECK(3, strcmp(jdoc_str(o, "t"), text) == 0);
    json_object_put(o);
    json_object_put(params);
    free(text);
    ipc_client_close(c);
    return 0;
}

static void a_call_of_a_megabyte_and_its_answer_pass(void **state)
{
    run(*state, megabyte);
}

static int errors(struct room *r)
{
    struct ipc_client *c;
    struct json_object *o;
    struct ct_err e;

    CHECK(1, ipc_client_open(r->path, &c, &e) == 0);
    CHECK(2, ipc_client_call(c, "refuse", NULL, ROOM_LIMIT_MS, &o, &e) == -1);
    CHECK(3, e.code == ERR_REFUSED && e.http_status == 403 && e.retry_after_s == 7);
    CHECK(4, strcmp(e.reason, "session_limit") == 0);
    CHECK(5, strcmp(e.msg, "over the plan's limit") == 0);
    CHECK(6, ipc_client_call(c, "nonesuch", NULL, ROOM_LIMIT_MS, &o, &e) == -1);
    CHECK(7, e.code == ERR_REFUSED);
    CHECK(8, ipc_client_call(c, "echo", NULL, ROOM_LIMIT_MS, &o, NULL) == 0);
    json_object_put(o);
    ipc_client_close(c);
    return 0;
}

static void an_error_crosses_with_code_reason_and_sentence(void **state)
{
    run(*state, errors);
}

static int late(struct room *r)
{
    struct ipc_client *c;
    struct json_object *o;
    struct ct_err e;

    CHECK(1, ipc_client_open(r->path, &c, &e) == 0);
    CHECK(2, ipc_client_call(c, "slow", NULL, 50, &o, &e) == -1);
    CHECK(3, e.code == ERR_RETRY);
    /* The answer to the first call comes before that to the second, and is not taken for it. */
    CHECK(4, ipc_client_call(c, "release", NULL, ROOM_LIMIT_MS, &o, &e) == 0);
    CHECK(5, jdoc_int(o, "n", 0) == 1);
    json_object_put(o);
    ipc_client_close(c);
    return 0;
}

static void an_answer_that_comes_too_late_is_not_taken_for_the_next(void **state)
{
    run(*state, late);
}

static int events(struct room *r)
{
    struct ipc_client *c;
    struct json_object *o;
    struct ct_err e;

    CHECK(1, ipc_client_open(r->path, &c, &e) == 0);
    CHECK(2, ipc_client_call(c, "subscribe", NULL, ROOM_LIMIT_MS, &o, &e) == 0);
    json_object_put(o);
    for (int i = 1; i <= 3; i++) {
        CHECK(2 + i, ipc_client_event(c, ROOM_LIMIT_MS, &o, &e) == 0);
        CHECK(10 + i, jdoc_int(o, "n", 0) == i);
        json_object_put(o);
    }
    CHECK(20, ipc_client_event(c, 30, &o, &e) == -1);
    CHECK(21, e.code == ERR_RETRY);
    CHECK(22, ipc_client_call(c, "die", NULL, ROOM_LIMIT_MS, &o, &e) == -1);
    CHECK(23, e.code == ERR_GONE && strcmp(e.reason, "connection_lost") == 0);
    CHECK(24, ipc_client_event(c, ROOM_LIMIT_MS, &o, &e) == -1);
    CHECK(25, e.code == ERR_GONE);
    ipc_client_close(c);
    return 0;
}

static void events_before_the_answer_are_kept_and_a_lost_server_is_told(void **state)
{
    run(*state, events);
}

static int crowd(struct room *r)
{
    struct ipc_client *c[IPC_MAX_CLIENTS + 1];
    struct json_object *o;
    struct ct_err e;

    for (int i = 0; i < IPC_MAX_CLIENTS; i++) {
        CHECK(1, ipc_client_open(r->path, &c[i], &e) == 0);
        CHECK(2, ipc_client_call(c[i], "echo", NULL, ROOM_LIMIT_MS, &o, &e) == 0);
        json_object_put(o);
    }
    CHECK(3, ipc_client_open(r->path, &c[IPC_MAX_CLIENTS], &e) == 0);
    CHECK(4, ipc_client_call(c[IPC_MAX_CLIENTS], "echo", NULL, ROOM_LIMIT_MS, &o, &e) == -1);
    CHECK(5, e.code == ERR_RETRY && strstr(e.msg, "too many") != NULL);
    for (int i = 0; i <= IPC_MAX_CLIENTS; i++)
        ipc_client_close(c[i]);
    return 0;
}

static void the_65th_client_is_asked_to_come_again(void **state)
{
    run(*state, crowd);
}

static void where_nobody_listens_is_gone(void **state)
{
    struct room *r = *state;
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct ipc_client *c;
    struct ct_err e;
    int fd;

    ipc_server_free(r->server);
    r->server = NULL;
    assert_int_equal(ipc_client_open(r->path, &c, &e), -1);
    assert_int_equal(e.code, ERR_GONE);
    strncpy(a.sun_path, r->path, sizeof(a.sun_path) - 1);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    close(fd); /* as a killed daemon leaves it */
    assert_int_equal(ipc_client_open(r->path, &c, &e), -1);
    assert_int_equal(e.code, ERR_GONE);
    ipc_client_close(NULL);
}

#define CLIENT(name) cmocka_unit_test_setup_teardown(name, setup, room_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLIENT(a_call_returns_what_the_server_answered),
        CLIENT(a_call_of_a_megabyte_and_its_answer_pass),
        CLIENT(an_error_crosses_with_code_reason_and_sentence),
        CLIENT(an_answer_that_comes_too_late_is_not_taken_for_the_next),
        CLIENT(events_before_the_answer_are_kept_and_a_lost_server_is_told),
        CLIENT(the_65th_client_is_asked_to_come_again),
        CLIENT(where_nobody_listens_is_gone),
    };

    log_init("unit_ipc_client", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests_name("ipc client", tests, NULL, NULL);
}
