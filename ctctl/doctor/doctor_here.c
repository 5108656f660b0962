#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/roots.h"
#include "agents/agent.h"
#include "common/base/file.h"
#include "common/data/jdoc.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "ctctl/ui/headline.h"
#include "ctctl/ui/not_saved.h"
#include "ctctl/here/unknown.h"
#include "ctctl/here/watched.h"

#include "ctctl/doctor/doctor.h"

#define CLEANUP_DAYS 30           /* Claude Code's own default */
#define FEW_DAYS 7                /* a machine may be away from the network for so long */
#define LITTLE_BYTES 1000000000LL /* room for a large session's bundle and its cached blocks */
#define TOO_LITTLE_BYTES 100000000LL

void doctor_configuration(struct doctor *d, struct doctor_finding *f)
{
    char *path = config_file(NULL);
    struct ct_err e;

    d->has_config = ctx_policy(d->c, &d->policy, &e) == 0;
    if (!d->has_config)
        doctor_say(f, DOCTOR_BAD, "edit the file; codeteleportd -t checks it", "%s", e.msg);
    else if (access(path, F_OK) == 0)
        doctor_say(f, DOCTOR_OK, NULL, "%s", path);
    else
        doctor_say(f, DOCTOR_OK, NULL, "none, so everything is at its default");
    free(path);
}

/* What is wrong with the folder ${path}, or NULL. */
static const char *folder_fault(const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return errno == ENOENT ? NULL : strerror(errno);
    if (!S_ISDIR(st.st_mode))
        return "it is not a folder";
    if (access(path, R_OK | X_OK) != 0)
        return "its permissions keep you out";
    if (st.st_uid != geteuid())
        return "it belongs to another user, and so do the sessions in it: those are not read";
    return NULL;
}

void doctor_data_folder(struct doctor *d, struct doctor_finding *f)
{
    const struct strlist *roots;
    char cure[512];

    if (!d->has_config) {
        doctor_say(f, DOCTOR_SKIPPED, NULL, "not checked: the configuration names it");
        return;
    }
    roots = &d->c->config->roots;
    doctor_say(f, DOCTOR_OK, NULL, "%s", roots->v[0]);
    for (size_t i = 0; i < roots->n; i++) {
        char *projects = path_join(roots->v[i], roots_agent(d->c->config, i)->projects);
        const char *fault = folder_fault(roots->v[i]), *where = roots->v[i];
        if (fault == NULL && (fault = folder_fault(projects)) != NULL)
            where = projects;
        if (fault != NULL) {
            snprintf(cure, sizeof(cure), "ls -ld %.200s; then: chown -R \"$USER\" and chmod u+rwX",
                     where);
            doctor_say(f, DOCTOR_BAD, cure, "%s: %s", where, fault);
        } else if (access(projects, F_OK) != 0 && f->verdict == DOCTOR_OK) {
            doctor_say(f, DOCTOR_NOTE, NULL,
                       "%s holds no sessions yet; they are noticed as soon as %s makes them",
                       roots->v[i], roots_agent(d->c->config, i)->name);
        }
        free(projects);
        if (fault != NULL)
            return;
    }
}

void doctor_watched_folder(struct doctor *d, struct doctor_finding *f)
{
    char *missing = watched_missing(d->status), *root, cure[512];

    if (d->status == NULL) {
        doctor_say(f, DOCTOR_SKIPPED, NULL, "not checked: the daemon does not run");
    } else if (missing != NULL) {
        doctor_say(f, DOCTOR_BAD, watched_cure(missing, cure, sizeof(cure)),
                   "Claude Code uses %s in this shell%s, and the daemon does not watch it", missing,
                   getenv("CLAUDE_CONFIG_DIR") != NULL ? " (CLAUDE_CONFIG_DIR)" : "");
    } else {
        root = path_claude_root();
        doctor_say(f, DOCTOR_OK, NULL, "the daemon watches %s, which Claude Code uses here", root);
        free(root);
    }
    free(missing);
}

