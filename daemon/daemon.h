#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include <sys/queue.h>

#include <stdatomic.h>
#include <stdint.h>

#include "agents/agent.h"
#include "common/config/account.h"
#include "common/base/buf.h"
#include "common/config/config.h"
#include "common/config/cred.h"
#include "common/base/map.h"
#include "common/sys/worker.h"
#include "daemon/session/rules.h"
#include "daemon/session/sessions.h"
#include "daemon/account/books.h"
#include "ipc/ipc.h"
#include "net/http.h"
#include "watcher/watcher.h"

/*
 * What the files of this room share.  The daemon is one event loop and one worker thread;
 * everything here belongs to the loop.  The README of each folder says what its files do.
 */

/* A watched folder. */
struct root_view {
    int is_there;
    int64_t scans;             /* full scans that ended since the account was opened */
    int is_scanning;           /* a full scan is under way: */
    struct buf seen;           /* hashes (uint64_t) of the paths that were there */
    struct strlist unreadable; /* during a full scan: folders that could not be read */
};

struct confine;
struct job;
struct leak_rules;
struct login_view;
struct network;
struct cloud;
struct sealing;
struct metered;
struct allowance;
struct bundler;
struct waiters;
struct whereabouts;
struct cleanup;
struct headlook;
struct pause;
struct restart;
struct room;
struct suspend;
struct life;
struct notify;

struct daemon {
    struct event_base *base;
    struct config *config;
    char *config_path; /* as given, or NULL */
    int is_once;
    int is_verbose;
    int is_stopping;
    int is_ready; /* the service manager was told */
    int exit_status;
    int has_given_up;   /* and the exit status stays */
    int64_t started_ms; /* wall clock */

    struct confine *confine; /* NULL until the sandbox has closed */
    struct restart *restart;

    struct cleanup *cleanup;     /* what the agent removes by itself */
    struct gathering *gathering; /* from agents whose sessions are no files */
    struct rules *rules;         /* folders whose sessions stay here */
    struct life *life;           /* signals and timers of daemon.c */
    struct notify *notify;       /* NULL: --once */
    struct worker *worker;
    struct worker *second; /* NULL until a long queue wants it (bundler.c) */
    struct watcher *watcher;
    struct ipc_server *ipc;
    struct http_engine *engine;
    struct network *network;
    struct metered *metered; /* NULL: the configuration does not ask */
    int is_metered;
    char device_id[UUID_SIZE]; /* this device's; "" if it can't be read */

    /* The account, and the books that are its own. */
    struct login_view *login;
    struct cloud *cloud;
    struct allowance *allowance;
    struct sealing *sealing;
    int is_resealing; /* the worker seals a bundle of the queue */
    struct event *reseal_timer;
    struct books *books;  /* NULL while no account is known */
    uint64_t generation;  /* grows when books are opened or closed: what began before is void */
    struct event *damage; /* the database in use is damaged */
    int64_t damaged_ms;   /* when one was set aside last (monotonic clock), 0: never */

    /* Sessions on their way. */
    struct sessions *sessions;
    struct leak_rules *leak_rules; /* NULL: nobody asks for credentials in what leaves */
    struct bundler *bundler;
    struct headlook *headlook;
    struct waiters *waiters;
    struct root_view *roots; /* one for each root of the configuration */
    uint64_t seen_seed;      /* of the hashes in seen */
    unsigned terms_seq;      /* how often what decides on what may go has changed */
    struct strlist clashes;  /* sessions whose id is another agent's too: id, agent, id, ... */
    struct map *live;        /* file of a running process -> the id of its session (owned) */
    struct whereabouts *whereabouts; /* the workers' own (session/whereabouts.h) */

    struct pause *pause;
    struct suspend *suspend; /* NULL: --once */
    struct room *room;       /* for bundles */

    int64_t last_contact_ms;   /* wall clock, when the server last said whose token this is */
    int64_t bundles;           /* made since the start */
    int64_t bytes_read;        /* from data folders since the start */
    int64_t progress_since_ms; /* when the present wave of work began, monotonic */
    int64_t progress_done_bytes;
};

