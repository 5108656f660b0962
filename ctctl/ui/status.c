#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/data/jdoc.h"
#include "common/base/str.h"
#include "ctctl/ui/headline.h"
#include "ctctl/ui/not_saved.h"
#include "ctctl/ui/state.h"
#include "ctctl/ui/folder.h"

#include "ctctl/ui/status.h"

#define LABEL "%-9s "
#define INDENT "            " /* below what follows a label */
#define MAX_PROBLEMS 8
#define MAX_UPLOADS 4
#define MOST_GOING 5 /* sessions that the agent removes soon are named */
#define TITLE_COLUMNS 50
#define NARROW 60 /* columns: no room for labels beside their text */

/* ---- the headline -----------------------------------------------------------------------------
 */

static void sign(const struct text_style *st, enum headline_mood mood, const char **ret_sign,
                 enum text_colour *ret_colour)
{
    static const char *const utf8[] = {"\xE2\x9C\x94 ", "\xE2\x86\xBB ", "! ", "\xE2\x9C\x98 "};
    static const char *const ascii[] = {"[ok] ", "[..] ", "[!] ", "[!!] "};
    static const enum text_colour colours[] = {TEXT_GREEN, TEXT_CYAN, TEXT_YELLOW, TEXT_RED};

    *ret_sign = st->is_utf8 ? utf8[mood] : ascii[mood];
    *ret_colour = colours[mood];
}

static void add_bar(struct buf *b, const struct text_style *st, const struct headline *h)
{
    const char *full = st->is_utf8 ? "\xE2\x96\x88" : "#";
    const char *rest = st->is_utf8 ? "\xE2\x96\x91" : "-";
    int64_t all = h->total, done = h->safe;
    int columns = st->width > 0 && st->width < 62 ? st->width - 12 : 50;
    int filled, percent;

    if (!st->is_terminal || h->pending == 0 || columns < 5)
        return;
    if (h->bytes > 0 && h->pending_bytes >= 0 && h->pending_bytes <= h->bytes) {
        all = h->bytes;
        done = h->bytes - h->pending_bytes;
    }
    filled = (int)((double)done / (double)all * columns);
    percent = (int)((double)done / (double)all * 100);
    buf_addstr(b, "  ");
    for (int i = 0; i < columns; i++)
        text_add(b, st, i < filled ? TEXT_CYAN : TEXT_DIM, i < filled ? full : rest);
    buf_printf(b, " %3d %%\n", percent);
}

/* Why it is so, and the cure, unless the headline has said it. */
static void add_reason(struct buf *b, const struct text_style *st, const struct headline *h,
                       const struct json_object *daemon)
{
    const char *state = jdoc_str(daemon, "state");
    char *why = text_clean(st, jdoc_str(daemon, "stateReason"));
    char *cure = text_clean(st, jdoc_str(daemon, "cure"));

    /* Who paused it knows. */
    if (why[0] != '\0' && state != NULL && strcmp(state, "paused") != 0)
        text_wrap(b, st, TEXT_PLAIN, "  ", "  ", why);
    if (cure[0] != '\0' && strstr(h->sentence, cure) == NULL && strstr(why, cure) == NULL)
        text_wrap(b, st, TEXT_BOLD, "  What to do: ", "    ", cure);
    free(why);
    free(cure);
}

static void add_headline(struct buf *b, const struct text_style *st, const struct headline *h,
                         const struct json_object *status)
{
    enum text_colour colour;
    const char *s;
    char *first, *rest;

    sign(st, h->mood, &s, &colour);
    first = str_dup(s);
    rest = str_printf("%*s", (int)text_columns(s), "");
    text_wrap(b, st, colour, first, rest, h->sentence);
    add_bar(b, st, h);
    add_reason(b, st, h, jdoc_obj(status, "daemon"));
    free(first);
    free(rest);
}

/* ---- the lines below it -----------------------------------------------------------------------
 */

static void row(struct buf *b, const struct text_style *st, const char *label, const char *text)
{
    char *clean = text_clean(st, text);
    char *first = st->width > 0 && st->width < NARROW ? str_printf("  %s: ", label)
                                                      : str_printf("  " LABEL, label);

    if (clean[0] != '\0')
        text_wrap(b, st, TEXT_PLAIN, first, st->width > 0 && st->width < NARROW ? "    " : INDENT,
                  clean);
    free(first);
    free(clean);
}

