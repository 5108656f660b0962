#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/gemini/gemini.h"
#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

/*
 * Which folder a project has.  Gemini CLI names it after the last part of the path, with a number
 * if another project has that name; a mark in the folder, in the one of the same name below
 * history/, and a registry beside them say whose it is.  We read all three, and write the mark of a
 * new folder alone: Gemini CLI finds it by that and enters it into its registry itself.
 */

#define REGISTRY_MAX (4 << 20)
#define CWD_MAX 4096
#define NUMBERS 10000 /* that a name may get */

char *gemini_project_name(const char *cwd)
{
    char *name = str_dup(path_base(cwd)), *to = name;

    for (const char *p = name; *p != '\0'; p++) {
        char c = (char)tolower((unsigned char)*p);
        if (!islower((unsigned char)c) && !isdigit((unsigned char)c))
            c = '-';
        if (c != '-' || (to > name && to[-1] != '-'))
            *to++ = c;
    }
    if (to > name && to[-1] == '-')
        to--;
    *to = '\0';
    if (name[0] != '\0')
        return name;
    free(name);
    return str_dup("project");
}

void gemini_project_names(const char *cwd, struct strlist *ret)
{
    char *name = gemini_project_name(cwd);

    strlist_add(ret, name);
    free(name);
}

/* Whose is the folder ${name} in ${dir}?  1: that of ${cwd}, 0: nobody says, -1: another's. */
static int owner(const char *dir, const char *name, const char *cwd)
{
    char *folder = path_join(dir, name), *path = path_join(folder, GEMINI_MARK);
    struct buf b = {0};
    int rc;

    if (file_read(path, CWD_MAX, &b, NULL) != 0)
        rc = access(path, F_OK) != 0 && errno == ENOENT ? 0 : -1;
    else {
        while (b.len > 0 && isspace((unsigned char)b.data[b.len - 1]))
            b.len--;
        rc = b.len == strlen(cwd) && memcmp(b.data, cwd, b.len) == 0 ? 1 : -1;
    }
    buf_free(&b);
    free(path);
    free(folder);
    return rc;
}

/* The folder in ${dir} whose mark names ${cwd}, or NULL. */
static char *marked(const char *dir, const char *cwd)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    char *found = NULL;

    while (found == NULL && d != NULL && (e = readdir(d)) != NULL) {
        if (e->d_name[0] != '.' && owner(dir, e->d_name, cwd) == 1)
            found = str_dup(e->d_name);
    }
    if (d != NULL)
        closedir(d);
    return found;
}

static struct json_object *read_registry(const char *beside)
{
    char *path = path_join(beside, "projects.json");
    struct json_object *o = NULL;
    struct buf b = {0};

    if (file_read(path, REGISTRY_MAX, &b, NULL) == 0 && b.len > 0)
        (void)jdoc_parse(b.data, b.len, &o, NULL);
    buf_free(&b);
    free(path);
    return o;
}

static int is_taken(const struct json_object *projects, const char *name)
{
    if (projects == NULL)
        return 0;
    json_object_object_foreach(projects, cwd, value)
    {
        (void)cwd;
        if (json_object_get_type(value) == json_type_string &&
            strcmp(json_object_get_string(value), name) == 0)
            return 1;
    }
    return 0;
}

static int is_plain(const char *name)
{
    return name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL;
}

/* As its getShortId() goes about it. */
char *gemini_find_project(const char *root, const char *cwd)
{
    char *beside = path_parent(root), *history = path_join(beside, "history");
    struct json_object *registry = read_registry(beside),
                       *projects = jdoc_obj(registry, "projects");
    const char *known = jdoc_str(projects, cwd);
    char *base = gemini_project_name(cwd), *name = NULL;

    if (known != NULL && is_plain(known) && owner(root, known, cwd) >= 0 &&
        owner(history, known, cwd) >= 0)
        name = str_dup(known);
    if (name == NULL)
        name = marked(root, cwd);
    if (name == NULL)
        name = marked(history, cwd);
    for (int i = 0; name == NULL && i < NUMBERS; i++) {
        name = i == 0 ? str_dup(base) : str_printf("%s-%d", base, i);
        if (is_taken(projects, name) || owner(root, name, cwd) < 0 ||
            owner(history, name, cwd) < 0) {
            free(name);
            name = NULL;
        }
    }
    json_object_put(registry);
    free(history);
    free(beside);
    if (name == NULL)
        return base;
    free(base);
    return name;
}

/* ---- how long it keeps sessions -----------------------------------------------------------------
 */

#define DEFAULT_DAYS 30
#define SETTINGS_MAX (1 << 20)

/* A number and a unit: "30d".  0 if it is none. */
static int days_of(const char *age)
{
    char *end;
    long long n = strtoll(age, &end, 10), hours = 0;

    if (end == age || n <= 0 || n > AGENT_DAYS_MAX || end[0] == '\0' || end[1] != '\0')
        return 0;
    switch (*end) {
    case 'h':
        hours = n;
        break;
    case 'd':
        hours = n * 24;
        break;
    case 'w':
        hours = n * 24 * 7;
        break;
    case 'm':
        hours = n * 24 * 30;
        break;
    default:
        return 0;
    }
    return hours / 24 < AGENT_DAYS_MAX ? (int)(hours / 24) : AGENT_DAYS_MAX;
}

int gemini_cleanup_days(const char *root, int *ret_is_said)
{
    char *beside = path_parent(root), *path = path_join(beside, "settings.json");
    struct json_object *o = NULL, *retention = NULL;
    struct buf b = {0};
    const char *age;
    int days = DEFAULT_DAYS;

    *ret_is_said = 0;
    if (file_read(path, SETTINGS_MAX, &b, NULL) != 0 &&
        (access(path, F_OK) == 0 || errno != ENOENT))
        days = -1;
    if (days > 0 && b.len > 0 && jdoc_parse(b.data, b.len, &o, NULL) == 0)
        retention = jdoc_obj(jdoc_obj(o, "general"), "sessionRetention");
    age = jdoc_str(retention, "maxAge");
    if (!jdoc_bool(retention, "enabled", 1) || (age != NULL && days_of(age) == 0)) {
        days = AGENT_DAYS_MAX; /* what it can't read turns it off */
        *ret_is_said = 1;
    } else if (age != NULL) {
        days = days_of(age);
        *ret_is_said = 1;
    }
    json_object_put(o);
    buf_free(&b);
    free(path);
    free(beside);
    return days;
}
