#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/linked.h"
#include "bundle/compare/compare.h"
#include "bundle/format/entry.h"
#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "bundle/install/both.h"
#include "bundle/compare/rest.h"

#define UNITED "united-transcript"
#define GATHERED "gathered-transcript"
#define FAR_VERSIONS 1000000 /* Claude Code counts from 1 */

/* ---- names -------------------------------------------------------------------------------------
 */

static int digest(int fd, unsigned char ret[HASH_SHA256_BYTES], struct ct_err *err)
{
    char hex[HASH_SHA256_HEX];
    int64_t size;

    if (hash_sha256_fd(fd, &size, hex) != 0 || hash_unhex(hex, ret, HASH_SHA256_BYTES) != 0)
        return err_sys(err, "can't read a file that both sides have");
    return 0;
}

/* "<hash>@v<N>" with another N; what is called otherwise gets an end. */
static char *new_version(const char *name, int fd, struct ct_err *err)
{
    unsigned char d[HASH_SHA256_BYTES];
    const char *at = strstr(name, "@v");
    uint32_t n;

    if (digest(fd, d, err) != 0)
        return NULL;
    memcpy(&n, d, sizeof(n));
    if (at == NULL)
        return str_printf("%s-%08" PRIx32, name, n);
    return str_printf("%.*s@v%" PRIu32, (int)(at - name), name,
                      (uint32_t)FAR_VERSIONS + n % (9 * (uint32_t)FAR_VERSIONS));
}

char *both_aside(int fd, const char *name, struct ct_err *err)
{
    unsigned char d[HASH_SHA256_BYTES];
    char hex[17], *version, *ret;

    if (strncmp(name, "file-history/", strlen("file-history/")) == 0) {
        version = new_version(path_base(name), fd, err);
        if (version == NULL)
            return NULL;
        ret = str_printf("file-history/%s", version);
        free(version);
        return ret;
    }
    if (digest(fd, d, err) != 0)
        return NULL;
    hash_hex(d, 8, hex);
    return str_printf(ENTRY_OTHERS "%s-%s", hex, path_base(name));
}

static int add_name(const struct agent *agent, int local, int staged, const char *name,
                    struct strlist *ret, struct ct_err *err)
{
    char *ours, *theirs;
    enum compare_order order;

    if (compare_files(agent, "", local, staged, NULL, &order, err) != 0)
        return -1;
    if (order == COMPARE_SAME)
        return 0;
    ours = new_version(path_base(name), local, err);
    theirs = ours != NULL ? new_version(path_base(name), staged, err) : NULL;
    if (theirs != NULL) {
        strlist_add(ret, path_base(name));
        strlist_add(ret, ours);
        strlist_add(ret, theirs);
    }
    free(ours);
    free(theirs);
    return theirs != NULL ? 0 : -1;
}

int both_names(int root_fd, int stage_fd, const struct agent *agent, const char *session_id,
               const char *project, const struct open_result *opened, struct strlist *ret,
               struct ct_err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < opened->n; i++) {
        const struct open_entry *e = &opened->entries[i];
        char *path = e->kind == AGENT_FILE_HISTORY
                         ? agent->entry_path(session_id, project, NULL, e->name)
                         : NULL;
        int local = path != NULL ? linked_open(agent, root_fd, path, 0) : -1;
        int staged = local >= 0 ? openat(stage_fd, e->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -1;
        if (local >= 0)
            rc = staged >= 0 ? add_name(agent, local, staged, e->name, ret, err)
                             : err_sys(err, "can't read the stage");
        if (staged >= 0)
            close(staged);
        if (local >= 0)
            close(local);
        free(path);
    }
    return rc;
}

/* ---- transcripts -------------------------------------------------------------------------------
 */

static int open_side(int dir_fd, const char *name, struct unite_side *ret, struct ct_err *err)
{
    struct stat st;

    ret->fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (ret->fd < 0 || fstat(ret->fd, &st) != 0)
        return err_sys(err, "can't read the stage");
    ret->end = (int64_t)st.st_size;
    return 0;
}

/* The first of ${parts} is what is here.  It becomes the file ${to} of the stage. */
static int unite(const struct both *b, const struct unite_side parts[2], int is_exact,
                 int is_better, const char *to, const struct strlist *renamed,
                 struct unite_result *ret, struct ct_err *err)
{
    const struct unite_opts opts = {.agent = b->agent,
                                    .ours = parts[0],
                                    .theirs = parts[1],
                                    .is_theirs_better = is_better,
                                    .renamed = renamed};
    struct unite_side whole = {.fd = -1};
    int fd, rc;

