#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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

#include "common/buf.h"
#include "common/jdoc.h"
#include "common/log.h"
#include "common/now.h"
#include "common/path.h"
#include "common/str.h"

#include "ipc/ipc.h"

/* Sockets of both ends in one thread: the loop turns whenever a test waits for something. */

#define LIMIT_MS 20000
#define MAX_HELD 256

struct room {
    char dir[64];
    char *path;
    struct event_base *base;
    struct ipc_server *server;
    struct ipc_request *held[MAX_HELD]; /* of the method "hold", in the order they came */
    int n_held;
    int n_called;
    int n_gone;
    int frees_server; /* the method "free" frees the server */
};

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

static struct json_object *text_result(size_t n)
{
    struct json_object *o = json_object_new_object();
    char *s = str_calloc(n + 1, 1);

    memset(s, 'x', n);
    jdoc_set_str(o, "text", s);
    free(s);
    return o;
}

static void on_request(void *arg, struct ipc_request *rq, const char *method,
                       struct json_object *params)
{
    struct room *r = arg;
    struct ct_err e;

    r->n_called++;
    if (strcmp(method, "echo") == 0) {
        ipc_reply(rq, params != NULL ? json_object_get(params) : json_object_new_object());
    } else if (strcmp(method, "big") == 0) {
        ipc_reply(rq, text_result((size_t)jdoc_int(params, "bytes", 0)));
    } else if (strcmp(method, "hold") == 0 || strcmp(method, "hold-all") == 0) {
        assert_true(r->n_held < MAX_HELD);
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

static int setup(void **state)
{
    struct room *r = str_calloc(1, sizeof(*r));
    struct ct_err e;

    strcpy(r->dir, "/tmp/unit_ipc.XXXXXX");
    assert_non_null(mkdtemp(r->dir));
    r->path = str_printf("%s/run/control.sock", r->dir);
    r->base = event_base_new();
    assert_int_equal(ipc_server_new(r->base, r->path, on_request, r, &r->server, &e), 0);
    *state = r;
    return 0;
}

static int teardown(void **state)
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

static void turn(struct room *r)
{
    struct timeval tv = {0, 2000};

    event_base_loopexit(r->base, &tv);
    event_base_loop(r->base, EVLOOP_ONCE);
    event_base_loop(r->base, EVLOOP_NONBLOCK);
}

static int dial(struct room *r)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    strncpy(a.sun_path, r->path, sizeof(a.sun_path) - 1);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

/* Write all of it while the loop turns; stop early if the server has closed. */
static size_t say_n(struct room *r, int fd, const char *p, size_t n)
{
    int64_t end = now_mono_ms() + LIMIT_MS;
    size_t done = 0;

    while (done < n) {
        ssize_t k = send(fd, p + done, n - done, MSG_NOSIGNAL);
        if (k > 0)
            done += (size_t)k;
        else if (k < 0 && errno != EAGAIN)
            break;
        turn(r);
        assert_true(now_mono_ms() < end);
    }
    return done;
}

static void say(struct room *r, int fd, const char *s)
{
    assert_int_equal(say_n(r, fd, s, strlen(s)), strlen(s));
}

/* Read one line while the loop turns; NULL at the end of the stream. */
static struct json_object *hear(struct room *r, int fd)
{
    int64_t end = now_mono_ms() + LIMIT_MS;
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
        turn(r);
        assert_true(now_mono_ms() < end);
    }
    assert_int_equal(jdoc_parse(line.data, line.len, &o, NULL), 0);
    assert_string_equal(jdoc_str(o, "jsonrpc"), "2.0");
    buf_free(&line);
    return o;
}

static void hear_error(struct room *r, int fd, int code)
{
    struct json_object *o = hear(r, fd);

    assert_non_null(o);
    assert_int_equal(jdoc_int(jdoc_obj(o, "error"), "code", 0), code);
    assert_non_null(jdoc_str(jdoc_obj(o, "error"), "message"));
    json_object_put(o);
}

static void hear_result(struct room *r, int fd, int64_t id)
{
    struct json_object *o = hear(r, fd);

    assert_non_null(o);
    assert_true(jdoc_has(o, "result"));
    assert_int_equal(jdoc_int(o, "id", -1), id);
    json_object_put(o);
}

static void hear_end(struct room *r, int fd)
{
    assert_null(hear(r, fd));
}

static void wait_held(struct room *r, int n)
{
    int64_t end = now_mono_ms() + LIMIT_MS;

    while (r->n_held < n) {
        turn(r);
        assert_true(now_mono_ms() < end);
    }
}

static void wait_gone(struct room *r, int n)
{
    int64_t end = now_mono_ms() + LIMIT_MS;

    while (r->n_gone < n) {
        turn(r);
        assert_true(now_mono_ms() < end);
    }
}

/* ---- framing ----------------------------------------------------------------------------------
 */

static void a_request_split_into_single_bytes_is_answered(void **state)
{
    static const char rq[] = "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"echo\"}\n";
    struct room *r = *state;
    int fd = dial(r);

    for (size_t i = 0; i + 1 < sizeof(rq); i++) {
        assert_int_equal(r->n_called, 0);
        assert_int_equal(say_n(r, fd, rq + i, 1), 1);
    }
    hear_result(r, fd, 7);
    close(fd);
}

static void many_requests_in_one_write_are_answered_in_order(void **state)
{
    struct room *r = *state;
    struct buf b = {0};
    int fd = dial(r);

    for (int i = 0; i < 1000; i++)
        buf_printf(&b, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"echo\",\"params\":[%d]}\n", i,
                   i);
    assert_int_equal(say_n(r, fd, b.data, b.len), b.len);
    for (int i = 0; i < 1000; i++)
        hear_result(r, fd, i);
    buf_free(&b);
    close(fd);
}

static void a_line_of_one_mebibyte_passes_and_one_more_byte_does_not(void **state)
{
    static const char head[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":[\"";
    struct room *r = *state;
    struct buf b = {0};
    size_t fill = IPC_MAX_REQUEST - strlen(head) - strlen("\"]}");
    int fd = dial(r);

    buf_addstr(&b, head);
    memset(buf_reserve(&b, fill), 'y', fill);
    b.len += fill;
    buf_addstr(&b, "\"]}");
    assert_int_equal(b.len, IPC_MAX_REQUEST);
    buf_addc(&b, '\n');
    assert_int_equal(say_n(r, fd, b.data, b.len), b.len);
    hear_result(r, fd, 1);
    b.data[b.len - 1] = ' ';
    buf_addc(&b, '\n');
    say_n(r, fd, b.data, b.len);
    hear_error(r, fd, IPC_INVALID_REQUEST);
    hear_end(r, fd);
    assert_int_equal(r->n_called, 1);
    buf_free(&b);
    close(fd);
}

static void an_endless_line_gets_an_error_and_the_end(void **state)
{
    struct room *r = *state;
    char *noise = str_calloc(4, 1 << 20);
    int fd = dial(r), other = dial(r);

    memset(noise, '[', 4 << 20);
    assert_true(say_n(r, fd, noise, 4 << 20) < 4 << 20);
    hear_error(r, fd, IPC_INVALID_REQUEST);
    hear_end(r, fd);
    say(r, other, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"}\n");
    hear_result(r, other, 1);
    free(noise);
    close(fd);
    close(other);
}

static void a_torn_last_line_is_not_executed(void **state)
{
    struct room *r = *state;
    int fd = dial(r);

    say(r, fd,
        "{\"jsonrpc\":\"2.0\",\"method\":\"echo\"}\n{\"jsonrpc\":\"2.0\",\"method\":\"echo\"}");
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    hear_end(r, fd);
    assert_int_equal(r->n_called, 1);
    close(fd);
}

static void a_peer_that_shut_down_its_side_still_gets_its_answers(void **state)
{
    struct room *r = *state;
    int fd = dial(r);

    say(r, fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hold\"}\n");
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    wait_held(r, 1);
    for (int i = 0; i < 5; i++)
        turn(r);
    assert_int_equal(r->n_gone, 0);
    ipc_reply(r->held[0], json_object_new_object());
    r->n_held = 0;
    hear_result(r, fd, 1);
    hear_end(r, fd);
    close(fd);
}

/* ---- JSON-RPC ---------------------------------------------------------------------------------
 */

static void garbage_gets_the_standard_errors_and_the_connection_goes_on(void **state)
{
    static const struct {
        const char *line;
        int code;
    } bad[] = {
        {"\n", IPC_PARSE_ERROR},
        {"GET / HTTP/1.1\r\n", IPC_PARSE_ERROR},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"\n", IPC_PARSE_ERROR},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"} x\n", IPC_PARSE_ERROR},
        {"{'jsonrpc':'2.0','id':1,'method':'echo'}\n", IPC_PARSE_ERROR},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\xfe\"}\n", IPC_PARSE_ERROR},
        {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n", IPC_PARSE_ERROR},
        {"null\n", IPC_INVALID_REQUEST},
        {"42\n", IPC_INVALID_REQUEST},
        {"[]\n", IPC_INVALID_REQUEST},
        {"[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"}]\n", IPC_INVALID_REQUEST},
        {"{}\n", IPC_INVALID_REQUEST},
        {"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"echo\"}\n", IPC_INVALID_REQUEST},
        {"{\"jsonrpc\":2.0,\"id\":1,\"method\":\"echo\"}\n", IPC_INVALID_REQUEST},
        {"{\"jsonrpc\":\"2.0\",\"id\":1}\n", IPC_INVALID_REQUEST},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":1}\n", IPC_INVALID_REQUEST},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\\u0000b\"}\n", IPC_INVALID_REQUEST},
        {"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"echo\"}\n", IPC_INVALID_REQUEST},
        {"{\"jsonrpc\":\"2.0\",\"id\":true,\"method\":\"echo\"}\n", IPC_INVALID_REQUEST},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":1}\n", IPC_INVALID_REQUEST},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":null}\n",
         IPC_INVALID_REQUEST},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"nonesuch\"}\n", IPC_NO_METHOD},
    };
    struct room *r = *state;
    int fd = dial(r);

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        say(r, fd, bad[i].line);
        hear_error(r, fd, bad[i].code);
    }
    assert_int_equal(r->n_called, 1); /* nonesuch alone */
    say(r, fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"}\n");
    hear_result(r, fd, 1);
    close(fd);
}