/* ---- daemon.c -----------------------------------------------------------------------------------
 */

/**
 * daemon_run(config, config_path, is_once):
 * Run until a signal or, ${is_once}, until all is synced.  ${is_verbose}: the log level
 * of the configuration does not count.  Owns ${config}.  Return the exit status.
 */
int daemon_run(struct config *config, const char *config_path, int is_once, int is_verbose);

/**
 * daemon_stop(d):
 * Begin to stop; a second call does not wait for transfers.
 */
void daemon_stop(struct daemon *d);

/**
 * daemon_give_up(d, status):
 * Stop, with that exit status: only a person can mend it.
 */
void daemon_give_up(struct daemon *d, int status);

/**
 * daemon_policy(c):
 * What the configuration says of connections; borrowed from it.
 */
struct http_policy daemon_policy(const struct config *c);

/**
 * daemon_reload(d, err):
 * Read the configuration again.  What can't change while running keeps its value, with a warning.
 */
int daemon_reload(struct daemon *d, struct ct_err *err);

/**
 * daemon_notice(d):
 * Something changed: tell the service manager the new status line soon.
 */
void daemon_notice(struct daemon *d);

/**
 * daemon_rest_soon(d):
 * Nothing is on its way any more: give memory back in a moment.
 */
void daemon_rest_soon(struct daemon *d);

/* ---- salvage.c ----------------------------------------------------------------------------------
 */

/**
 * salvage_begin(d):
 * All that is there was scanned: queue again, from spools that were set aside, the bundles of
 * sessions that are not known otherwise.
 */
void salvage_begin(struct daemon *d);

/* ---- restart.c ----------------------------------------------------------------------------------
 */

/* Exit status: start me anew.  Whoever starts the daemon knows it. */
#define DAEMON_RESTART 79

/**
 * restart_if_barred(d, path):
 * If the sandbox bars ${path}, which the daemon needs, stop with DAEMON_RESTART: something was put
 * there since it closed.
 */
void restart_if_barred(struct daemon *d, const char *path);

/**
 * restart_begin(d, path):
 * The same without asking: for what can only be done before the sandbox closes.  ${path} is for
 * people.  At once, but not again within 75 seconds.  With --once it ends, with status 75.
 */
void restart_begin(struct daemon *d, const char *path);

/**
 * restart_path(d):
 * Return what it is to start anew for, or NULL.
 */
const char *restart_path(const struct daemon *d);

struct restart *restart_new(struct daemon *d);
void restart_free(struct restart *r);

/* ---- pause.c ------------------------------------------------------------------------------------
 */

/**
 * pause_begin(d, seconds), pause_end(d):
 * Stop uploading, for ${seconds} or (0) until told, over restarts too; go on.
 */
void pause_begin(struct daemon *d, int64_t seconds);
void pause_end(struct daemon *d);

/**
 * pause_restore(d):
 * Go on with a pause of before the restart.
 */
void pause_restore(struct daemon *d);

/**
 * pause_is_on(d), pause_until_ms(d):
 * Return whether uploads are paused, and until when (wall clock; 0: until told).
 */
int pause_is_on(const struct daemon *d);
int64_t pause_until_ms(const struct daemon *d);

/**
 * pause_woke(d):
 * The machine was asleep: go by the time of day anew.
 */
void pause_woke(struct daemon *d);

struct pause *pause_new(struct daemon *d);
void pause_free(struct pause *p);

/* ---- changes.c ----------------------------------------------------------------------------------
 */

extern const struct watcher_ops changes_watcher_ops;

/**
 * daemon_agent(d, root):
 * Return the agent of the root of that number.
 */
const struct agent *daemon_agent(const struct daemon *d, int root);

/**
 * changes_is_live(d, session_id):
 * Return whether a process works on the session right now.
 */
int changes_is_live(struct daemon *d, const char *session_id);

/* ---- profile.c ----------------------------------------------------------------------------------
 */

/**
 * profile_touch_all(d), profile_refresh(d):
 * What belongs to no session may have changed, or may go now, in all folders that were looked
 * through.  The same if the configuration or what is excluded may have changed: a bundle that was
 * made by other words does not leave any more.
 */
