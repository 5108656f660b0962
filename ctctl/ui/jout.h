#ifndef CTCTL_UI_JOUT_H
#define CTCTL_UI_JOUT_H

#include <json-c/json.h>

#include "common/base/buf.h"

/**
 * jout_add(b, o, is_pretty):
 * Append ${o} as JSON to ${b}, with \u escapes for what could play tricks on a terminal (C1 control
 * characters, bidirectional overrides), on one line or laid out for reading.
 */
void jout_add(struct buf *b, struct json_object *o, int is_pretty);

#endif
