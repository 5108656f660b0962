#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

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

#include "common/base/log.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "ipc/ipc.h"

#include "tests/ipc/ipc_room.h"

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

    assert_int_equal(ipc_server_new(r->base, r->path, room_on_request, r, &s, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    fd = room_dial(r);
    room_say(r, fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"}\n");
    room_hear_result(r, fd, 1);
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
    assert_int_equal(ipc_server_new(r->base, r->path, room_on_request, r, &r->server, &e), 0);
    fd = room_dial(r);
    room_say(r, fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"}\n");
    room_hear_result(r, fd, 1);
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
    assert_int_equal(ipc_server_new(r->base, file, room_on_request, r, &s, &e), -1);
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
    assert_int_equal(ipc_server_new(r->base, path, room_on_request, r, &s, &e), -1);
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
    assert_int_equal(ipc_server_new(r->base, path, room_on_request, r, &s, &e), -1);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROOM(the_socket_is_private),
        ROOM(a_live_socket_is_refused_and_left_alone),
        ROOM(a_stale_socket_is_replaced),
        ROOM(what_is_no_socket_is_not_removed),
        ROOM(a_folder_that_others_can_write_in_is_refused_and_keeps_its_mode),
        ROOM(a_path_that_does_not_fit_is_an_error_with_its_limit),
        ROOM(a_socket_that_replaced_ours_is_not_removed),
    };

    log_init("unit_ipc_socket", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests_name("ipc socket", tests, NULL, NULL);
}
