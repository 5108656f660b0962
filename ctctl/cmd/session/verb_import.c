#include <sys/stat.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "ctctl/pull/pull_say.h"

#include "ctctl/ctx/verb.h"

#define WINDOW (256 << 10)

/* A pipe, as a file of our own: a bundle is read more than once. */
static int spool(struct ctx *c, int from, const char *name, char **ret, struct ct_err *err)
{
    char *dir, *path, *p;
    ssize_t n = -1;
    int fd, rc = 0;

    if (ctx_config(c, err) != 0)
        return -1;
    dir = path_join(c->config->state_dir, "downloads");
    path = path_join(dir, "stdin.XXXXXX.part");
    if (path_make_private(dir, err) != 0)
        goto err0;
    fd = mkostemps(path, (int)strlen(".part"), O_CLOEXEC);
    if (fd < 0) {
        err_sys(err, "can't make a file in %s", dir);
        goto err0;
    }
    p = str_calloc(WINDOW, 1);
    while (rc == 0 && (n = read(from, p, WINDOW)) > 0)
        rc = file_write_all(fd, p, (size_t)n);
    if (rc != 0 || n < 0)
        rc = err_sys(err, "can't take the bundle from %s", name);
    free(p);
    close(fd);
    if (rc != 0)
        goto err1;
    free(dir);
    *ret = path;

    /* Success! */
    return 0;

err1:
    unlink(path);
err0:
    free(path);
    free(dir);
    /* Failure! */
    return -1;
}

/* What can be read once only: standard input, a pipe of the shell's, a device.  What is not there
 * at all is for whoever opens it to say. */
static int is_stream(const char *word)
{
    struct stat st;

    return strcmp(word, "-") == 0 ||
           (stat(word, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode));
}

static int spool_stream(struct ctx *c, const char *word, char **ret, struct ct_err *err)
{
    int fd, rc;

    if (strcmp(word, "-") == 0)
        return spool(c, STDIN_FILENO, "standard input", ret, err);
    fd = open(word, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_sys(err, "can't open %s", word);
    rc = spool(c, fd, word, ret, err);
    close(fd);
    return rc;
}

static int import(struct ctx *c, const char *word, struct pull_opts *opts)
{
    int is_spooled = is_stream(word), rc;
    struct pull_front front;
    struct pull_result r = {0};
    struct ct_err e;
    char *path = NULL;

    if (!is_spooled)
        path = str_dup(word);
    else if (spool_stream(c, word, &path, &e) != 0)
        return ctx_fail(c, &e);
    pull_say_begin(&front, c, opts);
    rc = pull_file(c, path, opts, &r, &e);
    pull_say_end(&front);
    if (rc == 0)
        pull_say(c, &r, opts);
    else
        rc = pull_say_failure(c, &e);
    if (is_spooled)
        unlink(path);
    pull_result_clear(&r);
    free(path);
    return rc;
}

static int run(struct ctx *c, int argc, char **argv)
{
    struct pull_opts o = {0};
    struct strlist words = {0};
    const struct opt opts[] = {
        {"target-dir", OPT_STRING, &o.target_dir},
        {"with-memory", OPT_FLAG, &o.with_memory},
        {"dry-run", OPT_FLAG, &o.is_rehearsal},
        {"force", OPT_FLAG, &o.is_forced},
        {"as-copy", OPT_FLAG, &o.is_copy},
        {"with-file-history", OPT_FLAG, &o.with_file_history},
        {"with-files", OPT_STRING, &o.with_files},
    };
    int rc = opts_parse(c, opts, sizeof(opts) / sizeof(opts[0]), argc, argv, &words);

    if (rc == -1 && words.n != 1)
        rc = ctx_usage(c, "import wants one file (or - for standard input)");
    if (rc == -1 && o.is_forced && o.is_copy)
        rc = ctx_usage(c, "say --force or --as-copy, not both");
    if (rc == -1)
        rc = import(c, words.v[0], &o);
    strlist_free(&words);
    return rc;
}

const struct verb verb_import = {
    "import",
    "FILE [--target-dir DIR] [--with-memory] [--with-file-history]\n"
    "                    [--with-files DIR] [--dry-run] [--force|--as-copy]",
    "install a session from a file that export wrote",
    "FILE is a bundle, ours or a stock CodeTeleport client's; - is standard input. It\n"
    "may be a pipe, and is installed as pull does it. One that is sealed wants its key on\n"
    "this device. Any other can come from anybody, so:\n"
    "\n"
    "  --with-memory     its project memory too, which Claude Code reads as instructions\n"
    "  --with-file-history\n"
    "                    what /rewind writes and deletes, below the project's folder\n"
    "  --with-files DIR  the working files that a stock client put in, into a new folder DIR\n"
    "  --target-dir DIR  the project's folder here; else as for pull\n"
    "  --dry-run         say what would happen, and touch nothing\n"
    "  --force           replace what is here (it is kept as a backup)\n"
    "  --as-copy         install it beside what is here, under a new id\n"
    "\n"
    "No server, no account and no daemon are needed for this.\n",
    run,
    "ctctl import talk.tar.gz                        # where its project is\n"
    "ctctl import talk.tar.gz --target-dir ~/src/web.app  # or here\n"
    "ctctl import talk.tar.gz --dry-run              # look first\n",
};
