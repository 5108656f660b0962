#include <string.h>
#include <strings.h>

#include "agents/usage.h"
#include "common/base/buf.h"
#include "common/base/now.h"
#include "common/data/jdoc.h"
#include "ctctl/cloud/item.h"
#include "ctctl/cloud/sessions.h"
#include "ctctl/ctx/opts.h"
#include "ctctl/ui/state.h"

#include "ctctl/cloud/choice.h"

#define YEARS_100 (100LL * 366 * 86400)

/* ---- orders: the newest, the largest, the longest, and the alphabet first ----------------------
 */

static int64_t time_of(const struct json_object *item)
{
    const char *s = jdoc_str(item, "modifiedAt");
    int64_t ms = 0;

    if (s == NULL)
        s = jdoc_str(item, "createdAt");
    return s != NULL && now_parse_rfc3339(s, &ms) == 0 ? ms : 0;
}

static int64_t messages_of(const struct json_object *item)
{
    int64_t n = jdoc_int(item, "messageCount", -1);

    return n >= 0 ? n : jdoc_int(item_metadata(item), "messageCount", 0);
}

static const char *title_of(const struct json_object *item, char *buf, size_t n)
{
    return jdoc_has(item, "state") ? jdoc_str(item, "title") : item_title(item, buf, n);
}

static const struct json_object *item_at(const void *p)
{
    return *(struct json_object *const *)p;
}

static int falling(int64_t a, int64_t b)
{
    return a < b ? 1 : a > b ? -1 : 0;
}

static int by_time(const void *a, const void *b)
{
    return falling(time_of(item_at(a)), time_of(item_at(b)));
}

static int by_size(const void *a, const void *b)
{
    return falling(jdoc_int(item_at(a), "sizeBytes", 0), jdoc_int(item_at(b), "sizeBytes", 0));
}

static int by_messages(const void *a, const void *b)
{
    return falling(messages_of(item_at(a)), messages_of(item_at(b)));
}

static int by_title(const void *a, const void *b)
{
    char x[256], y[256];
    const char *s = title_of(item_at(a), x, sizeof(x)), *t = title_of(item_at(b), y, sizeof(y));

    return strcasecmp(s != NULL ? s : "", t != NULL ? t : "");
}

static int by_cost(const void *a, const void *b)
{
    struct usage x, y;

    usage_parse(item_usage(item_at(a)), &x);
    usage_parse(item_usage(item_at(b)), &y);
    if (usage_cost(&x) != usage_cost(&y))
        return falling(usage_cost(&x), usage_cost(&y));
    return falling(usage_sum(&x).output, usage_sum(&y).output);
}

static const struct order {
    const char *name;
    int (*compare)(const void *a, const void *b);
} orders[] = {{"time", by_time},
              {"size", by_size},
              {"messages", by_messages},
              {"title", by_title},
              {"cost", by_cost}};

static const struct order *order_of(const char *name)
{
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        if (strcmp(orders[i].name, name) == 0)
            return &orders[i];
    }
    return NULL;
}

/* ---- */

static int check_state(struct ctx *c, const char *state)
{
    struct buf b = {0};
    int rc;

    for (size_t i = 0; state_word(i) != NULL; i++) {
        if (strcmp(state_word(i)->word, state) == 0 || strcmp(state_word(i)->json, state) == 0) {
            buf_free(&b);
            return -1;
        }
        buf_printf(&b, "%s%s", i > 0 ? ", " : "", state_word(i)->word);
    }
    rc = ctx_usage(c, "there is no state \"%s\"; it is one of: %s", state, b.data);
    buf_free(&b);
    return rc;
}

int choice_check(struct ctx *c, struct choice *ch)
{
    int rc = -1;

    if (ch->since != NULL)
        rc = opts_duration(c, "--since", ch->since, OPTS_MINUTES, YEARS_100, &ch->since_s);
    if (rc == -1 && ch->state != NULL)
        rc = check_state(c, ch->state);
    if (rc == -1 && ch->sort != NULL && order_of(ch->sort) == NULL)
        rc = ctx_usage(c, "--sort goes by time, size, messages, title or cost, not by \"%s\"",
                       ch->sort);
    return rc;
}

int choice_is_all(const struct choice *ch)
{
    return ch->since == NULL && ch->state == NULL && ch->sort == NULL;
}

static int is_wanted(const struct choice *ch, const struct json_object *item, int64_t now_ms)
{
    const char *state = jdoc_str(item, "state");
    enum text_colour colour;

    if (ch->since != NULL && now_ms - time_of(item) > ch->since_s * 1000)
        return 0;
    return ch->state == NULL || (state != NULL && strcmp(state, ch->state) == 0) ||
           strcmp(sessions_state(item, &colour), ch->state) == 0;
}

struct json_object *choice_make(const struct choice *ch, struct json_object *list, int64_t now_ms)
{
    struct json_object *some = json_object_new_array();
    size_t n;

    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *item = json_object_array_get_idx(list, i);
        if (is_wanted(ch, item, now_ms))
            json_object_array_add(some, json_object_get(item));
    }
    if (ch->sort != NULL)
        json_object_array_sort(some, order_of(ch->sort)->compare);
    n = json_object_array_length(some);
    if (ch->limit > 0 && n > (size_t)ch->limit)
        json_object_array_del_idx(some, (size_t)ch->limit, n - (size_t)ch->limit);
    return some;
}