static void an_id_comes_back_as_it_was(void **state)
{
    static const char *const ids[] = {
        "0", "-5", "1.50", "\"a\\\"b\\u00e9\"", "null", "9007199254740993"};
    struct room *r = *state;
    struct json_object *o, *want, *got;
    int fd = dial(r);

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        char *line = str_printf("{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"echo\"}\n", ids[i]);
        say(r, fd, line);
        o = hear(r, fd);
        assert_non_null(o);
        assert_true(json_object_object_get_ex(o, "id", &got));
        assert_int_equal(jdoc_parse(ids[i], strlen(ids[i]), &want, NULL), 0);
        assert_true(json_object_equal(want, got));
        json_object_put(want);
        json_object_put(o);
        free(line);
    }
    close(fd);
}

static void a_notification_is_executed_and_not_answered(void **state)
{
    struct room *r = *state;
    int fd = dial(r);

    say(r, fd,
        "{\"jsonrpc\":\"2.0\",\"method\":\"echo\"}\n"
        "{\"jsonrpc\":\"2.0\",\"method\":\"refuse\"}\n"
        "{\"jsonrpc\":\"2.0\",\"method\":\"nonesuch\"}\n"
        "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"echo\"}\n");
    hear_result(r, fd, 4);
    assert_int_equal(r->n_called, 4);
    close(fd);
}

