#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/data/jdoc.h"
#include "common/base/now.h"
#include "common/sys/secret.h"
#include "common/base/str.h"
#include "common/config/retired.h"
#include "ctctl/key/key_lines.h"
#include "ctctl/key/key_retire.h"
#include "ctctl/ui/term.h"

#include "ctctl/key/key.h"

#define TRIES 5

static const char bring[] = "ctctl key export | ssh OTHER ctctl key import -";

/* ---- the ceremony ------------------------------------------------------------------------------
 */

static void paragraph(struct ctx *c, struct buf *b, enum text_colour colour, const char *indent,
                      const char *text)
{
    text_wrap(b, &c->err, colour, indent, indent, text);
    buf_addc(b, '\n');
}

/* Before anything is made. */
static int explain(struct ctx *c, int is_first)
{
    struct buf b = {0};
    int yes;

    buf_addc(&b, '\n');
    if (is_first) {
        paragraph(c, &b, TEXT_PLAIN, "",
                  "With a key, all that this device saves is sealed before it leaves: neither the "
                  "server nor the object store can read it, and neither can anybody who gets hold "
                  "of them.");
        paragraph(c, &b, TEXT_YELLOW, "  ",
                  "Who loses the key loses what was sealed with it. There is no way round that: no "
                  "reset by e-mail, nobody to ask.");
        paragraph(c, &b, TEXT_PLAIN, "",
                  "So the key has a recovery text of sixteen short groups. Write it down, or put "
                  "it into a password manager, and keep it where this machine can't take it along "
                  "when it breaks or is stolen. Whoever has the text can read everything.");
    } else {
        paragraph(c, &b, TEXT_PLAIN, "",
                  "A new key seals from now on. The older ones stay: what was sealed with them is "
                  "opened with them, and the first one goes on naming sessions.");
        paragraph(c, &b, TEXT_YELLOW, "  ",
                  "Who loses the new key loses what is sealed with it, so it has a recovery text "
                  "of its own. Keep those of the older ones too.");
        paragraph(c, &b, TEXT_PLAIN, "",
                  "Your other devices can't open what this one saves until they have the new key.");
    }
    fputs(b.data, stderr);
    buf_free(&b);
    yes = term_agree("Have something to write with at hand. Make the key now?");
    return yes;
}

static int show_text(const char *text, struct ct_err *err)
{
    char *rows = key_lines_show(text, "    ");
    int rc;

    fflush(stderr);
    rc = term_show("\nThe recovery text:\n\n", err);
    if (rc == 0)
        rc = term_show(rows, err);
    if (rc == 0)
        rc = term_show("\n", err);
    secret_free(rows);
    return rc;
}

/* That it is written down shows by its end. */
static int confirm(struct ctx *c, const char *text, struct ct_err *err)
{
    char *typed = secret_alloc(256);
    int rc = -1, is_right = 0;

    for (int i = 0; i < TRIES && !is_right; i++) {
        if (i > 0)
            ctx_say(c, "that is not its last group; compare what you wrote down with what is "
                       "above, and type the four characters at its end");
        rc = term_ask("Written down? Then type its last group (Ctrl-C makes no key): ", 0, typed,
                      256, err);
        if (rc != 0)
            break;
        is_right = key_lines_is_last_group(text, typed);
    }
    secret_free(typed);
    if (rc != 0)
        return -1;
    return is_right
               ? 0
               : err_set(err, ERR_CANCELLED, "that was not its last group, so no key was made");
}

/* ---- making one --------------------------------------------------------------------------------
 */

/* Whether the account has sessions in clear: no only where the server says so. */
static int may_be_in_clear(struct ctx *c)
{
    struct key_account a;
    int may_be = key_account_look(c, NULL, &a, NULL) != 0 || a.plain > 0;

    key_account_clear(&a);
    return may_be;
}

