#include <stdlib.h>
#include <string.h>

#include "agents/lines/anew.h"
#include "agents/copilot/copilot.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

/*
 * A session of Copilot CLI on its way home (anew.h).  Of others' come the words that a person
 * typed, answers, calls and what they printed, and what a compaction left.  One's own comes whole,
 * but schedules, objectives, modes, permissions and remote control stay where they were: in the
 * place of such an event comes one that says so.
 */

static const struct anew_member prompt[] = {TAKE_TEXT("content"),       TAKE_WORD("messageId"),
                                            TAKE_WORD("interactionId"), TAKE_WORD("turnId"),
                                            TAKE_WORD("delivery"),      TAKE_END};
static const struct anew_member request[] = {TAKE_WORD("toolCallId"),
                                             TAKE_WORD("name"),
                                             TAKE_VALUE("arguments"),
                                             TAKE_WORD("type"),
                                             TAKE_TEXT("intentionSummary"),
                                             TAKE_TEXT("toolTitle"),
                                             TAKE_END};
static const struct anew_member answer[] = {
    TAKE_WORD("messageId"),      TAKE_WORD("originatingMessageId"),  TAKE_WORD("model"),
    TAKE_TEXT("content"),        TAKE_LIST("toolRequests", request), TAKE_TEXT("reasoningText"),
    TAKE_WORD("phase"),          TAKE_NUMBER("chunkIndex"),          TAKE_NUMBER("chunkCount"),
    TAKE_NUMBER("outputTokens"), TAKE_WORD("interactionId"),         TAKE_WORD("apiCallId"),
    TAKE_WORD("turnId"),         TAKE_WORD("parentToolCallId"),      TAKE_END};
static const struct anew_member turn[] = {TAKE_WORD("turnId"), TAKE_WORD("interactionId"),
                                          TAKE_WORD("model"), TAKE_WORD("parentToolCallId"),
                                          TAKE_END};
static const struct anew_member call[] = {TAKE_WORD("toolCallId"),       TAKE_WORD("toolName"),
                                          TAKE_VALUE("arguments"),       TAKE_TEXT("toolTitle"),
                                          TAKE_WORD("turnId"),           TAKE_WORD("model"),
                                          TAKE_WORD("parentToolCallId"), TAKE_END};
static const struct anew_member printed[] = {TAKE_TEXT("content"), TAKE_TEXT("detailedContent"),
                                             TAKE_END};
static const struct anew_member error[] = {TAKE_TEXT("message"), TAKE_WORD("code"), TAKE_END};
static const struct anew_member done[] = {TAKE_WORD("toolCallId"),
                                          TAKE_WORD("model"),
                                          TAKE_WORD("interactionId"),
                                          TAKE_WORD("turnId"),
                                          TAKE_YES_OR_NO("success"),
                                          TAKE_OBJECT("result", printed),
                                          TAKE_OBJECT("error", error),
                                          TAKE_WORD("parentToolCallId"),
                                          TAKE_END};
static const struct anew_member aborted[] = {TAKE_WORD("reason"), TAKE_END};
static const struct anew_member title[] = {TAKE_TEXT("title"), TAKE_END};
static const struct anew_member compaction[] = {TAKE_YES_OR_NO("success"),
                                                TAKE_TEXT("summaryContent"),
                                                TAKE_NUMBER("preCompactionTokens"),
                                                TAKE_NUMBER("postCompactionTokens"),
                                                TAKE_NUMBER("preCompactionMessagesLength"),
                                                TAKE_NUMBER("messagesRemoved"),
                                                TAKE_NUMBER("tokensRemoved"),
                                                TAKE_END};
static const struct anew_member rewound[] = {TAKE_WORD("upToEventId"), TAKE_NUMBER("eventsRemoved"),
                                             TAKE_LIST("eventIds", NULL), TAKE_END};

