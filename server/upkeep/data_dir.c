#include <sys/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/now.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "server/ledger/ledger_share.h"
#include "server/upkeep/data_dir.h"
#include "server/store/s3.h"

#define REGION "auto"

int data_dir_lock(const struct settings *s, int *ret_fd, struct ct_err *err)
{
    char *path, text[24] = "";
    int fd;

    if (path_make_private(s->data, err) != 0)
        return -1;
    path = path_join(s->data, "server.lock");
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        err_sys(err, "can't open %s", path);
        free(path);
        return -1;
    }
    free(path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK)
            err_sys(err, "can't lock the data folder %s", s->data);
        else if (read(fd, text, sizeof(text) - 1) > 0)
            err_set(err, ERR_CONFLICT, "a server runs on the data folder %s already (process %d)",
                    s->data, atoi(text));
        else
            err_set(err, ERR_CONFLICT, "a server runs on the data folder %s already", s->data);
        close(fd);
        return -1;
    }
    /* Only for the sentence above; the lock itself is what counts. */
    snprintf(text, sizeof(text), "%d\n", (int)getpid());
    if (ftruncate(fd, 0) == 0 && pwrite(fd, text, strlen(text), 0) < 0)
        text[0] = '\0';
    *ret_fd = fd;
    return 0;
}

static int open_store(const struct settings *s, const char *objects_url, struct data_dir *h,
                      struct ct_err *err)
{
    struct sigv4_cred cred = {h->keys.object_id, h->keys.object_secret, REGION};
    struct s3_place place = {.endpoint = s->s3_endpoint,
                             .region = s->s3_region,
                             .bucket = s->s3_bucket,
                             .key_id = s->s3_key_id,
                             .secret = s->s3_secret,
                             .ca_file = s->ca_file,
                             .is_virtual_host = s->s3_style == SETTINGS_VIRTUAL_STYLE,
                             .allow_plain_http = s->allow_plain_http,
                             .no_checksums = !s->s3_checksums};
    char *objects;
    int rc;

    if (s->storage == SETTINGS_S3)
        return s3_open(&place, &h->store, err);
    objects = path_join(s->data, "objects");
    rc = embedded_open(objects, &cred, objects_url, &h->embedded, err);
    free(objects);
    if (rc == 0)
        h->store = embedded_store(h->embedded);
    return rc;
}

static int open_ledger(const struct settings *s, struct ledger **ret, struct ct_err *err)
{
    struct hrana_place place = {.url = s->database,
                                .token = s->database_token,
                                .ca_file = s->ca_file,
                                .allow_plain_http = s->allow_plain_http};
    char *path;
    int rc;

    if (s->database != NULL)
        return ledger_open_at(&place, ret, err);
    path = path_join(s->data, "server.db");
    rc = ledger_open(path, ret, err);
    free(path);
    return rc;
}

/* Is its user one that may come, and has a share not ended? */
static int is_live(void *arg, const char *key)
{
    char user_id[UUID_SIZE], session_id[API_SESSION_ID_MAX + 1];
    int64_t version;

    if (store_key_parse(key, user_id, session_id, &version) != 0)
        return 0;
    return store_is_share(session_id)
               ? ledger_share_is_live(arg, user_id, session_id + 1, now_wall_ms())
               : ledger_user_is_active(arg, user_id);
}

static int is_wanted(void *arg, const char *key)
{
    char user_id[UUID_SIZE], session_id[API_SESSION_ID_MAX + 1];
    int live = is_live(arg, key);
    int64_t version;

    if (live != 1 || store_key_parse(key, user_id, session_id, &version) != 0)
        return live;
    return ledger_knows(arg, user_id, session_id, version);
}

int data_dir_open(const struct settings *s, const char *objects_url, struct data_dir *ret,
                  struct ct_err *err)
{
    struct data_dir h = {.lock_fd = -1};
    int rc = -1;

    if (path_make_private(s->data, err) != 0 || keys_load(s->data, &h.keys, err) != 0 ||
        open_ledger(s, &h.ledger, err) != 0)
        goto done;
    if (open_store(s, objects_url, &h, err) != 0) {
        ledger_close(h.ledger);
        goto done;
    }
    h.space = space_new(s->data, s->min_free_space);
    if (h.embedded != NULL) {
        embedded_watch(h.embedded, h.space);
        embedded_ask(h.embedded, is_live, is_wanted, h.ledger);
    }
    *ret = h;
    rc = 0;
done:
    if (rc != 0)
        keys_clear(&h.keys);
    else
        memset(&h.keys, 0, sizeof(h.keys)); /* they are in ${ret} now */
    return rc;
}

void data_dir_close(struct data_dir *h)
{
    store_free(h->store);
    space_free(h->space);
    ledger_close(h->ledger);
    keys_clear(&h->keys);
    if (h->lock_fd >= 0)
        close(h->lock_fd);
}
