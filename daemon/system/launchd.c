#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/path.h"
#include "common/base/str.h"

#include "daemon/system/launchd.h"

/* ${path} as one that holds from every folder; links are left as they are, for what they lead to
 * may change with each version.  The caller frees it. */
static char *absolute(const char *path)
{
    char cwd[PATH_MAX];

    if (*path == '/' || getcwd(cwd, sizeof(cwd)) == NULL)
        return str_dup(path);
    return path_join(cwd, path);
}

/* Where a program is that was started as ${program}.  The caller frees it. */
static char *where_is(const char *program)
{
    const char *dirs = getenv("PATH");
    size_t len;

    for (; strchr(program, '/') == NULL && dirs != NULL && *dirs != '\0';
         dirs += len + (dirs[len] == ':')) {
        char *dir, *path, *found = NULL;
        len = strcspn(dirs, ":");
        dir = str_printf("%.*s", (int)len, dirs);
        path = path_join(dir, program);
        if (*dir == '/' && access(path, X_OK) == 0)
            found = str_dup(path);
        free(dir);
        free(path);
        if (found != NULL)
            return found;
    }
    return absolute(program);
}

static void put_string(FILE *f, const char *s)
{
    fputs("<string>", f);
    for (; *s != '\0'; s++) {
        if (*s == '&')
            fputs("&amp;", f);
        else if (*s == '<')
            fputs("&lt;", f);
        else if (*s == '>')
            fputs("&gt;", f);
        else
            fputc(*s, f);
    }
    fputs("</string>\n", f);
}

static void put_text(FILE *f, const char *key, const char *value)
{
    fprintf(f, "\t<key>%s</key>\n\t", key);
    put_string(f, value);
}

static void put_program(FILE *f, const char *program, const char *file)
{
    fputs("\t<key>ProgramArguments</key>\n\t<array>\n\t\t", f);
    put_string(f, program);
    if (file != NULL) {
        fputs("\t\t", f);
        put_string(f, "-c");
        fputs("\t\t", f);
        put_string(f, file);
    }
    fputs("\t</array>\n", f);
}

/* 384 is 0600, 63 is 077: property lists know no octal numbers. */
static void put_socket(FILE *f, const char *path)
{
    fputs("\t<key>Sockets</key>\n\t<dict>\n\t\t<key>control</key>\n\t\t<dict>\n"
          "\t\t\t<key>SockPathName</key>\n\t\t\t",
          f);
    put_string(f, path);
    fputs("\t\t\t<key>SockPathMode</key>\n\t\t\t<integer>384</integer>\n\t\t</dict>\n\t</dict>\n",
          f);
}

/* Make what launchd does not, or not for this user alone. */
static int prepare(const char *socket, const char *log, struct ct_err *err)
{
    char *dir = path_parent(socket), *logs = path_parent(log);
    int rc = -1, fd;

    if (path_make_private(dir, err) == -1 || path_make_dirs(logs, 0700, err) == -1)
        goto done;
    if ((fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
                   0600)) == -1 ||
        fchmod(fd, 0600) == -1) {
        err_sys(err, "the log %s can't be written", log);
        if (fd != -1)
            close(fd);
        goto done;
    }
    close(fd);
    rc = 0;

done:
    free(dir);
    free(logs);
    return rc;
}

int launchd_agent(const char *program, const char *file, const struct config *config, FILE *f,
                  struct ct_err *err)
{
    char *path = where_is(program), *conf = file != NULL ? absolute(file) : NULL;
    char *log = path_join(path_home(), "Library/Logs/codeteleportd.log");
    int rc = prepare(config->socket, log, err);

    if (rc == 0) {
        fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
              "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
              "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
              "<plist version=\"1.0\">\n<dict>\n",
              f);
        put_text(f, "Label", LAUNCHD_LABEL);
        put_program(f, path, conf);
        put_socket(f, config->socket);
        put_text(f, "StandardErrorPath", log);
        /* Started again when it fails, at most once a minute; not when it was told to stop.  The
         * daemon itself gives uploads under way 15 seconds. */
        fputs("\t<key>RunAtLoad</key>\n\t<true/>\n"
              "\t<key>KeepAlive</key>\n\t<dict>\n\t\t<key>SuccessfulExit</key>\n\t\t<false/>\n"
              "\t</dict>\n"
              "\t<key>ThrottleInterval</key>\n\t<integer>60</integer>\n"
              "\t<key>ExitTimeOut</key>\n\t<integer>30</integer>\n"
              "\t<key>ProcessType</key>\n\t<string>Background</string>\n"
              "\t<key>LowPriorityIO</key>\n\t<true/>\n"
              "\t<key>Nice</key>\n\t<integer>10</integer>\n"
              "\t<key>Umask</key>\n\t<integer>63</integer>\n"
              "\t<key>HardResourceLimits</key>\n\t<dict>\n\t\t<key>Core</key>\n"
              "\t\t<integer>0</integer>\n\t</dict>\n</dict>\n</plist>\n",
              f);
        if (fflush(f) != 0 || ferror(f))
            rc = err_sys(err, "the agent can't be written");
    }
    free(path);
    free(conf);
    free(log);
    return rc;
}
