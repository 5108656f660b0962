#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"
#include "common/sys/secret.h"
#include "ctctl/share/shares.h"
#include "ctctl/share/showing.h"
#include "ctctl/share/stays.h"
#include "ctctl/share/wrap.h"
#include "ctctl/ui/pager.h"
#include "ctctl/ui/term.h"

#include "ctctl/ctx/verb.h"

#define MAX_S (30 * 86400LL)
#define DEFAULT_S (7 * 86400LL)

struct sharing {
    struct reading reading;
    struct showing showing;
    int64_t lifetime_s;
    int is_agreed;   /* --yes */
    int is_careless; /* --despite-credentials */
};

/* ---- before it goes ----------------------------------------------------------------------------
 */

/* Without an answer from the server nobody need read anything. */
static int check_server(struct ctx *c, struct ct_err *err)
{
    struct json_object *o;
    int is_allowed;

    if (shares_list(c, &o, err) != 0)
        return -1;
    is_allowed = jdoc_bool(o, "allowed", 0);
    json_object_put(o);
    return is_allowed ? 0
                      : err_set(err, ERR_REFUSED,
                                "whoever runs this server has not turned sharing on; ask for it "
                                "(share in server.conf)");
}

static int look(struct ctx *c, struct sharing *s, struct ct_err *err)
{
    if (ctx_config(c, err) != 0 ||
        leak_rules_load(c->config->scan_rules, &s->showing.rules, err) != 0 ||
        showing_read(c, &s->showing, &s->reading, err) != 0 ||
        stays_check(c, s->reading.session_id, s->reading.found == 0, err) != 0)
        return -1;
    return s->showing.turns > 0 ? 0
                                : err_set(err, ERR_REFUSED,
                                          "there is nothing to show: nobody has said anything yet");
}

static void say_found(struct ctx *c, struct json_object *found)
{
    for (size_t i = 0; i < json_object_array_length(found); i++) {
        const struct json_object *o = json_object_array_get_idx(found, i);
        char *rule = text_line(&c->err, jdoc_str(o, "rule")),
             *about = text_line(&c->err, jdoc_str(o, "about"));
        char when[64];
        ctx_say(c, "  %s of %s: %s%s%s%s", jdoc_str(o, "kind"),
                text_clock(jdoc_str(o, "at"), "%Y-%m-%d %H:%M", when, sizeof(when)), rule,
                about[0] != '\0' ? " (" : "", about, about[0] != '\0' ? ")" : "");
        free(about);
        free(rule);
    }
}

/* What would be shown is shown: to a person, before it is shown to others. */
static void show(struct ctx *c, const struct sharing *s)
{
    struct buf b = {0};

    buf_add(&b, s->showing.text.data, s->showing.text.len);
    if (c->out.is_terminal)
        pager_print(&c->out, &b);
    else
        term_show(b.data, NULL);
    buf_free(&b);
}

static char *question(const struct sharing *s, size_t found)
{
    char *turns = text_count(s->showing.turns, "turn", "turns"), *lasts, *q;
    char size[32];
    int64_t hours = (s->lifetime_s + 3599) / 3600;

    str_human_bytes(s->showing.text.len, size, sizeof(size));
    lasts = hours % 24 == 0 ? text_count(hours / 24, "day", "days")
                            : text_count(hours, "hour", "hours");
    q = str_printf("%sShare %s (%s) of session %s for %s? Whoever has the link can read it, "
                   "without an account.",
                   found > 0 ? "What is listed above looks like credentials. " : "", turns, size,
                   s->reading.session_id, lasts);
    free(lasts);
    free(turns);
    return q;
}

static int agree(struct ctx *c, const struct sharing *s)
{
    size_t found = json_object_array_length(s->showing.found);
    char *q;
    int is_agreed;

    if (!s->is_agreed && !term_is_interactive())
        return ctx_usage(c, "nobody can be asked here; look at it (ctctl cat %.8s) and add --yes",
                         s->reading.session_id);
    if (!s->is_agreed)
        show(c, s);
    if (found > 0) {
        ctx_say(c, "%zu place%s with what looks like credentials:", found, found == 1 ? "" : "s");
        say_found(c, s->showing.found);
    }
    if (s->is_agreed && found > 0 && !s->is_careless) {
        struct ct_err e;
        err_set(&e, ERR_REFUSED,
                "not shared: look at these places (ctctl cat %.8s), and if they are none, add "
                "--despite-credentials",
                s->reading.session_id);
        return ctx_fail(c, &e);
    }
    if (s->is_agreed)
        return CTX_OK;
    q = question(s, found);
    is_agreed = term_confirm(q);
    free(q);
    if (is_agreed)
        return CTX_OK;
    ctx_say(c, "nothing was shared");
    return CTX_FAILED;
}

/* ---- the link ----------------------------------------------------------------------------------
 */

