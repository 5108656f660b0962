#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/data/jdoc.h"
#include "common/base/now.h"
#include "common/base/str.h"

#include "ctctl/ui/headline.h"
#include "ctctl/ui/state.h"

int64_t headline_number(const struct json_object *o, const char *key, int64_t otherwise)
{
    struct json_object *v;
    double d;

    if (o == NULL || json_object_get_type(o) != json_type_object ||
        !json_object_object_get_ex(o, key, &v))
        return otherwise;
    if (json_object_get_type(v) == json_type_int)
        return json_object_get_int64(v);
    if (json_object_get_type(v) != json_type_double)
        return otherwise;
    d = json_object_get_double(v);
    return d > -9e18 && d < 9e18 ? (int64_t)d : otherwise;
}

static int64_t count(const struct json_object *sessions, const char *key)
{
    int64_t n = headline_number(sessions, key, 0);

    return n > 0 ? n : 0;
}

/* What belongs to no session is counted with none: is the state of it one of ${words}? */
static int is_profile(const struct json_object *status, const char *const *words)
{
    const char *word = jdoc_str(jdoc_obj(status, "profile"), "upload");

    for (; word != NULL && *words != NULL; words++) {
        if (strcmp(word, *words) == 0)
            return 1;
    }
    return 0;
}

static int is_profile_unsafe(const struct json_object *status)
{
    return is_profile(status, (const char *const[]){"failed", "limit", "too_large", NULL}) ||
           jdoc_bool(jdoc_obj(status, "profile"), "changedSince", 0);
}

static void numbers(const struct json_object *status, struct headline *h, int64_t *failed,
                    int64_t *limit)
{
    const struct json_object *s = jdoc_obj(status, "sessions");

    *failed = count(s, "failed");
    *limit = count(s, "limit");
    h->pending = count(s, "pending");
    h->safe = count(s, "synced"); /* the archived ones are among them */
    h->deleted = count(s, "deletedChanged");
    h->diverged = count(s, "diverged");
    h->total = h->safe + h->pending + *failed + *limit + h->deleted;
    h->pending_bytes = headline_number(s, "pendingBytes", -1);
    h->bytes = headline_number(s, "bytes", -1);
    h->has_profile = jdoc_str(jdoc_obj(status, "profile"), "savedAt") != NULL;
    h->awaits_profile = is_profile(status, (const char *const[]){"pending", "uploading", NULL});
    h->is_loopback = jdoc_bool(jdoc_obj(status, "server"), "isLoopback", 0);
}

/* "12 of 42 sessions", "all 42 sessions", "the only session". */
static char *some(int64_t n, int64_t total)
{
    if (total == 1)
        return str_dup("the only session");
    if (n == total)
        return str_printf("all %" PRId64 " sessions", total);
    return str_printf("%" PRId64 " of %" PRId64 " sessions", n, total);
}

static void capital(char *s)
{
    if (s[0] >= 'a' && s[0] <= 'z')
        s[0] = (char)(s[0] - 'a' + 'A');
}

/* What lies on this very machine is never called safe. */
static const char *safe_word(const struct headline *h)
{
    return h->is_loopback ? "saved, on " STATE_HERE_ONLY : "safe";
}

static const char *is_or_are(int64_t n)
{
    return n == 1 ? "is" : "are";
}

static void add_left(struct buf *b, const struct headline *h, const struct json_object *status)
{
    int64_t s = headline_number(jdoc_obj(status, "sessions"), "secondsLeft", -1);
    char t[64];

    if (h->pending_bytes > 0)
        buf_printf(b, ": %s left",
                   str_human_bytes((unsigned long long)h->pending_bytes, t, sizeof(t)));
    if (h->pending_bytes > 0 && s >= 0)
        buf_printf(b, ", about %s", str_human_duration(s > 0 ? s : 1, t, sizeof(t)));
}

static void add_waiting(struct buf *b, const struct headline *h)
{
    char t[64];

    if (h->pending_bytes > 0)
        buf_printf(b, " (%s)", str_human_bytes((unsigned long long)h->pending_bytes, t, sizeof(t)));
}

static void say_failed(struct buf *b, const struct headline *h, int64_t failed, int64_t limit)
{
    char *who = some(failed > 0 ? failed : limit, h->total);

    buf_printf(b, "NOT SAFE: %s ", who);
    if (failed > 0)
        buf_addstr(b, "could not be saved");
    if (failed > 0 && limit > 0)
        buf_printf(b, ", %" PRId64 " more %s over the plan's limit", limit, is_or_are(limit));
    else if (limit > 0)
        buf_printf(b, "%s over the plan's limit", is_or_are(h->total == 1 ? 1 : limit));
    free(who);
}

static void say_untaken(struct buf *b, int64_t n)
{
    buf_printf(b, "NOT SAFE: %" PRId64 " file%s or folder%s of sessions can't be saved", n,
               n == 1 ? "" : "s", n == 1 ? "" : "s");
}

