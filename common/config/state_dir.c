#include <sys/stat.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/sys/machine.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "common/config/state_dir.h"

#define SHARED "shared"
#define MARK "machine"
#define MARK_SIZE 33 /* 128 bits in hex, and a NUL */

/* The system's id is nobody else's business, says machine-id(5): the mark is a digest of it. */
static void mark_of_machine(char ret[MARK_SIZE])
{
    static const char purpose[] = "codeteleport state";
    unsigned char digest[HASH_SHA256_BYTES];
    char id[33];

    ret[0] = '\0';
    if (machine_id(id) == -1)
        return;
    hash_hmac_sha256(purpose, sizeof(purpose), id, 32, digest);
    for (size_t i = 0; i < (MARK_SIZE - 1) / 2; i++)
        snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

/* Read the mark in ${dir}; "" if there is none that can be read. */
static void mark_in(const char *dir, char ret[MARK_SIZE])
{
    char *path = path_join(dir, MARK);
    struct buf b = {0};

    ret[0] = '\0';
    if (file_read(path, MARK_SIZE, &b, NULL) == 0 && b.len >= MARK_SIZE - 1) {
        memcpy(ret, b.data, MARK_SIZE - 1);
        ret[MARK_SIZE - 1] = '\0';
    }
    buf_free(&b);
    free(path);
}

static int64_t used_s(const char *dir)
{
    char *path = path_join(dir, "lock");
    struct stat st;
    int64_t s = stat(path, &st) == 0 ? (int64_t)st.st_mtime : 0;

    free(path);
    return s;
}

/* The folder with the mark ${mine}; of several, the one that was used last.  NULL if there is none.
 */
static char *find_marked(const char *base, const char *mine)
{
    DIR *d = opendir(base);
    char *best = NULL, mark[MARK_SIZE];
    struct dirent *e;

    while (d != NULL && (e = readdir(d)) != NULL) {
        char *dir = e->d_name[0] != '.' ? path_join(base, e->d_name) : NULL;
        if (dir == NULL)
            continue;
        mark_in(dir, mark);
        if (strcmp(mark, mine) == 0 && (best == NULL || used_s(dir) > used_s(best))) {
            free(best);
            best = dir;
        } else {
            free(dir);
        }
    }
    if (d != NULL)
        closedir(d);
    return best;
}

char *state_dir_find(void)
{
    char *named = path_state_dir(), *base = path_parent(named), *found;
    char mine[MARK_SIZE], there[MARK_SIZE];

    mark_of_machine(mine);
    mark_in(named, there);
    if (mine[0] == '\0' || strcmp(mine, there) == 0) {
        free(base);
        return named;
    }
    found = find_marked(base, mine);
    if (found == NULL && there[0] != '\0')
        found = str_printf("%s-%.8s", named, mine);
    free(base);
    if (found == NULL)
        return named;
    free(named);
    return found;
}

char *state_dir_shared(void)
{
    char *named = path_state_dir(), *base = path_parent(named), *dir = path_join(base, SHARED);

    free(base);
    free(named);
    return dir;
}

int state_dir_mark(const char *dir, struct ct_err *err)
{
    char mine[MARK_SIZE], there[MARK_SIZE], *path, *line;
    int rc;

    mark_of_machine(mine);
    mark_in(dir, there);
    if (mine[0] == '\0' || there[0] != '\0')
        return 0;
    path = path_join(dir, MARK);
    line = str_printf("%s\n", mine);
    rc = file_replace(path, line, strlen(line), 0600, err);
    free(line);
    free(path);
    return rc;
}
