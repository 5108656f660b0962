#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"
#include "common/base/strlist.h"
#include "common/data/jdoc.h"

#include "common/data/names.h"

#define BY_BYTES 255

/* ---- one word of somebody's: {"text" or "off", "at", "by"} --------------------------------------
 */

static int64_t at_of(const struct json_object *o)
{
    return jdoc_int(o, "at", 0);
}

static int is_sane(const struct json_object *o, int64_t now_ms)
{
    return o != NULL && at_of(o) > 0 && at_of(o) <= now_ms + NAMES_AHEAD_MS;
}

static const char *text_of(const struct json_object *o)
{
    const char *s = jdoc_str(o, "text");

    return s != NULL ? s : "";
}

/* What turns the direction of writing, has no width or breaks lines, as UTF-8. */
static int is_unseen(const char *s)
{
    static const char *const unseen[] = {"\xD8\x9C", "\xEF\xBB\xBF", "\xC2\xAD", "\xF3\xA0"};
    const unsigned char *u = (const unsigned char *)s;

    for (size_t i = 0; i < sizeof(unseen) / sizeof(unseen[0]); i++) {
        if (strncmp(s, unseen[i], strlen(unseen[i])) == 0)
            return 1;
    }
    if (u[0] == 0xC2 && u[1] >= 0x80 && u[1] < 0xA0)
        return 1;
    /* U+200B to U+200F, U+2028 to U+202E, U+2060 to U+206F */
    return u[0] == 0xE2 &&
           ((u[1] == 0x80 && ((u[2] >= 0x8B && u[2] <= 0x8F) || (u[2] >= 0xA8 && u[2] <= 0xAE))) ||
            (u[1] == 0x81 && u[2] >= 0xA0 && u[2] <= 0xAF));
}

/* Is it one line that people can read? */
static int is_line(const char *s)
{
    for (; *s != '\0'; s++) {
        if ((unsigned char)*s < 0x20 || *s == 0x7F || is_unseen(s))
            return 0;
    }
    return 1;
}

static int is_blank(const char *s)
{
    return s[strspn(s, " ")] == '\0';
}

static int is_title(const char *s)
{
    return is_line(s) && (s[0] == '\0' || !is_blank(s)) && str_is_utf8(s, strlen(s)) &&
           str_utf8_cut(s, strlen(s), NAMES_TITLE) == strlen(s);
}

static int is_tag(const char *s)
{
    return s[0] != '\0' && s[0] != '-' && s[0] != '+' && strlen(s) <= NAMES_TAG && is_line(s) &&
           strpbrk(s, " ,") == NULL && str_is_utf8(s, strlen(s));
}

static struct json_object *said(int64_t at, const char *by)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_int(o, "at", at);
    if (by != NULL && by[0] != '\0' && strlen(by) <= BY_BYTES && is_line(by))
        jdoc_set_str(o, "by", by);
    return o;
}

static struct json_object *copy_title(const struct json_object *o)
{
    struct json_object *to;

    if (!is_title(text_of(o)))
        return NULL;
    to = said(at_of(o), jdoc_str(o, "by"));
    if (jdoc_int(o, "over", 0) > 0)
        jdoc_set_int(to, "over", jdoc_int(o, "over", 0));
    jdoc_set_str(to, "text", text_of(o));
    return to;
}

static const char *or_empty(const char *s)
{
    return s != NULL ? s : "";
}

/* Was ${x} said later than ${y}?  Of what was said at one time all machines choose the same: the
 * greater text, a tag that is there, the greater machine. */
static int is_later(const struct json_object *x, const struct json_object *y)
{
    int by_text = strcmp(text_of(x), text_of(y));
    int by_tag = jdoc_bool(y, "off", 0) - jdoc_bool(x, "off", 0);

    if (at_of(x) != at_of(y))
        return at_of(x) > at_of(y);
    if (by_text != 0 || by_tag != 0)
        return by_text > 0 || (by_text == 0 && by_tag > 0);
    return strcmp(or_empty(jdoc_str(x, "by")), or_empty(jdoc_str(y, "by"))) > 0;
}

/* ---- reading -----------------------------------------------------------------------------------
 */

const char *names_title(const struct json_object *doc)
{
    const char *s = text_of(jdoc_obj(doc, "title"));

    return s[0] != '\0' && is_title(s) ? s : NULL;
}

static int is_on(const struct json_object *tag)
{
    return tag != NULL && at_of(tag) > 0 && !jdoc_bool(tag, "off", 0);
}

int names_has_tag(const struct json_object *doc, const char *tag)
{
    return is_on(jdoc_obj(jdoc_obj(doc, "tags"), tag));
}

struct json_object *names_tags(const struct json_object *doc)
{
    struct json_object *ret = json_object_new_array(), *tags = jdoc_obj(doc, "tags");

    if (tags == NULL)
        return ret;
    json_object_object_foreach(tags, word, tag)
    {
        if (is_tag(word) && json_object_is_type(tag, json_type_object) && is_on(tag) &&
            json_object_array_length(ret) < NAMES_TAGS)
            json_object_array_add(ret, jdoc_new_str(word));
    }
    return ret;
}

int names_is_none(const struct json_object *doc)
{
    return jdoc_obj(doc, "title") == NULL && jdoc_obj(doc, "tags") == NULL;
}

/* ---- merging -----------------------------------------------------------------------------------
 */

