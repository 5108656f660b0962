#define SD_JOURNAL_SUPPRESS_LOCATION /* where in our source is nobody's business in a log */
#include <sys/uio.h>

#include <stdio.h>
#include <string.h>

#include <systemd/sd-journal.h>

#include "common/base/log.h"
#include "common/base/log_fields.h"

#include "common/base/log_journal.h"

static struct iovec of(char *s)
{
    return (struct iovec){.iov_base = s, .iov_len = strlen(s)};
}

/* Under the logger's lock: one at a time. */
static int send_line(const char *program, int priority, const char *line)
{
    static struct log_fields fields;
    char message[2048 + 16], level[16], name[64];
    struct iovec v[LOG_FIELDS_MAX + 3];
    int n = 0;

    snprintf(message, sizeof(message), "MESSAGE=%s", line);
    snprintf(level, sizeof(level), "PRIORITY=%d", priority);
    snprintf(name, sizeof(name), "SYSLOG_IDENTIFIER=%s", program);
    log_fields(line, &fields);
    v[n++] = of(message);
    v[n++] = of(level);
    v[n++] = of(name);
    for (size_t i = 0; i < fields.n; i++)
        v[n++] = of(fields.v[i]);
    return sd_journal_sendv(v, n) == 0 ? 0 : -1;
}

void log_journal_begin(void)
{
    log_set_journal(send_line);
}
