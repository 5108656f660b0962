#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/client.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"
#include "ctctl/cloud/item.h"
#include "ctctl/ui/text.h"

#include "ctctl/cloud/heads.h"

const char *heads_machine(const struct json_object *item)
{
    const struct json_object *device = jdoc_obj(item, "device");
    const char *name = item_is_locked(item) ? NULL : item_str(item, "sourceMachine");

    if (name == NULL || item_is_locked(item))
        name = device != NULL ? jdoc_str(device, "name") : NULL;
    return name;
}

int64_t heads_messages(const struct json_object *item)
{
    const struct json_object *meta = item_is_locked(item) ? NULL : item_metadata(item);

    return meta != NULL ? jdoc_int(meta, "messageCount", -1) : -1;
}

const char *heads_bases(const struct json_object *item, struct buf *b)
{
    struct json_object *bases = jdoc_array(item, "baseVersions");

    for (size_t i = 0; bases != NULL && i < json_object_array_length(bases); i++) {
        struct json_object *base = json_object_array_get_idx(bases, i);
        buf_printf(b, "%s%" PRId64, i > 0 ? ", " : "",
                   json_object_get_type(base) == json_type_object ? jdoc_int(base, "version", 0)
                                                                  : json_object_get_int64(base));
    }
    return b->len > 0 ? b->data : "";
}

/* ---- which there are ---------------------------------------------------------------------------
 */

static void add(struct ctx *c, struct heads *h, struct json_object *row, int64_t current)
{
    int64_t version = jdoc_int(row, "version", 0);
    int is_head = jdoc_bool(row, "isHead", 0), is_pinned = jdoc_bool(row, "pinned", 0);
    struct head *head;
    const char *id;

    if (version <= 0 || (version != current && !is_head && !is_pinned))
        return;
    h->v = str_realloc(h->v, h->n + 1, sizeof(*h->v));
    head = &h->v[h->n++];
    memset(head, 0, sizeof(*head));
    head->version = version;
    head->is_current = version == current;
    head->is_pinned = is_pinned && !is_head && !head->is_current;
    head->item = json_object_get(row);
    item_open(c, row, h->wire_id, version == current ? ITEM_NEWEST : ITEM_OLDER);
    id = jdoc_str(jdoc_obj(row, "opened"), "sessionId");
    if (id != NULL && h->session_id == NULL)
        h->session_id = str_dup(id);
    if (head->is_current) {
        struct head first = *head;
        memmove(h->v + 1, h->v, (h->n - 1) * sizeof(*h->v));
        h->v[0] = first;
    }
}

/* Read them out of the server's list of the session's versions. */
static void heads_of_answer(struct ctx *c, const char *wire_id, const struct json_object *answer,
                            struct heads *ret)
{
    struct heads h = {.wire_id = str_dup(wire_id)};
    struct json_object *rows = jdoc_array(answer, "versions");

    /* A server that is not ours names no heads, and keeps none. */
    for (size_t i = 0;
         jdoc_array(answer, "heads") != NULL && rows != NULL && i < json_object_array_length(rows);
         i++)
        add(c, &h, json_object_array_get_idx(rows, i), jdoc_int(answer, "currentVersion", 0));
    if (h.session_id == NULL)
        h.session_id = str_dup(wire_id);
    *ret = h;
}

void heads_ask(struct ctx *c, const char *wire_id, struct heads *ret)
{
    char *path = api_session_path(wire_id, "/versions");
    struct json_object *o = NULL;
    struct ct_err err;

    if (ctx_cloud(c, "GET", path, NULL, &o, &err) != 0)
        o = NULL;
    heads_of_answer(c, wire_id, o, ret);
    json_object_put(o);
    free(path);
}

void heads_clear(struct heads *h)
{
    for (size_t i = 0; i < h->n; i++) {
        json_object_put(h->v[i].item);
        copy_source_clear(&h->v[i].source);
        copy_clear(&h->v[i].copy);
    }
    free(h->v);
    free(h->session_id);
    free(h->wire_id);
    memset(h, 0, sizeof(*h));
}

/* ---- what is in them ---------------------------------------------------------------------------
 */

enum trust heads_vouched(struct ctx *c, const struct json_object *item)
{
    return item_is_sealed(item) || ctx_is_sealing(c) ? item_trust(item) : TRUST_ACCOUNT;
}

void heads_look(struct ctx *c, struct heads *h)
{
    for (size_t i = 0; h->n > 1 && i < h->n; i++) {
        struct head *head = &h->v[i];
        if (item_is_locked(head->item) && !item_is_bare(head->item))
            item_lock(head->item, &head->err);
        else if (!head->is_known)
            head->is_known = copy_fetch(c, h->session_id, h->wire_id, head->version, &head->copy,
                                        &head->source, &head->err) == 0;
        if (head->is_known)
            held_vouch(&head->copy.held, heads_vouched(c, head->item));
    }
}

struct head *heads_find(const struct heads *h, int64_t version)
{
    for (size_t i = 0; i < h->n; i++) {
        if (h->v[i].version == version)
            return &h->v[i];
    }
    return NULL;
}

