#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/path.h"

#include "common/config/state_dir.h"

#include "common/config/device.h"

#define LINE_MAX_BYTES 256

static int parse(struct buf *b, char ret[UUID_SIZE])
{
    if (b->len == UUID_SIZE && b->data[UUID_SIZE - 1] == '\n')
        b->data[UUID_SIZE - 1] = '\0';
    else
        return -1;
    if (!uuid_is_valid(b->data))
        return -1;
    memcpy(ret, b->data, UUID_SIZE);
    return 0;
}

static int make(const char *path, char ret[UUID_SIZE], struct ct_err *err)
{
    char line[UUID_SIZE + 1];

    uuid_random(line);
    memcpy(ret, line, UUID_SIZE);
    line[UUID_SIZE - 1] = '\n';
    return file_replace(path, line, UUID_SIZE, 0600, err);
}

int device_id(const char *state_dir, char ret[UUID_SIZE], struct ct_err *err)
{
    char *path = path_join(state_dir, "device");
    struct buf b = {0};
    int rc = 0;

    if (file_read(path, LINE_MAX_BYTES, &b, NULL) != 0 || parse(&b, ret) != 0)
        rc = path_make_private(state_dir, err) != 0 || state_dir_mark(state_dir, err) != 0
                 ? -1
                 : make(path, ret, err);
    buf_free(&b);
    free(path);
    return rc;
}
