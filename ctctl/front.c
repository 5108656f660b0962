#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctctl/ctx/opts.h"
#include "ctctl/program.h"

/*
 * bin/ctctl.  What only asks the daemon is done here, within milliseconds, for this program is
 * linked with few libraries.  All else is the program ctctl below libexec, whose fifty libraries
 * (libcurl's and libarchive's) take several times as long to load as most answers take.
 */

#define FULL "/codeteleport/ctctl"

static const struct verb *const near[] = {
    &verb_status,  &verb_list,    &verb_sync,  &verb_watch,  &verb_pause, &verb_resume,
    &verb_exclude, &verb_include, &verb_stats, &verb_rename, &verb_tag,
};

static char **words; /* of the command line, for the program that goes on with it */

/* The program beside this one, of a build or of a tree that was moved; else where it was installed.
 */
static _Noreturn void go_on(void)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - sizeof("/../libexec" FULL));

    if (n > 0) {
        path[n] = '\0';
        *(strrchr(path, '/') + 1) = '\0';
        strcat(path, "../libexec" FULL);
        execv(path, words);
    }
    execv(LIBEXECDIR FULL, words);
    perror("ctctl: " LIBEXECDIR FULL);
    exit(CTX_FAILED);
}

/* What asks the cloud begins anew in the other program; nothing has been printed or done by then.
 */
int ctx_cloud(struct ctx *c, const char *method, const char *path, struct json_object *body,
              struct json_object **ret, struct ct_err *err)
{
    (void)c, (void)method, (void)path, (void)body, (void)ret, (void)err;
    go_on();
}

/* The verb that is asked for in front of words without --help, if it is one of those above. */
static const struct verb *verb_of(int argc, char **argv)
{
    const char *name = "status";
    int i = 0;

    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--socket") == 0)
            i++;
        else if (strcmp(argv[i], "--json") != 0)
            return NULL;
    }
    if (i < argc)
        name = argv[i];
    for (; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return NULL;
    }
    for (size_t k = 0; k < sizeof(near) / sizeof(near[0]); k++) {
        if (strcmp(near[k]->name, name) == 0)
            return near[k];
    }
    return NULL;
}

static int dispatch(struct ctx *c, int argc, char **argv)
{
    int n = 0, rc = opts_leading(c, argc, argv, &n);

    if (rc != -1)
        return rc;
    return program_verb(c, verb_of(argc, argv), argc > n ? argc - n - 1 : 0, argv + n + 1);
}

int main(int argc, char **argv)
{
    words = argv;
    if (argc == 2 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)) {
        puts("ctctl " PACKAGE_VERSION);
        return fflush(stdout) != 0 ? CTX_FAILED : CTX_OK;
    }
    if (argc > 0 && verb_of(argc - 1, argv + 1) != NULL)
        return program_run(argc, argv, dispatch);
    go_on();
}