static void say_deleted(struct buf *b, const struct headline *h)
{
    char *who = some(h->deleted, h->total);

    buf_printf(b, "NOT SAFE: %s %s deleted elsewhere, and changed here since", who,
               h->deleted == 1 ? "was" : "were");
    free(who);
}

static void say_paused(struct buf *b, const struct text_style *st, const struct headline *h,
                       const struct json_object *status)
{
    const char *until = jdoc_str(jdoc_obj(status, "daemon"), "pausedUntil");
    char *who = some(h->pending > 0 ? h->pending : h->total, h->total);
    int64_t t;
    char ago[64];

    buf_addstr(b, "Paused");
    if (until != NULL && now_parse_rfc3339(until, &t) == 0 && t > st->now_ms)
        buf_printf(b, " (goes on %s)", text_ago(st, t, ago, sizeof(ago)));
    if (h->pending > 0) {
        buf_printf(b, ": %s %s", who, h->pending == 1 ? "waits" : "wait");
        add_waiting(b, h);
    } else if (h->total > 0) {
        buf_printf(b, ": %s %s %s, new changes wait", who, is_or_are(h->total), safe_word(h));
    }
    buf_addstr(b, ". To go on: ctctl resume");
    free(who);
}

static void say_offline(struct buf *b, const struct headline *h)
{
    char *who = some(h->pending > 0 ? h->pending : h->total, h->total);

    if (h->pending > 0) {
        buf_printf(b, "Offline: %s %s for the server", who, h->pending == 1 ? "waits" : "wait");
        add_waiting(b, h);
    } else if (h->total > 0) {
        buf_printf(b, "Offline: %s %s %s so far, new changes will wait for the server", who,
                   is_or_are(h->total), safe_word(h));
    } else {
        buf_addstr(b, "Offline: the server can't be reached");
    }
    free(who);
}

/* What waits for somebody is not on its way. */
static void say_held(struct buf *b, const struct headline *h)
{
    char *who = some(h->pending, h->total);

    buf_printf(b, "NOT SAFE: %s %s until this is mended", who, h->pending == 1 ? "waits" : "wait");
    add_waiting(b, h);
    free(who);
}

static void say_pending(struct buf *b, const struct headline *h, const struct json_object *status)
{
    if (h->total == 1)
        buf_addstr(b, "The only session is on its way");
    else if (h->safe == 0)
        buf_printf(b, "None of %" PRId64 " sessions saved yet, %" PRId64 " on their way", h->total,
                   h->pending);
    else
        buf_printf(b, "%" PRId64 " of %" PRId64 " sessions %s, %" PRId64 " on %s way", h->safe,
                   h->total, safe_word(h), h->pending, h->pending == 1 ? "its" : "their");
    add_left(b, h, status);
}

static void say_none(struct buf *b, struct headline *h, const struct json_object *status,
                     int is_degraded)
{
    const struct json_object *s = jdoc_obj(status, "sessions");
    int64_t deleted = count(s, "deleted"), excluded = count(s, "excluded");

    if (jdoc_str(jdoc_obj(status, "watch"), "lastScanAt") == NULL) {
        h->mood = HEADLINE_BUSY;
        buf_addstr(b, "Looking for sessions");
    } else if (is_degraded) {
        h->mood = HEADLINE_CARE;
        buf_addstr(b, "No sessions yet, and something needs a look");
    } else if (deleted > 0) {
        h->mood = HEADLINE_GOOD;
        buf_printf(b, "Nothing to save: %" PRId64 " deleted in the cloud by another machine",
                   deleted);
        if (excluded > 0)
            buf_printf(b, ", %" PRId64 " excluded", excluded);
    } else if (h->has_profile && h->is_loopback) {
        h->mood = HEADLINE_CARE;
        buf_addstr(b, "No sessions yet; what belongs to none is saved, on " STATE_HERE_ONLY);
    } else if (h->has_profile) {
        h->mood = HEADLINE_GOOD;
        buf_addstr(b, "No sessions yet; what belongs to none is safe");
    } else {
        h->mood = HEADLINE_GOOD;
        buf_addstr(b, "No sessions yet, so there is nothing to save");
    }
}

static void say_done(struct buf *b, const struct text_style *st, struct headline *h,
                     const struct json_object *status, int is_degraded)
{
    const char *at = jdoc_str(jdoc_obj(status, "sessions"), "lastConfirmedAt");
    char *who = some(h->total, h->total);
    char ago[64];

    if (h->is_loopback) {
        h->mood = HEADLINE_CARE;
        buf_addstr(b, "Saved, but on this machine only (the server is on it): "
                      "a lost disk loses it all");
        if (h->diverged > 0)
            buf_printf(b, "; and %" PRId64 " went on in two places", h->diverged);
    } else {
        h->mood = is_degraded || h->diverged > 0 ? HEADLINE_CARE : HEADLINE_GOOD;
        capital(who);
        buf_printf(b, "%s %s safe", who, is_or_are(h->total));
        if (h->diverged > 0)
            buf_printf(b, ", but %" PRId64 " went on in two places", h->diverged);
        if (at != NULL)
            buf_printf(b, " (last change saved %s)", text_ago_of(st, at, ago, sizeof(ago)));
        if (is_degraded)
            buf_printf(b, ", %s something needs a look", h->diverged > 0 ? "and" : "but");
    }
    free(who);
}

