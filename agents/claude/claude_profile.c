#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/path.h"
#include "common/base/str.h"

#include "agents/disk/encode.h"

#include "agents/claude/claude.h"
#include "agents/claude/claude_walk.h"

/*
 * What belongs to no session goes into a bundle of its own, the profile.  Its entries lie below
 * profile/ as they lie below the root, but for memory of project folders, which are named after
 * paths: those below the home folder go as profile/home-memory/~<the rest of the name>/.
 */
#define PROFILE AGENT_PROFILE_ENTRY
#define HOME_MEMORY PROFILE "home-memory/~"
#define OTHER_MEMORY PROFILE "project-memory/"

struct profile {
    const struct agent_profile *p;
    char *home; /* as project folders begin that are below it */
};

/* ---- out ---------------------------------------------------------------------------------------
 */

static char *memory_entry(const struct profile *pr, const char *project)
{
    size_t n = strlen(pr->home);

    if (strncmp(project, pr->home, n) == 0 && (project[n] == '-' || project[n] == '\0'))
        return str_printf(HOME_MEMORY "%s", project + n);
    return str_printf(OTHER_MEMORY "%s", project);
}

/* A listing of what stays here: every file that is found is reported with the reason. */
struct holding {
    const struct listing *l;
    const char *why;
};

static void hold(void *arg, const struct agent_file *file)
{
    const struct holding *h = arg;

    h->l->ops->skipped(h->l->arg, file->path, h->why);
}

static void pass_on(void *arg, const char *path, const char *reason)
{
    const struct holding *h = arg;

    h->l->ops->skipped(h->l->arg, path, reason);
}

/* The listing ${l}; or, if there is a reason, one of what stays here for that. */
static struct listing held(const struct listing *l, struct holding *h, const char *why)
{
    static const struct agent_list_ops ops = {hold, pass_on};
    struct listing to = *l;

    *h = (struct holding){l, why};
    if (why != NULL) {
        to.ops = &ops;
        to.arg = h;
    }
    return to;
}

/* What a session has taken goes with that. */
static int project_memory(struct listing *l, void *arg, int dir_fd, const struct dirent *d)
{
    const struct profile *pr = arg;
    char *memory = str_printf("projects/%s/memory", d->d_name), *entry;
    struct holding h;
    struct listing to;
    int rc = 0;

    if (d->d_name[0] != '.' && !walk_is_alias(l, dir_fd, d) &&
        !pr->p->is_claimed(pr->p->arg, memory)) {
        to = held(l, &h, pr->p->stays(pr->p->arg, d->d_name, NULL));
        entry = memory_entry(pr, d->d_name);
        rc = walk_folder(&to, AGENT_MEMORY, entry, str_dup(memory));
        free(entry);
    }
    free(memory);
    return rc;
}

static int named_tasks(struct listing *l, void *arg, int dir_fd, const struct dirent *d)
{
    const char *folder = arg;
    char *path = str_printf("%s/%s", folder, d->d_name), *entry;
    struct agent_path place;
    int rc = 0;

    if (walk_type(dir_fd, d) == DT_DIR && strcmp(folder, "tasks") == 0)
        rc = walk_each(l, path, named_tasks, path);
    claude_classify(path, &place);
    if (place.kind == AGENT_LOOSE) {
        entry = str_printf(PROFILE "%s", path);
        walk_found(l, AGENT_LOOSE, path, entry);
        free(entry);
    }
    free(path);
    return rc;
}

static int loose_plan(struct listing *l, void *arg, int dir_fd, const struct dirent *d)
{
    const struct profile *pr = arg;
    char *path = str_printf("plans/%s", d->d_name), *entry = str_printf(PROFILE "%s", path);
    struct agent_path place;

    (void)dir_fd;
    claude_classify(path, &place);
    if (place.kind == AGENT_PLAN && !pr->p->is_claimed(pr->p->arg, path))
        walk_found(l, AGENT_LOOSE, path, entry);
    free(entry);
    free(path);
    return 0;
}

int claude_list_profile(int root_fd, const struct agent_profile *p,
                        const struct agent_list_ops *ops, void *arg, const _Atomic int *cancel,
                        struct ct_err *err)
{
    struct listing l = {root_fd, NULL, ops, arg, cancel, err};
    struct profile pr = {.p = p, .home = claude_encode(p->home)};
    /* Agents' memory is the user's.  Teams, lists and plans are about one work, and don't say
     * which. */
    struct holding h;
    struct listing doubtful = held(&l, &h, p->stays(p->arg, NULL, NULL));
    int rc = walk_each(&l, "projects", project_memory, &pr);

    if (rc == 0)
        rc = walk_folder(&l, AGENT_MEMORY, PROFILE "agent-memory", str_dup("agent-memory"));
    if (rc == 0)
        rc = walk_folder(&l, AGENT_MEMORY, PROFILE "memory", str_dup("memory"));
    if (rc == 0)
        rc = walk_folder(&doubtful, AGENT_LOOSE, PROFILE "teams", str_dup("teams"));
    if (rc == 0)
        rc = walk_each(&doubtful, "tasks", named_tasks, (char *)(uintptr_t) "tasks");
    if (rc == 0)
        rc = walk_each(&doubtful, "plans", loose_plan, &pr);
    free(pr.home);
    return rc;
}

/* ---- and home ----------------------------------------------------------------------------------
 */

static int starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* ${home} is how the names of the project folders below the home folder begin. */
char *claude_profile_path(const char *home, const char *entry)
{
    struct agent_path place;
    const char *rest, *slash;
    char *path;

    if (starts(entry, HOME_MEMORY) || starts(entry, OTHER_MEMORY)) {
        int is_home = starts(entry, HOME_MEMORY);
        rest = entry + strlen(is_home ? HOME_MEMORY : OTHER_MEMORY);
        slash = strchr(rest, '/');
        if (slash == NULL)
            return NULL;
        path = str_printf("projects/%s%.*s/memory%s", is_home ? home : "", (int)(slash - rest),
                          rest, slash);
    } else if (starts(entry, PROFILE)) {
        path = str_dup(entry + strlen(PROFILE));
    } else {
        return NULL;
    }
    claude_classify(path, &place);
    if (place.kind == AGENT_LOOSE || place.kind == AGENT_PLAN || place.kind == AGENT_MEMORY ||
        place.kind == AGENT_PASTE)
        return path;
    free(path);
    return NULL;
}

enum agent_kind claude_profile_kind(const char *entry)
{
    char *path;

    if (strcmp(entry, AGENT_PROFILE_PROMPTS) == 0)
        return AGENT_LOOSE;
    path = claude_profile_path("-", entry);
    if (path == NULL)
        return AGENT_NOTHING;
    free(path);
    if (starts(entry, PROFILE "paste-cache/"))
        return AGENT_PASTE;
    return starts(entry, HOME_MEMORY) || starts(entry, OTHER_MEMORY) ||
                   starts(entry, PROFILE "agent-memory/") || starts(entry, PROFILE "memory/")
               ? AGENT_MEMORY
               : AGENT_LOOSE;
}
