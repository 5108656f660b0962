#include <stdlib.h>
#include <string.h>

#include "common/base/now.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"
#include "common/data/page.h"

#include "server/api/call.h"

#define BASE "/app"

extern const struct page dashboard_pages[];
extern const size_t dashboard_pages_n;

int handle_dashboard_home(struct call *c)
{
    web_answer_header(c->web, "Location", BASE "/");
    call_ok(c);
    return 302;
}

int handle_dashboard_page(struct call *c)
{
    char *path = str_dup(web_target(c->web) + strlen(BASE));

    path[strcspn(path, "?")] = '\0';
    c->page = page_find(dashboard_pages, dashboard_pages_n, path);
    free(path);
    return c->page != NULL ? 200
                           : call_error(c, 404, "not_found", "There is nothing at this path.");
}

/* The ways in that there are. */
int handle_dashboard_about(struct call *c)
{
    const struct settings *s = c->config->settings;

    c->answer = json_object_new_object();
    jdoc_set_str(c->answer, "apiUrl", c->config->api_url);
    jdoc_set_str(c->answer, "registration", settings_registration_name(s));
    jdoc_set_bool(c->answer, "github", s->github_client_id != NULL);
    jdoc_set_bool(c->answer, "oidc", s->oidc_issuer != NULL);
    jdoc_set_int(c->answer, "maxTokenDays", s->max_token_days);
    return 200;
}

/* What signs a log-in is in no table, so one that ended is remembered for as long as it could be
 * played again. */
int handle_dashboard_leave(struct call *c)
{
    attempts_count(c->config->limits->ended, c->asker, now_mono_ms());
    call_page_leave(c);
    call_audit(c, "log-out", "%s", "at=dashboard");
    return call_ok(c);
}