static void a_notification_of_a_peer_that_left_at_once_is_executed(void **state)
{
    static const char line[] = "{\"jsonrpc\":\"2.0\",\"method\":\"echo\"}\n";
    struct room *r = *state;
    int64_t end = now_mono_ms() + LIMIT_MS;
    int fd = dial(r);

    for (int i = 0; i < 40; i++)
        assert_int_equal(send(fd, line, sizeof(line) - 1, MSG_NOSIGNAL), sizeof(line) - 1);
    close(fd);
    while (r->n_called < 40) {
        turn(r);
        assert_true(now_mono_ms() < end);
    }
}

static void answers_may_come_later_and_in_any_order(void **state)
{
    struct room *r = *state;
    int fd = dial(r);

    say(r, fd,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hold\"}\n"
        "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"hold\"}\n"
        "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"echo\"}\n");
    hear_result(r, fd, 3);
    wait_held(r, 2);
    ipc_reply(r->held[1], json_object_new_object());
    hear_result(r, fd, 2);
    ipc_reply(r->held[0], json_object_new_object());
    hear_result(r, fd, 1);
    r->n_held = 0;
    close(fd);
    for (int i = 0; i < 5; i++)
        turn(r);
    assert_int_equal(r->n_gone, 0);
}

static void a_peer_gone_before_the_answer_is_told_once_and_the_answer_dropped(void **state)
{
    struct room *r = *state;
    int fd = dial(r);

    say(r, fd,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hold\"}\n"
        "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"hold\"}\n");
    wait_held(r, 2);
    close(fd);
    wait_gone(r, 2);
    ipc_reply(r->held[0], json_object_new_object());
    ipc_fail_code(r->held[1], IPC_INTERNAL, "late");
    r->n_held = 0;
    for (int i = 0; i < 5; i++)
        turn(r);
    assert_int_equal(r->n_gone, 2);
}

