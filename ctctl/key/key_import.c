#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config/retired.h"
#include "common/data/jdoc.h"
#include "common/base/now.h"
#include "common/sys/secret.h"
#include "common/base/str.h"
#include "ctctl/key/key_lines.h"
#include "ctctl/ui/term.h"

#include "ctctl/key/key.h"

#define LINE_MAX_BYTES 512
#define TRIES 5

struct importing {
    struct ctx *c;
    const struct key_opts *o;
    struct keyring *old;    /* what was here */
    struct keyring *given;  /* in the order in which they came */
    struct keyring *merged; /* what is to be */
    struct buf list;        /* of what retired keys had sealed */
    struct key_account account;
    int is_compared; /* with the account */
    struct ct_err why_not;
};

static const char bring[] = "ctctl key export | ssh THIS-DEVICE ctctl key import -";

/* ---- in which order ----------------------------------------------------------------------------
 */

static void add(struct keyring *r, const struct key *k)
{
    keyring_add(r, k->mk, k->created_ms, 0);
}

static void add_all(struct keyring *r, const struct keyring *from)
{
    for (size_t i = 0; i < keyring_n(from); i++)
        add(r, keyring_at(from, i));
}

static int has_all(const struct keyring *r, const struct keyring *of)
{
    for (size_t i = 0; i < keyring_n(of); i++) {
        if (keyring_find(r, keyring_at(of, i)->id) == NULL)
            return 0;
    }
    return 1;
}

static int has_id(const struct key *k, const char *id_hex)
{
    return k != NULL && id_hex != NULL && strcmp(k->id_hex, id_hex) == 0;
}

/* Does the account use that key already? */
static int is_in_use(const struct key_account *a, const struct key *k)
{
    for (size_t i = 0; i < a->n_seals; i++) {
        if (has_id(k, a->seals[i].id))
            return 1;
    }
    return 0;
}

/* The keys of ${r} again, with the one called ${first} at the front and ${last} at the end. */
static struct keyring *arrange(const struct keyring *r, const char *first, const char *last)
{
    struct keyring *n = keyring_new();

    for (size_t i = 0; i < keyring_n(r); i++) {
        if (has_id(keyring_at(r, i), first))
            add(n, keyring_at(r, i));
    }
    for (size_t i = 0; i < keyring_n(r); i++) {
        if (!has_id(keyring_at(r, i), last))
            add(n, keyring_at(r, i));
    }
    add_all(n, r); /* what is there already stays where it is */
    return n;
}

/*
 * Whoever gives all that is here says the order too.  Else new ones come last and seal, unless they
 * turn out to be older ones, which the account has used but not last.  First is the account's
 * first.
 */
static void merge(struct importing *m)
{
    const struct key_account *a = &m->account;
    const struct key *current;
    const char *last = NULL;
    struct keyring *r = keyring_new();

    keyring_free(m->merged);
    if (!has_all(m->given, m->old))
        add_all(r, m->old);
    add_all(r, m->given);
    current = keyring_current(r);
    if (a->newest[0] != '\0' && !has_id(current, a->newest) && is_in_use(a, current))
        last = a->newest;
    m->merged = arrange(r, key_account_first(a), last);
    keyring_free(r);
}

/* ---- does it fit -------------------------------------------------------------------------------
 */

static int foreign(const struct importing *m, struct ct_err *err)
{
    struct buf b = {0};

    key_missing_say(&m->account, &b);
    err_set(err, ERR_CONFLICT,
            "that is not the key of this account: %s, and none of them opens with it. With another "
            "key every session would get a second life there. On a device that has the account's: "
            "%s",
            b.data, bring);
    buf_free(&b);
    return -1;
}

static int first_is_away(const struct importing *m, struct ct_err *err)
{
    return err_set(err, ERR_CONFLICT,
                   "that is a later key of this account. Its first one, %.8s, names the sessions "
                   "there, and has to come along. On a device that has both: %s",
                   key_account_first(&m->account), bring);
}