void profile_touch_all(struct daemon *d);
void profile_refresh(struct daemon *d);

/* ---- headlook.c ---------------------------------------------------------------------------------
 */

/**
 * headlook_forget(h):
 * The books are closed: look into nothing any more (session/headlook.h).
 */
void headlook_forget(struct headlook *h);

/* ---- adopt.c ------------------------------------------------------------------------------------
 */

/**
 * adopt_take(d, session_id), adopt_take_all(d):
 * A pull left a record of the session: if it speaks of what the books know of, take over which
 * versions are contained in that; else look at the session anew.  All that did so while no daemon
 * ran: of what changed since, the scan tells.
 */
void adopt_take(struct daemon *d, const char *session_id);
void adopt_take_all(struct daemon *d);

/**
 * adopt_apart(d, session_id, version):
 * A pull has looked into what is elsewhere, and it is without something that is here.
 */
void adopt_apart(struct daemon *d, const char *session_id, int64_t version);

/* ---- bundler.c ----------------------------------------------------------------------------------
 */

struct bundler *bundler_new(struct daemon *d);

/**
 * bundler_stop(b), bundler_free(b):
 * Cancel the job under way; free, after the worker is gone.
 */
void bundler_stop(struct bundler *b);
void bundler_free(struct bundler *b);

/**
 * bundler_due(d, s, is_due):
 * The session is to be bundled, or need not be any more.
 */
void bundler_due(struct daemon *d, struct session *s, int is_due);

/**
 * bundler_changed(d, s):
 * The session changed and came to rest.  If a fuller bundle of it has to be safe first and was
 * refused, that one is tried again.
 */
void bundler_changed(struct daemon *d, struct session *s);

/**
 * bundler_run(d):
 * Begin with the next session that is due, if nothing is in the way.
 */
void bundler_run(struct daemon *d);

/**
 * bundler_outdated(d, s):
 * The session changed.  A bundle of it that is being made is given up for the newer state, what it
 * compressed is kept; but only once in a row, lest a session that never rests is never safe.
 */
void bundler_outdated(struct daemon *d, struct session *s);

/* ---- uploads.c ----------------------------------------------------------------------------------
 */

extern const struct uploader_ops uploads_ops;

/* ---- waiter.c -----------------------------------------------------------------------------------
 */

struct waiters *waiters_new(void);
void waiters_free(struct waiters *w);

/**
 * waiter_sync(d, ids, n, rq, is_waiting):
 * Sync the sessions ${ids} (all if ${n} is 0) now and answer ${rq}: as soon as it is known which
 * those are, or, if ${is_waiting}, when all that had changed before is safe.  ${rq} may be NULL
 * (--once: the daemon stops then, and does not wait for a server that is away).
 */
void waiter_sync(struct daemon *d, const char *const *ids, size_t n, struct ipc_request *rq,
                 int is_waiting);

/**
 * waiter_hurry(d, ended):
 * Sync all sessions now, and call ${ended} once all that had changed before is safe, or there is no
 * point in waiting; never, if the daemon stops before.
 */
void waiter_hurry(struct daemon *d, void (*ended)(struct daemon *d));

/**
 * waiter_is_anybody(d):
 * Return whether a person waits for the end of a sync.
 */
int waiter_is_anybody(const struct daemon *d);

/**
 * waiter_check(d, s), waiter_check_all(d):
 * Something about the session, or about all, changed that somebody may wait for.
 */
void waiter_check(struct daemon *d, const struct session *s);
void waiter_check_all(struct daemon *d);

/**
 * waiter_forgotten(d):
 * The sessions on their way are about to be forgotten, for their account is closed: what is waited
 * for will not be known to be safe.
 */
void waiter_forgotten(struct daemon *d);

/* ---- suspend.c ----------------------------------------------------------------------------------
 */

/**
 * suspend_begin(d), suspend_end(d):
 * Where the system grants it, use the moment before the machine sleeps to save what is not safe
 * yet.
 */
void suspend_begin(struct daemon *d);
void suspend_end(struct daemon *d);