static void report(struct ctx *c, const struct key *key, int is_first, int is_told,
                   int is_compromised)
{
    struct json_object *o;
    struct buf b = {0};

    if (c->json) {
        o = json_object_new_object();
        jdoc_set_str(o, "keyId", key->id_hex);
        jdoc_set_bool(o, "isFirst", is_first);
        jdoc_set_str(o, "source", ctx_key_is_by_command(c) ? "command" : "file");
        jdoc_set_bool(o, "daemonTold", is_told);
        ctx_json(c, o);
        json_object_put(o);
        return;
    }
    if (ctx_key_is_by_command(c))
        return;
    buf_printf(&b, "Key %.8s is made: what this device saves from now on is sealed with it.\n",
               key->id_hex);
    if (c->config->encryption == CONFIG_ENCRYPTION_OFF)
        buf_addstr(&b, "But the configuration says encryption = \"off\": nothing is sealed as long "
                       "as it does.\n");
    buf_printf(&b, "To another device: %s\n", bring);
    if (is_compromised)
        buf_addstr(&b,
                   "What the old keys seal from now on is a stranger's here. On your other devices "
                   "it is so once they have the list, after the key:\n"
                   "  ctctl key export --retired | ssh OTHER ctctl key import -\n"
                   "Whoever has the old keys can go on reading what they sealed; to end that, and "
                   "the access to the account: ctctl devices revoke, and a new password\n");
    if (is_first && may_be_in_clear(c))
        buf_addstr(&b, "What is here in clear goes up sealed now; what only the cloud has: ctctl "
                       "list --clear\n");
    ctx_print(c, &b);
    buf_free(&b);
}

/* The keys come from a program that only the person here can teach another one. */
static int hand_over(struct ctx *c, const struct key *key, const char *text, int is_first,
                     const struct key_opts *o)
{
    ctx_say(c,
            "the keys of this device come from key_command in the configuration, so nothing is "
            "written here. Put the recovery text of key %.8s where that command finds it%s; then: "
            "ctctl key status",
            key->id_hex, is_first ? "" : ", on a line of its own after the others");
    if (o->no_confirm && !c->json) {
        fflush(stdout);
        if (file_write_all(STDOUT_FILENO, text, strlen(text)) != 0 ||
            file_write_all(STDOUT_FILENO, "\n", 1) != 0)
            return CTX_FAILED;
    }
    report(c, key, is_first, 0, o->is_compromised);
    return CTX_OK;
}

/* First, for with the new key in the keyring the old ones would count as before. */
static int retire(const struct keyring *ring, const struct key *key, const struct strlist *digests,
                  struct ct_err *err)
{
    struct buf block = {0};
    int rc;

    retired_block(ring, key, digests, &block);
    rc = retired_append(block.data, err);
    buf_free(&block);
    return rc;
}

/* ${digests}: of what the other keys have sealed, which are retired; NULL: they are not. */
static int make(struct ctx *c, struct keyring *ring, const struct key_opts *o,
                const struct strlist *digests)
{
    const struct key *key = keyring_generate(ring, now_wall_ms());
    char *text = secret_alloc(KEY_TEXT_SIZE);
    int is_first = keyring_n(ring) == 1, is_told = 0, rc = 0;
    struct ct_err e = {0};

    if (key == NULL)
        rc = err_set(&e, ERR_REFUSED, "the keyring is full");
    else
        key_text(key, text);
    if (rc == 0 && !o->no_confirm)
        rc = show_text(text, &e);
    if (rc == 0 && !o->no_confirm)
        rc = confirm(c, text, &e);
    if (rc == 0 && digests != NULL)
        rc = retire(ring, key, digests, &e);
    if (rc == 0 && !ctx_key_is_by_command(c))
        rc = key_ring_keep(c, ring, &is_told, &e);
    if (rc != 0) {
        rc = ctx_fail(c, &e);
    } else if (ctx_key_is_by_command(c)) {
        rc = hand_over(c, key, text, is_first, o);
    } else {
        report(c, key, is_first, is_told, o->is_compromised);
        rc = CTX_OK;
    }
    secret_free(text);
    return rc;
}

