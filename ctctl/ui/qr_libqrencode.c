#include <string.h>

#include <qrencode.h>

#include "common/sys/secret.h"
#include "common/base/str.h"

#include "ctctl/ui/qr.h"

#define QUIET 4 /* modules around it, as the standard wants */
#define BYTES_PER_GLYPH 3
#define BYTES_PER_LINE 32 /* colour and newline */

/* Is the module dark?  Outside it is light. */
static int is_dark(const QRcode *q, int x, int y)
{
    return x >= 0 && y >= 0 && x < q->width && y < q->width && (q->data[y * q->width + x] & 1) != 0;
}

/* Ink is what the glyph shows in the foreground: the dark modules in colour, where the background
 * is made light, else the light ones, for most terminals are dark. */
static const char *glyph(int upper, int lower)
{
    return upper && lower ? "\xE2\x96\x88" : upper ? "\xE2\x96\x80" : lower ? "\xE2\x96\x84" : " ";
}

static char *draw(const struct text_style *st, const QRcode *q)
{
    int side = q->width + 2 * QUIET, ink = st->has_colour;
    size_t size = (size_t)(side / 2 + 1) * ((size_t)side * BYTES_PER_GLYPH + BYTES_PER_LINE) + 1;
    char *out = secret_alloc(size), *p = out;

    for (int y = -QUIET; y < q->width + QUIET; y += 2) {
        p = stpcpy(p, st->has_colour ? "\033[30;107m" : "");
        for (int x = -QUIET; x < q->width + QUIET; x++)
            p = stpcpy(p, glyph(is_dark(q, x, y) == ink, is_dark(q, x, y + 1) == ink));
        p = stpcpy(p, st->has_colour ? "\033[0m\n" : "\n");
    }
    return out;
}

int qr_draw(const struct text_style *st, const char *text, char **ret, struct ct_err *err)
{
    QRcode *q;

    if (!st->is_utf8)
        return err_set(err, ERR_CONFIG,
                       "a QR code needs a terminal and a locale with UTF-8; the "
                       "text does the same: ctctl key show");
    q = QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
    if (q == NULL)
        return err_sys(err, "can't make a QR code");
    if (st->width > 0 && st->width < q->width + 2 * QUIET) {
        err_set(err, ERR_CONFIG,
                "the QR code is %d columns wide and the terminal %d; make it wider, or use the "
                "text: ctctl key show",
                q->width + 2 * QUIET, st->width);
        QRcode_free(q);
        return -1;
    }
    *ret = draw(st, q);
    str_wipe(q->data, (size_t)q->width * (size_t)q->width);
    QRcode_free(q);
    return 0;
}