static const struct {
    const char *type;
    const struct anew_member *members;
} events[] = {
    {"user.message", prompt},
    {"assistant.message", answer},
    {"assistant.turn_start", turn},
    {"assistant.turn_end", turn},
    {"tool.execution_start", call},
    {"tool.execution_complete", done},
    {"abort", aborted},
    {"session.title_changed", title},
    {"session.compaction_complete", compaction},
    {"session.snapshot_rewind", rewound},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct anew_member start[] = {TAKE_NUMBER("version"), TAKE_WORD("producer"),
                                           TAKE_WORD("copilotVersion"), TAKE_WORD("startTime"),
                                           TAKE_END};

static void made_start(struct rebuild *r, struct json_object *data, struct json_object *to)
{
    struct json_object *context = json_object_new_object();
    char *cwd = anew_cwd(r, jdoc_obj(data, "context"));

    anew_take(data, start, to);
    jdoc_set_str(to, "sessionId", r->opts.session_id);
    jdoc_set_str(context, "cwd", cwd);
    json_object_object_add(to, "context", context);
    free(cwd);
    r->has_begun = 1;
}

/* Move the name of the file in ${line} of ${n} bytes, of a patch as git writes it, where the letter
 * before a path's first slash makes it one that no relocation sees. */
static void move_diff_line(const struct rebuild *r, const char *line, size_t n, struct buf *b)
{
    static const char *const begins[] = {"--- a", "+++ b", "diff --git a"};
    char *path, *to;
    size_t i = 0, k;

    while (i < COUNT(begins) && strncmp(line, begins[i], strlen(begins[i])) != 0)
        i++;
    k = i < COUNT(begins) ? strlen(begins[i]) : 0;
    if (k == 0 || k >= n || line[k] != '/') {
        buf_add(b, line, n);
        return;
    }
    n -= k;
    if (i == 2) /* the same name twice, and " b" between them */
        n = n > 2 && (n - 2) % 2 == 0 ? (n - 2) / 2 : n;
    path = str_printf("%.*s", (int)n, line + k);
    to = r->opts.cwd != NULL ? r->opts.moved(r->opts.arg, path) : str_dup(path);
    if (i == 2)
        buf_printf(b, "%s%s b%s", begins[i], to, to);
    else
        buf_printf(b, "%s%s", begins[i], to);
    free(path);
    free(to);
}

/* Return whether there was a patch in ${record}. */
static int move_diff(const struct rebuild *r, const struct json_object *record)
{
    struct json_object *result = jdoc_obj(jdoc_obj(record, "data"), "result");
    const char *text = jdoc_str(result, "detailedContent");
    struct buf b = {0};
    size_t n;

    if (text == NULL || strstr(text, "diff --git a/") == NULL)
        return 0;
    for (;;) {
        n = strcspn(text, "\n");
        move_diff_line(r, text, n, &b);
        text += n;
        if (*text == '\0')
            break;
        buf_addc(&b, *text++);
    }
    buf_addc(&b, '\0');
    jdoc_set_str(result, "detailedContent", b.data);
    buf_free(&b);
    return 1;
}

/* No person typed it: a skill's instructions, the autopilot's next step. */
static int is_put_in(const struct json_object *data)
{
    return jdoc_str(data, "source") != NULL || jdoc_bool(data, "isAutopilotContinuation", 0);
}

static struct json_object *make(struct rebuild *r, struct json_object *in, const char *type)
{
    struct json_object *data = jdoc_obj(in, "data"), *o, *to;
    int is_start = type != NULL && strcmp(type, "session.start") == 0;
    size_t i = 0;

    while (type != NULL && i < COUNT(events) && strcmp(type, events[i].type) != 0)
        i++;
    /* Copilot refuses a session with an event that has no id or time. */
    if (type == NULL || data == NULL || !uuid_is_valid(anew_id(in, "id")) ||
        anew_id(in, "timestamp")[0] == '\0' || (is_start ? r->has_begun : i == COUNT(events)) ||
        (strcmp(type, "user.message") == 0 && is_put_in(data)))
        return NULL;
    o = json_object_new_object();
    to = json_object_new_object();
    jdoc_set_str(o, "type", type);
    if (is_start)
        made_start(r, data, to);
    else
        anew_take(data, events[i].members, to);
    if (strcmp(type, "session.snapshot_rewind") == 0)
        jdoc_set_str(to, "upToEventId", anew_link(r, anew_id(data, "upToEventId")));
    json_object_object_add(o, "data", to);
    (void)move_diff(r, o);
    anew_add_base(r, in, o);
    return o;
}

static int is_said(const struct json_object *in, const char *type)
{
    (void)in;
    return type != NULL &&
           (strcmp(type, "user.message") == 0 || strcmp(type, "assistant.message") == 0 ||
            strncmp(type, "tool.execution_complete", 23) == 0 ||
            strcmp(type, "tool.user_requested") == 0);
}

/* ---- one's own ----------------------------------------------------------------------------------
 */

/* What would act on another machine, after the resume, by itself. */
static const char *const acts[] = {
    "session.schedule_created",
    "session.schedule_rearmed",
    "session.autopilot_objective_changed",
    "session.mode_changed",
    "session.permissions_changed",
    "session.permission_recovery",
    "session.remote_steerable_changed",
    "session.canvas.recorded",
};

static const char *act_of(const struct json_object *record)
{
    const char *type = jdoc_str(record, "type");

    for (size_t i = 0; type != NULL && i < COUNT(acts); i++) {
        if (strcmp(type, acts[i]) == 0)
            return acts[i];
    }
    return NULL;
}

/* May there be anything in the line that does not come as it is?  A name can be spelled with \u.
 */
static int is_special(const char *p, size_t n)
{
    static const char *const others[] = {"remoteSteerable", "diff --git a/", "\\u"};

    for (size_t i = 0; i < COUNT(acts); i++) {
        if (memmem(p, n, acts[i], strlen(acts[i])) != NULL)
            return 1;
    }
    for (size_t i = 0; i < COUNT(others); i++) {
        if (memmem(p, n, others[i], strlen(others[i])) != NULL)
            return 1;
    }
    return 0;
}

static struct json_object *make_own(struct rebuild *r, const char *p, size_t n)
{
    struct json_object *o = NULL, *data;
    const char *act;
    char *text;
    int is_changed;

    if (!is_special(p, n) || jdoc_parse(p, n, &o, NULL) != 0)
        return NULL;
    act = act_of(o);
    data = jdoc_obj(o, "data");
    if (act != NULL) {
        if (r->opts.losses != NULL)
            losses_add(r->opts.losses, "record", act);
        text = str_printf("%s: it stays on the machine where it was", act);
        data = json_object_new_object();
        jdoc_set_str(data, "infoType", "notification");
        jdoc_set_str(data, "message", text);
        jdoc_set_str(o, "type", "session.info");
        json_object_object_add(o, "data", data);
        free(text);
        return o;
    }
    is_changed = r->opts.cwd != NULL && move_diff(r, o);
    if (jdoc_bool(data, "remoteSteerable", 0)) {
        json_object_object_add(data, "remoteSteerable", json_object_new_boolean(0));
        is_changed = 1;
    }
    if (is_changed)
        return o;
    json_object_put(o);
    return NULL;
}

/* ---- */

const char *copilot_why_not(const struct rebuild_opts *opts, const char *entry)
{
    if (copilot_agent.entry_kind(opts->session_id, entry) == AGENT_NOTHING)
        return "no session of Copilot has such a file";
    if (opts->trust != TRUST_STRANGER || strcmp(entry, "session.jsonl") == 0 ||
        strcmp(entry, COPILOT_WORKSPACE) == 0 ||
        strncmp(entry, "session-subdir/codeteleport-other/", 34) == 0)
        return NULL;
    return "such a file does not come from a stranger";
}

struct rebuild *copilot_rebuild_new(const struct rebuild_opts *opts, const char *entry)
{
    static const struct anew_rules lines = {.id = "id",
                                            .parent = "parentId",
                                            .cwd_in = "context",
                                            .make = make,
                                            .is_said = is_said,
                                            .make_own = make_own};
    static const struct anew_rules workspace = {.make_document = copilot_make_workspace};
    static const struct anew_rules snapshots = {.make_document = copilot_make_snapshots};
    size_t n = strlen(entry);
    struct rebuild *r;

    if (strcmp(entry, COPILOT_WORKSPACE) == 0)
        return anew_new(opts, &workspace);
    if (strcmp(entry, COPILOT_SNAPSHOTS) == 0)
        return anew_new(opts, &snapshots);
    if (n < 6 || strcmp(entry + n - 6, ".jsonl") != 0 || strstr(entry, "/files/") != NULL)
        return NULL;
    r = anew_new(opts, &lines);
    r->has_begun = strcmp(entry, "session.jsonl") != 0;
    return r;
}
