#ifndef CTCTL_CLOUD_UNSAVED_H
#define CTCTL_CLOUD_UNSAVED_H

#include <json-c/json.h>

/**
 * unsaved_describe(list):
 * Give those items of the daemon's list ${list} that wait for their first save, of which it knows
 * the id alone, what their transcripts say: title, project, number of messages.  Large transcripts
 * are read in part; what they don't say stays as it is.
 */
void unsaved_describe(struct json_object *list);

#endif