/* ---- notify.c -----------------------------------------------------------------------------------
 */

/**
 * notify_begin(d), notify_end(d), notify_look(d):
 * Say on the user's desktop when a log-in has ended, or something has not been safe for long;
 * something changed that may be about that.
 */
void notify_begin(struct daemon *d);
void notify_end(struct daemon *d);
void notify_look(struct daemon *d);

/* ---- woke.c -------------------------------------------------------------------------------------
 */

/**
 * daemon_woke(d):
 * The machine was suspended and is awake again: go by the time of day anew and try at once what
 * waited for the network.  (The watcher scans everything by itself.)
 */
void daemon_woke(struct daemon *d);

/* ---- network.c ----------------------------------------------------------------------------------
 */

/**
 * daemon_mind_network(d):
 * Something failed or went well: listen for changes of the network just while one may help.
 */
void daemon_mind_network(struct daemon *d);

/**
 * daemon_mind_metered(d):
 * Ask, or stop asking, whether the connection is metered, as the configuration says.
 */
void daemon_mind_metered(struct daemon *d);

/**
 * daemon_network_end(d):
 * Stop listening to all of that.
 */
void daemon_network_end(struct daemon *d);

/* ---- control.c, report.c, listing.c -------------------------------------------------------------
 */

/**
 * control_request(arg, rq, method, params):
 * The control socket's on_request; ${arg} is the daemon.
 */
void control_request(void *arg, struct ipc_request *rq, const char *method,
                     struct json_object *params);

/**
 * control_event(d, event, session_id, version, size_bytes, reason):
 * Tell those who watch.  ${reason} may be NULL.
 */
void control_event(struct daemon *d, const char *event, const char *session_id, int64_t version,
                   int64_t size_bytes, const char *reason);

/**
 * report_status(d):
 * Return the status document.
 */
struct json_object *report_status(struct daemon *d);

/**
 * report_state(d, ret_why, ret_cure):
 * Return the daemon's state in one word of the interface; why and what to do about it, or "".
 */
const char *report_state(struct daemon *d, char ret_why[512], char ret_cure[256]);

/**
 * report_line(d, buf, size):
 * Write what status would say, in one line, into ${buf}.
 */
void report_line(struct daemon *d, char *buf, size_t size);

/**
 * cleanup_new(d), cleanup_free(c):
 * Read what the agent's settings say of sessions that rest.  Outside of the sandbox, for these may
 * be a link to what it bars.  NULL is harmless.
 */
struct cleanup *cleanup_new(struct daemon *d);
void cleanup_free(struct cleanup *c);

/**
 * cleanup_look(d), cleanup_report(d):
 * What is recorded of files has changed: look anew at the next report.  Return what goes within a
 * week: {days, withinDays, sessions, notSafe, soonest: [{sessionId, title, goesAt, state}]};
 * ${days} is null where nothing is removed, ${state} a word of list.
 */
void cleanup_look(struct daemon *d);
struct json_object *cleanup_report(struct daemon *d);

/**
 * listing_state(d, ss, ret_why):
 * Return the state of a session in one word of the interface; why, borrowed, or NULL.
 */
const char *listing_state(struct daemon *d, const struct state_session *ss, const char **ret_why);

/**
 * listing_list(d, params), listing_show(d, id):
 * Answer list and show; the id is whole.
 */
struct json_object *listing_list(struct daemon *d, struct json_object *params);
struct json_object *listing_show(struct daemon *d, const char *id);

/* ---- gather.c: agents whose sessions are no files (gather() of their row): what they have goes
 * into files of ours, which are watched like those of others --------------------------------------
 */
struct gathering;

/**
 * gather_first(d):
 * Begin: gather from all of them, here and now.
 */
void gather_first(struct daemon *d);

/**
 * gather_watch(d, err):
 * From here on, gather whenever one of their files changes.
 */
int gather_watch(struct daemon *d, struct ct_err *err);

/**
 * gather_changed(d, path):
 * The file ${path} changed.  Return whether it is one of theirs.
 */
int gather_changed(struct daemon *d, const char *path);

void gathering_free(struct gathering *g);

#endif
