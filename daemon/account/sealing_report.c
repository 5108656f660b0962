#include <stdio.h>
#include <string.h>

#include "common/data/jdoc.h"

#include "daemon/account/cloud.h"
#include "daemon/daemon.h"
#include "daemon/account/sealing.h"

#define MOST_PROBLEMS 20

static const char *mode_name(const struct daemon *d)
{
    static const char *const modes[] = {"off", "on", "require"};

    return modes[d->config->encryption];
}

static void say_clear(struct daemon *d, struct json_object *o, int64_t n)
{
    char text[160];

    if (n == 0 || !sealing_is_one_way(d->sealing))
        return;
    snprintf(text, sizeof(text),
             n == 1 ? "1 session is in the cloud in clear"
                    : "%lld sessions are in the cloud in clear",
             (long long)n);
    jdoc_set_str(o, "notice", text);
    jdoc_set_str(o, "noticeCure", "ctctl list --clear");
}

struct json_object *sealing_status(struct daemon *d)
{
    static const char *const states[] = {"off", "plain", "sealing", "no_key", "broken"};
    struct json_object *o = json_object_new_object();
    struct state_counts c = {0};
    const char *why, *cure;
    enum sealing_state state = sealing_look(d->sealing, &why, &cure);
    const struct keyring *ring = sealing_ring(d->sealing);
    const struct key *key = keyring_current(ring);
    const char *which;
    int64_t late, others = cloud_in_clear(d->cloud, &late, &which);

    if (d->books != NULL)
        state_counts(d->books->state, &c);
    jdoc_set_str(o, "mode", mode_name(d));
    jdoc_set_str(o, "state", states[state]);
    jdoc_set_str(o, "keyId", key != NULL ? key->id_hex : NULL);
    jdoc_set_int(o, "keys", (int64_t)keyring_n(ring));
    jdoc_set_int(o, "sealed", c.sealed);
    jdoc_set_int(o, "plain", c.in_clear + others);
    jdoc_set_int(o, "plainSince", late);
    jdoc_set_int(o, "rollbacks", c.rollbacks + (int64_t)map_size(cloud_rollbacks(d->cloud)));
    jdoc_set_str(o, "reason", why[0] != '\0' ? why : NULL);
    jdoc_set_str(o, "cure", cure[0] != '\0' ? cure : NULL);
    say_clear(d, o, c.in_clear + others);
    return o;
}

static void problem(struct json_object *list, const char *what, const char *why, const char *cure,
                    const char *session_id)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_str(o, "what", what);
    jdoc_set_str(o, "why", why);
    jdoc_set_str(o, "cure", cure);
    if (session_id != NULL)
        jdoc_set_str(o, "sessionId", session_id);
    json_object_array_add(list, o);
}

struct telling {
    struct daemon *d;
    struct json_object *list;
    int n;
};

static void add_rollback(void *arg, const char *session_id, int is_here)
{
    struct telling *t = arg;
    char cure[300];

    if (t->n++ >= MOST_PROBLEMS)
        return;
    snprintf(cure, sizeof(cure),
             is_here ? "if its newer versions were deleted on purpose, upload it anew: ctctl sync "
                       "%.8s; if not, ask whoever runs the server"
                     : "if its newer versions were deleted on purpose, all is well; if not, ask "
                       "whoever runs the server",
             session_id);
    problem(t->list, "the server hands out an older version than it had",
            "what it lists as the newest has a lower generation than one that was seen before: a "
            "rollback; nothing here is changed for it",
            cure, session_id);
}

static int add_rollback_elsewhere(void *arg, const char *session_id, void *value)
{
    (void)value;
    add_rollback(arg, session_id, 0);
    return 0;
}

/* What a stock client, or a machine without the key, goes on uploading. */
static void add_late(struct daemon *d, struct json_object *list)
{
    const char *which;
    char text[300];
    int64_t late;

    cloud_in_clear(d->cloud, &late, &which);
    if (late == 0 || !sealing_is_one_way(d->sealing))
        return;
    snprintf(text, sizeof(text),
             "%lld uploaded since this account's sessions are sealed (%s): whoever runs the server "
             "can read and change that, so nothing here takes it for yours",
             (long long)late, which);
    problem(list, "a client of this account uploads in clear", text,
            "give that machine the key (ctctl key import there) or end its access: ctctl devices "
            "revoke; what it uploaded: ctctl list --clear",
            NULL);
}

/* What an old key sealed, and when, is known to the device that retired it. */
static void add_lacking(struct daemon *d, struct json_object *list)
{
    const char *key_id = sealing_lacking(d->sealing);
    char text[300];

    if (key_id == NULL)
        return;
    snprintf(text, sizeof(text),
             "another device has retired the key %.8s, for somebody else may have it. Without the "
             "list of what it had sealed until then, what is sealed with it now still counts as "
             "yours here",
             key_id);
    problem(list, "the list of a retired key is not here", text,
            "on a device that has it: ctctl key export --retired | ssh THIS ctctl key import -",
            NULL);
}

void sealing_problems(struct daemon *d, struct json_object *list)
{
    struct telling t = {d, list, 0};
    const char *why, *cure, *err;
    char text[200];

    sealing_look(d->sealing, &why, &cure);
    if (why[0] != '\0')
        problem(list, "encryption", why, cure, NULL);
    if (d->config->encryption == CONFIG_ENCRYPTION_OFF && sealing_is_one_way(d->sealing))
        problem(list, "encryption = \"off\" is of no effect",
                "this account's sessions are sealed, and sealing goes one way",
                "take that line out of the configuration; to upload in clear takes another account",
                NULL);
    add_late(d, list);
    add_lacking(d, list);
    if (cloud_unreadable(d->cloud, &err) > 0) {
        snprintf(text, sizeof(text), "%lld of the account's sessions can't be read here: %.120s",
                 (long long)cloud_unreadable(d->cloud, &err), err);
        problem(list, "sealed sessions", text,
                "ctctl key status; ctctl key import brings a key that is missing", NULL);
    }
    if (d->books != NULL)
        state_each_rollback(d->books->state, add_rollback, &t);
    map_each(cloud_rollbacks(d->cloud), add_rollback_elsewhere, &t);
}

void sealing_item(struct json_object *o, const struct state_session *ss)
{
    int is_sealed = ss->version > 0 && ss->key_id[0] != '\0';

    jdoc_set_bool(o, "sealed", is_sealed);
    jdoc_set_str(o, "keyId", is_sealed ? ss->key_id : NULL);
    jdoc_set_str(o, "wireId", is_sealed ? ss->wire_id : NULL);
    jdoc_set_int(o, "generation", ss->generation);
    jdoc_set_int(o, "clearVersion", ss->clear_version);
}
