#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/str.h"

#include "common/base/path.h"

char *path_join(const char *dir, const char *name)
{
    size_t n = strlen(dir), rest;
    char *path;

    while (n > 0 && dir[n - 1] == '/')
        n--;
    while (*name == '/')
        name++;
    rest = strlen(name) + 1;
    path = str_realloc(NULL, n + 1 + rest, 1);
    memcpy(path, dir, n);
    path[n] = '/';
    memcpy(path + n + 1, name, rest);
    return path;
}

const char *path_home(void)
{
    const char *home = getenv("HOME");
    const struct passwd *pw;

    if (home != NULL && home[0] == '/')
        return home;
    pw = getpwuid(getuid());
    return pw != NULL && pw->pw_dir[0] == '/' ? pw->pw_dir : "/";
}

char *path_expand(const char *path)
{
    char cwd[PATH_MAX];

    if (strcmp(path, "~") == 0)
        return str_dup(path_home());
    if (strncmp(path, "~/", 2) == 0)
        return path_join(path_home(), path + 2);
    if (path[0] == '/' || getcwd(cwd, sizeof(cwd)) == NULL)
        return str_dup(path);
    return path_join(cwd, path);
}

/* XDG Base Directory Specification: "all paths must be absolute"; a relative one is ignored. */
static char *xdg(const char *variable, const char *below_home)
{
    const char *v = getenv(variable);

    if (v != NULL && v[0] == '/')
        return str_dup(v);
    return path_join(path_home(), below_home);
}

static char *below(char *dir, const char *name)
{
    char *p = path_join(dir, name);

    free(dir);
    return p;
}

char *path_config_file(void)
{
    return below(xdg("XDG_CONFIG_HOME", ".config"), "codeteleport/codeteleportd.conf");
}

char *path_host_name(void)
{
    char name[256] = "";
    size_t n;

    if (gethostname(name, sizeof(name) - 1) != 0 || name[0] == '\0')
        return str_dup("localhost");
    n = strlen(name);
    if (n > 6 && strcmp(name + n - 6, ".local") == 0)
        name[n - 6] = '\0';
    for (char *p = name; *p != '\0'; p++) {
        if (*p == '/')
            *p = '-';
    }
    return str_dup(name);
}

char *path_state_dir(void)
{
    char *host = path_host_name();
    char *dir = below(below(xdg("XDG_STATE_HOME", ".local/state"), "codeteleport"), host);

    free(host);
    return dir;
}

char *path_data_dir(const char *program)
{
    return below(xdg("XDG_DATA_HOME", ".local/share"), program);
}

char *path_credentials_dir(void)
{
    const char *v = getenv("CODETELEPORT_CONFIG_DIR");

    if (v != NULL && v[0] != '\0')
        return path_expand(v);
    return path_join(path_home(), ".codeteleport");
}

char *path_claude_root(void)
{
    const char *v = getenv("CLAUDE_CONFIG_DIR");

    if (v != NULL && v[0] != '\0')
        return path_expand(v);
    return path_join(path_home(), ".claude");
}

char *path_socket(const char *state_dir)
{
    const char *v = getenv("XDG_RUNTIME_DIR");

    if (v != NULL && v[0] == '/')
        return path_join(v, "codeteleport/control.sock");
    return path_join(state_dir, "run/control.sock");
}

int path_make_dirs(const char *path, mode_t mode, struct ct_err *err)
{
    struct stat whole;
    char *p;
    int rc = 0;

    /* Most often it is there, or lacks itself only. */
    if ((stat(path, &whole) == 0 && S_ISDIR(whole.st_mode)) || mkdir(path, mode) == 0)
        return 0;
    p = str_dup(path);
    for (char *s = p + 1; rc == 0; s++) {
        char c = *s;
        if (c != '/' && c != '\0')
            continue;
        *s = '\0';
        if (mkdir(p, mode) != 0 && errno != EEXIST) {
            struct stat st;
            int e = errno;
            /* A read-only file system says EROFS for a folder that is there. */
            if (stat(p, &st) != 0 || !S_ISDIR(st.st_mode)) {
                errno = e;
                rc = err_sys(err, "can't make the folder %s", p);
            }
        }
        *s = c;
        if (c == '\0')
            break;
    }
    free(p);
    return rc;
}

int path_make_private(const char *path, struct ct_err *err)
{
    struct stat st;

    if (path_make_dirs(path, 0700, err) != 0)
        return -1;
    if (lstat(path, &st) != 0)
        return err_sys(err, "can't look at %s", path);
    if (S_ISLNK(st.st_mode) && stat(path, &st) != 0)
        return err_sys(err, "can't look at %s", path);
    if (!S_ISDIR(st.st_mode))
        return err_set(err, ERR_CONFIG, "%s is not a folder; move it away", path);
    if (st.st_uid != geteuid())
        return err_set(err, ERR_CONFIG, "%s belongs to another user; remove it or change its owner",
                       path);
    if ((st.st_mode & 077) != 0 && chmod(path, 0700) != 0)
        return err_sys(err, "can't make %s private", path);
    return 0;
}

char *path_parent(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL)
        return str_dup(".");
    if (slash == path)
        return str_dup("/");
    return str_printf("%.*s", (int)(slash - path), path);
}

const char *path_base(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

int path_is_below(const char *path, const char *dir)
{
    size_t n = strlen(dir);

    while (n > 1 && dir[n - 1] == '/')
        n--;
    if (n == 1 && dir[0] == '/')
        return path[0] == '/';
    return strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

int path_stays_below(const char *path, const char *dir)
{
    for (const char *p = path; p != NULL; p = strchr(p, '/') != NULL ? strchr(p, '/') + 1 : NULL) {
        size_t n = strcspn(p, "/");
        if ((n == 1 || n == 2) && strncmp(p, "..", n) == 0)
            return 0;
    }
    return path_is_below(path, dir);
}
