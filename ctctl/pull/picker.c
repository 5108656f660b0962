#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/usage.h"
#include "common/base/file.h"
#include "common/data/jdoc.h"
#include "common/data/names.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "ctctl/cloud/item.h"
#include "ctctl/ui/keys.h"
#include "ctctl/ui/table.h"
#include "ctctl/here/target.h"
#include "ctctl/ui/term.h"

#include "ctctl/pull/picker.h"

#define SHOWN 20
#define MOST_ROWS 999

int picker_matches(const struct json_object *item, const char *word)
{
    char title[256];
    const char *texts[] = {
        item_title(item, title, sizeof(title)),
        jdoc_str(item_metadata(item), "projectName"),
        item_str(item, "sourceCwd"),
        item_str(item, "sourceMachine"),
        item_id(item),
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i] != NULL && strcasestr(texts[i], word) != NULL)
            return 1;
    }
    return 0;
}

int picker_is_here(const struct json_object *item, const char *cwd)
{
    const char *source = item_str(item, "sourceCwd"), *home = item_str(item, "sourceUserDir");
    char *mapped;
    int is_here;

    if (source == NULL)
        return 0;
    if (strcmp(path_base(source), path_base(cwd)) == 0)
        return 1;
    mapped = target_map(NULL, home, source);
    is_here = mapped != NULL && strcmp(mapped, cwd) == 0;
    free(mapped);
    return is_here;
}

/* The items that match, those of this project first. */
static struct json_object *narrow(struct json_object *list, const char *word, const char *cwd)
{
    struct json_object *ret = json_object_new_array();

    for (int want = 1; want >= 0; want--) {
        for (size_t i = 0; i < json_object_array_length(list); i++) {
            struct json_object *item = json_object_array_get_idx(list, i);
            if (picker_is_here(item, cwd) == want && picker_matches(item, word))
                json_object_array_add(ret, json_object_get(item));
        }
    }
    return ret;
}

static void show(struct ctx *c, struct json_object *list)
{
    static const struct table_column columns[] = {
        {"", 1, 0, 0},     {"TITLE", 0, 32, 0}, {"FOLDER", 0, 10, 2}, {"MACHINE", 0, 10, 4},
        {"SIZE", 1, 0, 5}, {"SAVED", 0, 0, 3},  {"ID", 0, 0, 1},      {"HERE", 0, 0, 0},
    };
    size_t n = json_object_array_length(list);
    int is_marked = n > 0 && jdoc_has(json_object_array_get_idx(list, 0), "here");
    struct table *t = table_new(&c->err, columns, is_marked ? 8 : 7);
    struct buf b = {0};

    for (size_t i = 0; i < n && i < SHOWN; i++) {
        const struct json_object *o = json_object_array_get_idx(list, i);
        char number[24], title[256], ago[64], size[24], id[9];
        int64_t bytes = jdoc_int(o, "sizeBytes", -1);
        const char *cells[8];
        snprintf(number, sizeof(number), "%zu", i + 1);
        cells[0] = number;
        cells[1] = item_title(o, title, sizeof(title));
        cells[2] = item_str(o, "sourceCwd");
        cells[3] = item_str(o, "sourceMachine");
        cells[4] = bytes >= 0 ? str_human_bytes((unsigned long long)bytes, size, sizeof(size)) : "";
        cells[5] = text_ago_of(&c->err, jdoc_str(o, "createdAt"), ago, sizeof(ago));
        cells[6] = text_short_id(item_id(o), id);
        cells[7] = jdoc_bool(o, "here", 0) ? "yes" : "no";
        table_row(t, cells);
    }
    table_print(t, &b);
    table_free(t);
    if (n > SHOWN)
        buf_printf(&b, "... and %zu more; a word narrows the list down\n", n - SHOWN);
    fputs(b.data != NULL ? b.data : "", stderr);
    buf_free(&b);
}

