#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/str.h"
#include "ctctl/key/key.h"
#include "ctctl/ui/term.h"

#include "ctctl/key/login_key.h"

static void explain(const struct ctx *c)
{
    struct buf b = {0};

    buf_addc(&b, '\n');
    text_wrap(&b, &c->err, TEXT_PLAIN, "", "",
              "What this device saves can be sealed before it leaves, with a key that only your "
              "devices have.");
    text_wrap(&b, &c->err, TEXT_PLAIN, "", "",
              "Without a key, the server and the object store can read all of it: prompts, "
              "answers, files, whatever was on the screen.");
    buf_addc(&b, '\n');
    fputs(b.data, stderr);
    buf_free(&b);
}

/* -1: not known. */
static int has_key(struct ctx *c)
{
    struct ct_err e;
    const struct keyring *ring = ctx_ring(c, &e);

    if (ring == NULL) {
        ctx_say(c, "%s", e.msg);
        return -1;
    }
    return keyring_n(ring) > 0;
}

enum login_key login_key_ask(struct ctx *c)
{
    if (c->json || !term_is_interactive() || c->config->encryption == CONFIG_ENCRYPTION_OFF ||
        has_key(c) != 0)
        return LOGIN_KEY_NOT_ASKED;
    explain(c);
    return term_agree("Shall it be sealed?") ? LOGIN_KEY_WANTED : LOGIN_KEY_DECLINED;
}

char *login_key_token_name(const struct ctx *c, enum login_key answer, const char *device_name)
{
    unsigned char random[3];
    char hex[2 * sizeof(random) + 1];

    if (answer == LOGIN_KEY_DECLINED || c->config->encryption == CONFIG_ENCRYPTION_OFF)
        return str_dup(device_name);
    hash_random(random, sizeof(random));
    hash_hex(random, sizeof(random), hex);
    return str_printf("device-%s", hex);
}

static void say_held(const struct ctx *c)
{
    ctx_say(c,
            "this account's sessions are sealed with a key that is not on this device, so nothing "
            "is saved until it is here. On a device that has it: ctctl key export | ssh THIS-ONE "
            "ctctl key import -; or type its recovery text: ctctl key import");
}

int login_key_obtain(struct ctx *c)
{
    const struct key_opts none = {0};
    struct key_account a;
    struct ct_err e;
    int is_sealed = key_account_look(c, NULL, &a, &e) == 0 && a.sealed > 0, rc;

    key_account_clear(&a);
    if (is_sealed) {
        ctx_say(c, "this account has a key already: it is on your other device.");
        rc = key_import(c, &none, 0);
    } else {
        rc = key_init(c, &none);
    }
    if (rc == CTX_OK)
        return 0;
    if (is_sealed) {
        say_held(c);
        return 0;
    }
    if (c->config->encryption == CONFIG_ENCRYPTION_REQUIRE) {
        ctx_say(c, "this device has no key yet, so nothing is saved, as the configuration requires "
                   "sealing. Later: ctctl key init, or ctctl key import");
        return 0;
    }
    return term_confirm(
               "This device has no key yet. Log in all the same, so that what is saved leaves in "
               "clear?")
               ? 0
               : -1;
}

/* A key that is here may be another account's, and one that is not may be needed. */
void login_key_settle(struct ctx *c, enum login_key answer)
{
    const struct keyring *ring = ctx_ring(c, NULL);
    struct key_account a = {0};
    struct buf b = {0};
    struct ct_err e;
    int is_known = ring != NULL && key_account_look(c, ring, &a, &e) == 0;

    if (is_known && keyring_n(ring) > 0 && c->config->encryption != CONFIG_ENCRYPTION_OFF)
        key_missing_say(&a, &b);
    if (b.len > 0)
        ctx_say(c, "%s. Bring it before anything is saved: ctctl key import", b.data);
    else if (is_known && keyring_n(ring) == 0 && a.sealed > 0 && answer != LOGIN_KEY_WANTED)
        say_held(c);
    else if (answer == LOGIN_KEY_DECLINED)
        ctx_say(c, "what is saved leaves in clear. To change that: ctctl key init");
    buf_free(&b);
    key_account_clear(&a);
}
