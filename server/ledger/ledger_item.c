#include <string.h>

#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "server/ledger/ledger_impl.h"

struct json_object *ledger_stored(struct sql_rows *st, int column)
{
    struct json_object *o = NULL;
    const char *s = sql_text(st, column);

    if (s[0] != '\0')
        jdoc_parse(s, strlen(s), &o, NULL);
    return o;
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

#define ROW_BYTES 1024 /* of all but the metadata, about */

struct json_object *ledger_item(struct sql_rows *st, const struct ledger_who *who, int64_t *left)
{
    struct json_object *o = json_object_new_object(), *metadata = ledger_stored(st, 10);
    int64_t bytes = (int64_t)strlen(sql_text(st, 10));
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
    /* It was not checked what it is, only that it is JSON. */
    if (jdoc_int(metadata, "messageCount", -1) >= 0)
        jdoc_set_int(o, "messages", jdoc_int(metadata, "messageCount", 0));
    else
        jdoc_set_null(o, "messages");
    if (*left < bytes) {
        json_object_put(metadata);
        metadata = NULL;
        bytes = 0;
    }
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
                                    "rewritten"};

#define MAX_MEMBER_BYTES (64 * 1024) /* but of what is sealed */

char *ledger_known_metadata(struct json_object *metadata)
{
    struct json_object *o, *value;
    char *text;

    if (metadata == NULL)
        return NULL;
    o = json_object_new_object();
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (json_object_object_get_ex(metadata, known[i], &value) &&
            (i == 0 || strlen(jdoc_text(value)) <= MAX_MEMBER_BYTES))
            json_object_object_add(o, known[i], json_object_get(value));
    }
    text = str_dup(jdoc_text(o));
    json_object_put(o);
    return text;
}
