#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"
#include "common/data/jdoc.h"
#include "ctctl/read/search.h"
#include "ctctl/ui/pager.h"

#include "ctctl/ctx/verb.h"

#define SHOWN 20
#define YEARS_100 (100LL * 366 * 86400)

static void add_text(const struct search *s, struct buf *b, const struct hit *h)
{
    const struct text_style *st = &s->c->out;
    size_t columns = st->width > 20 ? (size_t)st->width - 4 : 0;
    char buf[128], id[9], ago[64], *title, *project, *line, *head;

    title = text_line(st, search_title(h, buf, sizeof(buf)));
    project = text_line(st, search_project(h));
    text_add(b, st, TEXT_CYAN, text_short_id(h->id, id));
    head = str_printf("  %s%s%s%s%s%s", text_ago(st, h->changed_ms, ago, sizeof(ago)),
                      project[0] != '\0' ? "  " : "", project, h->is_cloud ? "  in the cloud" : "",
                      title[0] != '\0' ? "  " : "", title);
    line = columns > 0 ? text_fit(st, head, columns - 4) : str_dup(head);
    buf_printf(b, "%s\n", line);
    free(line);
    if (h->r.line != NULL) {
        char *clean = text_line(st, h->r.line);
        line = columns > 0 ? text_fit(st, clean, columns) : str_dup(clean);
        buf_addstr(b, "    ");
        find_show(s->find, st, b, line);
        buf_addc(b, '\n');
        free(line);
        free(clean);
    }
    free(head);
    free(project);
    free(title);
}

static struct json_object *hit_json(const struct hit *h)
{
    struct json_object *o = json_object_new_object();
    char buf[128];

    jdoc_set_str(o, "sessionId", h->id);
    jdoc_set_str(o, "title", search_title(h, buf, sizeof(buf)));
    jdoc_set_str(o, "projectName", search_project(h));
    jdoc_set_bool(o, "here", !h->is_cloud);
    jdoc_set_time(o, "changedAt", h->changed_ms);
    jdoc_set_str(o, "kind", h->r.line != NULL ? turns_word(h->r.kind) : "title");
    jdoc_set_str(o, "at", h->r.at);
    jdoc_set_str(o, "line", h->r.line);
    return o;
}

static void print(const struct search *s, size_t limit)
{
    struct json_object *o, *list;
    struct buf b = {0};

    if (s->c->json) {
        o = json_object_new_object();
        list = json_object_new_array();
        for (size_t i = 0; i < s->n && i < limit; i++)
            json_object_array_add(list, hit_json(&s->hits[i]));
        json_object_object_add(o, "found", list);
        jdoc_set_int(o, "of", (int64_t)s->n);
        jdoc_set_int(o, "sessions", s->sessions);
        jdoc_set_int(o, "failed", s->failed);
        jdoc_set_int(o, "unread", s->unread);
        ctx_json(s->c, o);
        json_object_put(o);
    } else {
        for (size_t i = 0; i < s->n && i < limit; i++)
            add_text(s, &b, &s->hits[i]);
        pager_print(&s->c->out, &b);
        buf_free(&b);
    }
}

static void say_more(const struct search *s, size_t limit)
{
    if (s->n > limit)
        ctx_say(s->c, "%zu more: --limit %zu", s->n - limit, s->n);
    if (s->n == 0)
        ctx_say(s->c, "nothing found in %" PRId64 " session%s%s", s->sessions,
                s->sessions == 1 ? "" : "s",
                !s->is_cloud ? "; also in the cloud: --cloud"
                : !s->is_fetching
                    ? "; what is in the cloud only was looked at by its title, to read "
                      "it too: --cloud --fetch"
                    : "");
    if (s->unread > 0)
        ctx_say(s->c, "%" PRId64 " line%s could not be read", s->unread, s->unread == 1 ? "" : "s");
}

/* ---- the verb ----------------------------------------------------------------------------------
 */

