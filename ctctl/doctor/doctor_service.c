#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/data/jdoc.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "ctctl/ctx/manager.h"
#include "ctctl/ui/headline.h"
#include "ctctl/here/system.h"

#include "ctctl/doctor/doctor.h"

#define UNIT "codeteleportd.service"

static int has_systemd(void)
{
    return manager_here() == MANAGER_SYSTEMD;
}

/* What keeps something from being saved: the state's own reason and cure, else the first problem's.
 */
static void say_problem(const struct doctor *d, const char *state, struct doctor_finding *f)
{
    const struct json_object *o = jdoc_obj(d->status, "daemon"), *p;
    struct json_object *problems = jdoc_array(d->status, "problems");
    size_t n = problems != NULL ? json_object_array_length(problems) : 0;
    const char *why = jdoc_str(o, "stateReason"), *cure = jdoc_str(o, "cure");

    if (cure == NULL && n > 0) {
        p = json_object_array_get_idx(problems, 0);
        why = jdoc_str(p, "what");
        cure = jdoc_str(p, "cure");
    }
    if (cure == NULL && strcmp(state, "offline") == 0)
        cure = "see whether the network is up and the server runs; it goes on by itself then";
    doctor_say(f, DOCTOR_BAD, cure, "runs, state %s%s%s%s", state, why != NULL ? ": " : "",
               why != NULL ? why : "", n > 1 ? " (and more: ctctl)" : "");
}

void doctor_daemon(struct doctor *d, struct doctor_finding *f)
{
    const struct json_object *o = jdoc_obj(d->status, "daemon");
    const char *state = jdoc_str(o, "state"), *version = jdoc_str(o, "version");
    int64_t deleted = headline_number(jdoc_obj(d->status, "sessions"), "deletedChanged", 0);

    if (d->status == NULL) {
        doctor_say(f, DOCTOR_BAD, ctx_start_command(),
                   "it does not run, so nothing is being saved");
        return;
    }
    state = state != NULL ? state : "unknown";
    if (version != NULL && strcmp(version, PACKAGE_VERSION) != 0)
        doctor_say(f, DOCTOR_NOTE, manager_restart(manager_here()),
                   "it is version %s, and this is %s", version, PACKAGE_VERSION);
    else if (deleted > 0)
        doctor_say(
            f, DOCTOR_BAD, "to save it again: ctctl sync ID; ctctl names each, and the other way",
            "%lld session%s deleted elsewhere and changed here since, which is saved nowhere",
            (long long)deleted, deleted == 1 ? " was" : "s were");
    else if (strcmp(state, "idle") == 0 || strcmp(state, "syncing") == 0)
        doctor_say(f, DOCTOR_OK, NULL, "runs, state %s, pid %lld", state,
                   (long long)headline_number(o, "pid", 0));
    else
        say_problem(d, state, f);
}

/* What `systemctl --user is-enabled` says; "" if it says nothing.  The caller frees it. */
static char *enabled_word(void)
{
    FILE *p = popen("systemctl --user is-enabled " UNIT " 2>/dev/null </dev/null", "r");
    char line[64] = "";

    if (p != NULL) {
        if (fgets(line, sizeof(line), p) == NULL)
            line[0] = '\0';
        pclose(p);
    }
    line[strcspn(line, "\n")] = '\0';
    return str_dup(line);
}

void doctor_service(struct doctor *d, struct doctor_finding *f)
{
    const char *cure = manager_start(MANAGER_SYSTEMD);
    char *word;

    if (getenv("CODETELEPORT_START_COMMAND") != NULL) {
        doctor_say(f, DOCTOR_NOTE, NULL, "it is started by hand, with: %s", ctx_start_command());
        return;
    }
    if (manager_here() == MANAGER_LAUNCHD) {
        doctor_launchd(d, f);
        return;
    }
    if (!has_systemd()) {
        doctor_say(f, DOCTOR_NOTE, NULL,
                   "there is no systemd here; see that codeteleportd is "
                   "started with the machine or your session");
        return;
    }
    word = enabled_word();
    if (strncmp(word, "enabled", 7) == 0)
        doctor_say(f, DOCTOR_OK, NULL, UNIT " is enabled: it starts with your session");
    else if (word[0] == '\0')
        doctor_say(f, d->status != NULL ? DOCTOR_NOTE : DOCTOR_BAD, cure,
                   UNIT " is not known to the service manager of your user, or that does not answer"
                        "%s",
                   d->status != NULL ? "; the daemon was started some other way" : "");
    else
        doctor_say(f, DOCTOR_BAD, cure,
                   UNIT " is %.40s: after the next start of this machine nothing is saved", word);
    free(word);
}

void doctor_lingering(struct doctor *d, struct doctor_finding *f)
{
    const struct passwd *pw = getpwuid(geteuid());
    char *path;

    (void)d;
    if (!has_systemd() || pw == NULL) {
        doctor_say(f, DOCTOR_OK, NULL, "nothing to do without systemd");
        return;
    }
    path = path_join("/var/lib/systemd/linger", pw->pw_name);
    if (access(path, F_OK) == 0)
        doctor_say(f, DOCTOR_OK, NULL, "on: the daemon runs without anybody logged in");
    else
        doctor_say(
            f, DOCTOR_NOTE, "loginctl enable-linger",
            "off: the daemon runs while you are logged in. That is enough on a desktop; on a "
            "machine that you reach by SSH uploads end with the last connection");
    free(path);
}

