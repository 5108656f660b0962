#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/data/jdoc.h"
#include "common/base/now.h"
#include "common/sys/secret.h"
#include "common/base/str.h"

#include "common/config/keyring_file.h"
#include "ctctl/key/key.h"

struct key_state {
    struct ctx *c;
    const struct keyring *ring;
    struct key_account account;
    int is_compared;
    struct ct_err why_not;
    char *path;
};

static const char *encryption_name(const struct config *config)
{
    static const char *const names[] = {"off", "on", "require"};

    return names[config->encryption];
}

/* ---- JSON --------------------------------------------------------------------------------------
 */

static struct json_object *keys_json(const struct key_state *s)
{
    struct json_object *list = json_object_new_array();
    size_t n = keyring_n(s->ring);
    char when[32];

    for (size_t i = 0; i < n; i++) {
        const struct key *k = keyring_at(s->ring, i);
        struct json_object *o = json_object_new_object();
        jdoc_set_str(o, "id", k->id_hex);
        jdoc_set_str(o, "since", k->created_ms > 0 ? now_rfc3339(k->created_ms, when) : NULL);
        jdoc_set_bool(o, "isFirst", i == 0);
        jdoc_set_bool(o, "seals", i + 1 == n && s->c->config->encryption != CONFIG_ENCRYPTION_OFF);
        json_object_array_add(list, o);
    }
    return list;
}

static struct json_object *account_json(const struct key_state *s)
{
    struct json_object *o = json_object_new_object(), *list = json_object_new_array();

    for (size_t i = 0; i < s->account.n_seals; i++) {
        const struct key_use *u = &s->account.seals[i];
        struct json_object *item = json_object_new_object();
        jdoc_set_str(item, "id", u->id);
        jdoc_set_int(item, "sessions", u->sessions);
        jdoc_set_bool(item, "isHere", u->is_here);
        json_object_array_add(list, item);
    }
    jdoc_set_int(o, "sealed", s->account.sealed);
    jdoc_set_int(o, "plain", s->account.plain);
    json_object_object_add(o, "keys", list);
    jdoc_set_str(o, "firstKey", key_account_first(&s->account));
    jdoc_set_bool(o, "fits", key_account_judge(&s->account, s->ring) == KEY_FITS);
    return o;
}

static void print_json(const struct key_state *s)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_str(o, "encryption", encryption_name(s->c->config));
    jdoc_set_str(o, "source", ctx_key_is_by_command(s->c) ? "command" : "file");
    jdoc_set_str(o, "path", ctx_key_is_by_command(s->c) ? NULL : s->path);
    jdoc_set_bool(o, "memoryLocked", secret_is_locked());
    json_object_object_add(o, "keys", keys_json(s));
    json_object_object_add(o, "account", s->is_compared ? account_json(s) : NULL);
    jdoc_set_str(o, "accountError", s->is_compared ? NULL : s->why_not.msg);
    ctx_json(s->c, o);
    json_object_put(o);
}

/* ---- for a person ------------------------------------------------------------------------------
 */

static void row(struct buf *b, const struct text_style *st, const char *name, const char *text)
{
    char *clean = text_clean(st, text), *first = str_printf("  %-9s", name);

    text_wrap(b, st, TEXT_PLAIN, first, "           ", clean);
    free(first);
    free(clean);
}

static void headline(const struct key_state *s, struct buf *b)
{
    const struct text_style *st = &s->c->out;
    int encryption = s->c->config->encryption;
    enum text_colour colour = TEXT_GREEN;
    const char *text = "What this device saves is sealed before it leaves.";

    if (encryption == CONFIG_ENCRYPTION_OFF) {
        colour = TEXT_YELLOW;
        text =
            "What this device saves leaves in clear: the configuration says encryption = \"off\".";
    } else if (keyring_n(s->ring) == 0 && encryption == CONFIG_ENCRYPTION_REQUIRE) {
        colour = TEXT_RED;
        text = "Nothing is saved: the configuration requires sealing and this device has no key. "
               "Make one: ctctl key init; or bring yours: ctctl key import";
    } else if (keyring_n(s->ring) == 0) {
        colour = TEXT_YELLOW;
        text = "This device has no key: what it saves leaves in clear, and server and store can "
               "read it. Make one: ctctl key init; or bring yours: ctctl key import";
    }
    text_wrap(b, st, colour, "", "", text);
    buf_addc(b, '\n');
}

