#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/base/uuid.h"

#include "bundle/install/origin.h"

#define FOLDER "origins"

static char *path_of(const char *state_dir, const char *session_id)
{
    return str_printf("%s/" FOLDER "/%s", state_dir, session_id);
}

enum trust origin_of(const char *state_dir, const char *session_id)
{
    char *path = path_of(state_dir, session_id);
    struct ct_err err = {0};
    struct buf text = {0};
    enum trust trust = TRUST_STRANGER;

    if (file_read(path, 64, &text, &err) != 0)
        trust = err.code == ERR_GONE ? TRUST_OWN : TRUST_STRANGER;
    else if (text.data != NULL)
        trust = trust_parse(text.data);
    buf_free(&text);
    free(path);
    return trust;
}

int origin_note(const char *state_dir, const char *session_id, enum trust trust, struct ct_err *err)
{
    const char *text = trust_name(trust);
    char *dir, *path;
    int rc;

    if (trust >= origin_of(state_dir, session_id))
        return 0;
    if (!uuid_is_valid(session_id))
        return err_set(err, ERR_REFUSED, "the session's id is none");
    dir = path_join(state_dir, FOLDER);
    path = path_of(state_dir, session_id);
    rc = path_make_private(state_dir, err);
    if (rc == 0)
        rc = path_make_private(dir, err);
    if (rc == 0)
        rc = file_replace(path, text, strlen(text), 0600, err);
    free(path);
    free(dir);
    return rc;
}
