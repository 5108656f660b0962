#ifndef COMMON_BASE_LOG_FIELDS_H
#define COMMON_BASE_LOG_FIELDS_H

#include <stddef.h>

/*
 * A line of the log as fields for the journal: "confirmed session=4f... version=2" becomes
 * CT_EVENT=confirmed, CT_SESSION=4f..., CT_VERSION=2.
 */
#define LOG_FIELDS_MAX 12

struct log_fields {
    size_t n;
    char *v[LOG_FIELDS_MAX]; /* "CT_NAME=value" */
    char text[3072];         /* where they lie */
};

/**
 * log_fields(line, ret):
 * Take the first word and each key=value behind it; a quoted value loses its quotes.  What stands
 * within quotes is never a field, whatever it looks like.  What does not fit is left out.
 */
void log_fields(const char *line, struct log_fields *ret);

#endif