void doctor_watches(struct doctor *d, struct doctor_finding *f)
{
    const struct json_object *watch = jdoc_obj(d->status, "watch");
    struct json_object *degraded = jdoc_array(watch, "degraded");
    const char *backend = jdoc_str(watch, "backend"), *reason;
    int64_t limit = system_max_watches(), used = headline_number(watch, "watches", 0);
    char cure[512];

    snprintf(
        cure, sizeof(cure),
        "echo fs.inotify.max_user_watches=%lld | sudo tee /etc/sysctl.d/50-inotify.conf && sudo "
        "sysctl --system",
        limit > 0 ? (long long)limit * 4 : 524288LL);
    if (limit < 0) {
        doctor_say(f, DOCTOR_OK, NULL, "no such limit here");
    } else if (watch == NULL) {
        doctor_say(f, DOCTOR_SKIPPED, NULL, "not checked: the daemon does not run (limit %lld)",
                   (long long)limit);
    } else if (degraded != NULL && json_object_array_length(degraded) > 0) {
        reason = jdoc_str(json_object_array_get_idx(degraded, 0), "reason");
        doctor_say(f, used * 10 >= limit * 8 ? DOCTOR_BAD : DOCTOR_NOTE,
                   used * 10 >= limit * 8 ? cure : NULL,
                   "%zu folders are polled instead of watched: %s",
                   json_object_array_length(degraded), reason != NULL ? reason : "no reason given");
    } else if (used * 10 >= limit * 8) {
        doctor_say(f, DOCTOR_NOTE, cure, "%lld of %lld are in use", (long long)used,
                   (long long)limit);
    } else {
        doctor_say(f, DOCTOR_OK, NULL, "%lld of %lld in use, by %s", (long long)used,
                   (long long)limit, backend != NULL ? backend : "?");
    }
}

void doctor_sandbox(struct doctor *d, struct doctor_finding *f)
{
    const struct json_object *o = jdoc_obj(d->status, "sandbox");
    const char *why = jdoc_str(o, "why"), *mode = jdoc_str(o, "mode");
    int64_t used = headline_number(o, "landlock", 0);
    int abi = system_landlock_abi();

    if (used > 0 && why == NULL)
        doctor_say(f, DOCTOR_OK, NULL,
                   "the kernel (Landlock ABI %d) keeps the daemon from writing to your data folder "
                   "and from reading what is none of its business",
                   (int)used);
    else if (used > 0)
        doctor_say(f, DOCTOR_NOTE, NULL, "the daemon is in one (Landlock ABI %d), but %s",
                   (int)used, why);
    else if (mode != NULL && strcmp(mode, "off") == 0)
        doctor_say(
            f, DOCTOR_NOTE,
            abi > 0 ? "set sandbox = \"on\" in the configuration, and restart the daemon" : NULL,
            "it is off; the daemon leaves your data folder alone only by its own discipline");
    else if (d->status != NULL)
        doctor_say(f, DOCTOR_NOTE, NULL,
                   "none: %s; the daemon leaves your data folder alone only by its own discipline",
                   why != NULL ? why : "the daemon does not use it");
    else if (abi > 0)
        doctor_say(f, DOCTOR_NOTE, NULL,
                   "the kernel offers Landlock ABI %d; the daemon does not "
                   "run",
                   abi);
    else
        doctor_say(f, DOCTOR_NOTE, NULL, "this kernel offers no Landlock");
}

static int are_notes(struct json_object *list)
{
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        if (!jdoc_bool(json_object_array_get_idx(list, i), "isNote", 0))
            return 0;
    }
    return 1;
}

/* What `ctctl status` lists: the first of it, for all of it stands there. */
void doctor_problems(struct doctor *d, struct doctor_finding *f)
{
    struct json_object *list = jdoc_array(d->status, "problems");
    size_t n = list != NULL ? json_object_array_length(list) : 0;
    const struct json_object *first = n > 0 ? json_object_array_get_idx(list, 0) : NULL;
    const char *what = jdoc_str(first, "what"), *why = jdoc_str(first, "why");
    const char *path = jdoc_str(first, "path"), *cure = jdoc_str(first, "cure");
    char more[64] = "";

    if (d->status == NULL) {
        doctor_say(f, DOCTOR_SKIPPED, NULL, "not checked: the daemon does not run");
        return;
    }
    if (n == 0) {
        doctor_say(f, DOCTOR_OK, NULL, "the daemon knows of none");
        return;
    }
    if (n > 1)
        snprintf(more, sizeof(more), "; and %zu more: ctctl status", n - 1);
    doctor_say(f, are_notes(list) ? DOCTOR_NOTE : DOCTOR_BAD, cure != NULL ? cure : "ctctl status",
               "%s%s%s%s%s%s", path != NULL ? path : "", path != NULL ? ": " : "",
               what != NULL ? what : "", why != NULL ? ": " : "", why != NULL ? why : "", more);
}