void doctor_unknown(struct doctor *d, struct doctor_finding *f)
{
    struct json_object *list;
    char *text;

    if (!d->has_config) {
        doctor_say(f, DOCTOR_SKIPPED, NULL, "not checked: the configuration names the folder");
        return;
    }
    list = unknown_look(d->c, &d->c->config->roots, NULL);
    text = not_saved_text(list, NULL, NULL);
    if (text == NULL)
        doctor_say(f, DOCTOR_OK, NULL, "every name in the data folder is known");
    else
        doctor_say(f, DOCTOR_NOTE,
                   "if there is work in them, copy them by hand; ctctl status --json names a file "
                   "of each folder; a newer version of Codeteleportd may know them",
                   "not saved: %s", text);
    free(text);
    json_object_put(list);
}

void doctor_cleanup(struct doctor *d, struct doctor_finding *f)
{
    char *root = path_claude_root(), cure[512];
    int is_said, days = agent_unnamed()->cleanup_days(
                     d->has_config ? d->c->config->roots.v[0] : root, &is_said);

    snprintf(cure, sizeof(cure), "set \"cleanupPeriodDays\": %d or more in %.300s/settings.json",
             CLEANUP_DAYS, d->has_config ? d->c->config->roots.v[0] : root);
    if (days < 0)
        doctor_say(f, DOCTOR_NOTE, NULL,
                   "Claude Code's settings can't be read, so when it removes sessions here is not "
                   "known");
    else if (!is_said)
        doctor_say(f, DOCTOR_OK, NULL,
                   "Claude Code removes sessions here that rest for %d days (its default); what is "
                   "saved stays in the cloud",
                   days);
    else if (days == 0)
        doctor_say(f, DOCTOR_BAD, cure,
                   "cleanupPeriodDays is 0: Claude Code keeps no session, so there may be no time "
                   "to save it");
    else if (days < FEW_DAYS)
        doctor_say(f, DOCTOR_NOTE, cure,
                   "Claude Code removes sessions here after %d days, so nothing may keep them from "
                   "being saved for longer than that",
                   days);
    else
        doctor_say(f, DOCTOR_OK, NULL,
                   "Claude Code removes sessions here that rest for %d days; what is saved stays "
                   "in the cloud",
                   days);
    free(root);
}

void doctor_credentials(struct doctor *d, struct doctor_finding *f)
{
    char *path = cred_path();
    struct ct_err e;

    d->is_logged_in = d->c->cred != NULL || cred_load(path, &d->c->cred, &e) == 0;
    if (d->is_logged_in)
        doctor_say(f, DOCTOR_OK, NULL, "%s, for %s", path, d->c->cred->api_url);
    else if (e.code == ERR_AUTH)
        doctor_say(f, DOCTOR_BAD, "ctctl login", "there are none in %s, so nothing can be saved",
                   path);
    else
        doctor_say(f, DOCTOR_BAD, NULL, "%s", e.msg);
    free(path);
}

void doctor_space(struct doctor *d, struct doctor_finding *f)
{
    char *dir = d->has_config ? str_dup(d->c->config->state_dir) : path_state_dir(), *up, t[32];
    struct statvfs st;
    int64_t room;

    while (statvfs(dir, &st) != 0 && strcmp(dir, "/") != 0) {
        up = path_parent(dir); /* it is made when the daemon first runs */
        free(dir);
        dir = up;
    }
    room = (int64_t)st.f_bavail * (int64_t)st.f_frsize;
    str_human_bytes((unsigned long long)room, t, sizeof(t));
    if (room < TOO_LITTLE_BYTES)
        doctor_say(f, DOCTOR_BAD, "make room; or put state_dir elsewhere in codeteleportd.conf",
                   "%s left where bundles wait for their upload (%s)", t, dir);
    else if (room < LITTLE_BYTES)
        doctor_say(f, DOCTOR_NOTE, "make room, or lower cache_limit in codeteleportd.conf",
                   "%s left where bundles wait for their upload (%s)", t, dir);
    else
        doctor_say(f, DOCTOR_OK, NULL, "%s left in %s", t, dir);
    free(dir);
}
