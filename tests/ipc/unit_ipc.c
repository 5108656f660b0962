#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/data/jdoc.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/str.h"
#include "ipc/ipc.h"

#include "tests/ipc/ipc_room.h"

/* ---- framing ----------------------------------------------------------------------------------
 */

static void a_request_split_into_single_bytes_is_answered(void **state)
{
    static const char rq[] = "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"echo\"}\n";
    struct room *r = *state;
    int fd = room_dial(r);

    for (size_t i = 0; i + 1 < sizeof(rq); i++) {
        assert_int_equal(r->n_called, 0);
        assert_int_equal(room_say_n(r, fd, rq + i, 1), 1);
    }
    room_hear_result(r, fd, 7);
    close(fd);
}

static void many_requests_in_one_write_are_answered_in_order(void **state)
{
    struct room *r = *state;
    struct buf b = {0};
    int fd = room_dial(r);

    for (int i = 0; i < 1000; i++)
        buf_printf(&b, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"echo\",\"params\":[%d]}\n", i,
                   i);
    assert_int_equal(room_say_n(r, fd, b.data, b.len), b.len);
    for (int i = 0; i < 1000; i++)
        room_hear_result(r, fd, i);
    buf_free(&b);
    close(fd);
}

static void a_line_of_one_mebibyte_passes_and_one_more_byte_does_not(void **state)
{
    static const char head[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":[\"";
    struct room *r = *state;
    struct buf b = {0};
    size_t fill = IPC_MAX_REQUEST - strlen(head) - strlen("\"]}");
    int fd = room_dial(r);

    buf_addstr(&b, head);
    memset(buf_reserve(&b, fill), 'y', fill);
    b.len += fill;
    buf_addstr(&b, "\"]}");
    assert_int_equal(b.len, IPC_MAX_REQUEST);
    buf_addc(&b, '\n');
    assert_int_equal(room_say_n(r, fd, b.data, b.len), b.len);
    room_hear_result(r, fd, 1);
    b.data[b.len - 1] = ' ';
    buf_addc(&b, '\n');
    room_say_n(r, fd, b.data, b.len);
    room_hear_error(r, fd, IPC_INVALID_REQUEST);
    room_hear_end(r, fd);
    assert_int_equal(r->n_called, 1);
    buf_free(&b);
    close(fd);
}

static void an_endless_line_gets_an_error_and_the_end(void **state)
{
    struct room *r = *state;
    char *noise = str_calloc(4, 1 << 20);
    int fd = room_dial(r), other = room_dial(r);

    memset(noise, '[', 4 << 20);
    assert_true(room_say_n(r, fd, noise, 4 << 20) < 4 << 20);
    room_hear_error(r, fd, IPC_INVALID_REQUEST);
    room_hear_end(r, fd);
    room_say(r, other, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"}\n");
    room_hear_result(r, other, 1);
    free(noise);
    close(fd);
    close(other);
}

static void a_torn_last_line_is_not_executed(void **state)
{
    struct room *r = *state;
    int fd = room_dial(r);

    room_say(
        r, fd,
        "{\"jsonrpc\":\"2.0\",\"method\":\"echo\"}\n{\"jsonrpc\":\"2.0\",\"method\":\"echo\"}");
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    room_hear_end(r, fd);
    assert_int_equal(r->n_called, 1);
    close(fd);
}

static void a_peer_that_shut_down_its_side_still_gets_its_answers(void **state)
{
    struct room *r = *state;
    int fd = room_dial(r);

    room_say(r, fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hold\"}\n");
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    room_wait_held(r, 1);
    for (int i = 0; i < 5; i++)
        room_turn(r);
    assert_int_equal(r->n_gone, 0);
    ipc_reply(r->held[0], json_object_new_object());
    r->n_held = 0;
    room_hear_result(r, fd, 1);
    room_hear_end(r, fd);
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
    int fd = room_dial(r);

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        room_say(r, fd, bad[i].line);
        room_hear_error(r, fd, bad[i].code);
    }
    assert_int_equal(r->n_called, 1); /* nonesuch alone */
    room_say(r, fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"}\n");
    room_hear_result(r, fd, 1);
    close(fd);
}

