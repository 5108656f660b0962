#include <string.h>

#include "common/base/str.h"
#include "common/data/jdoc.h"
#include "common/data/jscan.h"

#include "server/ledger/ledger_impl.h"

struct json_object *ledger_stored(struct sql_rows *st, int column)
{
    const char *s = sql_text(st, column);

    return s[0] != '\0' ? jdoc_new_raw(s, strlen(s)) : NULL;
}

void ledger_set_text(struct json_object *o, const char *key, struct sql_rows *st, int column)
{
    jdoc_set_str(o, key, sql_is_null(st, column) ? NULL : sql_text(st, column));
}

struct json_object *ledger_device_json(const char *id, const char *name)
{
    struct json_object *o;

    if (id[0] == '\0')
        return NULL;
    o = json_object_new_object();
    jdoc_set_str(o, "id", id);
    jdoc_set_str(o, "name", name);
    return o;
}

/* Only a whole number counts. */
static size_t look(void *arg, const struct jscan *s, enum jscan_type type)
{
    int64_t *n = arg;
    int is_it = s->depth == 1 && strcmp(s->key, "messageCount") == 0;

    if (is_it)
        *n = -1;
    return is_it && type == JSCAN_NUMBER ? 24 : 0;
}

static void take(void *arg, const struct jscan *s, const char *text, size_t len, int is_cut)
{
    unsigned long long n;

    (void)s;
    (void)len;
    if (!is_cut && str_parse_u64(text, &n) == 0 && n <= INT64_MAX)
        *(int64_t *)arg = (int64_t)n;
}

/* What ${metadata} says, or -1.  It was not checked what it is, only that it is JSON. */
static int64_t count_messages(const char *metadata)
{
    const struct jscan_ops ops = {look, jscan_no_ops.string, jscan_no_ops.close, take};
    int64_t n = -1;
    struct jscan s;

    jscan_init(&s);
    jscan_feed(&s, &ops, &n, metadata, strlen(metadata));
    return n;
}

#define ROW_BYTES 1024 /* of all but the metadata, about */

struct json_object *ledger_item(struct sql_rows *st, const struct ledger_who *who, int64_t *left)
{
    struct json_object *o = json_object_new_object(), *metadata = NULL;
    int64_t bytes = (int64_t)strlen(sql_text(st, 10)), messages = count_messages(sql_text(st, 10));
    const char *device = sql_text(st, 5);

    jdoc_set_int(o, "version", sql_int64(st, 0));
    jdoc_set_int(o, "sizeBytes", sql_int64(st, 1));
    jdoc_set_str(o, "checksum", sql_text(st, 2));
    json_object_object_add(o, "createdAt", ledger_when(sql_int64(st, 3)));
    jdoc_set_bool(o, "pinned", sql_int64(st, 4) != 0);
    json_object_object_add(o, "device", ledger_device_json(device, sql_text(st, 6)));
    jdoc_set_bool(o, "thisDevice", device[0] != '\0' && strcmp(device, who->device_id) == 0);
    ledger_set_text(o, "sourceMachine", st, 7);
    json_object_object_add(o, "baseVersions", ledger_stored(st, 8));
    jdoc_set_bool(o, "isHead", sql_int64(st, 9) != 0);
    if (messages >= 0)
        jdoc_set_int(o, "messages", messages);
    else
        jdoc_set_null(o, "messages");
    if (*left < bytes)
        bytes = 0;
    else
        metadata = ledger_stored(st, 10);
    json_object_object_add(o, "metadata", metadata);
    *left -= ROW_BYTES + bytes;
    return o;
}

/* What clients write and read; all of what is sealed is one text. */
static const char *const known[] = {"sealed",
                                    "agentId",
                                    "kind",
                                    "messageCount",
                                    "userMessageCount",
                                    "toolCallCount",
                                    "assistantMessageCount",
                                    "sessionStartedAt",
                                    "sessionEndedAt",
                                    "durationSeconds",
                                    "projectName",
                                    "summary",
                                    "filesModified",
                                    "filesModifiedCount",
                                    "jsonlSizeBytes",
                                    "subagentCount",
                                    "hasFileHistory",
                                    "hasPasteCache",
                                    "hasShellSnapshots",
                                    "claudeModel",
                                    "hasMemory",
                                    "memoryFileCount",
                                    "extraFileCount",
                                    "rewritten",
                                    "usage",
                                    "names"};

#define MAX_MEMBER_BYTES (64 * 1024) /* but of what is sealed */

/* Would a list that has it be read? */
static int is_decent(const char *text, size_t max)
{
    struct json_object *o = strlen(text) <= max ? jdoc_new_raw(text, strlen(text)) : NULL;

    json_object_put(o);
    return o != NULL;
}

char *ledger_known_metadata(struct json_object *metadata)
{
    struct json_object *o, *value;
    char *text;

    if (metadata == NULL)
        return NULL;
    o = json_object_new_object();
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (json_object_object_get_ex(metadata, known[i], &value) &&
            is_decent(jdoc_text(value), i == 0 ? SIZE_MAX : MAX_MEMBER_BYTES))
            json_object_object_add(o, known[i], json_object_get(value));
    }
    text = str_dup(jdoc_text(o));
    json_object_put(o);
    return text;
}
