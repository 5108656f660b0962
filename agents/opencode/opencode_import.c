#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agents/opencode/opencode.h"
#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/map.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/base/strlist.h"
#include "common/data/jdoc.h"

/*
 * A session is handed to opencode as a file in the form of its export, which its own import reads:
 * nobody else writes its database.  What is there of the session stays as it is.
 */

#define SESSION_MAX (INT64_C(1) << 31)
#define LIMIT_MS 120000
#define LOOK_NS 20000000
#define SAID_MAX 400 /* of what it says when it fails */

struct reading {
    struct json_object *session; /* its info */
    char id[80];
    struct map *messages; /* id -> struct json_object */
    struct strlist ids;
};

static void take_line(struct reading *r, const char *p, size_t n)
{
    struct json_object *o = NULL;
    const char *type, *id;

    if (jdoc_parse(p, n, &o, NULL) != 0)
        return;
    type = jdoc_str(o, "type");
    id = jdoc_str(o, "id");
    if (type != NULL && id != NULL && strcmp(type, "session") == 0 && jdoc_obj(o, "info") != NULL) {
        json_object_put(r->session);
        r->session = json_object_get(jdoc_obj(o, "info"));
        snprintf(r->id, sizeof(r->id), "%.79s", id);
    } else if (type != NULL && id != NULL && strcmp(type, "message") == 0) {
        json_object_put(map_remove(r->messages, id));
        map_put(r->messages, id, json_object_get(o));
        strlist_add_once(&r->ids, id);
    } else if (type != NULL && id != NULL && strcmp(type, "removed") == 0) {
        json_object_put(map_remove(r->messages, id));
    }
    json_object_put(o);
}

/* A message as the export has it: parts and message say where they belong. */
static struct json_object *exported(const struct reading *r, const char *id,
                                    struct json_object *line)
{
    struct json_object *o = json_object_new_object();
    struct json_object *info = json_object_get(jdoc_obj(line, "info"));
    struct json_object *parts = json_object_get(jdoc_array(line, "parts"));

    if (info == NULL)
        info = json_object_new_object();
    if (parts == NULL)
        parts = json_object_new_array();
    jdoc_set_str(info, "id", id);
    jdoc_set_str(info, "sessionID", r->id);
    for (size_t i = 0; i < json_object_array_length(parts); i++) {
        struct json_object *part = json_object_array_get_idx(parts, i);
        jdoc_set_str(part, "sessionID", r->id);
        jdoc_set_str(part, "messageID", id);
    }
    json_object_object_add(o, "info", info);
    json_object_object_add(o, "parts", parts);
    return o;
}

/* What was left out on the way home and its import insists on. */
static void complete(struct json_object *message, const char *cwd)
{
    struct json_object *info = jdoc_obj(message, "info"), *path, *state, *parts;
    const char *role = jdoc_str(info, "role");

    if (role != NULL && strcmp(role, "assistant") == 0 && jdoc_obj(info, "path") == NULL) {
        path = json_object_new_object();
        jdoc_set_str(path, "cwd", cwd);
        jdoc_set_str(path, "root", cwd);
        json_object_object_add(info, "path", path);
    }
    parts = jdoc_array(message, "parts");
    for (size_t i = 0; parts != NULL && i < json_object_array_length(parts); i++) {
        state = jdoc_obj(json_object_array_get_idx(parts, i), "state");
        if (state != NULL && jdoc_obj(state, "metadata") == NULL)
            json_object_object_add(state, "metadata", json_object_new_object());
    }
}

static struct json_object *export_of(struct reading *r, const char *cwd)
{
    struct json_object *o = json_object_new_object(), *list = json_object_new_array(), *line, *m;

    strlist_sort(&r->ids); /* by time */
    for (size_t i = 0; i < r->ids.n; i++) {
        line = map_get(r->messages, r->ids.v[i]);
        if (line == NULL)
            continue;
        m = exported(r, r->ids.v[i], line);
        complete(m, cwd);
        json_object_array_add(list, m);
    }
    jdoc_set_str(r->session, "id", r->id);
    jdoc_set_str(r->session, "directory", cwd);
    json_object_object_add(o, "info", json_object_get(r->session));
    json_object_object_add(o, "messages", list);
    return o;
}

/* ---- running it --------------------------------------------------------------------------------
 */

/* The program in PATH, never one of the folder that we are in or go to; the caller frees it. */
static char *find_program(void)
{
    const char *p = getenv("PATH");
    char *found = NULL;

    while (p != NULL && *p != '\0' && found == NULL) {
        size_t n = strcspn(p, ":");
        if (*p == '/') {
            found = str_printf("%.*s/opencode", (int)n, p);
            if (access(found, X_OK) != 0) {
                free(found);
                found = NULL;
            }
        }
        p += n + (p[n] == ':');
    }
    return found;
}