static void account_row(struct buf *b, const struct text_style *st,
                        const struct json_object *account)
{
    const char *email = jdoc_str(account, "email"), *plan = jdoc_str(account, "plan");
    const char *device = jdoc_str(account, "deviceName");
    struct buf text = {0};

    if (email == NULL || email[0] == '\0')
        return;
    buf_addstr(&text, email);
    if (plan != NULL && plan[0] != '\0')
        buf_printf(&text, " (%s)", plan);
    if (device != NULL && device[0] != '\0')
        buf_printf(&text, ", this machine is %s", device);
    row(b, st, "Account", text.data);
    buf_free(&text);
}

static void server_row(struct buf *b, const struct text_style *st, const struct json_object *server,
                       int is_logged_in)
{
    const char *url = jdoc_str(server, "apiUrl");
    const char *contact = jdoc_str(server, "lastContactAt");
    int reachable = jdoc_bool(server, "reachable", 0);
    struct buf text = {0};
    char ago[64];

    if (url == NULL || url[0] == '\0')
        return;
    buf_addstr(&text, url);
    if (contact == NULL)
        buf_addstr(&text, reachable || !is_logged_in ? "" : ", not reached yet");
    else if (reachable)
        buf_printf(&text, ", reached %s", text_ago_of(st, contact, ago, sizeof(ago)));
    else
        buf_printf(&text, ", %slast contact %s", is_logged_in ? "can't be reached, " : "",
                   text_ago_of(st, contact, ago, sizeof(ago)));
    row(b, st, "Server", text.data);
    buf_free(&text);
}

static void watch_row(struct buf *b, const struct text_style *st, const struct json_object *watch)
{
    struct json_object *roots = jdoc_array(watch, "roots");
    const char *backend = jdoc_str(watch, "backend");
    int64_t watches = headline_number(watch, "watches", -1);
    size_t n = roots != NULL ? json_object_array_length(roots) : 0;
    struct buf text = {0};

    for (size_t i = 0; i < n; i++) {
        struct json_object *r = json_object_array_get_idx(roots, i);
        char *path;
        /* A root is a path, or tells its path. */
        const char *s = json_object_get_type(r) == json_type_string ? json_object_get_string(r)
                                                                    : jdoc_str(r, "path");
        if (s == NULL)
            continue;
        path = folder_short(s);
        buf_printf(&text, "%s%s", text.len > 0 ? ", " : "", path);
        free(path);
    }
    if (text.len == 0)
        return;
    if (watches >= 0)
        buf_printf(&text, ": %" PRId64 " %s", watches, watches == 1 ? "directory" : "directories");
    if (backend != NULL)
        buf_printf(&text, " by %s", backend);
    row(b, st, "Watching", text.data);
    buf_free(&text);
}

/* What all of them come to: parts that add up, and in brackets what is true of those saved, too. */
static void sessions_row(struct buf *b, const struct text_style *st, const struct headline *h,
                         const struct json_object *s)
{
    static const char *const parts[] = {"pending", "deleted", "failed", "limit", "excluded"};
    static const char *const of_saved[] = {"archived", "behind", "diverged", "rewritten"};
    struct buf text = {0}, more = {0};
    int64_t n, all = h->total - h->deleted + headline_number(s, "deleted", 0) +
                     headline_number(s, "excluded", 0);

    for (size_t i = 0; i < sizeof(of_saved) / sizeof(of_saved[0]); i++) {
        const struct state_word *w = state_find(of_saved[i]);
        if ((n = headline_number(s, of_saved[i], 0)) > 0)
            buf_printf(&more, "%s%" PRId64 " %s", more.len > 0 ? ", " : " (", n,
                       w != NULL ? w->word : of_saved[i]);
    }
    if (more.len > 0)
        buf_addc(&more, ')');
    if (all > h->safe)
        buf_printf(&text, "%" PRId64 ": ", all);
    buf_printf(&text, "%" PRId64 " %s", h->safe, h->is_loopback ? "on " STATE_HERE_ONLY : "safe");
    buf_add(&text, more.data, more.len);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if ((n = headline_number(s, parts[i], 0)) > 0)
            buf_printf(&text, ", %" PRId64 " %s", n,
                       strcmp(parts[i], "limit") == 0 ? "over the plan's limit"
                                                      : state_find(parts[i])->word);
    }
    row(b, st, "Sessions", text.data);
    buf_free(&text);
    buf_free(&more);
}