/* The only copy of the key is in what is printed. */
static void print(struct ctx *c, const struct sharing *s, struct json_object *o, const char *key)
{
    char *link = str_printf("%s#%s", jdoc_str(o, "url"), key), *clean;
    struct buf b = {0};
    char when[64];

    if (c->json) {
        jdoc_set_str(o, "url", link);
        jdoc_set_str(o, "sessionId", s->reading.session_id);
        jdoc_set_int(o, "turns", s->showing.turns);
        json_object_object_add(o, "found", json_object_get(s->showing.found));
        ctx_json(c, o);
    } else {
        clean = text_clean(&c->out, link);
        buf_printf(&b, "%s\n", clean);
        ctx_print(c, &b);
        ctx_say(c,
                "good until %s; the key is in the link and nowhere else, so keep it. To end it "
                "sooner: ctctl unshare %.8s",
                text_clock(jdoc_str(o, "expiresAt"), "%Y-%m-%d %H:%M", when, sizeof(when)),
                jdoc_str(o, "id"));
        str_wipe(clean, strlen(clean));
        free(clean);
    }
    str_wipe(link, strlen(link));
    free(link);
    buf_free(&b);
}

static int put(struct ctx *c, const struct sharing *s)
{
    unsigned char *key = secret_alloc(WRAP_KEY);
    struct buf object = {0};
    struct json_object *o = NULL;
    char *text;
    struct ct_err e;
    int rc;

    hash_random(key, WRAP_KEY);
    text = hash_base64url(key, WRAP_KEY);
    rc = wrap(s->showing.json.data, s->showing.json.len, key, &object, &e);
    if (rc == 0)
        rc = shares_put(c, s->reading.session_id, object.data, object.len, s->lifetime_s, &o, &e);
    if (rc == 0)
        print(c, s, o, text);
    json_object_put(o);
    buf_free(&object);
    str_wipe(text, strlen(text));
    free(text);
    secret_free(key);
    return rc == 0 ? CTX_OK : ctx_fail(c, &e);
}

static int share(struct ctx *c, struct sharing *s)
{
    struct ct_err e;
    int rc;

    if (check_server(c, &e) != 0 || look(c, s, &e) != 0)
        rc = ctx_fail(c, &e);
    else if ((rc = agree(c, s)) == CTX_OK)
        rc = put(c, s);
    showing_clear(&s->showing);
    leak_rules_free(s->showing.rules);
    return rc;
}

static int run(struct ctx *c, int argc, char **argv)
{
    struct sharing s = {.lifetime_s = DEFAULT_S};
    struct strlist words = {0};
    const char *expires = NULL;
    const struct opt opts[] = {
        {"expires", OPT_STRING, &expires},
        {"version", OPT_NUMBER, &s.reading.version},
        {"cloud", OPT_FLAG, &s.reading.is_cloud},
        {"tools", OPT_FLAG, &s.showing.with_tools},
        {"thinking", OPT_FLAG, &s.showing.with_thinking},
        {"yes", OPT_FLAG, &s.is_agreed},
        {"despite-credentials", OPT_FLAG, &s.is_careless},
    };
    int rc = opts_parse(c, opts, sizeof(opts) / sizeof(opts[0]), argc, argv, &words);

    if (rc == -1 && words.n != 1)
        rc = ctx_usage(c, "share wants the ID of one session");
    if (rc == -1 && expires != NULL)
        rc = opts_duration(c, "--expires", expires, OPTS_MINUTES, MAX_S, &s.lifetime_s);
    if (rc == -1 && s.lifetime_s < 60)
        rc = ctx_usage(c, "--expires has to be a minute at least");
    if (rc == -1) {
        s.reading.word = words.v[0];
        rc = share(c, &s);
    }
    strlist_free(&words);
    return rc;
}

const struct verb verb_share = {
    "share",
    "ID [--expires D] [--version N] [--cloud]\n"
    "                   [--tools] [--thinking] [--yes] [--despite-credentials]",
    "a link by which others can read a session",
    "Prints a link. Whoever has it reads, in a browser and without an account, just what ctctl\n"
    "cat prints of the session now: not what is said in it later, and no files. That is shown\n"
    "to you first, with the places that look like credentials, and you are asked.\n"
    "\n"
    "It is sealed under a key of its own, which is in the link alone: the server stores what\n"
    "it can't read, and nobody can show you the link again. Send it as you would send the text.\n"
    "\n"
    "  --expires D            how long it can be read: 12h, 7d (the default), at most 30d\n"
    "  --version N            a version in the cloud (see: ctctl versions ID)\n"
    "  --cloud                the newest version in the cloud, though it is here too\n"
    "  --tools, --thinking    as for ctctl cat\n"
    "  --yes                  do not show it, and do not ask\n"
    "  --despite-credentials  with --yes, also if something looks like credentials\n"
    "\n"
    "ctctl shares lists what is shared, ctctl unshare ends it at once; so does deleting the\n"
    "session from the cloud. What is excluded stays here. The operator has to allow it.\n",
    run,
    "ctctl share 29221bf7                # for a week; it shows what it is, and asks\n"
    "ctctl share 29221bf7 --expires 12h  # until tonight\n",
};
