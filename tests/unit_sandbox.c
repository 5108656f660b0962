/* The sandbox, tried from inside: each forbidden thing, and each that has to go on working.  As an
 * ordinary user, so that nothing but the sandbox refuses: a test that runs as root gives that up.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config.h"
#include "common/jdoc.h"
#include "common/str.h"
#include "daemon/confine.h"
#include "daemon/sandbox.h"
#include "tests/unit.h"

#define NOBODY 65534

/* ---- the place: folders "root" and "state", and what lies around them ---------------------------
 */

static void put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static int setup(void **state)
{
    static const char *const dirs[] = {"root",    "root/sub", "root/empty", "state",
                                       "state/a", "state/b",  ".ssh",       "outside"};

    if (unit_setup(state) != 0 || chdir(*state) != 0)
        return -1;
    for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
        if (mkdir(dirs[i], 0755) != 0)
            return -1;
    }
    put("root/f", "content");
    put("root/sub/g", "content");
    put("outside/secret", "content");
    put(".ssh/id", "content");
    put("state/old", "content");
    if (symlink("../outside/secret", "root/leaves") != 0)
        return -1;
    return getuid() == 0 ? system("chown -R 65534:65534 .") : 0;
}

static int teardown(void **state)
{
    return chdir("/") == 0 ? unit_teardown(state) : -1;
}

static int needs_abi(int abi)
{
    if (sandbox_abi() >= abi)
        return sandbox_abi();
    print_message("skipped: this kernel's Landlock is ABI %d, and this needs %d\n", sandbox_abi(),
                  abi);
    skip();
    return 0;
}

/* ---- trying things in a child -------------------------------------------------------------------
 */

static int bad; /* in the child: how many things were not as they have to be */

static void complain(int line, const char *what, const char *is)
{
    fprintf(stderr, "line %d: %s: %s\n", line, what, is);
    bad++;
}

/* What fails for another reason than the sandbox would prove nothing. */
static void deny(int line, const char *what, long rc)
{
    int e = errno;

    if (rc >= 0)
        complain(line, what, "was allowed");
    else if (e != EACCES && e != EXDEV && e != EPERM)
        complain(line, what, strerror(e));
}

static void permit(int line, const char *what, long rc)
{
    if (rc < 0)
        complain(line, what, strerror(errno));
}

#define DENIED(call) deny(__LINE__, #call, (long)(call))
#define ALLOWED(call) permit(__LINE__, #call, (long)(call))

struct stage {
    int abi;
    const long long *ports;
    size_t n_ports;
    int to_parent, from_parent; /* pipes */
    const void *arg;
};

static void enter(const struct stage *s)
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
        complain(__LINE__, "sandbox_enter()", err.msg);
}

