#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/data/jdoc.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "ctctl/cloud/item.h"
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

int picker_choose(struct ctx *c, struct json_object *list, char **ret, struct ct_err *err)
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
