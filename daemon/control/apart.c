#include <stdio.h>

#include "common/data/jdoc.h"

#include "daemon/control/apart.h"

/* "version 5 (lap, 41 messages)" */
static const char *elsewhere(const struct state_session *ss, char *buf, size_t size)
{
    const char *device = ss->elsewhere_device[0] != '\0' ? ss->elsewhere_device : "another machine";

    if (ss->elsewhere_messages >= 0)
        snprintf(buf, size, "version %lld (%s, %lld messages)", (long long)ss->elsewhere, device,
                 (long long)ss->elsewhere_messages);
    else
        snprintf(buf, size, "version %lld (%s)", (long long)ss->elsewhere, device);
    return buf;
}

void apart_why(const struct state_session *ss, int is_kept, char *buf, size_t size)
{
    char other[160];

    snprintf(
        buf, size,
        "%s and version %lld of this machine (%lld messages) were made each without the other; "
        "both are kept%s",
        elsewhere(ss, other, sizeof(other)), (long long)ss->version,
        (long long)jdoc_int(ss->meta, "messageCount", 0),
        is_kept ? ", the first of them on this machine only" : "");
}

void apart_cure(const struct state_session *ss, int is_kept, char *buf, size_t size)
{
    if (is_kept)
        snprintf(buf, size,
                 "ctctl show %.8s says where it lies; ctctl import FILE --as-copy installs it "
                 "beside this one",
                 ss->session_id);
    else
        snprintf(
            buf, size,
            "to make one of both: ctctl pull %.8s --merge; to have the other instead, and this "
            "one among the backups: ctctl pull %.8s --version %lld --force",
            ss->session_id, ss->session_id, (long long)ss->elsewhere);
}

void behind_why(const struct state_session *ss, int is_sure, char *buf, size_t size)
{
    char other[160];

    if (is_sure)
        snprintf(buf, size, "another machine went on with it: %s; to get that: ctctl pull %.8s",
                 elsewhere(ss, other, sizeof(other)), ss->session_id);
    else
        snprintf(buf, size,
                 "another machine saved %s after this one's version %lld; this server does not say "
                 "whether that is in it: ctctl pull %.8s looks, and gets it if so",
                 elsewhere(ss, other, sizeof(other)), (long long)ss->version, ss->session_id);
}
