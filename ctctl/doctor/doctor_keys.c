#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/keyring_file.h"
#include "common/data/jdoc.h"
#include "common/base/str.h"
#include "ctctl/cloud/item.h"
#include "ctctl/cloud/sessions.h"

#include "ctctl/doctor/doctor.h"

#define HOW "ctctl key init, or ctctl key import if another device of yours has one"

static const char *encryption_name(const struct config *c)
{
    static const char *const names[] = {"off", "on", "require"};

    return names[c->encryption];
}

/* Where the keys come from; the caller frees it. */
static char *source(const struct config *c)
{
    if (c->key_command != NULL && c->key_command[0] != '\0')
        return str_dup("key_command");
    return keyring_path();
}

static void no_key(const struct config *c, struct doctor_finding *f)
{
    if (c->encryption == CONFIG_ENCRYPTION_REQUIRE)
        doctor_say(f, DOCTOR_BAD, HOW,
                   "this device has no key and encryption = \"require\", so nothing is saved");
    else if (c->encryption == CONFIG_ENCRYPTION_OFF)
        doctor_say(f, DOCTOR_OK, NULL,
                   "none, and encryption = \"off\": what is saved leaves in clear");
    else
        doctor_say(f, DOCTOR_NOTE, HOW,
                   "this device has no key: what it saves leaves in clear, and server and store "
                   "can read it");
}

/* Mode, owner and whether it is whole are looked at by whoever reads it. */
void doctor_keyring(struct doctor *d, struct doctor_finding *f)
{
    const struct config *config;
    const struct keyring *ring;
    struct ct_err e;
    char *from, *n;

    if (!d->has_config) {
        doctor_say(f, DOCTOR_SKIPPED, NULL, "not checked: the configuration can't be read");
        return;
    }
    config = d->c->config;
    ring = ctx_ring(d->c, &e);
    if (ring == NULL) {
        doctor_say(f, DOCTOR_BAD, NULL, "%s", e.msg);
        return;
    }
    if (keyring_n(ring) == 0) {
        no_key(config, f);
        return;
    }
    from = source(config);
    n = text_count((int64_t)keyring_n(ring), "key", "keys");
    if (config->encryption == CONFIG_ENCRYPTION_OFF)
        doctor_say(f, DOCTOR_NOTE, "encryption = \"on\" in codeteleportd.conf",
                   "%s from %s, and encryption = \"off\": what is saved leaves in clear", n, from);
    else
        doctor_say(f, DOCTOR_OK, NULL, "%s from %s; %.8s seals (encryption = \"%s\")", n, from,
                   keyring_current(ring)->id_hex, encryption_name(config));
    free(n);
    free(from);
}

void doctor_sealed(struct doctor *d, struct doctor_finding *f)
{
    const struct sessions_filter every = {0};
    struct json_object *answer, *list;
    int64_t sealed = 0, locked = 0, back = 0, bare = 0;
    struct ct_err e;

    if (doctor_is_barred(d, f))
        return;
    if (sessions_cloud(d->c, &every, &answer, &e) != 0) {
        doctor_say(f, DOCTOR_BAD, NULL, "the list of sessions can't be had: %s", e.msg);
        return;
    }
    list = jdoc_array(answer, "sessions");
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        const struct json_object *item = json_object_array_get_idx(list, i);
        sealed += item_is_sealed(item);
        back += item_is_rolled_back(item);
        bare += item_is_bare(item);
        if (item_is_locked(item) && !item_is_bare(item) && locked++ == 0)
            item_lock(item, &e);
    }
    json_object_put(answer);
    if (locked > 0)
        doctor_say(f, DOCTOR_BAD, NULL,
                   "%" PRId64 " of %" PRId64 " sealed sessions can't be opened here: %s", locked,
                   sealed, e.msg);
    else if (back > 0)
        doctor_say(f, DOCTOR_BAD, "ctctl list --cloud says which, and what to do",
                   "the server hands out an older state of %" PRId64 " of %" PRId64
                   " sealed sessions than this device has seen",
                   back, sealed);
    else if (bare > 0)
        doctor_say(f, DOCTOR_NOTE,
                   "a machine that has them saves them anew; ctctl pull brings them",
                   "the server has lost what describes %" PRId64 " of %" PRId64
                   " sealed sessions, which are there",
                   bare, sealed);
    else if (sealed > 0)
        doctor_say(f, DOCTOR_OK, NULL, "all %" PRId64 " sealed sessions in the cloud open here",
                   sealed);
    else
        doctor_say(f, DOCTOR_OK, NULL, "nothing is sealed in the cloud");
}
