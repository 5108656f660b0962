#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/roots.h"
#include "agents/linked.h"
#include "common/data/jdoc.h"
#include "common/base/log.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "net/http.h"

#include "daemon/system/sandbox.h"

#include "daemon/system/confine.h"

struct confine {
    int mode; /* enum config_sandbox */
    int abi;  /* of the sandbox that holds, 0: none */
    int is_read_only;
    struct conf_numbers ports; /* that hold; none: all */
    char why[400];             /* what is missing, or "" */
};

/* ---- what is allowed ----------------------------------------------------------------------------
 */

struct allowance {
    const struct confine_places *places;
    struct sandbox_rule *v;
    size_t n;
};

static void allow(struct allowance *p, const char *path, unsigned what)
{
    p->v = str_realloc(p->v, p->n + 1, sizeof(*p->v));
    p->v[p->n].path = str_dup(path);
    p->v[p->n++].what = what;
}

static void plan_clear(struct allowance *p)
{
    for (size_t i = 0; i < p->n; i++)
        free((char *)(uintptr_t)p->v[i].path);
    free(p->v);
}

/* Is ${path} the folder ${dir}, or below it, whatever links lead to both? */
static int holds(const char *dir, const char *path)
{
    char d[PATH_MAX], p[PATH_MAX];

    if (realpath(dir, d) == NULL)
        return 0;
    return path_is_below(realpath(path, p) != NULL ? p : path, d);
}

/* A rule counts for all that lies below.  Where the home folder does, none is made: most of it is
 * none of our business. */
static int is_too_much(const char *dir)
{
    return holds(dir, path_home());
}

static void allow_place(struct allowance *p, const char *dir)
{
    if (!is_too_much(dir))
        allow(p, dir, SANDBOX_READ);
}

/* A file that is replaced by rename(2) now and then. */
static void allow_in_folder(struct allowance *p, const char *path)
{
    char *dir = path_parent(path);

    allow_place(p, dir);
    allow(p, path, SANDBOX_READ);
    free(dir);
}

/* The same of the system's, which may be a link to where others of its kind lie. */
static void allow_linked(struct allowance *p, const char *path)
{
    char real[PATH_MAX];

    if (realpath(path, real) != NULL)
        allow_in_folder(p, real);
}

/* What the C library (names of hosts and users, time zones, modules of both), OpenSSL, libcurl and
 * libsystemd read while they run. */
static void allow_system(struct allowance *p)
{
    static const char *const places[] = {
        "/etc",
        "/usr/lib",
        "/usr/lib32",
        "/usr/lib64",
        "/usr/libexec",
        "/usr/share",
        "/usr/local/etc",
        "/usr/local/lib",
        "/usr/local/lib64",
        "/usr/local/share",
        "/usr/local/ssl",
        "/lib",
        "/lib32",
        "/lib64",
        "/opt",
        "/nix/store",
        "/gnu/store",
        "/run/systemd",
        "/run/NetworkManager",
        "/run/resolvconf",
        "/run/connman",
        "/run/dbus",
        "/run/nscd",
        "/var/lib/ca-certificates",
        "/var/lib/dbus",
        "/var/lib/sss",
        "/proc",
        "/sys/devices/system/cpu",
    };
    static const char *const variables[] = {"SSL_CERT_FILE", "SSL_CERT_DIR", "NIX_SSL_CERT_FILE",
                                            "OPENSSL_CONF", "OPENSSL_MODULES"};
    const char *file, *dir;

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        allow_place(p, places[i]);
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        if (getenv(variables[i]) != NULL)
            allow(p, getenv(variables[i]), SANDBOX_READ);
    }
    http_system_ca(&file, &dir);
    if (file != NULL)
        allow_linked(p, file);
    if (dir != NULL)
        allow_place(p, dir);
    allow_linked(p, "/etc/resolv.conf");
    allow(p, "/dev/null", SANDBOX_READ | SANDBOX_WRITE);
    allow(p, "/dev/random", SANDBOX_READ);
    allow(p, "/dev/urandom", SANDBOX_READ);
}

/* The socket is removed at the end.  Where its folder holds anything else that matters it stays
 * instead, and the next start clears it away. */
static void allow_socket(struct allowance *p)
{
    const struct config *c = p->places->config;
    char *dir = path_parent(c->socket), *credentials = path_parent(p->places->credentials);
    int is_ours = !is_too_much(dir) && !holds(dir, credentials);

    for (size_t i = 0; i < c->roots.n; i++)
        is_ours = is_ours && !holds(dir, c->roots.v[i]) && !holds(c->roots.v[i], dir);
    if (is_ours)
        allow(p, dir, SANDBOX_REMOVE);
    free(credentials);
    free(dir);
}

static void allow_target(void *arg, const char *path, const char *target)
{
    (void)path;
    allow(arg, target, SANDBOX_READ);
}

/* Files of an agent that come and go: the folder that they are in. */
static void allow_sources(struct allowance *p, const struct agent *agent)
{
    struct strlist sources = {0};

    if (agent->sources != NULL)
        agent->sources(&sources);
    for (size_t i = 0; i < sources.n; i++)
        allow_in_folder(p, sources.v[i]);
    strlist_free(&sources);
}