struct head *heads_fullest(const struct heads *h)
{
    struct head *best = h->n > 0 ? &h->v[0] : NULL;

    for (size_t i = 1; i < h->n; i++) {
        struct head *other = &h->v[i];
        /* What somebody vouches for less is never put above it by itself. */
        if (best->is_known && other->is_known && !other->is_pinned &&
            item_trust(other->item) >= item_trust(best->item) &&
            news_compare(best->copy.held.news, other->copy.held.news) == NEWS_BEHIND)
            best = other;
    }
    return best;
}

void heads_judge(struct heads *h, const struct news *here, const struct open_result *files)
{
    for (size_t i = 0; i < h->n; i++) {
        struct head *head = &h->v[i];
        if (!head->is_known)
            continue;
        head->messages = news_messages_lacking(here, head->copy.held.news);
        head->records = news_lacking(here, head->copy.held.news);
        head->files =
            files != NULL ? held_files_lacking(files, &head->copy.held.opened, NULL, NULL) : 0;
    }
}

int heads_has_more(const struct heads *h)
{
    for (size_t i = 0; i < h->n; i++) {
        if (h->v[i].records > 0 || h->v[i].files > 0)
            return 1;
    }
    return 0;
}

void heads_compare(struct ctx *c, const char *wire_id, const struct json_object *answer,
                   struct heads *ret)
{
    if (answer != NULL)
        heads_of_answer(c, wire_id, answer, ret);
    else
        heads_ask(c, wire_id, ret);
    heads_look(c, ret);
    if (ret->n > 1 && ret->v[0].is_known)
        heads_judge(ret, ret->v[0].copy.held.news, &ret->v[0].copy.held.opened);
}

/* ---- what to say of them -----------------------------------------------------------------------
 */

/* "5 messages", "2 records", "3 files": the first of these that there are. */
static char *amount(const struct head *head)
{
    if (head->messages > 0)
        return text_count((int64_t)head->messages, "message", "messages");
    if (head->records > 0)
        return text_count((int64_t)head->records, "record", "records");
    return head->files > 0 ? text_count((int64_t)head->files, "file", "files") : NULL;
}

char *heads_sentence(const struct heads *h, const struct head *head, const char *lack,
                     int can_merge)
{
    const char *machine = heads_machine(head->item);
    const char *who = jdoc_bool(head->item, "thisDevice", 0) ? "this machine"
                      : machine != NULL                      ? machine
                                                             : "another machine";
    char *command =
        item_is_profile(head->item) && machine != NULL
            ? str_printf("ctctl pull --profile %s --version %" PRId64, machine, head->version)
            : str_printf("ctctl pull %.8s --version %" PRId64, h->session_id, head->version);
    char *count = amount(head), *ret = NULL;

    if (!head->is_known && head->err.msg[0] != '\0')
        ret = str_printf("version %" PRId64 ", of %s, is there too and can't be looked into: %s",
                         head->version, who, head->err.msg);
    else if (head->is_known && head->is_pinned)
        ret = str_printf("version %" PRId64 ", of %s, is kept, for it %s more than what came "
                         "after it%s%s%s%s: %s",
                         head->version, who, count != NULL ? "holds" : "may hold",
                         count != NULL ? "; " : "", count != NULL ? count : "",
                         count != NULL ? " that " : "", count != NULL ? lack : "", command);
    else if (head->is_known && count != NULL)
        ret = str_printf("%s has %s that %s: %s%s", who, count, lack, command,
                         can_merge ? ", or --merge" : "");
    free(command);
    free(count);
    return ret;
}

void heads_say(struct ctx *c, const struct heads *h, const char *lack, int can_merge)
{
    for (size_t i = 0; i < h->n; i++) {
        char *text = heads_sentence(h, &h->v[i], lack, can_merge);
        if (text != NULL)
            ctx_say(c, "%s", text);
        free(text);
    }
}

struct json_object *heads_json(const struct heads *h)
{
    struct json_object *list = json_object_new_array();

    for (size_t i = 0; i < h->n; i++) {
        const struct head *head = &h->v[i];
        struct json_object *o = json_object_new_object();
        jdoc_set_int(o, "version", head->version);
        jdoc_set_str(o, "device", heads_machine(head->item));
        jdoc_set_bool(o, "thisDevice", jdoc_bool(head->item, "thisDevice", 0));
        jdoc_set_bool(o, "current", head->is_current);
        jdoc_set_bool(o, "pinned", head->is_pinned);
        if (heads_messages(head->item) >= 0)
            jdoc_set_int(o, "messages", heads_messages(head->item));
        if (jdoc_array(head->item, "baseVersions") != NULL)
            json_object_object_add(o, "baseVersions",
                                   json_object_get(jdoc_array(head->item, "baseVersions")));
        if (head->is_known) {
            jdoc_set_int(o, "messagesLacking", (int64_t)head->messages);
            jdoc_set_int(o, "recordsLacking", (int64_t)head->records);
            jdoc_set_int(o, "filesLacking", (int64_t)head->files);
        } else if (head->err.msg[0] != '\0') {
            jdoc_set_str(o, "error", head->err.msg);
        }
        json_object_array_add(list, o);
    }
    return list;
}