static int roles_of(struct ctx *c, const char *role, unsigned *ret)
{
    static const struct {
        const char *word;
        unsigned kinds;
    } roles[] = {
        {"me", 1U << TURN_PROMPT},
        {"agent", 1U << TURN_ANSWER | 1U << TURN_THINKING | 1U << TURN_SUMMARY},
        {"tool", 1U << TURN_CALL | 1U << TURN_RESULT | 1U << TURN_NOTE},
    };

    *ret = ~0U;
    if (role == NULL)
        return -1;
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        if (strcmp(role, roles[i].word) == 0) {
            *ret = roles[i].kinds;
            return -1;
        }
    }
    return ctx_usage(c, "--role is \"me\", \"agent\" or \"tool\"");
}

static int search(struct search *s, size_t limit)
{
    struct ct_err e;
    int rc;

    if (search_run(s, &e) != 0) {
        rc = ctx_fail(s->c, &e);
    } else {
        print(s, limit);
        say_more(s, limit);
        rc = s->n == 0 || s->failed > 0 ? CTX_FAILED : CTX_OK;
    }
    search_clear(s);
    return rc;
}

static int run(struct ctx *c, int argc, char **argv)
{
    struct search s = {.c = c};
    struct strlist words = {0};
    const char *since = NULL, *role = NULL;
    int64_t limit = SHOWN, since_s = 0;
    unsigned roles = 0;
    const struct opt opts[] = {
        {"project", OPT_STRING, &s.project}, {"since", OPT_STRING, &since},
        {"role", OPT_STRING, &role},         {"limit", OPT_NUMBER, &limit},
        {"cloud", OPT_FLAG, &s.is_cloud},    {"fetch", OPT_FLAG, &s.is_fetching},
        {"agent", OPT_STRING, &s.of_agent},  {"machine", OPT_STRING, &s.machine},
    };
    int rc = opts_parse(c, opts, sizeof(opts) / sizeof(opts[0]), argc, argv, &words);

    if (rc == -1 && (words.n == 0 || words.n > FIND_WORDS_MAX))
        rc = ctx_usage(c, "search wants the words to look for, at most %d", FIND_WORDS_MAX);
    if (rc == -1 && s.is_fetching && !s.is_cloud)
        rc = ctx_usage(c, "--fetch goes with --cloud");
    if (rc == -1)
        rc = roles_of(c, role, &roles);
    if (rc == -1 && since != NULL)
        rc = opts_duration(c, "--since", since, OPTS_MINUTES, YEARS_100, &since_s);
    if (rc == -1) {
        s.since_ms = since != NULL ? c->out.now_ms - since_s * 1000 : 0;
        s.find = find_new(&words, roles);
        rc = search(&s, (size_t)limit);
        find_free(s.find);
    }
    strlist_free(&words);
    return rc;
}

const struct verb verb_search = {
    "search",
    "WORDS... [--project P] [--agent A] [--machine M] [--since T]\n"
    "                    [--role R] [--cloud [--fetch]] [--limit N]",
    "find a session by what was said in it",
    "Looks for sessions that hold all of the words, in either case; what is quoted for the\n"
    "shell is a phrase. Shows the best first, each with the line around it: where most words\n"
    "stand together, then your own words, the agent's, and what tools printed, then the newest.\n"
    "Reads the transcripts that are here; nothing is kept of it.\n"
    "\n"
    "  --project P  of a project: its name or folder\n"
    "  --since T    that changed within 12h, 7d, 6mo ...\n"
    "  --agent A    of this agent, such as claude-code, copilot, pi, qwen\n"
    "  --machine M  of the machine with this name\n"
    "  --role R     in what you typed (me), what the agent said (agent), or its tools (tool)\n"
    "  --cloud      also what is not here but in the cloud, by its title\n"
    "  --fetch      with --cloud: download and read that too\n"
    "  --limit N    show so many sessions, not 20\n"
    "\n"
    "Exit status 1 if nothing was found, or something could not be read.\n",
    run,
    "ctctl search parser \"off by one\"    # a word and a phrase\n"
    "ctctl search deadlock --role me      # only in what you typed\n"
    "ctctl search zebra --cloud --fetch   # also what is not on this machine\n",
};