static void all_requests_of_a_gone_peer_may_be_ended_at_the_first_word(void **state)
{
    struct room *r = *state;
    int fd = dial(r);

    say(r, fd,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hold-all\"}\n"
        "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"hold-all\"}\n"
        "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"hold-all\"}\n");
    wait_held(r, 3);
    close(fd);
    wait_gone(r, 1);
    for (int i = 0; i < 5; i++)
        turn(r);
    assert_int_equal(r->n_gone, 1);
    assert_int_equal(r->n_held, 0);
}

static void the_server_may_be_freed_from_a_request(void **state)
{
    struct room *r = *state;
    int fd = dial(r);

    say(r, fd,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hold\"}\n"
        "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"free\"}\n"
        "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"echo\"}\n");
    hear_end(r, fd);
    assert_null(r->server);
    assert_int_equal(r->n_called, 2);
    assert_int_equal(access(r->path, F_OK), -1);
    close(fd);
}

/* ---- hostile and slow peers -------------------------------------------------------------------
 */

static void a_reader_that_never_reads_is_not_read_from_and_stalls_nobody(void **state)
{
    static const char rq[] =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"big\",\"params\":{\"bytes\":100000}}\n";
    struct room *r = *state;
    int fd = dial(r), other = dial(r);
    int n = 0, idle = 0;

    /* It asks for 100 kB at a time and reads none of it, until it can't even ask any more. */
    while (idle < 200) {
        ssize_t k = send(fd, rq, sizeof(rq) - 1, MSG_NOSIGNAL);
        idle = k > 0 ? 0 : idle + 1;
        n += k > 0;
        turn(r);
        assert_true(n < 100000);
    }
    assert_true(r->n_called < 50); /* far below 4 MiB of answers */
    say(r, other, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"echo\"}\n");
    hear_result(r, other, 2);
    close(fd);
    close(other);
}

static void a_peer_with_many_open_requests_waits_until_some_are_answered(void **state)
{
    struct room *r = *state;
    struct buf b = {0};
    int fd = dial(r);

    for (int i = 0; i < 200; i++)
        buf_printf(&b, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"hold\"}\n", i);
    assert_int_equal(say_n(r, fd, b.data, b.len), b.len);
    for (int i = 0; i < 50; i++)
        turn(r);
    assert_int_equal(r->n_held, 128);
    for (int i = 0; i < 128; i++)
        ipc_reply(r->held[i], json_object_new_object());
    memset(r->held, 0, sizeof(r->held));
    r->n_held = 0;
    wait_held(r, 72);
    for (int i = 0; i < 128; i++)
        hear_result(r, fd, i);
    buf_free(&b);
    close(fd);
}

static void a_subscriber_that_does_not_read_is_dropped(void **state)
{
    struct room *r = *state;
    struct json_object *event = text_result(10000);
    int fd = dial(r), other = dial(r);
    int n;

    say(r, fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"subscribe\"}\n");
    hear_result(r, fd, 1);
    say(r, other, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"subscribe\"}\n");
    hear_result(r, other, 1);
    assert_int_equal(ipc_subscribers(r->server), 2);
    for (n = 0; ipc_subscribers(r->server) == 2; n++) {
        assert_true(n < 2000); /* 20 MB */
        ipc_publish(r->server, event);
        json_object_put(hear(r, other));
    }
    assert_int_equal(ipc_subscribers(r->server), 1);
    assert_true(n > 100);
    ipc_publish(r->server, event);
    json_object_put(hear(r, other));
    json_object_put(event);
    close(fd);
    close(other);
}

