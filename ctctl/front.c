#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctctl/here/glance.h"
#include "ctctl/ui/term.h"

/*
 * bin/ctctl.  What a shell's prompt asks with every command is answered here, within milliseconds,
 * for this program is linked with two libraries.  All else is the program ctctl below libexec,
 * whose fifty libraries take several times as long to load as the answer takes.
 */

#define FULL "/codeteleport/ctctl"

static int prompt(int is_check)
{
    static struct ctx c;

    term_style(STDOUT_FILENO, &c.out);
    return glance(&c, is_check);
}

/* Return the exit status, or -1 for what is not of that kind. */
static int answer(int argc, char **argv)
{
    if (argc == 2 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)) {
        puts("ctctl " PACKAGE_VERSION);
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "status") == 0 && strcmp(argv[2], "--line") == 0)
        return prompt(0);
    if (argc == 3 && strcmp(argv[1], "status") == 0 && strcmp(argv[2], "--check") == 0)
        return prompt(1);
    return -1;
}

/* The program beside this one, of a build or of a tree that was moved; else where it was installed.
 */
static void go_on(char **argv)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - sizeof("/../libexec" FULL));

    if (n > 0) {
        path[n] = '\0';
        *(strrchr(path, '/') + 1) = '\0';
        strcat(path, "../libexec" FULL);
        execv(path, argv);
    }
    execv(LIBEXECDIR FULL, argv);
    perror("ctctl: " LIBEXECDIR FULL);
}

int main(int argc, char **argv)
{
    int rc = answer(argc, argv);

    if (rc >= 0)
        return fflush(stdout) != 0 ? CTX_FAILED : rc;
    go_on(argv);
    return CTX_FAILED;
}