static int judge(struct importing *m, struct ct_err *err)
{
    key_account_clear(&m->account);
    merge(m);
    m->is_compared = key_account_look(m->c, m->merged, &m->account, &m->why_not) == 0;
    if (!m->is_compared)
        return 0;
    merge(m);
    if (m->o->is_fork)
        return 0;
    switch (key_account_judge(&m->account, m->merged)) {
    case KEY_IS_FOREIGN:
        return foreign(m, err);
    case KEY_FIRST_IS_AWAY:
        return first_is_away(m, err);
    case KEY_FITS:
        break;
    }
    return 0;
}

/* ---- reading them ------------------------------------------------------------------------------
 */

/* ctctl key export --retired */
static int is_of_list(const char *line)
{
    return strncmp(line, "under ", 6) == 0 || strncmp(line, "key ", 4) == 0 ||
           strncmp(line, "has ", 4) == 0 || strncmp(line, "mac ", 4) == 0;
}

static int take_line(struct importing *m, struct key_lines *lines, const char *line,
                     struct ct_err *err)
{
    unsigned char *mk;
    int rc;

    if (is_of_list(line)) {
        buf_printf(&m->list, "%s\n", line);
        return 0;
    }
    mk = secret_alloc(KEY_BYTES);
    rc = key_lines_add(lines, line, mk, err);

    if (rc == 1 && keyring_add(m->given, mk, now_wall_ms(), 0) == NULL)
        rc = err_set(err, ERR_REFUSED, "that are more keys than a keyring holds");
    secret_free(mk);
    return rc;
}

static int from_pipe(struct importing *m, struct ct_err *err)
{
    struct key_lines *lines = key_lines_new();
    char *line = secret_alloc(LINE_MAX_BYTES);
    int rc = 0;

    while (rc >= 0 && term_read_line(STDIN_FILENO, line, LINE_MAX_BYTES, err) == 0)
        rc = take_line(m, lines, line, err);
    if (rc >= 0 && err->code != ERR_CANCELLED) /* not just the end of it */
        rc = -1;
    if (rc >= 0)
        rc = key_lines_end(lines, err);
    if (rc == 0 && keyring_n(m->given) == 0 && m->list.len == 0)
        rc = err_set(err, ERR_GONE, "there was no recovery text on stdin");
    secret_free(line);
    key_lines_free(lines);
    return rc < 0 ? -1 : 0;
}

/*
 * One text from the terminal.  It is seen while it is typed: 64 characters that nobody sees are
 * never right, and on the device where it was made it was on the screen too.
 */
static int typed_one(struct importing *m, struct ct_err *err)
{
    struct key_lines *lines = key_lines_new();
    char *line = secret_alloc(LINE_MAX_BYTES);
    int rc = 0, tries = 0;

    do {
        rc = term_ask(key_lines_is_within(lines) ? "     goes on: " : "Recovery text: ", 0, line,
                      LINE_MAX_BYTES, err);
        if (rc == 0 && line[strspn(line, " \t-")] == '\0') {
            rc = err_set(err, ERR_CANCELLED, "no key was imported");
            break;
        }
        if (rc != 0)
            break;
        rc = take_line(m, lines, line, err);
        if (rc < 0 && ++tries < TRIES) {
            ctx_say(m->c, "%s. Please type it anew", err->msg);
            rc = 0;
        }
    } while (rc == 0);
    secret_free(line);
    key_lines_free(lines);
    return rc == 1 ? 0 : -1;
}

/* Until they fit: a later key of the account brings up the question for its first one. */
static int from_terminal(struct importing *m, struct ct_err *err)
{
    int rc, tries = 0;

    if (!term_is_interactive())
        return err_set(err, ERR_CONFIG,
                       "there is no terminal to type a recovery text on; from a pipe: ctctl key "
                       "import -");
    ctx_say(m->c, "type the recovery text as another device shows it (ctctl key show), in one line "
                  "or several; capitals, blanks and dashes don't matter. Enter alone ends it.");
    do {
        rc = typed_one(m, err);
        if (rc != 0)
            return -1;
        rc = judge(m, err);
        if (rc == 0)
            return 0;
        ctx_say(m->c, "%s", err->msg);
        if (key_account_first(&m->account) == NULL) {
            keyring_free(m->given); /* foreign */
            m->given = keyring_new();
        }
    } while (++tries < TRIES);
    return -1;
}