static void a_subscriber_that_shut_down_its_side_still_gets_events(void **state)
{
    struct room *r = *state;
    struct json_object *event = text_result(10), *o;
    int fd = dial(r);

    say(r, fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"subscribe\"}\n");
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    hear_result(r, fd, 1);
    ipc_publish(r->server, event);
    o = hear(r, fd);
    assert_string_equal(jdoc_str(o, "method"), "event");
    assert_string_equal(jdoc_str(jdoc_obj(o, "params"), "text"), "xxxxxxxxxx");
    json_object_put(o);
    json_object_put(event);
    close(fd);
}

static void the_65th_client_is_turned_away_and_a_place_becomes_free_again(void **state)
{
    struct room *r = *state;
    int fds[IPC_MAX_CLIENTS], extra;

    for (int i = 0; i < IPC_MAX_CLIENTS; i++) {
        fds[i] = dial(r);
        say(r, fds[i], "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"}\n");
        hear_result(r, fds[i], 1);
    }
    extra = dial(r);
    hear_error(r, extra, IPC_FAILED);
    hear_end(r, extra);
    close(extra);
    close(fds[0]);
    for (int i = 0; i < 5; i++)
        turn(r);
    fds[0] = dial(r);
    say(r, fds[0], "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"echo\"}\n");
    hear_result(r, fds[0], 2);
    for (int i = 0; i < IPC_MAX_CLIENTS; i++)
        close(fds[i]);
}

