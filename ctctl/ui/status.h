#ifndef CTCTL_UI_STATUS_H
#define CTCTL_UI_STATUS_H

#include <json-c/json.h>

#include "common/base/buf.h"
#include "ctctl/ui/text.h"

/**
 * status_render(st, o, b):
 * Append the screen for the daemon's status ${o}: first a sentence that answers "is my work safe?",
 * then what a person may want to know next.  No line is wider than the width.
 */
void status_render(const struct text_style *st, const struct json_object *o, struct buf *b);

#endif