/* Nothing for those who have nothing to do with it. */
static void encryption_row(struct buf *b, const struct text_style *st,
                           const struct json_object *encryption)
{
    const char *state = jdoc_str(encryption, "state"), *key = jdoc_str(encryption, "keyId");
    const char *notice = jdoc_str(encryption, "notice"), *cure = jdoc_str(encryption, "noticeCure");
    struct buf text = {0};

    if (state == NULL || strcmp(state, "plain") == 0)
        return;
    if (strcmp(state, "sealing") == 0)
        buf_printf(&text, "on, with key %.8s: %" PRId64 " sealed", key != NULL ? key : "",
                   headline_number(encryption, "sealed", 0));
    else if (strcmp(state, "off") == 0)
        buf_addstr(&text, "off, as the configuration says");
    else
        buf_addstr(&text, "nothing is uploaded, see above");
    if (notice != NULL)
        buf_printf(&text, "; %s%s%s", notice, cure != NULL ? ": " : "", cure != NULL ? cure : "");
    row(b, st, "Sealing", text.data);
    buf_free(&text);
}

/* Said where there is something only. */
static void not_saved_row(struct buf *b, const struct text_style *st,
                          const struct json_object *status)
{
    char *text = not_saved_text(jdoc_array(status, "notSaved"), NULL, NULL);

    if (text != NULL)
        row(b, st, "Not saved", text);
    free(text);
}

/* What of that is not saved although it may be: the first of it, and why. */
static void profile_held(struct buf *text, const struct json_object *profile)
{
    struct json_object *list = jdoc_array(profile, "notSaved"), *first;
    size_t n = list != NULL ? json_object_array_length(list) : 0;

    if (n == 0)
        return;
    first = json_object_array_get_idx(list, 0);
    buf_printf(text, "saved, but for %s%s", n == 1 ? "" : "such as ", jdoc_str(first, "path"));
    if (n > 1)
        buf_printf(text, " (%zu in all)", n);
    buf_printf(text, ": %s", jdoc_str(first, "reason"));
}

/* What belongs to no session; nothing where all of it is saved, or is not to be. */
static void profile_row(struct buf *b, const struct text_style *st,
                        const struct json_object *status)
{
    const struct json_object *profile = jdoc_obj(status, "profile");
    const char *state = jdoc_str(profile, "state"), *upload = jdoc_str(profile, "upload");
    int64_t files = headline_number(status, "profileFiles", 0);
    struct buf text = {0};

    if (state == NULL)
        return;
    if (strcmp(state, "on") == 0 && upload != NULL &&
        (strcmp(upload, "deleted") == 0 || strcmp(upload, "excluded") == 0))
        buf_addstr(&text, jdoc_str(profile, "reason"));
    else if (strcmp(state, "on") == 0)
        profile_held(&text, profile);
    else if (files > 0 && (strcmp(state, "unsaid") == 0 || strcmp(state, "unknown-to-server") == 0))
        buf_printf(&text, "%" PRId64 " file%s that belong%s to no session %s not saved: %s", files,
                   files == 1 ? "" : "s", files == 1 ? "s" : "", files == 1 ? "is" : "are",
                   strcmp(state, "unsaid") == 0 ? "say profile = true (or false) in "
                                                  "codeteleportd.conf and reload it"
                                                : "this server does not take such things");
    if (text.len > 0)
        row(b, st, "Profile", text.data);
    buf_free(&text);
}

/* Which sessions the agent removes within days, and whether they are safe. */
static void cleanup_row(struct buf *b, const struct text_style *st, const struct json_object *o)
{
    struct json_object *list = jdoc_array(o, "soonest");
    size_t shown = list != NULL ? json_object_array_length(list) : 0;
    int64_t n = headline_number(o, "sessions", 0), bad = headline_number(o, "notSafe", 0);
    struct buf text = {0};
    char id[9], ago[64];

    if (n == 0)
        return;
    buf_printf(&text, "%" PRId64 " session%s removed here within %" PRId64 " days, ", n,
               n == 1 ? " is" : "s are", headline_number(o, "withinDays", 0));
    if (bad == 0)
        buf_printf(&text, "%s safe (then: ctctl list --archived)", n == 1 ? "and is" : "all are");
    else
        buf_printf(&text, "%" PRId64 " of them NOT safe", bad);
    for (size_t i = 0; i < shown && i < MOST_GOING; i++) {
        const struct json_object *s = json_object_array_get_idx(list, i);
        const char *word = jdoc_str(s, "state");
        const struct state_word *known = word != NULL ? state_find(word) : NULL;
        buf_printf(&text, "%s %s %s, %s", i == 0 ? ":" : ";",
                   text_short_id(jdoc_str(s, "sessionId"), id),
                   text_ago_of(st, jdoc_str(s, "goesAt"), ago, sizeof(ago)),
                   known != NULL ? known->word : "");
    }
    if (n > (int64_t)shown || shown > MOST_GOING)
        buf_addstr(&text, "; ...");
    row(b, st, "Clean-up", text.data);
    buf_free(&text);
}