    if (b->agent->unite == NULL)
        return err_set(err, ERR_REFUSED, "records of %s are no tree that could hold both",
                       b->agent->name);
    (void)unlinkat(b->stage_fd, UNITED, 0);
    fd = openat(b->stage_fd, UNITED, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_sys(err, "can't write to the stage");
    rc = b->agent->unite(&opts, fd, ret, err);
    close(fd);
    if (rc == 0)
        rc = open_side(b->stage_fd, UNITED, &whole, err);
    if (rc == 0)
        rc = rest_stage(b->agent, &whole, parts, is_exact ? 2 : 1, b->stage_fd, b->rests, err);
    if (whole.fd >= 0)
        close(whole.fd);
    if (rc == 0 && renameat(b->stage_fd, UNITED, b->stage_fd, to) != 0)
        rc = err_sys(err, "can't write to the stage");
    return rc;
}

int both_unite(const struct both *b, int ours_fd, int64_t ours_end, const char *staged,
               const struct strlist *renamed, struct unite_result *ret, struct ct_err *err)
{
    struct unite_side parts[2] = {{ours_fd, ours_end}, {.fd = -1}};
    int rc = open_side(b->stage_fd, staged, &parts[1], err);

    if (rc == 0)
        rc = unite(b, parts, b->is_exact, b->is_better, staged, renamed, ret, err);
    if (parts[1].fd >= 0)
        close(parts[1].fd);
    return rc;
}

static int open_copy(int root_fd, const struct agent *agent, const struct local_copy *c,
                     struct unite_side *ret, struct ct_err *err)
{
    ret->fd = linked_open(agent, root_fd, c->path, 0);
    ret->end = c->was.size_bytes;
    return ret->fd >= 0 ? 0 : err_sys(err, "can't open the transcript");
}

/* One more copy of the same session joins ${ours}, which is replaced. */
static int gather(const struct both *b, int root_fd, const struct local_copy *c,
                  struct unite_side *ours, struct ct_err *err)
{
    struct unite_side parts[2] = {*ours, {.fd = -1}};
    struct unite_result r;
    int rc = open_copy(root_fd, b->agent, c, &parts[1], err);

    if (rc == 0)
        rc = unite(b, parts, 1, 0, GATHERED, NULL, &r, err);
    if (parts[1].fd >= 0)
        close(parts[1].fd);
    if (rc != 0)
        return -1;
    close(ours->fd);
    return open_side(b->stage_fd, GATHERED, ours, err);
}

int both_transcripts(const struct both *b, int root_fd, const struct local *local,
                     const char *staged, const struct strlist *renamed, struct unite_result *ret,
                     struct ct_err *err)
{
    struct unite_side ours;
    int rc = open_copy(root_fd, b->agent, &local->copies[0], &ours, err);

    for (size_t i = 1; rc == 0 && i < local->n; i++)
        rc = gather(b, root_fd, &local->copies[i], &ours, err);
    if (rc == 0)
        rc = both_unite(b, ours.fd, ours.end, staged, renamed, ret, err);
    if (ours.fd >= 0)
        close(ours.fd);
    return rc;
}

int both_replace(const struct both *b, int root_fd, const struct local *local, const char *staged,
                 struct ct_err *err)
{
    struct unite_side whole = {.fd = -1}, part = {.fd = -1};
    int rc = open_side(b->stage_fd, staged, &whole, err), begins;

    for (size_t i = 0; rc == 0 && i < local->n; i++) {
        rc = open_copy(root_fd, b->agent, &local->copies[i], &part, err);
        begins = rc == 0 && part.end <= whole.end
                     ? compare_beginnings(part.fd, whole.fd, part.end, err)
                     : rc;
        if (begins < 0)
            rc = -1;
        else if (begins == 0)
            rc = rest_stage(b->agent, &whole, &part, 1, b->stage_fd, b->rests, err);
        if (part.fd >= 0)
            close(part.fd);
    }
    if (whole.fd >= 0)
        close(whole.fd);
    return rc;
}

size_t both_fuller(int root_fd, const struct local *local, const struct agent *agent, int stage_fd,
                   const char *staged)
{
    struct unite_opts opts = {.agent = agent, .ours = {.fd = -1}, .theirs = {.fd = -1}};
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    struct unite_result r = {0};

    if (null >= 0 && open_copy(root_fd, agent, &local->copies[0], &opts.ours, NULL) == 0 &&
        open_side(stage_fd, staged, &opts.theirs, NULL) == 0)
        (void)agent->unite(&opts, null, &r, NULL);
    if (opts.theirs.fd >= 0)
        close(opts.theirs.fd);
    if (opts.ours.fd >= 0)
        close(opts.ours.fd);
    if (null >= 0)
        close(null);
    return r.fuller;
}
