#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/base/uuid.h"

#include "bundle/install/origin.h"
#include "bundle/install/stage.h"

#define FOLDER "origins"

static char *path_of(const char *dir, const char *session_id)
{
    return str_printf("%s/" FOLDER "/%s", dir, session_id);
}

static enum trust noted_in(const char *dir, const char *session_id)
{
    char *path = path_of(dir, session_id);
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

enum trust origin_of(const char *state_dir, const struct strlist *roots, const char *session_id)
{
    enum trust least = noted_in(state_dir, session_id);

    for (size_t i = 0; i < roots->n; i++) {
        char *dir = path_join(roots->v[i], STAGE_HOME);
        enum trust trust = noted_in(dir, session_id);
        if (trust < least)
            least = trust;
        free(dir);
    }
    return least;
}

static void each_in(const char *dir, void (*each)(void *arg, const char *session_id), void *arg)
{
    char *folder = path_join(dir, FOLDER);
    DIR *d = opendir(folder);
    struct dirent *e;

    while (d != NULL && (e = readdir(d)) != NULL) {
        if (uuid_is_valid(e->d_name))
            each(arg, e->d_name);
    }
    if (d != NULL)
        closedir(d);
    free(folder);
}

void origin_each(const char *state_dir, const struct strlist *roots,
                 void (*each)(void *arg, const char *session_id), void *arg)
{
    each_in(state_dir, each, arg);
    for (size_t i = 0; i < roots->n; i++) {
        char *dir = path_join(roots->v[i], STAGE_HOME);
        each_in(dir, each, arg);
        free(dir);
    }
}

int origin_note(const char *dir, const char *session_id, enum trust trust, struct ct_err *err)
{
    const char *text = trust_name(trust);
    char *folder, *path;
    int rc;

    if (trust >= noted_in(dir, session_id))
        return 0;
    if (!uuid_is_valid(session_id))
        return err_set(err, ERR_REFUSED, "the session's id is none");
    folder = path_join(dir, FOLDER);
    path = path_of(dir, session_id);
    rc = path_make_private(dir, err);
    if (rc == 0)
        rc = path_make_private(folder, err);
    if (rc == 0)
        rc = file_replace(path, text, strlen(text), 0600, err);
    free(path);
    free(folder);
    return rc;
}

int origin_note_beside(const char *root, const char *session_id, enum trust trust,
                       struct ct_err *err)
{
    char *dir = path_join(root, STAGE_HOME);
    int rc = origin_note(dir, session_id, trust, err);

    free(dir);
    return rc;
}