static void an_id_comes_back_as_it_was(void **state)
{
    static const char *const ids[] = {
        "0", "-5", "1.50", "\"a\\\"b\\u00e9\"", "null", "9007199254740993"};
    struct room *r = *state;
    struct json_object *o, *want, *got;
    int fd = room_dial(r);

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        char *line = str_printf("{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"echo\"}\n", ids[i]);
        room_say(r, fd, line);
        o = room_hear(r, fd);
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
    int fd = room_dial(r);

    room_say(r, fd,
             "{\"jsonrpc\":\"2.0\",\"method\":\"echo\"}\n"
             "{\"jsonrpc\":\"2.0\",\"method\":\"refuse\"}\n"
             "{\"jsonrpc\":\"2.0\",\"method\":\"nonesuch\"}\n"
             "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"echo\"}\n");
    room_hear_result(r, fd, 4);
    assert_int_equal(r->n_called, 4);
    close(fd);
}

static void a_notification_of_a_peer_that_left_at_once_is_executed(void **state)
{
    static const char line[] = "{\"jsonrpc\":\"2.0\",\"method\":\"echo\"}\n";
    struct room *r = *state;
    int64_t end = now_mono_ms() + ROOM_LIMIT_MS;
    int fd = room_dial(r);

    for (int i = 0; i < 40; i++)
        assert_int_equal(send(fd, line, sizeof(line) - 1, MSG_NOSIGNAL), sizeof(line) - 1);
    close(fd);
    while (r->n_called < 40) {
        room_turn(r);
        assert_true(now_mono_ms() < end);
    }
}

static void answers_may_come_later_and_in_any_order(void **state)
{
    struct room *r = *state;
    int fd = room_dial(r);

    room_say(r, fd,
             "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hold\"}\n"
             "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"hold\"}\n"
             "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"echo\"}\n");
    room_hear_result(r, fd, 3);
    room_wait_held(r, 2);
    ipc_reply(r->held[1], json_object_new_object());
    room_hear_result(r, fd, 2);
    ipc_reply(r->held[0], json_object_new_object());
    room_hear_result(r, fd, 1);
    r->n_held = 0;
    close(fd);
    for (int i = 0; i < 5; i++)
        room_turn(r);
    assert_int_equal(r->n_gone, 0);
}

static void a_peer_gone_before_the_answer_is_told_once_and_the_answer_dropped(void **state)
{
    struct room *r = *state;
    int fd = room_dial(r);

    room_say(r, fd,
             "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hold\"}\n"
             "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"hold\"}\n");
    room_wait_held(r, 2);
    close(fd);
    room_wait_gone(r, 2);
    ipc_reply(r->held[0], json_object_new_object());
    ipc_fail_code(r->held[1], IPC_INTERNAL, "late");
    r->n_held = 0;
    for (int i = 0; i < 5; i++)
        room_turn(r);
    assert_int_equal(r->n_gone, 2);
}

static void all_requests_of_a_gone_peer_may_be_ended_at_the_first_word(void **state)
{
    struct room *r = *state;
    int fd = room_dial(r);

    room_say(r, fd,
             "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hold-all\"}\n"
             "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"hold-all\"}\n"
             "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"hold-all\"}\n");
    room_wait_held(r, 3);
    close(fd);
    room_wait_gone(r, 1);
    for (int i = 0; i < 5; i++)
        room_turn(r);
    assert_int_equal(r->n_gone, 1);
    assert_int_equal(r->n_held, 0);
}

static void the_server_may_be_freed_from_a_request(void **state)
{
    struct room *r = *state;
    int fd = room_dial(r);

    room_say(r, fd,
             "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hold\"}\n"
             "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"free\"}\n"
             "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"echo\"}\n");
    room_hear_end(r, fd);
    assert_null(r->server);
    assert_int_equal(r->n_called, 2);
    assert_int_equal(access(r->path, F_OK), -1);
    close(fd);
}

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
    };

    log_init("unit_ipc", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests_name("ipc", tests, NULL, NULL);
}
