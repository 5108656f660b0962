#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/system/sandbox.h"
#include "tests/daemon/sandbox_lab.h"
#include "tests/unit.h"

/* The sandbox, tried from inside: each forbidden thing, and each that has to go on working. */

static void enter(const struct sandbox_lab *s)
{
    static const struct sandbox_rule v[] = {
        {"root", SANDBOX_READ},
        {"state", SANDBOX_CHANGE},
        {"/usr/lib", SANDBOX_READ},
        {"/etc", SANDBOX_READ},
        {"/nowhere/at/all", SANDBOX_READ},
        {"/dev/null", SANDBOX_READ | SANDBOX_WRITE},
    };
    struct sandbox_rules r = {
        .v = v, .n = sizeof(v) / sizeof(v[0]), .ports = s->ports, .n_ports = s->n_ports};
    struct ct_err err;

    if (sandbox_enter(&r, s->abi, &err) != 0)
        lab_complain(__LINE__, "sandbox_enter()", err.msg);
}

static long bound(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0), rc, e;

    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
    rc = bind(fd, (struct sockaddr *)&a, sizeof(a));
    e = errno;
    close(fd);
    errno = e;
    return rc;
}

/* ---- the file system ----------------------------------------------------------------------------
 */

static void change_root(const struct sandbox_lab *s)
{
    enter(s);
    DENIED(lab_opened("root/f", O_WRONLY));
    DENIED(lab_opened("root/f", O_RDWR));
    DENIED(lab_opened("root/f", O_WRONLY | O_APPEND));
    DENIED(lab_opened("root/f", O_WRONLY | O_TRUNC));
    DENIED(lab_opened("root/new", O_WRONLY | O_CREAT));
    DENIED(lab_opened("root/sub", O_RDWR | O_TMPFILE));
    DENIED(mkdir("root/new", 0700));
    DENIED(unlink("root/f"));
    DENIED(unlink("root/leaves"));
    DENIED(rmdir("root/empty"));
    DENIED(rename("root/f", "root/h"));
    DENIED(rename("root/f", "root/sub/g"));
    DENIED(rename("root/f", "state/f"));
    DENIED(rename("state/old", "root/f"));
    DENIED(rename("root", "state/root"));
    DENIED(link("root/f", "state/f"));
    DENIED(link("root/f", "root/h"));
    DENIED(link("state/old", "root/h"));
    DENIED(symlink("/etc/passwd", "root/h"));
    DENIED(mkfifo("root/h", 0600));
    DENIED(mknod("root/h", S_IFREG | 0600, 0));
    DENIED(bound("root/h"));
}

static void truncate_root(const struct sandbox_lab *s)
{
    enter(s);
    DENIED(truncate("root/f", 0));
    DENIED(lab_opened("root/f", O_RDONLY | O_TRUNC));
}

static void assert_content(const char *path)
{
    char text[16] = "";
    int fd = open(path, O_RDONLY);

    assert_true(fd >= 0);
    assert_int_equal(read(fd, text, sizeof(text)), 7);
    assert_string_equal(text, "content");
    close(fd);
}

static void assert_root_is_whole(void)
{
    struct dirent **names;
    int n = scandir("root", &names, NULL, alphasort);

    assert_int_equal(n, 6); /* . .. empty f leaves sub */
    while (n-- > 0)
        free(names[n]);
    free(names);
    assert_content("root/f");
    assert_content("root/sub/g");
    assert_content("state/old");
}

static void nothing_in_a_folder_to_read_can_be_changed(void **state)
{
    int abi = lab_needs_abi(1);

    (void)state;
    lab_act(change_root, abi);
    assert_root_is_whole();
}

static void no_file_in_a_folder_to_read_can_be_truncated(void **state)
{
    int abi = lab_needs_abi(SANDBOX_ABI_TRUNCATE);

    (void)state;
    lab_act(truncate_root, abi);
    assert_root_is_whole();
}

