#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/codex/codex.h"
#include "agents/linked.h"
#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/path.h"
#include "common/base/str.h"

/*
 * Codex's database says where each rollout lies, in absolute paths, and that wins: a folder that
 * was copied from elsewhere doesn't go on with its sessions.  It is only looked through for such
 * paths, as bytes: SQLite would make files beside it.
 */
#define DATABASE "state_"
#define DATABASE_MAX (256 << 20) /* a larger one is not looked through */

struct looking {
    const char *session_id, *own; /* the rollout's absolute path */
    char *other;                  /* a path that leads nowhere */
    int is_known;                 /* at its own path */
};

static int is_of_path(char c)
{
    return (unsigned char)c >= ' ' && c != 0x7F;
}

/* The id at ${at} is the end of a path?  It begins with a slash, and holds what can be printed. */
static void look_at(struct looking *l, const char *p, size_t at, size_t n)
{
    size_t end = at + UUID_SIZE - 1, begin = at;
    const char *marks[] = {"/sessions/", "/archived_sessions/"};
    char *path;

    if (n - end < 6 || memcmp(p + end, ".jsonl", 6) != 0)
        return;
    while (begin > 0 && at - begin < 4096 && is_of_path(p[begin - 1]))
        begin--;
    while (begin < at && p[begin] != '/')
        begin++;
    path = str_printf("%.*s", (int)(end + 6 - begin), p + begin);
    if (strcmp(path, l->own) == 0)
        l->is_known = 1;
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (path[0] == '/' && strstr(path, marks[i]) != NULL && access(path, F_OK) != 0 &&
            l->other == NULL) {
            l->other = path;
            return;
        }
    }
    free(path);
}

static void look_into(struct looking *l, const char *root, const char *name)
{
    char *path = path_join(root, name);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct buf b = {0};
    const char *hit;

    free(path);
    if (fd < 0)
        return;
    if (file_read_fd(fd, name, DATABASE_MAX, &b, NULL) == 0) {
        for (size_t at = 0;
             b.len - at >= UUID_SIZE &&
             (hit = memmem(b.data + at, b.len - at, l->session_id, UUID_SIZE - 1)) != NULL;
             at = (size_t)(hit - b.data) + UUID_SIZE - 1)
            look_at(l, b.data, (size_t)(hit - b.data), b.len);
    }
    buf_free(&b);
    close(fd);
}

char *codex_obstacle(const char *root, const char *session_id, const char *path)
{
    const char *elsewhere = getenv("CODEX_SQLITE_HOME");
    char *own = path_join(root, path), *said = NULL;
    char *dir = elsewhere != NULL && elsewhere[0] != '\0' ? path_expand(elsewhere) : str_dup(root);
    struct looking l = {session_id, own, NULL, 0};
    DIR *d = opendir(dir);
    struct dirent *e;

    while (d != NULL && (e = readdir(d)) != NULL) {
        if (strncmp(e->d_name, DATABASE, strlen(DATABASE)) == 0 &&
            strstr(e->d_name, ".sqlite") != NULL && strstr(e->d_name, "-shm") == NULL)
            look_into(&l, dir, e->d_name);
    }
    if (d != NULL)
        closedir(d);
    if (l.other != NULL && !l.is_known)
        said = str_printf(
            "Codex's own database has this session at %s, where it is not, and Codex will not look "
            "elsewhere; end Codex, and let it make the database anew: mkdir %s/aside && mv %s/"
            "state_*.sqlite* %s/aside/",
            l.other, dir, dir, dir);
    free(l.other);
    free(dir);
    free(own);
    return said;
}
