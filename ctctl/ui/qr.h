#ifndef CTCTL_UI_QR_H
#define CTCTL_UI_QR_H

#include "common/base/err.h"
#include "ctctl/ui/text.h"

/**
 * qr_draw(st, text, ret, err):
 * Draw ${text} (capitals, digits) as a QR code of half blocks, two modules high, with its quiet
 * zone, dark on light in colour, else for a dark terminal.  ${ret} is secret memory that the caller
 * frees with secret_free().  ERR_CONFIG, with the cure, where this build or the terminal can't.
 */
int qr_draw(const struct text_style *st, const char *text, char **ret, struct ct_err *err);

#endif
