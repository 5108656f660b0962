#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/data/jdoc.h"
#include "common/base/str.h"
#include "ctctl/doctor/doctor.h"

#include "ctctl/ctx/verb.h"

#define ANSWER_MS 10000

static const struct doctor_check checks[] = {
    {"configuration", doctor_configuration},
    {"data folder", doctor_data_folder},
    {"watched folder", doctor_watched_folder},
    {"inventory", doctor_unknown},
    {"clean-up", doctor_cleanup},
    {"disk space", doctor_space},
    {"credentials", doctor_credentials},
    {"keyring", doctor_keyring},
    {"daemon", doctor_daemon},
    {"service", doctor_service},
    {"lingering", doctor_lingering},
    {"watch limit", doctor_watches},
    {"sandbox", doctor_sandbox},
    {"problems", doctor_problems},
    {"name lookup", doctor_dns},
    {"TLS", doctor_tls},
    {"clock", doctor_clock},
    {"log-in", doctor_login},
    {"upload", doctor_put},
    {"download", doctor_get},
    {"sealed", doctor_sealed},
};

#define N_CHECKS (sizeof(checks) / sizeof(checks[0]))

void doctor_say(struct doctor_finding *f, enum doctor_verdict verdict, const char *cure,
                const char *fmt, ...)
{
    va_list ap;

    f->verdict = verdict;
    va_start(ap, fmt);
    vsnprintf(f->detail, sizeof(f->detail), fmt, ap);
    va_end(ap);
    snprintf(f->cure, sizeof(f->cure), "%s", cure != NULL ? cure : "");
}

static void show(struct ctx *c, const char *name, const struct doctor_finding *f)
{
    static const char *const utf8[] = {"\xE2\x9C\x94", "!", "\xE2\x9C\x98", "-"};
    static const char *const ascii[] = {"[ok]", "[! ]", "[!!]", "[--]"};
    static const enum text_colour colours[] = {TEXT_GREEN, TEXT_YELLOW, TEXT_RED, TEXT_DIM};
    const char *const *signs = c->out.is_utf8 ? utf8 : ascii;
    struct text_style beside = c->out; /* the sign, which is coloured by itself */
    char *detail = text_clean(&c->out, f->detail), *cure = text_clean(&c->out, f->cure);
    char *first = str_printf(" %-14s ", name);
    struct buf b = {0};

    if (beside.width > 0)
        beside.width -= (int)text_columns(signs[f->verdict]);
    text_add(&b, &c->out, colours[f->verdict], signs[f->verdict]);
    text_wrap(&b, &beside, TEXT_PLAIN, first, "                  ", detail);
    if (cure[0] != '\0')
        text_wrap(&b, &c->out, f->verdict == DOCTOR_BAD ? TEXT_BOLD : TEXT_PLAIN,
                  f->verdict == DOCTOR_BAD ? "                  What to do: "
                                           : "                  If you like: ",
                  "                  ", cure);
    ctx_print(c, &b);
    fflush(stdout); /* the next check may take a while */
    buf_free(&b);
    free(first);
    free(cure);
    free(detail);
}

static void add(struct json_object *list, const char *name, const struct doctor_finding *f)
{
    static const char *const words[] = {"ok", "note", "bad", "skipped"};
    struct json_object *o = json_object_new_object();

    jdoc_set_str(o, "check", name);
    jdoc_set_bool(o, "ok", f->verdict != DOCTOR_BAD);
    jdoc_set_str(o, "verdict", words[f->verdict]);
    jdoc_set_str(o, "detail", f->detail);
    jdoc_set_str(o, "cure", f->cure[0] != '\0' ? f->cure : NULL);
    json_object_array_add(list, o);
}

/* Return how many checks found something to mend. */
static int examine(struct doctor *d, struct json_object *list)
{
    int bad = 0;

    for (size_t i = 0; i < N_CHECKS; i++) {
        struct doctor_finding f = {0};
        checks[i].run(d, &f);
        bad += f.verdict == DOCTOR_BAD;
        if (d->c->json)
            add(list, checks[i].name, &f);
        else
            show(d->c, checks[i].name, &f);
    }
    return bad;
}

static int run(struct ctx *c, int argc, char **argv)
{
    struct doctor d = {.c = c};
    struct json_object *list;
    struct strlist words = {0};
    struct buf b = {0};
    struct ct_err e;
    int rc = opts_parse(c, NULL, 0, argc, argv, &words), bad;

    if (rc == -1 && words.n > 0)
        rc = ctx_usage(c, "doctor takes no further words");
    strlist_free(&words);
    if (rc != -1)
        return rc;
    list = json_object_new_array();
    if (ctx_call(c, "status", NULL, ANSWER_MS, &d.status, &e) != 0)
        d.status = NULL;
    bad = examine(&d, list);
    if (c->json)
        ctx_json(c, list);
    else if (bad == 0)
        buf_addstr(&b, "\nNothing to mend.\n");
    else
        buf_printf(&b, "\n%d %s to mend.\n", bad, bad == 1 ? "thing" : "things");
    ctx_print(c, &b);
    buf_free(&b);
    json_object_put(list);
    json_object_put(d.status);
    return bad == 0 ? CTX_OK : CTX_FAILED;
}

const struct verb verb_doctor = {
    "doctor",
    "",
    "check everything that could be wrong, and say how to mend it",
    "Looks at the configuration, Claude Code's data folder, the credentials, the daemon and\n"
    "its service, what it needs of the system, and the whole way to the server and to the\n"
    "object store: a few bytes are uploaded there under an ID of doctor's own and never\n"
    "confirmed, so that they vanish again, and one byte of your newest session is read.\n"
    "Your sessions are not changed. And whether the keys here open what is sealed there.\n"
    "\n"
    "Each check says what it found and, if that is not fine, exactly what to do. With\n"
    "--json: an array of {check, ok, verdict, detail, cure}.\n"
    "\n"
    "Exit status: 0 if nothing has to be mended, else 1.\n",
    run,
    "ctctl doctor                                    # anything wrong?\n"
    "ctctl doctor --json | jq '.[] | select(.ok | not)'  # for scripts\n",
};