static pid_t begin(void (*play)(const struct stage *), struct stage *s)
{
    pid_t pid;

    fflush(NULL);
    pid = fork();
    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    alarm(60);
    if (getuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
        complain(__LINE__, "setuid()", strerror(errno));
    play(s);
    _exit(bad != 0);
}

static void end(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void act(void (*play)(const struct stage *), int abi)
{
    struct stage s = {.abi = abi};

    end(begin(play, &s));
}

static long opened(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);

    if (fd >= 0)
        close(fd);
    return fd;
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

static void change_root(const struct stage *s)
{
    enter(s);
    DENIED(opened("root/f", O_WRONLY));
    DENIED(opened("root/f", O_RDWR));
    DENIED(opened("root/f", O_WRONLY | O_APPEND));
    DENIED(opened("root/f", O_WRONLY | O_TRUNC));
    DENIED(opened("root/new", O_WRONLY | O_CREAT));
    DENIED(opened("root/sub", O_RDWR | O_TMPFILE));
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

static void truncate_root(const struct stage *s)
{
    enter(s);
    DENIED(truncate("root/f", 0));
    DENIED(opened("root/f", O_RDONLY | O_TRUNC));
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
    int abi = needs_abi(1);

    (void)state;
    act(change_root, abi);
    assert_root_is_whole();
}

static void no_file_in_a_folder_to_read_can_be_truncated(void **state)
{
    int abi = needs_abi(SANDBOX_ABI_TRUNCATE);

    (void)state;
    act(truncate_root, abi);
    assert_root_is_whole();
}

static long listed(const char *path)
{
    DIR *d = opendir(path);

    if (d == NULL)
        return -1;
    closedir(d);
    return 0;
}

static void read_around(const struct stage *s)
{
    enter(s);
    ALLOWED(opened("root/f", O_RDONLY));
    ALLOWED(opened("root/sub/g", O_RDONLY));
    ALLOWED(listed("root"));
    ALLOWED(opened("/etc/passwd", O_RDONLY));
    ALLOWED(opened("/dev/null", O_WRONLY));
    DENIED(opened("root/leaves", O_RDONLY));
    DENIED(opened("outside/secret", O_RDONLY));
    DENIED(opened("root/../outside/secret", O_RDONLY));
    DENIED(opened("/proc/self/cwd/outside/secret", O_RDONLY));
    DENIED(opened(".ssh/id", O_RDONLY));
    DENIED(listed(".ssh"));
    DENIED(listed("."));
    DENIED(link("outside/secret", "state/mine"));
    DENIED(rename("outside/secret", "state/mine"));
    DENIED(opened("outside/new", O_WRONLY | O_CREAT));
    DENIED(opened("/tmp/ct-unit.sandbox", O_WRONLY | O_CREAT));
    DENIED(opened("/etc/passwd", O_WRONLY));
}

static void what_no_rule_names_can_be_neither_read_nor_written(void **state)
{
    int abi = needs_abi(1);

    (void)state;
    act(read_around, abi);
}

static void work_in_state(const struct stage *s)
{
    enter(s);
    ALLOWED(opened("state/f", O_RDWR | O_CREAT));
    ALLOWED(opened("state/f", O_WRONLY | O_TRUNC));
    ALLOWED(truncate("state/f", 10));
    ALLOWED(rename("state/f", "state/g"));
    ALLOWED(link("state/g", "state/h"));
    ALLOWED(mkdir("state/dir", 0700));
    ALLOWED(rmdir("state/dir"));
    ALLOWED(rename("state/a", "state/c"));
    ALLOWED(bound("state/sock"));
    ALLOWED(unlink("state/sock"));
    ALLOWED(listed("state"));
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
    int abi = needs_abi(1);

    (void)state;
    act(work_in_state, abi);
}

static void execute(const struct stage *s)
{
    enter(s);
    DENIED(execl("/usr/lib/../bin/true", "true", (char *)NULL));
    DENIED(execl("state/prog", "prog", (char *)NULL));
}

static void nothing_is_executed(void **state)
{
    int abi = needs_abi(1);

    (void)state;
    assert_int_equal(system("cp /bin/true state/prog && chmod 755 state/prog"), 0);
    act(execute, abi);
}

static void *from_a_thread(void *arg)
{
    (void)arg;
    DENIED(unlink("root/f"));
    DENIED(opened(".ssh/id", O_RDONLY));
    ALLOWED(opened("root/f", O_RDONLY));
    return NULL;
}

static void start_thread(const struct stage *s)
{
    pthread_t t;

    enter(s);
    if (pthread_create(&t, NULL, from_a_thread, NULL) != 0)
        complain(__LINE__, "pthread_create()", "failed");
    else
        pthread_join(t, NULL);
}

static void it_holds_for_threads_that_are_started_later(void **state)
{
    int abi = needs_abi(1);

    (void)state;
    act(start_thread, abi);
}

/* ---- what is put in the place of something ------------------------------------------------------
 */

static void meet(const struct stage *s)
{
    char c = 'x';

    if (write(s->to_parent, &c, 1) != 1 || read(s->from_parent, &c, 1) != 1)
        complain(__LINE__, "the parent", "is gone");
}

static void look_at_replaced(const struct stage *s)
{
    enter(s);
    if (sandbox_blocks("root") || sandbox_blocks("root/f") || sandbox_blocks("nothing") ||
        sandbox_blocks("root/secret-by-mode"))
        complain(__LINE__, "sandbox_blocks()", "what is allowed, not there or shut by its mode");
    if (!sandbox_blocks(".ssh/id"))
        complain(__LINE__, "sandbox_blocks()", "does not see the sandbox");
    meet(s);
    if (!sandbox_blocks("root"))
        complain(__LINE__, "sandbox_blocks()", "a new folder counts as the old one");
    if (sandbox_blocks("moved"))
        complain(__LINE__, "sandbox_blocks()", "a folder that was moved is lost");
}

static void a_folder_that_was_replaced_is_barred_and_one_that_moved_is_not(void **state)
{
    struct stage s = {.abi = needs_abi(1)};
    int up[2], down[2];
    pid_t pid;
    char c;

    (void)state;
    put("root/secret-by-mode", "x");
    assert_int_equal(chmod("root/secret-by-mode", 0), 0);
    assert_int_equal(pipe(up), 0);
    assert_int_equal(pipe(down), 0);
    s.to_parent = up[1];
    s.from_parent = down[0];
    pid = begin(look_at_replaced, &s);
    close(up[1]);
    if (read(up[0], &c, 1) == 1) {
        assert_int_equal(rename("root", "moved"), 0);
        assert_int_equal(mkdir("root", 0755), 0);
        assert_int_equal(write(down[1], "x", 1), 1);
    }
    end(pid);
    close(up[0]);
    close(down[0]);
    close(down[1]);
}

/* ---- older kernels ------------------------------------------------------------------------------
 */

static void on_an_older_kernel_it_holds_what_that_one_can(void **state)
{
    int newest = needs_abi(2);

    for (int abi = 1; abi < newest; abi++) {
        print_message("with the rights of ABI %d\n", abi);
        act(change_root, abi);
        assert_root_is_whole();
        act(read_around, abi);
        act(work_in_state, abi);
        if (abi >= SANDBOX_ABI_TRUNCATE)
            act(truncate_root, abi);
        assert_int_equal(teardown(state), 0);
        assert_int_equal(setup(state), 0);
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

static void connect_around(const struct stage *s)
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
    struct stage s = {.abi = needs_abi(SANDBOX_ABI_PORTS)};
    long long ports[2];
    int a = listener(&ports[0]), b = listener(&ports[1]);

    (void)state;
    s.arg = s.ports = ports;
    s.n_ports = 1;
    end(begin(connect_around, &s));
    s.n_ports = 0;
    end(begin(connect_around, &s));
    close(b);
    close(a);
}

static void call_on_others(const struct stage *s)
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
    int abi = needs_abi(1), fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(fd, 5), 0);
    assert_int_equal(chmod("outside/sock", 0777), 0);
    act(call_on_others, abi);
    close(fd);
}

/* ---- the daemon's own rules ---------------------------------------------------------------------
 */

static char *here(const char *name)
{
    char *cwd = getcwd(NULL, 0), *s = str_printf("%s/%s", cwd, name);

    free(cwd);
    return s;
}

static void place(const char *variable, const char *name)
{
    char *path = here(name);

    setenv(variable, path, 1);
    free(path);
}

/* A home as people have it; the private keys of a server lie beside the CA's certificate. */
static void make_home(void)
{
    char *text, *ca = here("server/ca.pem");

    assert_int_equal(system("mkdir -p home/.claude/projects home/.ssh home/.codeteleport run "
                            "home/.config/codeteleport server home/.local/state && "
                            "echo x | tee home/.claude/f home/.ssh/id home/notes server/ca.pem "
                            "server/jwt.key run/sock home/.codeteleport/config.json >/dev/null"),
                     0);
    text = str_printf("state_dir = \"~/.local/state/ct\"; socket = \"%s/../run/sock\";\n"
                      "ca_file = \"%s\"; sandbox = \"require\";\n",
                      "~", ca);
    put("home/.config/codeteleport/codeteleportd.conf", text);
    free(text);
    free(ca);
    assert_int_equal(system("mkdir -m 700 home/.local/state/ct"), 0);
    if (getuid() == 0)
        assert_int_equal(system("chown -R 65534:65534 home run server"), 0);
}

static void be_the_daemon(const struct stage *s)
{
    struct confine_places places = {.credentials = "home/.codeteleport/config.json"};
    struct addrinfo *found = NULL;
    struct json_object *o;
    struct config *config;
    struct confine *c;
    struct ct_err err = {0};

    if (config_load(NULL, &config, &err) != 0) {
        complain(__LINE__, "config_load()", err.msg);
        return;
    }
    places.config = config;
    if (confine_enter(&places, &c, &err) != 0) {
        complain(__LINE__, "confine_enter()", err.msg);
        return;
    }
    ALLOWED(opened("home/.claude/f", O_RDONLY));
    ALLOWED(listed("home/.claude"));
    DENIED(opened("home/.claude/f", O_WRONLY));
    DENIED(opened("home/.claude/projects/new", O_WRONLY | O_CREAT));
    DENIED(opened("home/.ssh/id", O_RDONLY));
    DENIED(opened("home/notes", O_RDONLY));
    DENIED(listed("home"));
    ALLOWED(opened("home/.codeteleport/config.json", O_RDONLY));
    DENIED(opened("home/.codeteleport/config.json", O_WRONLY));
    DENIED(unlink("home/.codeteleport/config.json"));
    ALLOWED(opened("home/.config/codeteleport/codeteleportd.conf", O_RDONLY));
    DENIED(opened("home/.config/codeteleport/codeteleportd.conf", O_WRONLY));
    ALLOWED(opened("home/.local/state/ct/state.db", O_RDWR | O_CREAT));
    DENIED(opened("home/.local/state/other", O_RDWR | O_CREAT));
    ALLOWED(opened("server/ca.pem", O_RDONLY));
    DENIED(opened("server/jwt.key", O_RDONLY));
    ALLOWED(opened("/proc/self/stat", O_RDONLY));
    ALLOWED(opened("/proc/1/stat", O_RDONLY));
    ALLOWED(opened("/etc/hosts", O_RDONLY));
    ALLOWED(opened("/usr/share", O_RDONLY));
    DENIED(opened("/tmp/ct-unit.sandbox", O_WRONLY | O_CREAT));
    DENIED(opened("run/new", O_WRONLY | O_CREAT));
    ALLOWED(unlink("run/sock"));
    if (getaddrinfo("localhost", "443", NULL, &found) != 0)
        complain(__LINE__, "getaddrinfo()", "failed");
    freeaddrinfo(found);
    o = confine_report(c);
    if (jdoc_int(o, "landlock", 0) != s->abi ||
        jdoc_bool(o, "readOnly", 0) != (s->abi >= SANDBOX_ABI_TRUNCATE) ||
        (jdoc_str(o, "why") == NULL) != (s->abi >= SANDBOX_ABI_TRUNCATE))
        complain(__LINE__, "confine_report()", json_object_to_json_string(o));
    json_object_put(o);
    confine_free(c);
    config_free(config);
}

static void the_daemon_reads_what_it_needs_and_writes_its_state_alone(void **state)
{
    int abi = needs_abi(1);

    (void)state;
    make_home();
    place("HOME", "home");
    unsetenv("CLAUDE_CONFIG_DIR");
    unsetenv("XDG_CONFIG_HOME");
    unsetenv("XDG_STATE_HOME");
    act(be_the_daemon, abi);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
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
        CASE(the_daemon_reads_what_it_needs_and_writes_its_state_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