/* The later of two times as the daemon writes them; either may be NULL. */
static const char *later(const char *a, const char *b)
{
    return a == NULL || (b != NULL && strcmp(a, b) < 0) ? b : a;
}

static void saved_row(struct buf *b, const struct text_style *st, const struct json_object *status)
{
    const char *saved = later(jdoc_str(jdoc_obj(status, "sessions"), "lastConfirmedAt"),
                              jdoc_str(jdoc_obj(status, "profile"), "savedAt"));
    const char *scan = jdoc_str(jdoc_obj(status, "watch"), "lastScanAt");
    struct buf text = {0};
    char ago[64];

    buf_printf(&text, "%s", text_ago_of(st, saved, ago, sizeof(ago)));
    if (scan != NULL)
        buf_printf(&text, "; all looked through %s", text_ago_of(st, scan, ago, sizeof(ago)));
    row(b, st, "Last save", text.data);
    buf_free(&text);
}

static void daemon_row(struct buf *b, const struct text_style *st, const struct json_object *daemon)
{
    const char *version = jdoc_str(daemon, "version");
    int64_t up = headline_number(daemon, "uptimeSeconds", -1);
    int64_t pid = headline_number(daemon, "pid", -1);
    struct buf text = {0};
    char t[64];

    if (version != NULL)
        buf_printf(&text, "version %s", version);
    if (up >= 0)
        buf_printf(&text, "%srunning for %s", text.len > 0 ? ", " : "",
                   str_human_duration(up, t, sizeof(t)));
    if (pid > 0)
        buf_printf(&text, "%spid %" PRId64, text.len > 0 ? ", " : "", pid);
    if (text.len > 0)
        row(b, st, "Daemon", text.data);
    buf_free(&text);
}

/* Said where something is missing only. */
static void sandbox_row(struct buf *b, const struct text_style *st,
                        const struct json_object *sandbox)
{
    const char *mode = jdoc_str(sandbox, "mode"), *why = jdoc_str(sandbox, "why");
    int64_t abi = headline_number(sandbox, "landlock", 0);
    struct buf text = {0};

    if (why == NULL)
        return;
    if (abi > 0)
        buf_printf(&text, "Landlock ABI %" PRId64 "; %s", abi, why);
    else
        buf_printf(&text, "%s; %s", mode != NULL && strcmp(mode, "off") == 0 ? "off" : "none", why);
    row(b, st, "Sandbox", text.data);
    buf_free(&text);
}

static void upload_rows(struct buf *b, const struct text_style *st, struct json_object *uploads)
{
    size_t n = uploads != NULL ? json_object_array_length(uploads) : 0;

    for (size_t i = 0; i < n && i < MAX_UPLOADS; i++) {
        const struct json_object *u = json_object_array_get_idx(uploads, i);
        const char *title = jdoc_str(u, "title"), *id = jdoc_str(u, "sessionId");
        int64_t sent = headline_number(u, "sentBytes", 0),
                size = headline_number(u, "sizeBytes", 0);
        char s1[32], s2[32], short_id[9], *text, *clean = text_line(st, title);
        char *fit = text_fit(st, clean, TITLE_COLUMNS);
        text = str_printf("%s %s: %s of %s", text_short_id(id, short_id), fit,
                          str_human_bytes(sent > 0 ? (unsigned long long)sent : 0, s1, sizeof(s1)),
                          str_human_bytes(size > 0 ? (unsigned long long)size : 0, s2, sizeof(s2)));
        row(b, st, "Uploading", text);
        free(text);
        free(fit);
        free(clean);
    }
}

/* ---- problems ---------------------------------------------------------------------------------
 */

static void problem(struct buf *b, const struct text_style *st, const char *what, const char *why,
                    const char *cure)
{
    char *w = text_clean(st, what), *y = text_clean(st, why), *c = text_clean(st, cure);

    text_wrap(b, st, TEXT_YELLOW, st->is_utf8 ? "  \xE2\x80\xA2 " : "  * ", "    ",
              w[0] != '\0' ? w : y);
    if (w[0] != '\0' && y[0] != '\0')
        text_wrap(b, st, TEXT_PLAIN, "    ", "    ", y);
    if (c[0] != '\0')
        text_wrap(b, st, TEXT_BOLD, "    What to do: ", "      ", c);
    free(w);
    free(y);
    free(c);
}