static void read_around(const struct sandbox_lab *s)
{
    enter(s);
    ALLOWED(lab_opened("root/f", O_RDONLY));
    ALLOWED(lab_opened("root/sub/g", O_RDONLY));
    ALLOWED(lab_listed("root"));
    ALLOWED(lab_opened("/etc/passwd", O_RDONLY));
    ALLOWED(lab_opened("/dev/null", O_WRONLY));
    DENIED(lab_opened("root/leaves", O_RDONLY));
    DENIED(lab_opened("outside/secret", O_RDONLY));
    DENIED(lab_opened("root/../outside/secret", O_RDONLY));
    DENIED(lab_opened("/proc/self/cwd/outside/secret", O_RDONLY));
    DENIED(lab_opened(".ssh/id", O_RDONLY));
    DENIED(lab_listed(".ssh"));
    DENIED(lab_listed("."));
    DENIED(link("outside/secret", "state/mine"));
    DENIED(rename("outside/secret", "state/mine"));
    DENIED(lab_opened("outside/new", O_WRONLY | O_CREAT));
    DENIED(lab_opened("/tmp/ct-unit.sandbox", O_WRONLY | O_CREAT));
    DENIED(lab_opened("/etc/passwd", O_WRONLY));
}

static void what_no_rule_names_can_be_neither_read_nor_written(void **state)
{
    int abi = lab_needs_abi(1);

    (void)state;
    lab_act(read_around, abi);
}

static void work_in_state(const struct sandbox_lab *s)
{
    enter(s);
    ALLOWED(lab_opened("state/f", O_RDWR | O_CREAT));
    ALLOWED(lab_opened("state/f", O_WRONLY | O_TRUNC));
    ALLOWED(truncate("state/f", 10));
    ALLOWED(rename("state/f", "state/g"));
    ALLOWED(link("state/g", "state/h"));
    ALLOWED(mkdir("state/dir", 0700));
    ALLOWED(rmdir("state/dir"));
    ALLOWED(rename("state/a", "state/c"));
    ALLOWED(bound("state/sock"));
    ALLOWED(unlink("state/sock"));
    ALLOWED(lab_listed("state"));
    DENIED(symlink("../.ssh", "state/ssh"));
    if (s->abi < SANDBOX_ABI_REFER) {
        DENIED(rename("state/g", "state/b/g"));
        return;
    }
    ALLOWED(link("state/g", "state/b/h"));
    ALLOWED(rename("state/g", "state/b/g"));
}

static void in_the_state_folder_all_goes_on_working(void **state)
{
    int abi = lab_needs_abi(1);

    (void)state;
    lab_act(work_in_state, abi);
}

static void execute(const struct sandbox_lab *s)
{
    enter(s);
    DENIED(execl("/usr/lib/../bin/true", "true", (char *)NULL));
    DENIED(execl("state/prog", "prog", (char *)NULL));
}

static void nothing_is_executed(void **state)
{
    int abi = lab_needs_abi(1);

    (void)state;
    assert_int_equal(system("cp /bin/true state/prog && chmod 755 state/prog"), 0);
    lab_act(execute, abi);
}

static void *from_a_thread(void *arg)
{
    (void)arg;
    DENIED(unlink("root/f"));
    DENIED(lab_opened(".ssh/id", O_RDONLY));
    ALLOWED(lab_opened("root/f", O_RDONLY));
    return NULL;
}

static void start_thread(const struct sandbox_lab *s)
{
    pthread_t t;

    enter(s);
    if (pthread_create(&t, NULL, from_a_thread, NULL) != 0)
        lab_complain(__LINE__, "pthread_create()", "failed");
    else
        pthread_join(t, NULL);
}

static void it_holds_for_threads_that_are_started_later(void **state)
{
    int abi = lab_needs_abi(1);

    (void)state;
    lab_act(start_thread, abi);
}

/* ---- what is put in the place of something ------------------------------------------------------
 */

static void meet(const struct sandbox_lab *s)
{
    char c = 'x';

    if (write(s->to_parent, &c, 1) != 1 || read(s->from_parent, &c, 1) != 1)
        lab_complain(__LINE__, "the parent", "is gone");
}

static void look_at_replaced(const struct sandbox_lab *s)
{
    enter(s);
    if (sandbox_blocks("root") || sandbox_blocks("root/f") || sandbox_blocks("nothing") ||
        sandbox_blocks("root/secret-by-mode"))
        lab_complain(__LINE__, "sandbox_blocks()",
                     "what is allowed, not there or shut by its mode");
    if (!sandbox_blocks(".ssh/id"))
        lab_complain(__LINE__, "sandbox_blocks()", "does not see the sandbox");
    meet(s);
    if (!sandbox_blocks("root"))
        lab_complain(__LINE__, "sandbox_blocks()", "a new folder counts as the old one");
    if (sandbox_blocks("moved"))
        lab_complain(__LINE__, "sandbox_blocks()", "a folder that was moved is lost");
}