/* Return CTX_OK if the person, or who wrote the script, has been heard. */
static int agree(struct ctx *c, const struct key_opts *o, int is_first)
{
    if (o->no_confirm)
        return CTX_OK;
    if (!term_is_interactive())
        return ctx_usage(c, "a key is made at a terminal, for somebody has to write its recovery "
                            "text down; a script says --no-confirm and takes it with: ctctl key "
                            "export");
    if (explain(c, is_first))
        return CTX_OK;
    ctx_say(c, "no key was made");
    return CTX_FAILED;
}

/* ---- not a second one --------------------------------------------------------------------------
 */

static int foreign(const struct key_account *a, int is_first, struct ct_err *err)
{
    struct buf b = {0};

    key_missing_say(a, &b);
    err_set(err, ERR_CONFLICT,
            "%s. A new key would not open them%s. On a device that has it: %s. If it is lost for "
            "good: ctctl key %s --fork",
            b.data, is_first ? ", and would give every session a second life there" : "", bring,
            is_first ? "init" : "rotate");
    buf_free(&b);
    return -1;
}

/* Two devices that each make a key of their own can't be brought together again. */
static int not_a_fork(struct ctx *c, const struct keyring *ring, const struct key_opts *o,
                      struct ct_err *err)
{
    int is_first = keyring_n(ring) == 0, rc;
    struct key_account a;

    if (o->is_fork)
        return 0;
    rc = key_account_look(c, ring, &a, err);
    if (rc == 0 && key_account_n_missing(&a) > 0)
        rc = foreign(&a, is_first, err);
    else if (rc != 0 && is_first && err->code == ERR_AUTH)
        err_set(err, ERR_AUTH,
                "log in first, so that it can be seen whether your account has a key already: "
                "ctctl login (it makes the first key too)");
    else if (rc != 0 && !is_first)
        rc = 0; /* one more at the end names no session anew */
    else if (rc != 0 && (o->no_confirm || !term_is_interactive()))
        err_prefix(err, "it can't be seen whether the account has a key already (say --fork to "
                        "make one all the same)");
    else if (rc != 0) {
        ctx_say(c, "it can't be seen whether your account has a key already: %s", err->msg);
        rc = term_confirm("If another device of yours has one, this one needs that and not a new "
                          "one. Is this the first device that seals?")
                 ? 0
                 : err_set(err, ERR_CANCELLED, "no key was made");
    }
    key_account_clear(&a);
    return rc;
}

static int is_there(const struct keyring *ring, struct ct_err *err)
{
    return err_set(err, ERR_CONFLICT,
                   "this device has a key already (%.8s). To see its recovery text: ctctl key "
                   "show. For a new one beside it: ctctl key rotate",
                   keyring_current(ring)->id_hex);
}

static int make_one(struct ctx *c, const struct key_opts *o, int is_first)
{
    struct keyring *ring = NULL;
    struct strlist digests = {0};
    struct ct_err e;
    int rc = key_ring_open(c, &ring, &e);

    if (rc != 0 && c->config != NULL && ctx_key_is_by_command(c) && is_first) {
        /* It may well fail as long as it has nothing to print. */
        ctx_say(c, "%s", e.msg);
        ring = keyring_new();
        rc = 0;
    }
    if (rc == 0 && is_first && keyring_n(ring) > 0)
        rc = is_there(ring, &e);
    if (rc == 0 && !is_first && keyring_n(ring) == 0)
        rc = err_set(&e, ERR_GONE, "this device has no key yet; make one with: ctctl key init");
    if (rc == 0)
        rc = not_a_fork(c, ring, o, &e);
    if (rc != 0)
        rc = ctx_fail(c, &e);
    else if (o->is_compromised)
        rc = key_retire_look(c, o->no_confirm, &digests);
    if (rc == CTX_OK)
        rc = agree(c, o, is_first);
    if (rc == CTX_OK)
        rc = make(c, ring, o, o->is_compromised ? &digests : NULL);
    strlist_free(&digests);
    keyring_free(ring);
    return rc;
}

int key_init(struct ctx *c, const struct key_opts *o)
{
    return make_one(c, o, 1);
}

int key_rotate(struct ctx *c, const struct key_opts *o)
{
    return make_one(c, o, 0);
}