/* A line at a time, for a terminal that can't draw. */
static int choose_by_lines(struct ctx *c, struct json_object *list, char **ret, struct ct_err *err)
{
    char *dot = path_expand("."), *cwd = realpath(dot, NULL), answer[256] = "";
    struct json_object *some = narrow(list, "", cwd != NULL ? cwd : dot), *fewer;
    unsigned long long n;
    int rc, is_row;

    for (;;) {
        show(c, some);
        rc = term_ask("Which one? A number, a word to narrow the list, or nothing to leave: ", 0,
                      answer, sizeof(answer), err);
        if (rc == 0 && answer[0] == '\0')
            rc = err_set(err, ERR_CANCELLED, "nothing was chosen");
        if (rc != 0)
            break;
        /* A short number is one of a row; a longer one may be a part of an id or of a date. */
        is_row = str_parse_u64(answer, &n) == 0 && n <= MOST_ROWS;
        if (is_row && n >= 1 && n <= json_object_array_length(some) && n <= SHOWN) {
            *ret = str_dup(item_wire_id(json_object_array_get_idx(some, (size_t)n - 1)));
            break;
        }
        if (is_row) {
            ctx_say(c, "there is no row %llu on the screen", n);
            continue;
        }
        fewer = narrow(list, answer, cwd != NULL ? cwd : dot);
        if (json_object_array_length(fewer) == 0) {
            ctx_say(c, "nothing matches \"%s\"", answer);
            json_object_put(fewer);
            continue;
        }
        json_object_put(some);
        some = fewer;
    }
    json_object_put(some);
    free(cwd);
    free(dot);
    return rc;
}

/* ---- on a screen --------------------------------------------------------------------------------
 */

#define PREVIEW 6    /* lines */
#define LEAST_ROWS 3 /* with less than that there is no preview */
#define TYPED 200

struct row {
    struct json_object *item;
    char *text; /* in which words are looked for */
};

struct screen {
    struct ctx *c;
    struct keys keys;
    struct text_style st;
    struct row *all; /* those of this project first */
    size_t n_all;
    size_t *some; /* of these, what is left of them */
    size_t n;
    size_t first, at; /* the first one that is shown, and the one that Enter takes */
    char typed[TYPED + 1];
    const char *message;
    struct buf out;
};

/* What picker_matches() looks through, in one. */
static char *text_of(const struct json_object *item)
{
    char title[256], *s;
    const char *name = jdoc_str(item_metadata(item), "projectName");
    const char *cwd = item_str(item, "sourceCwd"), *machine = item_str(item, "sourceMachine");
    struct json_object *tags = names_tags(item_names(item));

    s = str_printf("%s\n%s\n%s\n%s\n%s\n%s", item_title(item, title, sizeof(title)),
                   name != NULL ? name : "", cwd != NULL ? cwd : "", machine != NULL ? machine : "",
                   item_id(item), jdoc_text(tags));
    json_object_put(tags);
    return s;
}

/* A short number is one of a row; a longer one may be a part of an id or of a date. */
static int is_number(const struct screen *s)
{
    size_t n = strlen(s->typed);

    return n > 0 && n <= 3 && strspn(s->typed, "0123456789") == n;
}

static int has_all_words(const char *text, const char *typed)
{
    char words[TYPED + 1], *save = NULL;

    memcpy(words, typed, strlen(typed) + 1);
    for (char *w = strtok_r(words, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save)) {
        if (strcasestr(text, w) == NULL)
            return 0;
    }
    return 1;
}

static void filter(struct screen *s)
{
    s->n = s->first = s->at = 0;
    for (size_t i = 0; i < s->n_all; i++) {
        if (is_number(s) || has_all_words(s->all[i].text, s->typed))
            s->some[s->n++] = i;
    }
}

static size_t rows_shown(const struct screen *s)
{
    int rows = s->keys.height - 2; /* the titles of the columns, and the line that is typed in */

    if (rows - PREVIEW >= LEAST_ROWS)
        rows -= PREVIEW;
    return rows < 1 ? 1 : (size_t)rows;
}

static struct json_object *item_at(const struct screen *s, size_t i)
{
    return s->all[s->some[i]].item;
}

static void add_line(struct screen *s, enum text_colour colour, const char *text)
{
    char *clean = text_line(&s->st, text), *fit = text_fit(&s->st, clean, (size_t)s->st.width);

    text_add(&s->out, &s->st, colour, fit);
    buf_addstr(&s->out, "\033[K\r\n");
    free(fit);
    free(clean);
}

