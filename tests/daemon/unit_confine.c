#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config/config.h"
#include "common/data/jdoc.h"
#include "common/base/str.h"
#include "daemon/system/confine.h"
#include "daemon/system/sandbox.h"
#include "tests/daemon/sandbox_lab.h"
#include "tests/unit.h"

/* The daemon's own rules, tried from inside. */

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
    lab_put("home/.config/codeteleport/codeteleportd.conf", text);
    free(text);
    free(ca);
    assert_int_equal(system("mkdir -m 700 home/.local/state/ct"), 0);
    if (getuid() == 0)
        assert_int_equal(system("chown -R 65534:65534 home run server"), 0);
}

static void be_the_daemon(const struct sandbox_lab *s)
{
    struct confine_places places = {.credentials = "home/.codeteleport/config.json"};
    struct addrinfo *found = NULL;
    struct json_object *o;
    struct config *config;
    struct confine *c;
    struct ct_err err = {0};

    if (config_load(NULL, &config, &err) != 0) {
        lab_complain(__LINE__, "config_load()", err.msg);
        return;
    }
    places.config = config;
    if (confine_enter(&places, &c, &err) != 0) {
        lab_complain(__LINE__, "confine_enter()", err.msg);
        return;
    }
    ALLOWED(lab_opened("home/.claude/f", O_RDONLY));
    ALLOWED(lab_listed("home/.claude"));
    DENIED(lab_opened("home/.claude/f", O_WRONLY));
    DENIED(lab_opened("home/.claude/projects/new", O_WRONLY | O_CREAT));
    DENIED(lab_opened("home/.ssh/id", O_RDONLY));
    DENIED(lab_opened("home/notes", O_RDONLY));
    DENIED(lab_listed("home"));
    ALLOWED(lab_opened("home/.codeteleport/config.json", O_RDONLY));
    DENIED(lab_opened("home/.codeteleport/config.json", O_WRONLY));
    DENIED(unlink("home/.codeteleport/config.json"));
    ALLOWED(lab_opened("home/.config/codeteleport/codeteleportd.conf", O_RDONLY));
    DENIED(lab_opened("home/.config/codeteleport/codeteleportd.conf", O_WRONLY));
    ALLOWED(lab_opened("home/.local/state/ct/state.db", O_RDWR | O_CREAT));
    DENIED(lab_opened("home/.local/state/other", O_RDWR | O_CREAT));
    ALLOWED(lab_opened("server/ca.pem", O_RDONLY));
    DENIED(lab_opened("server/jwt.key", O_RDONLY));
    ALLOWED(lab_opened("/proc/self/stat", O_RDONLY));
    ALLOWED(lab_opened("/proc/1/stat", O_RDONLY));
    ALLOWED(lab_opened("/etc/hosts", O_RDONLY));
    ALLOWED(lab_opened("/usr/share", O_RDONLY));
    DENIED(lab_opened("/tmp/ct-unit.sandbox", O_WRONLY | O_CREAT));
    DENIED(lab_opened("run/new", O_WRONLY | O_CREAT));
    ALLOWED(unlink("run/sock"));
    if (getaddrinfo("localhost", "443", NULL, &found) != 0)
        lab_complain(__LINE__, "getaddrinfo()", "failed");
    freeaddrinfo(found);
    o = confine_report(c);
    if (jdoc_int(o, "landlock", 0) != s->abi ||
        jdoc_bool(o, "readOnly", 0) != (s->abi >= SANDBOX_ABI_TRUNCATE) ||
        (jdoc_str(o, "why") == NULL) != (s->abi >= SANDBOX_ABI_TRUNCATE))
        lab_complain(__LINE__, "confine_report()", json_object_to_json_string(o));
    json_object_put(o);
    confine_free(c);
    config_free(config);
}

static void the_daemon_reads_what_it_needs_and_writes_its_state_alone(void **state)
{
    int abi = lab_needs_abi(1);

    (void)state;
    make_home();
    place("HOME", "home");
    unsetenv("CLAUDE_CONFIG_DIR");
    unsetenv("XDG_CONFIG_HOME");
    unsetenv("XDG_STATE_HOME");
    lab_act(be_the_daemon, abi);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_daemon_reads_what_it_needs_and_writes_its_state_alone,
                                        lab_setup, lab_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
