#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/data/jdoc.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "ipc/ipc.h"

#include "tests/ipc/ipc_room.h"

static void a_reader_that_never_reads_is_not_read_from_and_stalls_nobody(void **state)
{
    static const char rq[] =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"big\",\"params\":{\"bytes\":100000}}\n";
    struct room *r = *state;
    int fd = room_dial(r), other = room_dial(r);
    int n = 0, idle = 0;

    /* It asks for 100 kB at a time and reads none of it, until it can't even ask any more. */
    while (idle < 200) {
        ssize_t k = send(fd, rq, sizeof(rq) - 1, MSG_NOSIGNAL);
        idle = k > 0 ? 0 : idle + 1;
        n += k > 0;
        room_turn(r);
        assert_true(n < 100000);
    }
    assert_true(r->n_called < 50); /* far below 4 MiB of answers */
    room_say(r, other, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"echo\"}\n");
    room_hear_result(r, other, 2);
    close(fd);
    close(other);
}

static void a_peer_with_many_open_requests_waits_until_some_are_answered(void **state)
{
    struct room *r = *state;
    struct buf b = {0};
    int fd = room_dial(r);

    for (int i = 0; i < 200; i++)
        buf_printf(&b, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"hold\"}\n", i);
    assert_int_equal(room_say_n(r, fd, b.data, b.len), b.len);
    for (int i = 0; i < 50; i++)
        room_turn(r);
    assert_int_equal(r->n_held, 128);
    for (int i = 0; i < 128; i++)
        ipc_reply(r->held[i], json_object_new_object());
    memset(r->held, 0, sizeof(r->held));
    r->n_held = 0;
    room_wait_held(r, 72);
    for (int i = 0; i < 128; i++)
        room_hear_result(r, fd, i);
    buf_free(&b);
    close(fd);
}

static void a_subscriber_that_does_not_read_is_dropped(void **state)
{
    struct room *r = *state;
    struct json_object *event = room_text(10000);
    int fd = room_dial(r), other = room_dial(r);
    int n;

    room_say(r, fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"subscribe\"}\n");
    room_hear_result(r, fd, 1);
    room_say(r, other, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"subscribe\"}\n");
    room_hear_result(r, other, 1);
    assert_int_equal(ipc_subscribers(r->server), 2);
    for (n = 0; ipc_subscribers(r->server) == 2; n++) {
        assert_true(n < 2000); /* 20 MB */
        ipc_publish(r->server, event);
        json_object_put(room_hear(r, other));
    }
    assert_int_equal(ipc_subscribers(r->server), 1);
    assert_true(n > 100);
    ipc_publish(r->server, event);
    json_object_put(room_hear(r, other));
    json_object_put(event);
    close(fd);
    close(other);
}

static void a_subscriber_that_shut_down_its_side_still_gets_events(void **state)
{
    struct room *r = *state;
    struct json_object *event = room_text(10), *o;
    int fd = room_dial(r);

    room_say(r, fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"subscribe\"}\n");
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    room_hear_result(r, fd, 1);
    ipc_publish(r->server, event);
    o = room_hear(r, fd);
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
        fds[i] = room_dial(r);
        room_say(r, fds[i], "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"}\n");
        room_hear_result(r, fds[i], 1);
    }
    extra = room_dial(r);
    room_hear_error(r, extra, IPC_FAILED);
    room_hear_end(r, extra);
    close(extra);
    close(fds[0]);
    for (int i = 0; i < 5; i++)
        room_turn(r);
    fds[0] = room_dial(r);
    room_say(r, fds[0], "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"echo\"}\n");
    room_hear_result(r, fds[0], 2);
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
    int64_t end = now_mono_ms() + ROOM_LIMIT_MS;
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
    assert_int_equal(ipc_server_new_fd(r->base, fd, room_on_request, r, &s, &e), 0);
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
        room_turn(r);
        assert_true(now_mono_ms() < end);
    }
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(r->n_called, 0);
    ipc_server_free(s);
    assert_int_equal(unlink(a.sun_path), 0); /* a socket that was handed over is not removed */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROOM(a_reader_that_never_reads_is_not_read_from_and_stalls_nobody),
        ROOM(a_peer_with_many_open_requests_waits_until_some_are_answered),
        ROOM(a_subscriber_that_does_not_read_is_dropped),
        ROOM(a_subscriber_that_shut_down_its_side_still_gets_events),
        ROOM(the_65th_client_is_turned_away_and_a_place_becomes_free_again),
        ROOM(another_users_peer_is_turned_away),
    };

    log_init("unit_ipc_peers", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests_name("ipc peers", tests, NULL, NULL);
}
