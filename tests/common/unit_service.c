/* Sockets from launchd, which is this file: as launch(3) says, it gives each name away once. */
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include "tests/common/apple/launch.h"

#include "common/base/path.h"
#include "common/sys/service.h"

#include "tests/unit.h"

static struct {
    const char *path; /* where it listens for "control" */
    int asked;        /* for that */
} launchd;

int launch_activate_socket(const char *name, int **fds, size_t *n)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};

    if (strcmp(name, "control") != 0)
        return ENOENT;
    if (launchd.asked++ > 0)
        return EALREADY;
    *n = 1;
    *fds = malloc(sizeof(**fds));
    assert_non_null(*fds);
    assert_int_not_equal((*fds)[0] = socket(AF_UNIX, SOCK_STREAM, 0), -1);
    snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", launchd.path);
    assert_int_equal(bind((*fds)[0], (struct sockaddr *)&sun, sizeof(sun)), 0);
    assert_int_equal(listen((*fds)[0], 5), 0);
    return 0;
}

static void the_socket_is_the_configured_one_or_none(void **state)
{
    char *path = path_join(*state, "control.sock");
    int fd;

    launchd.path = path;
    assert_int_equal(service_socket("api"), -1);
    assert_int_equal(service_socket_unix("control", "/somewhere/else"), -1);
    assert_true((fd = service_socket_unix("control", path)) >= 0);
    assert_int_equal(service_socket("control"), fd);
    assert_int_equal(service_socket_unix("control", path), fd);
    assert_int_equal(launchd.asked, 1);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    close(fd);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(the_socket_is_the_configured_one_or_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