static void add_table(struct screen *s)
{
    static const struct table_column columns[] = {
        {"", 1, 0, 0},     {"TITLE", 0, 32, 0}, {"FOLDER", 0, 10, 2}, {"MACHINE", 0, 10, 4},
        {"SIZE", 1, 0, 5}, {"SAVED", 0, 0, 3},  {"HERE", 0, 0, 1},
    };
    struct table *t = table_new(&s->st, columns, sizeof(columns) / sizeof(columns[0]));
    struct buf b = {0};

    for (size_t i = s->first; i < s->n && i < s->first + rows_shown(s); i++) {
        const struct json_object *o = item_at(s, i);
        char number[32], title[256], ago[64], size[24];
        int64_t bytes = jdoc_int(o, "sizeBytes", -1);
        const char *cells[] = {
            number,
            item_title(o, title, sizeof(title)),
            item_str(o, "sourceCwd"),
            item_str(o, "sourceMachine"),
            bytes >= 0 ? str_human_bytes((unsigned long long)bytes, size, sizeof(size)) : "",
            text_ago_of(&s->st, jdoc_str(o, "createdAt"), ago, sizeof(ago)),
            jdoc_bool(o, "here", 0) ? "yes" : "no",
        };
        snprintf(number, sizeof(number), "%s%zu", i == s->at ? "> " : "", i + 1);
        table_row(t, cells);
        for (size_t k = 0; i == s->at && k < sizeof(columns) / sizeof(columns[0]); k++)
            table_colour(t, k, TEXT_BOLD);
    }
    table_print(t, &b);
    table_free(t);
    for (size_t i = 0; i < b.len; i++) {
        if (b.data[i] == '\n')
            buf_addstr(&s->out, "\033[K\r");
        buf_addc(&s->out, b.data[i]);
    }
    buf_free(&b);
}

/* All that is known of the one that Enter takes. */
static void add_preview(struct screen *s)
{
    const struct json_object *o = item_at(s, s->at), *m = item_metadata(o);
    struct json_object *tags = names_tags(item_names(o)), *heads = jdoc_array(o, "heads");
    const char *cwd = item_str(o, "sourceCwd"), *machine = item_str(o, "sourceMachine");
    char title[256], began[64], saved[64];
    struct buf b = {0};
    struct usage u;

    add_line(s, TEXT_DIM, "");
    add_line(s, TEXT_BOLD, item_title(o, title, sizeof(title)));
    buf_printf(&b, "%s, in %s", machine != NULL ? machine : "unknown machine",
               cwd != NULL ? cwd : "an unknown folder");
    add_line(s, TEXT_PLAIN, b.data);
    buf_reset(&b);
    if (jdoc_str(m, "sessionStartedAt") != NULL)
        buf_printf(
            &b, "began %s, ",
            text_clock(jdoc_str(m, "sessionStartedAt"), "%Y-%m-%d %H:%M", began, sizeof(began)));
    buf_printf(&b, "saved %s, %" PRId64 " messages",
               text_clock(jdoc_str(o, "createdAt"), "%Y-%m-%d %H:%M", saved, sizeof(saved)),
               jdoc_int(m, "messageCount", 0));
    usage_parse(item_usage(o), &u);
    if (u.has_cost)
        buf_printf(&b, ", $%.2f", (double)usage_cost(&u) / 1e6);
    if (heads != NULL && json_object_array_length(heads) > 0)
        buf_printf(&b, "; went apart: %zu more", json_object_array_length(heads));
    add_line(s, TEXT_PLAIN, b.data);
    buf_reset(&b);
    for (size_t i = 0; i < json_object_array_length(tags); i++)
        buf_printf(&b, "%s%s", i > 0 ? ", " : "tags: ",
                   json_object_get_string(json_object_array_get_idx(tags, i)));
    add_line(s, TEXT_PLAIN, b.len > 0 ? b.data : "");
    add_line(s, TEXT_DIM, item_id(o));
    json_object_put(tags);
    buf_free(&b);
}