static void allow_ours(struct allowance *p)
{
    const struct config *c = p->places->config;
    char *file = config_file(p->places->config_path);

    for (size_t i = 0; i < c->roots.n; i++) {
        allow(p, c->roots.v[i], roots_agent(c, i)->gather != NULL ? SANDBOX_CHANGE : SANDBOX_READ);
        allow_sources(p, roots_agent(c, i));
        linked_each(roots_agent(c, i), c->roots.v[i], allow_target, p);
    }
    allow_in_folder(p, file);
    allow_in_folder(p, p->places->credentials);
    /* Its folder may be that of a server's private keys. */
    if (c->ca_file != NULL)
        allow(p, c->ca_file, SANDBOX_READ);
    if (c->scan_rules != NULL)
        allow(p, c->scan_rules, SANDBOX_READ);
    allow(p, c->state_dir, SANDBOX_CHANGE);
    allow(p, c->shared_dir, SANDBOX_CHANGE);
    allow_socket(p);
    free(file);
}

static int uses_abstract_sockets(void)
{
    const char *notify = getenv("NOTIFY_SOCKET"), *bus = getenv("DBUS_SYSTEM_BUS_ADDRESS");

    return (notify != NULL && notify[0] == '@') || (bus != NULL && strstr(bus, "abstract") != NULL);
}

/* ---- entering -----------------------------------------------------------------------------------
 */

static int enter(const struct confine_places *places, int abi, struct ct_err *err)
{
    const struct config *c = places->config;
    struct allowance p = {.places = places};
    struct sandbox_rules rules;
    int rc;

    if (abi == 0)
        return err_set(err, ERR_FAIL,
                       "this kernel offers no Landlock (Linux 5.13 or newer does, unless lsm= of "
                       "its command line leaves it out)");
    allow_system(&p);
    allow_ours(&p);
    rules = (struct sandbox_rules){
        .v = p.v,
        .n = p.n,
        .ports = c->allowed_ports.v,
        .n_ports = c->allowed_ports.n,
        .needs_abstract_sockets = uses_abstract_sockets(),
    };
    rc = sandbox_enter(&rules, abi, err);
    plan_clear(&p);
    return rc;
}

static void judge(struct confine *c, const struct config *config, int abi)
{
    c->abi = abi;
    c->is_read_only = abi >= SANDBOX_ABI_TRUNCATE;
    for (size_t i = 0; i < config->roots.n; i++) {
        if (!holds(config->state_dir, config->roots.v[i]))
            continue;
        c->is_read_only = 0;
        snprintf(c->why, sizeof(c->why), "the watched folder %.200s lies in the state folder",
                 config->roots.v[i]);
    }
    if (abi >= SANDBOX_ABI_PORTS)
        c->ports = config->allowed_ports;
    else if (config->allowed_ports.n > 0)
        snprintf(c->why, sizeof(c->why),
                 "this kernel can't hold it to allowed_ports (Linux 6.7 and newer can)");
    if (abi < SANDBOX_ABI_TRUNCATE)
        snprintf(c->why, sizeof(c->why),
                 "this kernel keeps it from writing files, not from truncating them (Linux 6.2 and "
                 "newer do)%s",
                 config->allowed_ports.n > 0 ? ", nor can it hold it to allowed_ports (6.7)" : "");
}

int confine_enter(const struct confine_places *places, struct confine **ret, struct ct_err *err)
{
    const struct config *config = places->config;
    struct confine *c = str_calloc(1, sizeof(*c));
    struct ct_err why = {0};
    int abi = sandbox_abi();

    c->mode = config->sandbox;
    /* SQLite makes temporary files for large sorts: nowhere else can it. */
    setenv("SQLITE_TMPDIR", config->state_dir, 1);
    if (c->mode == CONFIG_SANDBOX_OFF) {
        snprintf(c->why, sizeof(c->why), "the configuration says sandbox = \"off\"");
    } else if (c->mode == CONFIG_SANDBOX_REQUIRE && abi > 0 && abi < SANDBOX_ABI_PORTS &&
               config->allowed_ports.n > 0) {
        err_set(&why, ERR_CONFIG, "allowed_ports needs Linux 6.7 or newer");
        goto err0;
    } else if (enter(places, abi, &why) == 0) {
        judge(c, config, abi);
    } else {
        snprintf(c->why, sizeof(c->why), "%.390s", why.msg);
        if (c->mode == CONFIG_SANDBOX_REQUIRE)
            goto err0;
    }
    if (c->abi > 0 && c->why[0] == '\0')
        log_info("confined landlock=%d ports=%s", c->abi, c->ports.n > 0 ? "some" : "all");
    else
        log_warn("confined landlock=%d reason=\"%s\"", c->abi, c->why);

    /* Success! */
    *ret = c;
    return 0;

err0:
    confine_free(c);

    /* Failure! */
    return err_set(err, ERR_CONFIG,
                   "sandbox = \"require\" in the configuration, and it can't be had: %.300s; set "
                   "sandbox = \"on\" to run as confined as this kernel can",
                   why.msg);
}

void confine_free(struct confine *c)
{
    free(c);
}

int confine_bars(const struct confine *c, const char *path)
{
    return c != NULL && c->abi > 0 && sandbox_blocks(path);
}

struct json_object *confine_report(const struct confine *c)
{
    static const char *const modes[] = {"off", "on", "require"};
    struct json_object *o = json_object_new_object(), *ports = NULL;

    jdoc_set_int(o, "landlock", c != NULL ? c->abi : 0);
    jdoc_set_bool(o, "readOnly", c != NULL && c->is_read_only);
    jdoc_set_str(o, "mode", c != NULL ? modes[c->mode] : NULL);
    if (c != NULL && c->ports.n > 0) {
        ports = json_object_new_array();
        for (size_t i = 0; i < c->ports.n; i++)
            json_object_array_add(ports, json_object_new_int64(c->ports.v[i]));
    }
    json_object_object_add(o, "ports", ports);
    jdoc_set_str(o, "why", c != NULL && c->why[0] != '\0' ? c->why : NULL);
    return o;
}
