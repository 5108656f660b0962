#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/disk/beneath.h"
#include "agents/seen.h"
#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/base/uuid.h"

#include "bundle/install/origin.h"
#include "bundle/install/stage.h"

#define IN_STATE "origins"
#define IN_DATA STAGE_HOME "/origins"
#define NOTE_MAX (1 << 20)

/* What stands in one file. */
struct note {
    enum trust trust;
    struct buf text; /* empty: there is none */
    int is_unread;   /* there may be one */
};

/* ---- reading -----------------------------------------------------------------------------------
 */

static int read_note(int fd, struct note *n)
{
    const char *end;
    char *word;

    if (file_read_fd(fd, "", NOTE_MAX, &n->text, NULL) != 0)
        return -1;
    end = n->text.len > 0 ? memchr(n->text.data, '\n', n->text.len) : NULL;
    word = str_printf("%.*s", end != NULL ? (int)(end - n->text.data) : (int)n->text.len,
                      n->text.data != NULL ? n->text.data : "");
    n->trust = trust_parse(word);
    free(word);
    return 0;
}

/* What can't be read is a stranger's; that there is none has to be seen. */
static void look(const char *base, const char *folder, const char *session_id, struct note *ret)
{
    char *path = path_join(folder, session_id);
    int base_fd = beneath_open_root(base), fd = -1;

    memset(ret, 0, sizeof(*ret));
    ret->trust = TRUST_OWN;
    if (base_fd >= 0)
        fd = beneath_open(base_fd, path, 0);
    if (fd < 0 ? errno != ENOENT : read_note(fd, ret) != 0) {
        buf_free(&ret->text);
        ret->trust = TRUST_STRANGER;
        ret->is_unread = 1;
    }
    if (fd >= 0)
        close(fd);
    if (base_fd >= 0)
        close(base_fd);
    free(path);
}

static enum trust noted_in(const char *base, const char *folder, const char *session_id)
{
    struct note n;

    look(base, folder, session_id, &n);
    buf_free(&n.text);
    return n.trust;
}

enum trust origin_of(const char *state_dir, const struct strlist *roots, const char *session_id)
{
    enum trust least = noted_in(state_dir, IN_STATE, session_id);

    for (size_t i = 0; i < roots->n; i++) {
        enum trust trust = noted_in(roots->v[i], IN_DATA, session_id);
        if (trust < least)
            least = trust;
    }
    return least;
}

const char *origin_key(const char *agent_id, const char *session_id, char buf[ORIGIN_KEY_SIZE])
{
    const struct agent *agent = agent_id != NULL ? agent_find(agent_id) : NULL;

    if (agent == NULL || agent == agent_unnamed())
        snprintf(buf, ORIGIN_KEY_SIZE, "%s", session_id);
    else
        snprintf(buf, ORIGIN_KEY_SIZE, "%s.%s", session_id, agent->id);
    return buf;
}

static int is_key(const char *s)
{
    char id[UUID_SIZE];

    snprintf(id, sizeof(id), "%.*s", UUID_SIZE - 1, s);
    if (!uuid_is_valid(id))
        return 0;
    s += UUID_SIZE - 1;
    return *s == '\0' || (*s == '.' && agent_find(s + 1) != NULL);
}

static void each_in(const char *base, const char *folder, void (*each)(void *arg, const char *id),
                    void *arg)
{
    int base_fd = beneath_open_root(base);
    int fd = base_fd >= 0 ? beneath_open(base_fd, folder, O_DIRECTORY) : -1;
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *e;

    while (d != NULL && (e = readdir(d)) != NULL) {
        if (is_key(e->d_name))
            each(arg, e->d_name);
    }
    if (d != NULL)
        closedir(d);
    else if (fd >= 0)
        close(fd);
    if (base_fd >= 0)
        close(base_fd);
}

struct telling {
    void (*each)(void *arg, const char *session_id);
    void *arg;
};

static void tell_id(void *arg, const char *key)
{
    const struct telling *x = arg;
    char id[UUID_SIZE];

    snprintf(id, sizeof(id), "%.*s", UUID_SIZE - 1, key);
    x->each(x->arg, id);
}

void origin_each(const char *state_dir, const struct strlist *roots,
                 void (*each)(void *arg, const char *session_id), void *arg)
{
    struct telling x = {each, arg};

    each_in(state_dir, IN_STATE, tell_id, &x);
    for (size_t i = 0; i < roots->n; i++)
        each_in(roots->v[i], IN_DATA, tell_id, &x);
}

/* ---- writing -----------------------------------------------------------------------------------
 */

/* A UUID, or eight digits, as pi has them. */
static int is_record_id(const char *id)
{
    return uuid_is_valid(id) || (strlen(id) == 8 && strspn(id, "0123456789abcdef") == 8);
}

/* Append to ${text}, the lines of a note, what it lacks of ${ids}.  Return whether that was
 * anything. */
static int add_ids(struct buf *text, const struct strlist *ids)
{
    struct seen *have = seen_new();
    size_t before = text->len;

    for (size_t at = 0, n; at < text->len; at += n + 1) {
        const char *end = memchr(text->data + at, '\n', text->len - at);
        n = end != NULL ? (size_t)(end - text->data) - at : text->len - at;
        seen_add(have, text->data + at, n);
    }
    for (size_t i = 0; ids != NULL && i < ids->n; i++) {
        if (is_record_id(ids->v[i]) && text->len < NOTE_MAX - UUID_SIZE &&
            seen_add(have, ids->v[i], strlen(ids->v[i])))
            buf_printf(text, "\n%s", ids->v[i]);
    }
    seen_free(have);
    return text->len > before;
}