static void a_folder_that_was_replaced_is_barred_and_one_that_moved_is_not(void **state)
{
    struct sandbox_lab s = {.abi = lab_needs_abi(1)};
    int up[2], down[2];
    pid_t pid;
    char c;

    (void)state;
    lab_put("root/secret-by-mode", "x");
    assert_int_equal(chmod("root/secret-by-mode", 0), 0);
    assert_int_equal(pipe(up), 0);
    assert_int_equal(pipe(down), 0);
    s.to_parent = up[1];
    s.from_parent = down[0];
    pid = lab_begin(look_at_replaced, &s);
    close(up[1]);
    if (read(up[0], &c, 1) == 1) {
        assert_int_equal(rename("root", "moved"), 0);
        assert_int_equal(mkdir("root", 0755), 0);
        assert_int_equal(write(down[1], "x", 1), 1);
    }
    lab_end(pid);
    close(up[0]);
    close(down[0]);
    close(down[1]);
}

/* ---- older kernels ------------------------------------------------------------------------------
 */

static void on_an_older_kernel_it_holds_what_that_one_can(void **state)
{
    int newest = lab_needs_abi(2);

    for (int abi = 1; abi < newest; abi++) {
        print_message("with the rights of ABI %d\n", abi);
        lab_act(change_root, abi);
        assert_root_is_whole();
        lab_act(read_around, abi);
        lab_act(work_in_state, abi);
        if (abi >= SANDBOX_ABI_TRUNCATE)
            lab_act(truncate_root, abi);
        assert_int_equal(lab_teardown(state), 0);
        assert_int_equal(lab_setup(state), 0);
    }
}

/* ---- the network, other processes ---------------------------------------------------------------
 */

static int listener(long long *ret_port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(fd, 5), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    *ret_port = ntohs(a.sin_port);
    return fd;
}

static long with_port(long long port, int (*f)(int, const struct sockaddr *, socklen_t))
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), e;
    long rc = f(fd, (struct sockaddr *)&a, sizeof(a));

    e = errno;
    close(fd);
    errno = e;
    return rc;
}

static void connect_around(const struct sandbox_lab *s)
{
    const long long *port = s->arg;

    enter(s);
    ALLOWED(with_port(port[0], connect));
    if (s->n_ports > 0)
        DENIED(with_port(port[1], connect));
    else
        ALLOWED(with_port(port[1], connect));
    DENIED(with_port(0, bind));
}

static void only_allowed_ports_can_be_connected_to(void **state)
{
    struct sandbox_lab s = {.abi = lab_needs_abi(SANDBOX_ABI_PORTS)};
    long long ports[2];
    int a = listener(&ports[0]), b = listener(&ports[1]);

    (void)state;
    s.arg = s.ports = ports;
    s.n_ports = 1;
    lab_end(lab_begin(connect_around, &s));
    s.n_ports = 0;
    lab_end(lab_begin(connect_around, &s));
    close(b);
    close(a);
}

static void call_on_others(const struct sandbox_lab *s)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "outside/sock"};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    enter(s);
    ALLOWED(connect(fd, (struct sockaddr *)&a, sizeof(a)));
    if (s->abi >= 6)
        DENIED(kill(getppid(), 0));
    ALLOWED(kill(getpid(), 0));
}

static void sockets_of_services_can_be_connected_to_and_no_process_be_signalled(void **state)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "outside/sock"};
    int abi = lab_needs_abi(1), fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(fd, 5), 0);
    assert_int_equal(chmod("outside/sock", 0777), 0);
    lab_act(call_on_others, abi);
    close(fd);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, lab_setup, lab_teardown)
    const struct CMUnitTest tests[] = {
        CASE(nothing_in_a_folder_to_read_can_be_changed),
        CASE(no_file_in_a_folder_to_read_can_be_truncated),
        CASE(what_no_rule_names_can_be_neither_read_nor_written),
        CASE(in_the_state_folder_all_goes_on_working),
        CASE(nothing_is_executed),
        CASE(it_holds_for_threads_that_are_started_later),
        CASE(a_folder_that_was_replaced_is_barred_and_one_that_moved_is_not),
        CASE(on_an_older_kernel_it_holds_what_that_one_can),
        CASE(only_allowed_ports_can_be_connected_to),
        CASE(sockets_of_services_can_be_connected_to_and_no_process_be_signalled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
