#include "ctctl/ui/qr.h"

int qr_draw(const struct text_style *st, const char *text, char **ret, struct ct_err *err)
{
    (void)st;
    (void)text;
    (void)ret;
    return err_set(err, ERR_CONFIG,
                   "this ctctl was built without libqrencode, so it can't draw QR codes; the text "
                   "does the same: ctctl key show");
}
