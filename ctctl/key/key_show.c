#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/config/retired.h"
#include "common/base/now.h"
#include "common/sys/secret.h"
#include "common/base/str.h"
#include "ctctl/key/key_lines.h"
#include "ctctl/ui/qr.h"

#include "ctctl/key/key.h"

/* Straight to stdout: no copy of it stays in a buffer. */
static int put(const char *p, struct ct_err *err)
{
    return file_write_all(STDOUT_FILENO, p, strlen(p)) == 0
               ? 0
               : err_sys(err, "can't write the recovery text");
}

static int none(struct ct_err *err)
{
    return err_set(err, ERR_GONE,
                   "this device has no key. Make one: ctctl key init; or bring yours: ctctl key "
                   "import");
}

/* ---- for other programs ------------------------------------------------------------------------
 */

/* By hand, for json-c would leave copies behind: neither ids nor texts have anything to escape. */
static int put_json(const struct keyring *ring, char *text, struct ct_err *err)
{
    int rc = put("{\"keys\":[", err);

    for (size_t i = 0; rc == 0 && i < keyring_n(ring); i++) {
        const struct key *k = keyring_at(ring, i);
        key_text(k, text);
        if (put(i > 0 ? ",{\"id\":\"" : "{\"id\":\"", err) != 0 || put(k->id_hex, err) != 0 ||
            put("\",\"text\":\"", err) != 0 || put(text, err) != 0 || put("\"}", err) != 0)
            rc = -1;
    }
    return rc == 0 ? put("]}\n", err) : -1;
}

static int put_lines(const struct keyring *ring, char *text, struct ct_err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < keyring_n(ring); i++) {
        key_text(keyring_at(ring, i), text);
        rc = put(text, err) == 0 ? put("\n", err) : -1;
    }
    return rc;
}

static int put_list(struct ct_err *err)
{
    char *path = retired_path();
    struct buf text = {0};
    int rc = file_read(path, 64 << 20, &text, err);

    if (rc == 0)
        rc = put(text.data != NULL ? text.data : "", err);
    else if (err->code == ERR_GONE)
        err_set(err, ERR_GONE,
                "no key was retired on this device (ctctl key rotate --compromised)");
    buf_free(&text);
    free(path);
    return rc;
}

int key_export(struct ctx *c, const struct key_opts *o)
{
    const struct keyring *ring;
    char *text;
    struct ct_err e;
    int rc;

    if (isatty(STDOUT_FILENO) && !o->force)
        return ctx_usage(c,
                         "export is meant for a pipe, such as: ctctl key export | ssh OTHER ctctl "
                         "key import -   To read the text here: ctctl key show");
    ring = ctx_ring(c, &e);
    rc = ring != NULL ? 0 : -1;
    if (rc == 0 && keyring_n(ring) == 0)
        rc = none(&e);
    if (rc == 0 && o->is_list) {
        rc = put_list(&e);
    } else if (rc == 0) {
        text = secret_alloc(KEY_TEXT_SIZE);
        rc = c->json ? put_json(ring, text, &e) : put_lines(ring, text, &e);
        c->has_printed = c->json;
        secret_free(text);
    }
    return rc == 0 ? CTX_OK : ctx_fail(c, &e);
}

/* ---- for a person ------------------------------------------------------------------------------
 */

static int put_heading(struct ctx *c, const struct keyring *ring, size_t i, struct ct_err *err)
{
    const struct key *k = keyring_at(ring, i);
    char day[64], when[32];
    struct buf b = {0}, line = {0};
    int rc;

    buf_printf(&line, "Key %.8s", k->id_hex);
    if (k->created_ms > 0)
        buf_printf(&line, ", here since %s",
                   text_clock(now_rfc3339(k->created_ms, when), "%Y-%m-%d", day, sizeof(day)));
    if (keyring_n(ring) > 1)
        buf_addstr(&line, i + 1 == keyring_n(ring) ? ": it seals"
                          : i == 0                 ? ": it names sessions and opens older ones"
                                                   : ": it opens older ones");
    text_add(&b, &c->out, TEXT_BOLD, line.data);
    buf_addstr(&b, "\n\n");
    rc = put(b.data, err);
    buf_free(&line);
    buf_free(&b);
    return rc;
}

static int put_qr(struct ctx *c, const char *text, struct ct_err *err)
{
    char *capitals = secret_dup(text), *code = NULL;
    int rc;

    /* A QR code takes capitals more densely. */
    for (char *p = capitals; *p != '\0'; p++)
        *p = (char)toupper((unsigned char)*p);
    rc = qr_draw(&c->out, capitals, &code, err);
    if (rc == 0)
        rc = put(code, err);
    secret_free(code);
    secret_free(capitals);
    return rc;
}

static int put_text(const char *text, struct ct_err *err)
{
    char *rows = key_lines_show(text, "    ");
    int rc = put(rows, err);

    secret_free(rows);
    return rc;
}

static int put_all(struct ctx *c, const struct keyring *ring, int with_qr, struct ct_err *err)
{
    char *text = secret_alloc(KEY_TEXT_SIZE);
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < keyring_n(ring); i++) {
        key_text(keyring_at(ring, i), text);
        rc = put_heading(c, ring, i, err);
        if (rc == 0)
            rc = with_qr ? put_qr(c, text, err) : put_text(text, err);
        if (rc == 0)
            rc = put("\n", err);
    }
    secret_free(text);
    return rc;
}

int key_show(struct ctx *c, const struct key_opts *o)
{
    const struct keyring *ring;
    struct ct_err e;
    char *text;
    int rc;

    if (!isatty(STDOUT_FILENO) && !o->force)
        return ctx_usage(c, "the recovery text is shown on a terminal only (else say --force); for "
                            "another program: ctctl key export");
    ring = ctx_ring(c, &e);
    rc = ring != NULL ? 0 : -1;
    if (rc == 0 && keyring_n(ring) == 0)
        rc = none(&e);
    if (rc == 0 && c->json) {
        text = secret_alloc(KEY_TEXT_SIZE);
        rc = put_json(ring, text, &e);
        c->has_printed = 1;
        secret_free(text);
    } else if (rc == 0) {
        rc = put_all(c, ring, o->with_qr, &e);
        if (rc == 0)
            ctx_say(c, "whoever sees this can open all that was sealed with it");
    }
    return rc == 0 ? CTX_OK : ctx_fail(c, &e);
}
