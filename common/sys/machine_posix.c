#include <string.h>

#include "common/base/buf.h"
#include "common/base/file.h"

#include "common/sys/machine.h"

#define ID_MAX 256

/* machine-id(5), and where D-Bus keeps it on systems without systemd. */
int machine_id(char ret[33])
{
    static const char *const places[] = {"/etc/machine-id", "/var/lib/dbus/machine-id"};
    struct buf b = {0};
    int rc = -1;

    for (size_t i = 0; rc == -1 && i < sizeof(places) / sizeof(places[0]); i++) {
        buf_reset(&b);
        if (file_read(places[i], ID_MAX, &b, NULL) != 0 || b.len < 32)
            continue;
        memcpy(ret, b.data, 32);
        ret[32] = '\0';
        rc = 0;
    }
    buf_free(&b);
    return rc;
}
