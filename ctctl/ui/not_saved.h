#ifndef CTCTL_UI_NOT_SAVED_H
#define CTCTL_UI_NOT_SAVED_H

#include <json-c/json.h>

/**
 * not_saved_text(list, session_id, project):
 * Put into words what unknown_look() found (ctctl/here/unknown.h): "3 files in jobs/, 1 in shares/,
 * unknown to this version", or NULL if there is nothing.
 * ${session_id} NULL: of all; else only of what lies in that ${project} folder (NULL: not known) or
 * bears that id.  The caller frees it.
 */
char *not_saved_text(struct json_object *list, const char *session_id, const char *project);

#endif