/* What is there of it is as safe as it can be; or it is getting there by itself; or it is not. */
static enum headline_verdict judge(const struct headline *h, const struct json_object *status,
                                   int is_held)
{
    if (h->mood == HEADLINE_BAD || (is_held && (h->pending > 0 || h->awaits_profile)))
        return HEADLINE_NOT_SAFE;
    if (h->pending > 0 || h->awaits_profile ||
        (h->total == 0 && jdoc_str(jdoc_obj(status, "watch"), "lastScanAt") == NULL))
        return HEADLINE_ON_ITS_WAY;
    if (h->is_loopback && (h->total > 0 || h->has_profile))
        return HEADLINE_NOT_SAFE;
    return h->diverged > 0 ? HEADLINE_APART : HEADLINE_SAFE;
}

void headline_line(const struct headline *h, struct buf *b)
{
    int64_t waiting = h->pending + h->awaits_profile;

    if (h->verdict == HEADLINE_SAFE && h->total == 0 && !h->has_profile)
        buf_addstr(b, "nothing to save");
    else if (h->verdict == HEADLINE_SAFE)
        buf_addstr(b, "safe");
    else if (h->verdict == HEADLINE_APART)
        buf_printf(b, "safe, %" PRId64 " diverged", h->diverged);
    else if (h->verdict == HEADLINE_ON_ITS_WAY && waiting > 0)
        buf_printf(b, "%" PRId64 " waiting", waiting);
    else if (h->verdict == HEADLINE_ON_ITS_WAY)
        buf_addstr(b, "looking");
    else if (h->mood == HEADLINE_BAD || waiting > 0)
        buf_addstr(b, "NOT SAFE");
    else
        buf_addstr(b, "this machine only");
}

void headline_make(const struct text_style *st, const struct json_object *status,
                   struct headline *ret)
{
    const struct json_object *daemon = jdoc_obj(status, "daemon");
    const char *state = jdoc_str(daemon, "state");
    struct buf b = {0};
    int64_t failed, limit, untaken = count(jdoc_obj(status, "watch"), "untaken");
    int is_held;

    memset(ret, 0, sizeof(*ret));
    if (state == NULL)
        state = "";
    numbers(status, ret, &failed, &limit);
    ret->mood = HEADLINE_BAD;
    /* A fault that somebody has to mend, says the daemon; all else ends by itself. */
    is_held = strcmp(state, "degraded") == 0 && jdoc_has(daemon, "cure");
    if (strcmp(state, "auth_required") == 0 && jdoc_has(daemon, "stateReason") &&
        !jdoc_has(daemon, "cure")) {
        /* Logged in or not: something else stands in the way, and the reason says what. */
        buf_addstr(&b, "NOT SAFE: the log-in can't be used");
    } else if (strcmp(state, "auth_required") == 0) {
        buf_addstr(&b, "NOT SAFE: not logged in. Run: ctctl login");
    } else if (strcmp(state, "account_changed") == 0) {
        buf_addstr(&b, "NOT SAFE: the account or the server has changed, and nothing goes there "
                       "before you say so. Run: ctctl login");
    } else if (failed + limit > 0) {
        say_failed(&b, ret, failed, limit);
    } else if (ret->deleted > 0) {
        say_deleted(&b, ret);
    } else if (is_profile_unsafe(status)) {
        buf_addstr(&b, "NOT SAFE: what belongs to no session could not be saved");
    } else if (untaken > 0) {
        say_untaken(&b, untaken);
    } else if (strcmp(state, "paused") == 0) {
        ret->mood = HEADLINE_CARE;
        say_paused(&b, st, ret, status);
    } else if (strcmp(state, "offline") == 0) {
        ret->mood = HEADLINE_CARE;
        say_offline(&b, ret);
    } else if (ret->pending > 0 && is_held) {
        say_held(&b, ret);
    } else if (ret->pending > 0) {
        ret->mood = HEADLINE_BUSY;
        say_pending(&b, ret, status);
    } else if (ret->awaits_profile && is_held) {
        buf_addstr(&b, "NOT SAFE: what belongs to no session waits until this is mended");
    } else if (ret->awaits_profile) {
        ret->mood = HEADLINE_BUSY;
        buf_addstr(&b, "What belongs to no session is on its way");
    } else if (ret->total == 0 && is_held) {
        buf_addstr(&b, "NOT SAFE: nothing can be saved for now");
    } else if (ret->total == 0) {
        say_none(&b, ret, status, strcmp(state, "degraded") == 0);
    } else {
        say_done(&b, st, ret, status, strcmp(state, "degraded") == 0);
    }
    ret->sentence = buf_steal(&b);
    ret->verdict = judge(ret, status, is_held);
}

void headline_clear(struct headline *h)
{
    free(h->sentence);
    h->sentence = NULL;
}