static void key_rows(const struct key_state *s, struct buf *b)
{
    size_t n = keyring_n(s->ring);

    for (size_t i = 0; i < n; i++) {
        const struct key *k = keyring_at(s->ring, i);
        struct buf line = {0};
        char day[64], when[32];
        buf_printf(&line, "%s  ", k->id_hex);
        if (n == 1)
            buf_addstr(&line, "seals");
        else if (i + 1 == n)
            buf_addstr(&line, "seals from now on");
        else
            buf_addstr(&line, i == 0 ? "names sessions, opens older ones" : "opens older ones");
        if (keyring_is_retired(s->ring, k->id_hex))
            buf_addstr(&line, ", retired: somebody else may have it");
        if (k->created_ms > 0)
            buf_printf(&line, ", here since %s",
                       text_clock(now_rfc3339(k->created_ms, when), "%Y-%m-%d", day, sizeof(day)));
        row(b, &s->c->out, i == 0 ? n == 1 ? "Key" : "Keys" : "", line.data);
        buf_free(&line);
    }
}

static void account_rows(const struct key_state *s, struct buf *b)
{
    const struct key_account *a = &s->account;
    struct buf line = {0}, missing = {0};

    if (!s->is_compared) {
        buf_printf(&line, "not known now: %s", s->why_not.msg);
        row(b, &s->c->out, "Account", line.data);
        buf_free(&line);
        return;
    }
    buf_printf(&line, "%" PRId64 " sealed, %" PRId64 " in clear", a->sealed, a->plain);
    if (a->plain > 0 && keyring_n(s->ring) > 0 && s->c->config->encryption != CONFIG_ENCRYPTION_OFF)
        buf_addstr(&line, " (ctctl list --clear shows them, ctctl seal --all seals them)");
    row(b, &s->c->out, "Account", line.data);
    key_missing_say(a, &missing);
    if (missing.len > 0) {
        buf_addstr(&missing, ". Bring it: ctctl key import");
        buf_addc(b, '\n');
        text_wrap(b, &s->c->out, TEXT_YELLOW, "", "", missing.data);
    }
    if (keyring_n(s->ring) > 0 && a->n_firsts > 0 &&
        strcmp(key_account_first(a), keyring_first(s->ring)->id_hex) != 0) {
        buf_reset(&line);
        buf_printf(&line,
                   "Sessions there are named by key %.8s, and those of this device by %.8s: each "
                   "will be there twice. Mend it with: ctctl key import",
                   key_account_first(a), keyring_first(s->ring)->id_hex);
        buf_addc(b, '\n');
        text_wrap(b, &s->c->out, TEXT_RED, "", "", line.data);
    }
    buf_free(&missing);
    buf_free(&line);
}

static void print(const struct key_state *s)
{
    struct buf b = {0};

    headline(s, &b);
    key_rows(s, &b);
    if (ctx_key_is_by_command(s->c))
        row(&b, &s->c->out, "From", "key_command in the configuration");
    else if (keyring_n(s->ring) > 0)
        row(&b, &s->c->out, "File", s->path);
    if (keyring_n(s->ring) > 0)
        row(&b, &s->c->out, "Memory",
            secret_is_locked() ? "locked: keys are never swapped out"
                               : "can't be locked here (ulimit -l), so a key may be swapped out");
    account_rows(s, &b);
    ctx_print(s->c, &b);
    buf_free(&b);
}

int key_status(struct ctx *c)
{
    struct key_state s = {.c = c};
    struct ct_err e;

    s.ring = ctx_ring(c, &e);
    if (s.ring == NULL)
        return ctx_fail(c, &e);
    s.path = keyring_path();
    s.is_compared = key_account_look(c, s.ring, &s.account, &s.why_not) == 0;
    if (c->json)
        print_json(&s);
    else
        print(&s);
    key_account_clear(&s.account);
    free(s.path);
    return CTX_OK;
}
