#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/sys/secret.h"
#include "ctctl/ctx/ctx.h"

#include "ctctl/program.h"

/* Whoever asks for JSON wants it of a fault in front of that word too. */
static int wants_json(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--json") == 0)
            return 1;
    }
    return 0;
}

int program_verb(struct ctx *c, const struct verb *v, int argc, char **argv)
{
    c->verb = v->name;
    return v->run(c, argc, argv);
}

int program_run(int argc, char **argv, int (*dispatch)(struct ctx *c, int argc, char **argv))
{
    int n = argc > 0 ? argc - 1 : 0, rc;
    struct ctx c;

    secret_init();
    setlocale(LC_CTYPE, "");  /* what the terminal can show; numbers stay as they are in C */
    signal(SIGPIPE, SIG_IGN); /* a closed pipe shows when the output is flushed */
    log_init("ctctl", LOG_LEVEL_ERROR);
    ctx_init(&c);
    c.json = wants_json(n, argv + 1);
    rc = dispatch(&c, n, argv + 1);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        /* Whoever reads us through head(1) has had enough; all else is worth a word. */
        if (errno != EPIPE)
            ctx_say(&c, "can't write the output: %s", strerror(errno));
        rc = rc != CTX_OK ? rc : CTX_FAILED;
    }
    ctx_clear(&c);
    return rc;
}
