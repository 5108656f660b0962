#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/disk/beneath.h"
#include "common/base/file.h"
#include "common/base/str.h"

#include "bundle/install/renew.h"

#define WINDOW (256 << 10)
#define ID_BYTES (UUID_SIZE - 1)

/* The files in which relocation moves paths; others are what a tool or a person wrote. */
static int has_ids(const struct open_entry *e)
{
    const char *dot = strrchr(e->name, '.');

    switch (e->kind) {
    case AGENT_TRANSCRIPT:
    case AGENT_HISTORY:
        return 1;
    case AGENT_SUBDIR:
    case AGENT_TASK:
    case AGENT_TODO:
        return dot != NULL && (strcmp(dot, ".jsonl") == 0 || strcmp(dot, ".json") == 0 ||
                               strcmp(dot, ".yaml") == 0);
    default:
        return 0;
    }
}

/* In place; windows overlap by all but one byte of an id. */
static int renew_file(int fd, const char *from, const char *to)
{
    char *p = str_calloc(WINDOW, 1);
    off_t at = 0;
    ssize_t n;

    while ((n = file_pread_all(fd, p, WINDOW, at)) >= ID_BYTES) {
        char *hit = p;
        while ((hit = memmem(hit, (size_t)(p + n - hit), from, ID_BYTES)) != NULL) {
            if (pwrite(fd, to, ID_BYTES, at + (hit - p)) != ID_BYTES) {
                n = -1;
                goto done;
            }
            hit += ID_BYTES;
        }
        if (n < WINDOW)
            break;
        at += n - (ID_BYTES - 1);
    }
done:
    free(p);
    return n < 0 ? -1 : 0;
}

/* A stage is ours alone, and its folders were made by us. */
static int renew_name(int stage_fd, struct open_entry *e, const char *from, const char *to,
                      struct ct_err *err)
{
    char *name = str_dup(e->name), *hit;

    while ((hit = strstr(name, from)) != NULL)
        memcpy(hit, to, ID_BYTES);
    if (strcmp(name, e->name) != 0 && renameat(stage_fd, e->name, stage_fd, name) != 0) {
        free(name);
        return err_sys(err, "can't rename a file for the copy");
    }
    free(e->name);
    e->name = name;
    return 0;
}

int renew_stage(int stage_fd, struct open_result *opened, const char from[UUID_SIZE],
                const char to[UUID_SIZE], struct ct_err *err)
{
    for (size_t i = 0; i < opened->n; i++) {
        struct open_entry *e = &opened->entries[i];
        int fd, rc;
        if (has_ids(e)) {
            fd = openat(stage_fd, e->name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
            rc = fd < 0 ? -1 : renew_file(fd, from, to);
            if (rc != 0)
                err_sys(err, "can't give the copy its own id");
            if (fd >= 0)
                close(fd);
            if (rc != 0)
                return -1;
        }
        /* Only lists of tasks bear it in their name below the folders that do. */
        if (e->kind == AGENT_TODO && renew_name(stage_fd, e, from, to, err) != 0)
            return -1;
    }
    return 0;
}