/* ---- all of it ---------------------------------------------------------------------------------
 */

static int is_same(const struct keyring *a, const struct keyring *b)
{
    if (keyring_n(a) != keyring_n(b))
        return 0;
    for (size_t i = 0; i < keyring_n(a); i++) {
        if (strcmp(keyring_at(a, i)->id_hex, keyring_at(b, i)->id_hex) != 0)
            return 0;
    }
    return 1;
}

static void report_json(const struct importing *m, int is_told)
{
    struct json_object *o = json_object_new_object(), *ids = json_object_new_array();

    for (size_t i = 0; i < keyring_n(m->merged); i++)
        json_object_array_add(ids, jdoc_new_str(keyring_at(m->merged, i)->id_hex));
    json_object_object_add(o, "keys", ids);
    jdoc_set_int(o, "added", (int64_t)(keyring_n(m->merged) - keyring_n(m->old)));
    jdoc_set_str(o, "sealsWith", keyring_current(m->merged)->id_hex);
    jdoc_set_bool(o, "isCompared", m->is_compared);
    jdoc_set_bool(o, "daemonTold", is_told);
    ctx_json(m->c, o);
    json_object_put(o);
}

static void report(const struct importing *m, int is_told)
{
    size_t added = keyring_n(m->merged) - keyring_n(m->old);
    struct buf b = {0}, missing = {0};
    char *n =
        text_count((int64_t)added, "key is new on this device", "keys are new on this device");

    if (!m->is_compared && m->why_not.code == ERR_AUTH)
        ctx_say(m->c, "whether it is your account's key is seen at the log-in: ctctl login");
    else if (!m->is_compared)
        ctx_say(
            m->c,
            "the keys could not be compared with what your account uses (%s); later, see: ctctl "
            "key status",
            m->why_not.msg);
    key_missing_say(&m->account, &missing);
    if (missing.len > 0)
        ctx_say(m->c, "%s; they can't be opened here", missing.data);
    if (m->c->json) {
        report_json(m, is_told);
    } else {
        if (added == 0)
            buf_addstr(&b, "No key is new: all of them are on this device already.\n");
        else
            buf_printf(&b, "%s; what is saved from now on is sealed with %.8s.\n", n,
                       keyring_current(m->merged)->id_hex);
        ctx_print(m->c, &b);
    }
    free(n);
    buf_free(&b);
    buf_free(&missing);
}

static int take_list(const struct importing *m, struct ct_err *err)
{
    if (retired_check(m->merged, m->list.data, err) != 0)
        return -1;
    return retired_append(m->list.data, err);
}

static int by_command(struct ct_err *err)
{
    return err_set(err, ERR_CONFIG,
                   "the keys of this device come from key_command in the configuration, so nothing "
                   "is imported here. Put the recovery texts where that command finds them, one a "
                   "line, oldest first; then: ctctl key status");
}

int key_import(struct ctx *c, const struct key_opts *o, int is_pipe)
{
    struct importing m = {.c = c, .o = o};
    struct ct_err e = {0};
    int rc, is_told = 0;

    m.given = keyring_new();
    rc = ctx_config(c, &e);
    if (rc == 0 && ctx_key_is_by_command(c))
        rc = by_command(&e);
    if (rc == 0)
        rc = key_ring_open(c, &m.old, &e);
    if (rc == 0 && is_pipe)
        rc = from_pipe(&m, &e) == 0 ? judge(&m, &e) : -1;
    else if (rc == 0)
        rc = from_terminal(&m, &e);
    if (rc == 0 && m.list.len > 0)
        rc = take_list(&m, &e);
    if (rc == 0 && (!is_same(m.old, m.merged) || m.list.len > 0))
        rc = key_ring_keep(c, m.merged, &is_told, &e);
    if (rc == 0)
        report(&m, is_told);
    key_account_clear(&m.account);
    keyring_free(m.old);
    keyring_free(m.given);
    keyring_free(m.merged);
    buf_free(&m.list);
    return rc == 0 ? CTX_OK : ctx_fail(c, &e);
}
