/*
 * Whatever comes as a bundle is opened or refused, and leaves nothing but files and folders in the
 * stage.  The first byte says how: bit 0, the rest is a tar that is not compressed, so that more
 * than the gunzip is reached; bit 1, into a stage.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bundle/open/open_inside.h"
#include "common/base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int clean(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)flag;
    if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode))
        abort();
    if (ftw->level > 0 && (st->st_mode & 07777) != (S_ISDIR(st->st_mode) ? 0700 : 0600))
        abort();
    return remove(path);
}

static void extract(struct opener *o, const char *stage)
{
    const struct meta *m = opener_meta(o);
    const struct relocation_roots roots = {m->source_cwd, "/srv/p", m->source_user_dir,
                                           "/home/b",     NULL,     0};
    struct relocation *r = NULL;
    struct open_result result;
    struct ct_err err = {0};

    if (relocation_new(&roots, &r, &err) != 0)
        abort(); /* what meta.json may say can be relocated */
    if (opener_extract(o, stage, r, &result, &err) == 0)
        open_result_free(&result);
    else if (err.code == ERR_BUG || err.code == ERR_NONE)
        abort();
    relocation_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct open_opts opts = {.max_bytes = 16 << 20, .with_memory = 1};
    char bundle[] = "/tmp/ct-fuzz-bundle.XXXXXX";
    char stage[] = "/tmp/ct-fuzz-open.XXXXXX";
    struct ct_err err = {0};
    struct opener *o;
    int fd;

    if (size < 1)
        return 0;
    fd = mkstemp(bundle);
    if (fd < 0 || unlink(bundle) != 0 || file_write_all(fd, data + 1, size - 1) != 0)
        abort();
    if (opener_new_fd(fd, data[0] & 1, &opts, &o, &err) != 0)
        return err.code == ERR_BUG || err.code == ERR_NONE ? abort(), 0 : 0;
    if ((data[0] & 2) != 0) {
        umask(077);
        if (mkdtemp(stage) == NULL)
            abort();
        extract(o, stage);
        if (nftw(stage, clean, 16, FTW_DEPTH | FTW_PHYS) != 0)
            abort();
    } else {
        extract(o, NULL);
    }
    opener_free(o);
    return 0;
}
