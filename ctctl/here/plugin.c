#include <sys/time.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/base/uuid.h"
#include "common/data/jdoc.h"
#include "common/data/jscan.h"

#include "ctctl/here/plugin.h"

/* Nobody waits longer for us, whatever the daemon, the server or whoever feeds us does. */
#define TURN_MS 500
#define START_MS 1500

/* A hook whose program is gone, because it was removed without the plugin, is silent. */
#define HOOK \
    "[{\"hooks\": [{\"type\": \"command\", \"timeout\": 5,\n" \
    "  \"command\": \"! command -v ctctl >/dev/null || ctctl plugin hook\"}]}]"

static const struct {
    const char *path, *text;
} files[] = {
    {".claude-plugin/marketplace.json",
     "{\"name\": \"codeteleport\",\n"
     " \"description\": \"What belongs to Codeteleportd on this machine.\",\n"
     " \"owner\": {\"name\": \"Codeteleportd\"},\n"
     " \"plugins\": [{\"name\": \"codeteleport\", \"source\": \"./codeteleport\",\n"
     "  \"description\": \"Sessions are saved as each turn ends; find and read others.\"}]}\n"},
    {"codeteleport/.claude-plugin/plugin.json",
     "{\"name\": \"codeteleport\",\n"
     " \"version\": \"" PACKAGE_VERSION "\",\n"
     " \"description\": \"Sessions are saved as each turn ends; find and read others.\",\n"
     " \"author\": {\"name\": \"Codeteleportd\"},\n"
     " \"license\": \"ISC\",\n"
     " \"mcpServers\": {\"codeteleport\": {\"command\": \"ctctl\", \"args\": [\"mcp\"]}}}\n"},
    {"codeteleport/hooks/hooks.json", "{\"hooks\": {\n"
                                      " \"SessionStart\": " HOOK ",\n"
                                      " \"Stop\": " HOOK ",\n"
                                      " \"SessionEnd\": " HOOK "}}\n"},
    {"codeteleport/README.md",
     "# Codeteleport\n"
     "\n"
     "Tells codeteleportd, the daemon that keeps the sessions of Claude Code safe, when a turn or\n"
     "a session ends, so that it is saved at once; says when a session that is taken up has gone\n"
     "on on another machine; and lets Claude find and read earlier sessions of the project. It\n"
     "was made by `ctctl plugin install`, and `ctctl plugin uninstall` removes it.\n"},
};

static char *plugin_dir(void)
{
    char *data = path_data_dir("codeteleport"), *dir = path_join(data, "claude-plugin");

    free(data);
    return dir;
}

int plugin_write(char **ret_dir, struct ct_err *err)
{
    char *dir = plugin_dir();
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof(files) / sizeof(files[0]); i++) {
        char *path = path_join(dir, files[i].path), *parent = path_parent(path);
        rc = path_make_dirs(parent, 0700, err);
        if (rc == 0)
            rc = file_replace(path, files[i].text, strlen(files[i].text), 0600, err);
        free(parent);
        free(path);
    }
    if (rc == 0)
        *ret_dir = dir;
    else
        free(dir);
    return rc;
}

int plugin_remove(struct ct_err *err)
{
    char *dir = plugin_dir();
    int rc = file_remove_tree(AT_FDCWD, dir) == 0 || errno == ENOENT ? 0 : -1;

    if (rc != 0)
        err_sys(err, "can't remove %s", dir);
    free(dir);
    return rc;
}

/* ---- the hook ----------------------------------------------------------------------------------
 */

/* What Claude Code shows to the person, and not to the model. */
static void show(struct ctx *c, const char *message)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_str(o, "systemMessage", message);
    ctx_json(c, o);
    json_object_put(o);
}

/* The turn is over, so that nothing more is to be waited for. */
static void tell(struct ctx *c, const char *id)
{
    struct json_object *params = json_object_new_object(), *o;

    jdoc_set_str(params, "id", id);
    if (ctx_call(c, "turn", params, TURN_MS, &o, NULL) == 0)
        json_object_put(o);
    json_object_put(params);
}

/* A session is taken up again: does another machine have more of it? */
static void look(struct ctx *c, const char *id)
{
    struct json_object *params = json_object_new_object(), *o;
    const char *state, *device;
    struct ct_err e;
    char *text;

    ctx_refresh(c);
    jdoc_set_str(params, "id", id);
    if (ctx_call(c, "show", params, START_MS, &o, &e) == 0) {
        state = jdoc_str(o, "state");
        device = jdoc_str(o, "deviceName");
        if (state != NULL && (strcmp(state, "behind") == 0 || strcmp(state, "diverged") == 0)) {
            char *where = text_line(&c->out, device != NULL ? device : "another machine");
            text = str_printf("codeteleport: this session went on on %s. To see what is there: "
                              "ctctl diff %.8s; to bring it here, leave this session first: "
                              "ctctl pull %.8s",
                              where, id, id);
            show(c, text);
            free(text);
            free(where);
        }
        json_object_put(o);
    } else if (ctx_is_no_daemon(&e)) {
        text = str_printf("codeteleport: the daemon is not running, so nothing of this is saved. "
                          "Start it: %s",
                          ctx_start_command());
        show(c, text);
        free(text);
    }
    json_object_put(params);
}

static void leave(int sig)
{
    (void)sig;
    _exit(CTX_OK);
}

static void leave_after(int ms)
{
    struct itimerval limit = {.it_value = {ms / 1000, ms % 1000 * 1000}};
    struct sigaction sa = {.sa_handler = leave};

    sigaction(SIGALRM, &sa, NULL);
    setitimer(ITIMER_REAL, &limit, NULL);
}

/* What a hook is told, of any length: the whole last answer stands in it. */
struct told {
    char id[UUID_SIZE];
    char event[32];
};

static char *place_of(struct told *t, const struct jscan *s, size_t *size)
{
    if (s->depth == 1 && strcmp(s->key, "session_id") == 0) {
        *size = sizeof(t->id);
        return t->id;
    }
    *size = sizeof(t->event);
    return s->depth == 1 && strcmp(s->key, "hook_event_name") == 0 ? t->event : NULL;
}

static size_t on_begin(void *arg, const struct jscan *s, enum jscan_type type)
{
    size_t size;
    char *at = place_of(arg, s, &size);

    if (at != NULL)
        at[0] = '\0';
    return at != NULL && type == JSCAN_STRING ? size - 1 : 0;
}

static void on_string(void *arg, const struct jscan *s, const char *text, size_t len, int is_cut)
{
    size_t size;
    char *at = place_of(arg, s, &size);

    if (at != NULL && !is_cut)
        memcpy(at, text, len + 1);
}

/* All of it is read, so that nobody writes into a closed pipe. */
static int listen_to(int fd, struct told *t)
{
    const struct jscan_ops ops = {on_begin, on_string, jscan_no_ops.close, NULL};
    struct jscan s;
    char p[16384];
    ssize_t n;

    jscan_init(&s);
    while ((n = read(fd, p, sizeof(p))) > 0 || (n < 0 && errno == EINTR)) {
        if (n > 0)
            jscan_feed(&s, &ops, t, p, (size_t)n);
    }
    return jscan_is_object(&s) && uuid_is_valid(t->id) ? 0 : -1;
}

void plugin_hook(struct ctx *c, int in_fd)
{
    struct told t = {0};

    leave_after(START_MS);
    if (listen_to(in_fd, &t) != 0)
        return;
    if (strcmp(t.event, "SessionStart") == 0) {
        look(c, t.id);
    } else if (t.event[0] != '\0') {
        leave_after(TURN_MS);
        tell(c, t.id);
    }
}