/* A session or a path that is not in the sentence is put in front of it. */
static char *what_of(const struct json_object *p)
{
    const char *what = jdoc_str(p, "what"), *id = jdoc_str(p, "sessionId");
    const char *path = jdoc_str(p, "path");
    char short_id[9];

    if (what == NULL)
        what = "";
    if (id != NULL && strstr(what, text_short_id(id, short_id)) == NULL)
        return str_printf("%s %s", short_id, what);
    if (path != NULL && strstr(what, path) == NULL)
        return str_printf("%s: %s", what, path);
    return str_dup(what);
}

static int is_said(const struct json_object *p, const struct json_object *daemon)
{
    const char *why = jdoc_str(p, "why"), *reason = jdoc_str(daemon, "stateReason");

    return why != NULL && reason != NULL && strcmp(why, reason) == 0;
}

/* A path that is polled may be a problem of its own already. */
static int is_listed(struct json_object *problems, const struct json_object *polled)
{
    const char *path = jdoc_str(polled, "path");
    size_t n = problems != NULL && path != NULL ? json_object_array_length(problems) : 0;

    for (size_t i = 0; i < n; i++) {
        const char *p = jdoc_str(json_object_array_get_idx(problems, i), "path");
        if (p != NULL && strcmp(p, path) == 0)
            return 1;
    }
    return 0;
}

static void add_problems(struct buf *b, const struct text_style *st,
                         const struct json_object *status)
{
    struct json_object *list = jdoc_array(status, "problems");
    struct json_object *polled = jdoc_array(jdoc_obj(status, "watch"), "degraded");
    size_t n = list != NULL ? json_object_array_length(list) : 0;
    size_t m = polled != NULL ? json_object_array_length(polled) : 0;
    size_t shown = 0, rest = 0;
    struct buf text = {0};

    for (size_t i = 0; i < n + m; i++) {
        const struct json_object *p =
            i < n ? json_object_array_get_idx(list, i) : json_object_array_get_idx(polled, i - n);
        char *what;
        if (i < n ? is_said(p, jdoc_obj(status, "daemon")) : is_listed(list, p))
            continue;
        if (shown >= MAX_PROBLEMS) {
            rest++;
            continue;
        }
        what = i < n ? what_of(p)
                     : str_printf("polled instead of watched: %s",
                                  jdoc_str(p, "path") != NULL ? jdoc_str(p, "path") : "a folder");
        problem(&text, st, what, jdoc_str(p, i < n ? "why" : "reason"), jdoc_str(p, "cure"));
        free(what);
        shown++;
    }
    if (shown > 0) {
        buf_addc(b, '\n');
        text_add(b, st, TEXT_BOLD, "Problems");
        buf_addc(b, '\n');
        buf_add(b, text.data, text.len);
    }
    if (rest > 0) {
        buf_reset(&text);
        buf_printf(&text, "and %zu more: ctctl list, ctctl status --json", rest);
        text_wrap(b, st, TEXT_PLAIN, "  ", "  ", text.data);
    }
    buf_free(&text);
}

void status_render(const struct text_style *st, const struct json_object *o, struct buf *b)
{
    const char *state = jdoc_str(jdoc_obj(o, "daemon"), "state");
    struct headline h;

    headline_make(st, o, &h);
    add_headline(b, st, &h, o);
    buf_addc(b, '\n');
    upload_rows(b, st, jdoc_array(o, "uploads"));
    if (h.total + headline_number(jdoc_obj(o, "sessions"), "excluded", 0) > 0)
        sessions_row(b, st, &h, jdoc_obj(o, "sessions"));
    encryption_row(b, st, jdoc_obj(o, "encryption"));
    saved_row(b, st, o);
    not_saved_row(b, st, o);
    profile_row(b, st, o);
    cleanup_row(b, st, jdoc_obj(o, "cleanup"));
    watch_row(b, st, jdoc_obj(o, "watch"));
    account_row(b, st, jdoc_obj(o, "account"));
    server_row(b, st, jdoc_obj(o, "server"), state == NULL || strcmp(state, "auth_required") != 0);
    daemon_row(b, st, jdoc_obj(o, "daemon"));
    sandbox_row(b, st, jdoc_obj(o, "sandbox"));
    add_problems(b, st, o);
    headline_clear(&h);
}