static void merge_title(struct json_object *to, const struct json_object *a,
                        const struct json_object *b, int64_t now_ms)
{
    const struct json_object *x = jdoc_obj(a, "title"), *y = jdoc_obj(b, "title"), *other;
    struct json_object *title = NULL, *before = NULL;

    if (!is_sane(x, now_ms) || !is_title(text_of(x)))
        x = NULL;
    if (!is_sane(y, now_ms) || !is_title(text_of(y)))
        y = NULL;
    if (x == NULL || (y != NULL && is_later(y, x))) {
        other = x;
        x = y;
    } else {
        other = y;
    }
    if (x == NULL)
        return;
    title = copy_title(x);
    /* What gave way to it unknown, by its own word, by the other copy of it, or now. */
    if (is_sane(jdoc_obj(x, "before"), now_ms))
        before = copy_title(jdoc_obj(x, "before"));
    if (other != NULL && at_of(other) == at_of(x) && strcmp(text_of(other), text_of(x)) == 0)
        other = is_sane(jdoc_obj(other, "before"), now_ms) ? jdoc_obj(other, "before") : NULL;
    if (other != NULL && is_title(text_of(other)) && at_of(other) > jdoc_int(x, "over", 0) &&
        strcmp(text_of(other), text_of(x)) != 0 && text_of(other)[0] != '\0' &&
        (before == NULL || is_later(other, before))) {
        json_object_put(before);
        before = copy_title(other);
    }
    if (before != NULL)
        json_object_object_add(title, "before", before);
    json_object_object_add(to, "title", title);
}

static void collect_words(const struct json_object *tags, int64_t now_ms, struct strlist *words)
{
    if (tags == NULL)
        return;
    json_object_object_foreach((struct json_object *)(uintptr_t)tags, word, tag)
    {
        if (words->n < 4 * NAMES_ENTRIES && is_tag(word) &&
            json_object_is_type(tag, json_type_object) && is_sane(tag, now_ms))
            strlist_add_once(words, word);
    }
}

static struct json_object *later_tag(const struct json_object *x, const struct json_object *y,
                                     int64_t now_ms)
{
    struct json_object *o;

    if (!is_sane(x, now_ms) || (is_sane(y, now_ms) && is_later(y, x)))
        x = y;
    o = said(at_of(x), jdoc_str(x, "by"));
    if (!is_on(x))
        jdoc_set_bool(o, "off", 1);
    return o;
}

/* Take away the oldest of those that were taken away. */
static int drop_oldest(struct json_object *tags)
{
    const char *oldest = NULL;
    int64_t at = INT64_MAX;

    json_object_object_foreach(tags, word, tag)
    {
        if (!is_on(tag) && at_of(tag) < at) {
            at = at_of(tag);
            oldest = word;
        }
    }
    if (oldest == NULL)
        return 0;
    json_object_object_del(tags, oldest);
    return 1;
}

struct json_object *names_merge(const struct json_object *a, const struct json_object *b,
                                int64_t now_ms)
{
    const struct json_object *x = jdoc_obj(a, "tags"), *y = jdoc_obj(b, "tags");
    struct json_object *ret = json_object_new_object(), *tags = json_object_new_object();
    struct strlist words = {0};

    merge_title(ret, a, b, now_ms);
    collect_words(x, now_ms, &words);
    collect_words(y, now_ms, &words);
    strlist_sort(&words);
    for (size_t i = 0; i < words.n; i++)
        json_object_object_add(tags, words.v[i],
                               later_tag(jdoc_obj(x, words.v[i]), jdoc_obj(y, words.v[i]), now_ms));
    strlist_free(&words);
    while (json_object_object_length(tags) > NAMES_ENTRIES && drop_oldest(tags))
        continue;
    if (json_object_object_length(tags) > 0)
        json_object_object_add(ret, "tags", tags);
    else
        json_object_put(tags);
    return ret;
}

/* ---- changing ----------------------------------------------------------------------------------
 */

/* Later than what it takes the place of, whatever the clocks say. */
static int64_t after(const struct json_object *old, int64_t now_ms)
{
    return old != NULL && at_of(old) >= now_ms ? at_of(old) + 1 : now_ms;
}

int names_set_title(struct json_object *doc, const char *title, const char *by, int64_t now_ms,
                    struct ct_err *err)
{
    struct json_object *old = jdoc_obj(doc, "title"), *o;

    if (!is_title(title))
        return err_set(err, ERR_REFUSED,
                       "a title is one line of at most %d characters that people can see: no "
                       "control characters, none without a width, and not blanks alone",
                       NAMES_TITLE);
    o = said(after(old, now_ms), by);
    if (old != NULL)
        jdoc_set_int(o, "over", at_of(old));
    jdoc_set_str(o, "text", title);
    json_object_object_add(doc, "title", o);
    return 0;
}

int names_set_tag(struct json_object *doc, const char *tag, int is_on_now, const char *by,
                  int64_t now_ms, struct ct_err *err)
{
    struct json_object *tags = jdoc_obj(doc, "tags"), *list, *o;
    size_t n;

    if (!is_tag(tag))
        return err_set(err, ERR_REFUSED,
                       "a tag is one word of at most %d bytes, without commas, that begins with "
                       "neither + nor -",
                       NAMES_TAG);
    list = names_tags(doc);
    n = json_object_array_length(list);
    json_object_put(list);
    if (is_on_now && n >= NAMES_TAGS && !names_has_tag(doc, tag))
        return err_set(err, ERR_REFUSED, "a session has at most %d tags", NAMES_TAGS);
    if (tags == NULL) {
        tags = json_object_new_object();
        json_object_object_add(doc, "tags", tags);
    }
    o = said(after(jdoc_obj(tags, tag), now_ms), by);
    if (!is_on_now)
        jdoc_set_bool(o, "off", 1);
    json_object_object_add(tags, tag, o);
    return 0;
}