static void child(const char *program, const char *file, const char *cwd, int out)
{
    int null = open("/dev/null", O_RDWR);

    (void)setpgid(0, 0);
    /* The folder's own settings, plugins and servers are programs: they stay out of it. */
    (void)setenv("OPENCODE_DISABLE_PROJECT_CONFIG", "true", 1);
    (void)setenv("OPENCODE_PURE", "true", 1);
    (void)setenv("OPENCODE_DISABLE_AUTOUPDATE", "true", 1);
    if (chdir(cwd) != 0)
        _exit(126);
    dup2(null, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    execl(program, program, "import", file, (char *)NULL);
    _exit(126);
}

/* Wait for the end of it, or end it.  Return its status as wait(2) has it, or -1. */
static int wait_for(pid_t pid)
{
    const struct timespec moment = {0, LOOK_NS};
    int64_t until = now_mono_ms() + LIMIT_MS;
    int status;
    pid_t rc;

    while ((rc = waitpid(pid, &status, WNOHANG)) == 0 && now_mono_ms() < until)
        nanosleep(&moment, NULL);
    if (rc == pid)
        return status;
    kill(-pid, SIGKILL);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return -1;
}

/* The last line of what it said, without what moves a terminal. */
static void last_words(int fd, char *ret, size_t size)
{
    char p[SAID_MAX + 1], *line;
    off_t end = lseek(fd, 0, SEEK_END);
    ssize_t n = file_pread_all(fd, p, SAID_MAX, end > SAID_MAX ? end - SAID_MAX : 0);
    size_t to = 0;

    while (n > 0 && p[n - 1] == '\n')
        n--;
    p[n > 0 ? n : 0] = '\0';
    line = strrchr(p, '\n') != NULL ? strrchr(p, '\n') + 1 : p;
    for (; *line != '\0' && to + 1 < size; line++) {
        if ((unsigned char)*line >= ' ' && *line != 0x7f)
            ret[to++] = *line;
    }
    ret[to] = '\0';
}

static int run(const char *file, const char *cwd, int out, struct ct_err *err)
{
    char said[SAID_MAX + 1], *program = find_program();
    pid_t pid;
    int status;

    if (program == NULL)
        return err_set(err, ERR_REFUSED,
                       "opencode keeps its sessions in a database that only it writes, and there "
                       "is no opencode in PATH; install it, or put its folder into PATH, and pull "
                       "again");
    pid = fork();
    if (pid == 0)
        child(program, file, cwd, out);
    free(program);
    status = pid > 0 ? wait_for(pid) : -1;
    if (pid > 0 && status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    last_words(out, said, sizeof(said));
    return err_set(err, ERR_FAIL, "opencode import did not take the session: %s",
                   status < 0        ? "it did not end"
                   : said[0] != '\0' ? said
                                     : "it does not say why");
}

static int import(struct json_object *o, const char *cwd, struct ct_err *err)
{
    const char *tmp = getenv("TMPDIR"), *text = jdoc_text(o);
    char *dir =
        str_printf("%s/codeteleport-opencode-XXXXXX", tmp != NULL && tmp[0] == '/' ? tmp : "/tmp");
    char *file, *log;
    int out = -1, rc;

    if (mkdtemp(dir) == NULL) {
        rc = err_sys(err, "can't make %s", dir);
        free(dir);
        return rc;
    }
    file = path_join(dir, "session.json");
    log = path_join(dir, "log");
    rc = file_replace(file, text, strlen(text), 0600, err);
    if (rc == 0) {
        out = open(log, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        rc = out < 0 ? err_sys(err, "can't make %s", log) : run(file, cwd, out, err);
    }
    if (out >= 0)
        close(out);
    (void)file_remove_tree(AT_FDCWD, dir);
    free(log);
    free(file);
    free(dir);
    return rc;
}

static int put_object(void *arg, const char *key, void *value)
{
    (void)arg, (void)key;
    json_object_put(value);
    return 0;
}

int opencode_hand_over(int fd, const char *cwd, struct ct_err *err)
{
    struct reading r = {.messages = map_new()};
    struct json_object *o;
    struct buf b = {0};
    const char *p, *newline;
    int rc = file_read_fd(fd, "the session", (size_t)SESSION_MAX, &b, err);

    for (p = b.data;
         rc == 0 && b.len > 0 && (newline = memchr(p, '\n', b.len - (size_t)(p - b.data))) != NULL;
         p = newline + 1)
        take_line(&r, p, (size_t)(newline - p));
    buf_free(&b);
    if (rc == 0 && r.session == NULL)
        rc = err_set(err, ERR_CORRUPT, "this is no session of opencode");
    if (rc == 0) {
        o = export_of(&r, cwd);
        rc = import(o, cwd, err);
        json_object_put(o);
    }
    map_each(r.messages, put_object, NULL);
    map_free(r.messages);
    strlist_free(&r.ids);
    json_object_put(r.session);
    return rc;
}