/* What the note is to be after ${was}.  Return whether that is another. */
static int next_note(const struct note *was, enum trust trust, const struct strlist *begins,
                     struct buf *ret)
{
    const char *rest = was->text.len > 0 ? memchr(was->text.data, '\n', was->text.len) : NULL;
    int is_other = trust < was->trust || was->is_unread;

    if (trust == TRUST_OWN && was->trust == TRUST_OWN)
        return 0;
    buf_addstr(ret, trust_name(trust < was->trust ? trust : was->trust));
    if (rest != NULL)
        buf_add(ret, rest, was->text.len - (size_t)(rest - was->text.data));
    return add_ids(ret, begins) || is_other;
}

/* Return 1 if the folder is there, 0 if nothing is.  No link is followed to it. */
static int is_there(const char *base, const char *folder, struct ct_err *err)
{
    int base_fd = beneath_open_root(base), fd = -1, rc = 1;

    if (base_fd >= 0)
        fd = beneath_open(base_fd, folder, O_DIRECTORY);
    if (fd < 0)
        rc = errno == ENOENT
                 ? 0
                 : err_sys(err, "%s/%s can't be used to note whose a session was", base, folder);
    if (fd >= 0)
        close(fd);
    if (base_fd >= 0)
        close(base_fd);
    return rc;
}

static int make_folder(const char *base, const char *folder, struct ct_err *err)
{
    char *path = path_join(base, folder), *above = path_parent(path);
    int rc = is_there(base, folder, err);

    if (rc >= 0)
        rc = path_make_private(above, err);
    if (rc == 0)
        rc = path_make_private(path, err);
    if (rc == 0 && is_there(base, folder, err) != 1)
        rc = -1;
    free(above);
    free(path);
    return rc;
}

static int write_note(const char *base, const char *folder, const char *session_id,
                      const struct buf *text, struct ct_err *err)
{
    char *dir = path_join(base, folder), *path = path_join(dir, session_id);
    int rc = 0;

    if (text->len > 0)
        rc = file_replace(path, text->data, text->len, 0600, err);
    else if (unlink(path) != 0 && errno != ENOENT)
        rc = err_sys(err, "can't remove %s", path);
    free(path);
    free(dir);
    return rc;
}

/* ${ret_was} is what was there. */
static int note_in(const char *base, const char *folder, const char *session_id, enum trust trust,
                   const struct strlist *begins, struct note *ret_was, struct ct_err *err)
{
    struct buf next = {0};
    int rc = 0;

    look(base, folder, session_id, ret_was);
    if (next_note(ret_was, trust, begins, &next)) {
        rc = make_folder(base, folder, err);
        if (rc == 0)
            rc = write_note(base, folder, session_id, &next, err);
    }
    buf_free(&next);
    return rc;
}

int origin_note(const char *state_dir, const char *root, const char *session_id, enum trust trust,
                const struct strlist *begins, struct ct_err *err)
{
    struct note in_state = {0}, in_data = {0};
    int rc;

    if (!is_key(session_id))
        return err_set(err, ERR_REFUSED, "the session's id is none");
    rc = note_in(state_dir, IN_STATE, session_id, trust, begins, &in_state, err);
    if (rc == 0 && root != NULL) {
        rc = note_in(root, IN_DATA, session_id, trust, begins, &in_data, err);
        if (rc != 0 && !in_state.is_unread) /* nothing comes of it then */
            (void)write_note(state_dir, IN_STATE, session_id, &in_state.text, NULL);
    }
    buf_free(&in_state.text);
    buf_free(&in_data.text);
    return rc;
}

/* ---- forks -------------------------------------------------------------------------------------
 */

struct inheriting {
    const char *base, *folder, *session_id;
    struct seen *begins;
    enum trust least;
};

static void look_for_kin(void *arg, const char *id)
{
    struct inheriting *h = arg;
    const char *p, *end;
    struct note n;

    if (strcmp(id, h->session_id) == 0)
        return;
    look(h->base, h->folder, id, &n);
    p = n.text.len > 0 ? memchr(n.text.data, '\n', n.text.len) : NULL;
    while (p != NULL && n.trust < h->least) {
        p++;
        end = memchr(p, '\n', n.text.len - (size_t)(p - n.text.data));
        if (seen_has(h->begins, p,
                     end != NULL ? (size_t)(end - p) : n.text.len - (size_t)(p - n.text.data)))
            h->least = n.trust;
        p = end;
    }
    buf_free(&n.text);
}

int origin_inherit(const char *state_dir, const struct strlist *roots, const char *session_id,
                   const struct strlist *begins, struct ct_err *err)
{
    struct inheriting h = {state_dir, IN_STATE, session_id, seen_new(), TRUST_OWN};

    for (size_t i = 0; i < begins->n; i++)
        seen_add(h.begins, begins->v[i], strlen(begins->v[i]));
    each_in(h.base, h.folder, look_for_kin, &h);
    for (size_t i = 0; i < roots->n; i++) {
        h.base = roots->v[i];
        h.folder = IN_DATA;
        each_in(h.base, h.folder, look_for_kin, &h);
    }
    seen_free(h.begins);
    return h.least < TRUST_OWN ? origin_note(state_dir, NULL, session_id, h.least, begins, err) : 0;
}