static void another_users_peer_is_turned_away(void **state)
{
    static const char line[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"}\n";
    struct room *r = *state;
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct ipc_server *s;
    struct ct_err e;
    int64_t end = now_mono_ms() + LIMIT_MS;
    int fd, status = -1;
    pid_t pid;
    char c;

    if (geteuid() != 0)
        skip();
    snprintf(a.sun_path, sizeof(a.sun_path), "%s/open.sock", r->dir);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(chmod(a.sun_path, 0777), 0);
    assert_int_equal(chmod(r->dir, 0755), 0);
    assert_int_equal(ipc_server_new_fd(r->base, fd, on_request, r, &s, &e), 0);
    pid = fork();
    if (pid == 0) {
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        if (setgid(65534) != 0 || setuid(65534) != 0 ||
            connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0)
            _exit(2);
        (void)!send(fd, line, sizeof(line) - 1, MSG_NOSIGNAL);
        _exit(recv(fd, &c, 1, 0) <= 0 ? 0 : 1);
    }
    while (waitpid(pid, &status, WNOHANG) == 0) {
        turn(r);
        assert_true(now_mono_ms() < end);
    }
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(r->n_called, 0);
    ipc_server_free(s);
    assert_int_equal(unlink(a.sun_path), 0); /* a socket that was handed over is not removed */
}

/* ---- the socket in the file system ------------------------------------------------------------
 */

static void the_socket_is_private(void **state)
{
    struct room *r = *state;
    char *dir = path_parent(r->path);
    struct stat st;

    assert_int_equal(stat(r->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    free(dir);
}

static void a_live_socket_is_refused_and_left_alone(void **state)
{
    struct room *r = *state;
    struct ipc_server *s = NULL;
    struct ct_err e;
    int fd;

    assert_int_equal(ipc_server_new(r->base, r->path, on_request, r, &s, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    fd = dial(r);
    say(r, fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"}\n");
    hear_result(r, fd, 1);
    close(fd);
}

static void a_stale_socket_is_replaced(void **state)
{
    struct room *r = *state;
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct ct_err e;
    int fd;

    ipc_server_free(r->server);
    r->server = NULL;
    assert_int_equal(access(r->path, F_OK), -1);
    strncpy(a.sun_path, r->path, sizeof(a.sun_path) - 1);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    close(fd); /* as a killed daemon leaves it */
    assert_int_equal(ipc_server_new(r->base, r->path, on_request, r, &r->server, &e), 0);
    fd = dial(r);
    say(r, fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"}\n");
    hear_result(r, fd, 1);
    close(fd);
}

static void what_is_no_socket_is_not_removed(void **state)
{
    struct room *r = *state;
    struct ipc_server *s = NULL;
    struct ct_err e;
    char *file = str_printf("%s/file", r->dir);
    int fd = open(file, O_CREAT | O_WRONLY, 0600);

    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(ipc_server_new(r->base, file, on_request, r, &s, &e), -1);
    assert_int_equal(e.code, ERR_CONFIG);
    assert_int_equal(unlink(file), 0);
    free(file);
}

static void a_folder_that_others_can_write_in_is_refused_and_keeps_its_mode(void **state)
{
    struct room *r = *state;
    struct ipc_server *s = NULL;
    struct stat st;
    struct ct_err e;
    char *dir = str_printf("%s/loose", r->dir), *path = str_printf("%s/s.sock", dir);

    assert_int_equal(mkdir(dir, 0700), 0);
    assert_int_equal(chmod(dir, 01777), 0);
    assert_int_equal(ipc_server_new(r->base, path, on_request, r, &s, &e), -1);
    assert_int_equal(e.code, ERR_CONFIG);
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 07777, 01777);
    assert_int_equal(rmdir(dir), 0);
    free(dir);
    free(path);
}

static void a_path_that_does_not_fit_is_an_error_with_its_limit(void **state)
{
    struct room *r = *state;
    struct ipc_server *s = NULL;
    struct ipc_client *c = NULL;
    struct ct_err e;
    char path[300];

    memset(path, 'p', sizeof(path) - 1);
    path[0] = '/';
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(ipc_server_new(r->base, path, on_request, r, &s, &e), -1);
    assert_int_equal(e.code, ERR_CONFIG);
    assert_non_null(strstr(e.msg, "bytes"));
    assert_int_equal(ipc_client_open(path, &c, &e), -1);
    assert_int_equal(e.code, ERR_CONFIG);
}

static void a_socket_that_replaced_ours_is_not_removed(void **state)
{
    struct room *r = *state;
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd;

    assert_int_equal(unlink(r->path), 0);
    strncpy(a.sun_path, r->path, sizeof(a.sun_path) - 1);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    ipc_server_free(r->server);
    r->server = NULL;
    assert_int_equal(access(r->path, F_OK), 0);
    close(fd);
}

#define ROOM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROOM(a_request_split_into_single_bytes_is_answered),
        ROOM(many_requests_in_one_write_are_answered_in_order),
        ROOM(a_line_of_one_mebibyte_passes_and_one_more_byte_does_not),
        ROOM(an_endless_line_gets_an_error_and_the_end),
        ROOM(a_torn_last_line_is_not_executed),
        ROOM(a_peer_that_shut_down_its_side_still_gets_its_answers),
        ROOM(garbage_gets_the_standard_errors_and_the_connection_goes_on),
        ROOM(an_id_comes_back_as_it_was),
        ROOM(a_notification_is_executed_and_not_answered),
        ROOM(a_notification_of_a_peer_that_left_at_once_is_executed),
        ROOM(answers_may_come_later_and_in_any_order),
        ROOM(a_peer_gone_before_the_answer_is_told_once_and_the_answer_dropped),
        ROOM(all_requests_of_a_gone_peer_may_be_ended_at_the_first_word),
        ROOM(the_server_may_be_freed_from_a_request),
        ROOM(a_reader_that_never_reads_is_not_read_from_and_stalls_nobody),
        ROOM(a_peer_with_many_open_requests_waits_until_some_are_answered),
        ROOM(a_subscriber_that_does_not_read_is_dropped),
        ROOM(a_subscriber_that_shut_down_its_side_still_gets_events),
        ROOM(the_65th_client_is_turned_away_and_a_place_becomes_free_again),
        ROOM(another_users_peer_is_turned_away),
        ROOM(the_socket_is_private),
        ROOM(a_live_socket_is_refused_and_left_alone),
        ROOM(a_stale_socket_is_replaced),
        ROOM(what_is_no_socket_is_not_removed),
        ROOM(a_folder_that_others_can_write_in_is_refused_and_keeps_its_mode),
        ROOM(a_path_that_does_not_fit_is_an_error_with_its_limit),
        ROOM(a_socket_that_replaced_ours_is_not_removed),
    };

    log_init("unit_ipc", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests_name("ipc", tests, NULL, NULL);
}
