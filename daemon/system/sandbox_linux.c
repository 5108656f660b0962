#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <linux/landlock.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include "daemon/system/sandbox.h"

/* What the kernel's header may be too old to know.  The values are the kernel's interface. */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13) /* ABI 2 */
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14) /* ABI 3 */
#endif
#ifndef LANDLOCK_ACCESS_NET_BIND_TCP
#define LANDLOCK_ACCESS_NET_BIND_TCP (1ULL << 0) /* ABI 4 */
#define LANDLOCK_ACCESS_NET_CONNECT_TCP (1ULL << 1)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15) /* ABI 5 */
#endif
#ifndef LANDLOCK_SCOPE_SIGNAL
#define LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0) /* ABI 6 */
#define LANDLOCK_SCOPE_SIGNAL (1ULL << 1)
#endif
#define RULE_NET_PORT 2 /* an enumerator in newer headers */

/* struct landlock_ruleset_attr as it grew; an older kernel is handed its beginning. */
struct ruleset {
    uint64_t fs;
    uint64_t net;
    uint64_t scoped;
};

struct port_rule {
    uint64_t allowed;
    uint64_t port;
};

#define READS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITES (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE)
#define MAKES \
    (LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | \
     LANDLOCK_ACCESS_FS_REFER)
#define REMOVES (LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE)
/* ... of which these alone make sense for what is no folder; the kernel refuses others. */
#define OF_FILES \
    (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE)

int sandbox_abi(void)
{
    long abi =
        syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);

    return abi > 0 ? (int)abi : 0;
}

/* All that the version knows; whatever no rule gives is denied. */
static uint64_t handled(int abi)
{
    uint64_t all = LANDLOCK_ACCESS_FS_MAKE_SYM | (LANDLOCK_ACCESS_FS_MAKE_SYM - 1); /* ABI 1 */

    if (abi >= SANDBOX_ABI_REFER)
        all |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= SANDBOX_ABI_TRUNCATE)
        all |= LANDLOCK_ACCESS_FS_TRUNCATE;
    if (abi >= 5)
        all |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
    return all;
}

static uint64_t rights_of(unsigned what)
{
    uint64_t rights = 0;

    if (what & SANDBOX_READ)
        rights |= READS;
    if (what & SANDBOX_WRITE)
        rights |= WRITES;
    if (what & SANDBOX_REMOVE)
        rights |= LANDLOCK_ACCESS_FS_REMOVE_FILE;
    if (what & SANDBOX_CHANGE)
        rights |= READS | WRITES | MAKES | REMOVES;
    return rights;
}

static int make_ruleset(const struct sandbox_rules *rules, int abi, struct ct_err *err)
{
    struct ruleset r = {.fs = handled(abi)};
    size_t size = sizeof(r.fs);
    long fd;

    if (abi >= SANDBOX_ABI_PORTS) {
        size += sizeof(r.net);
        r.net = LANDLOCK_ACCESS_NET_BIND_TCP;
        if (rules->n_ports > 0)
            r.net |= LANDLOCK_ACCESS_NET_CONNECT_TCP;
    }
    if (abi >= 6) {
        size += sizeof(r.scoped);
        r.scoped = LANDLOCK_SCOPE_SIGNAL;
        if (!rules->needs_abstract_sockets)
            r.scoped |= LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET;
    }
    fd = syscall(SYS_landlock_create_ruleset, &r, size, 0U);
    if (fd < 0)
        return err_sys(err, "Landlock can't be used");
    return (int)fd;
}

static int add_path(int ruleset, const struct sandbox_rule *rule, int abi, struct ct_err *err)
{
    struct landlock_path_beneath_attr attr = {.allowed_access =
                                                  rights_of(rule->what) & handled(abi)};
    struct stat st;
    int rc = 0;

    attr.parent_fd = open(rule->path, O_PATH | O_CLOEXEC);
    if (attr.parent_fd < 0)
        return 0; /* what can't be reached can't be used either */
    if (fstat(attr.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
        attr.allowed_access &= OF_FILES;
    /* EBADFD: in a file system of the kernel's own, where nothing is restricted. */
    if (attr.allowed_access != 0 &&
        syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &attr, 0U) != 0 &&
        errno != EBADFD)
        rc = err_sys(err, "Landlock takes no rule for %s", rule->path);
    close(attr.parent_fd);
    return rc;
}

static int add_port(int ruleset, long long port, struct ct_err *err)
{
    struct port_rule attr = {.allowed = LANDLOCK_ACCESS_NET_CONNECT_TCP, .port = (uint64_t)port};

    if (syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &attr, 0U) != 0)
        return err_sys(err, "Landlock takes no rule for port %lld", port);
    return 0;
}

int sandbox_enter(const struct sandbox_rules *rules, int abi, struct ct_err *err)
{
    int ruleset = make_ruleset(rules, abi, err);

    if (ruleset < 0)
        goto err0;
    for (size_t i = 0; i < rules->n; i++) {
        if (add_path(ruleset, &rules->v[i], abi, err) != 0)
            goto err1;
    }
    for (size_t i = 0; i < rules->n_ports && abi >= SANDBOX_ABI_PORTS; i++) {
        if (add_port(ruleset, rules->ports[i], err) != 0)
            goto err1;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        err_sys(err, "new privileges can't be given up");
        goto err1;
    }
    if (syscall(SYS_landlock_restrict_self, ruleset, 0U) != 0) {
        err_sys(err, "Landlock can't be entered");
        goto err1;
    }
    close(ruleset);

    /* Success! */
    return 0;

err1:
    close(ruleset);
err0:
    /* Failure! */
    return -1;
}

/* Landlock is not asked by access(2), file modes are. */
int sandbox_blocks(const char *path)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), is_refused;

    is_refused = fd < 0 && errno == EACCES;
    if (fd >= 0)
        close(fd);
    return is_refused && access(path, R_OK) == 0;
}