static void draw(struct screen *s)
{
    size_t rows = rows_shown(s);
    struct buf b = {0};
    char *clean, *fit;

    s->st.width = s->keys.width - 1;
    if (s->at < s->first)
        s->first = s->at;
    if (s->at >= s->first + rows)
        s->first = s->at - rows + 1;
    buf_addstr(&s->out, "\033[?25l\033[H");
    add_table(s);
    if (s->n > 0 && s->keys.height - 2 - PREVIEW >= LEAST_ROWS)
        add_preview(s);
    buf_printf(&b, "%s%sWhich one? Type to narrow, arrows, Enter, Esc to leave (%zu of %zu): %s",
               s->message != NULL ? s->message : "", s->message != NULL ? ". " : "", s->n, s->n_all,
               s->typed);
    clean = text_line(&s->st, b.data);
    fit = text_fit(&s->st, clean, (size_t)(s->st.width > 1 ? s->st.width : 1));
    buf_printf(&s->out, "%s\033[K\033[J\033[?25h", fit);
    (void)!file_write_all(s->keys.fd, s->out.data, s->out.len);
    buf_reset(&s->out);
    free(fit);
    free(clean);
    buf_free(&b);
    s->message = NULL;
}

static void move_by(struct screen *s, enum keystroke key)
{
    size_t page = rows_shown(s), last = s->n > 0 ? s->n - 1 : 0;

    if (key == KEY_UP)
        s->at -= s->at > 0;
    else if (key == KEY_DOWN)
        s->at += s->at < last;
    else if (key == KEY_PAGE_UP)
        s->at -= s->at > page ? page : s->at;
    else if (key == KEY_PAGE_DOWN)
        s->at = s->at + page < last ? s->at + page : last;
    else
        s->at = key == KEY_FIRST ? 0 : last;
}

static void type(struct screen *s, enum keystroke key, char c)
{
    size_t n = strlen(s->typed);

    if (key == KEY_CLEAR) {
        s->typed[0] = '\0';
    } else if (key == KEY_TEXT && n < TYPED) {
        s->typed[n] = c;
        s->typed[n + 1] = '\0';
    } else if (key == KEY_ERASE && n > 0) {
        while (n > 1 && ((unsigned char)s->typed[n - 1] & 0xC0) == 0x80)
            n--;
        s->typed[n - 1] = '\0';
    }
    filter(s);
}

/* Return whether something was chosen: then s->at is that. */
static int choose(struct screen *s)
{
    unsigned long long number = 0;

    if (is_number(s)) {
        (void)str_parse_u64(s->typed, &number);
        if (number < 1 || number > s->n) {
            s->message = "there is no row of that number";
            s->typed[0] = '\0';
            filter(s);
            return 0;
        }
        s->at = (size_t)number - 1;
    }
    if (s->n == 0)
        s->message = "nothing matches";
    return s->n > 0;
}

static int converse(struct screen *s, struct ct_err *err)
{
    enum keystroke key;
    char c = '\0';

    filter(s);
    for (;;) {
        draw(s);
        key = keys_read(&s->keys, &c);
        if (key == KEY_LEAVE)
            return err_set(err, ERR_CANCELLED, "nothing was chosen");
        if (key == KEY_ENTER && choose(s))
            return 0;
        if (key == KEY_TEXT || key == KEY_ERASE || key == KEY_CLEAR)
            type(s, key, c);
        else if (key >= KEY_UP && key <= KEY_LAST)
            move_by(s, key);
    }
}

int picker_choose(struct ctx *c, struct json_object *list, char **ret, struct ct_err *err)
{
    char *dot = path_expand("."), *cwd = realpath(dot, NULL);
    struct json_object *sorted = narrow(list, "", cwd != NULL ? cwd : dot);
    struct screen s = {.c = c, .st = c->err, .n_all = json_object_array_length(sorted)};
    int rc;

    free(cwd);
    free(dot);
    if (keys_open(&s.keys, NULL) != 0) {
        json_object_put(sorted);
        return choose_by_lines(c, list, ret, err);
    }
    s.all = str_calloc(s.n_all + 1, sizeof(*s.all));
    s.some = str_calloc(s.n_all + 1, sizeof(*s.some));
    for (size_t i = 0; i < s.n_all; i++) {
        s.all[i].item = json_object_array_get_idx(sorted, i);
        s.all[i].text = text_of(s.all[i].item);
    }
    rc = converse(&s, err);
    keys_close(&s.keys);
    if (rc == 0)
        *ret = str_dup(item_wire_id(item_at(&s, s.at)));
    for (size_t i = 0; i < s.n_all; i++)
        free(s.all[i].text);
    free(s.all);
    free(s.some);
    buf_free(&s.out);
    json_object_put(sorted);
    return rc;
}
