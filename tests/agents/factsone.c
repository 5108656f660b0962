/* factsone AGENT < TRANSCRIPT: what lists say of it, as JSON.  For facts_oracle.py. */
#include <stdio.h>

#include "agents/agent.h"
#include "agents/transcript.h"
#include "common/data/jdoc.h"

int main(int argc, char **argv)
{
    const struct agent *agent = argc > 1 ? agent_find(argv[1]) : NULL;
    struct json_object *o = json_object_new_object(), *usage;
    struct transcript *t;
    struct transcript_facts f;
    char window[4096];
    size_t n;

    if (agent == NULL)
        return 64;
    t = transcript_new(agent);
    while ((n = fread(window, 1, sizeof(window), stdin)) > 0)
        transcript_feed(t, window, n);
    transcript_facts(t, &f);
    jdoc_set_int(o, "lines", f.lines);
    jdoc_set_int(o, "prompts", f.user_messages);
    jdoc_set_int(o, "answers", f.assistant_messages);
    jdoc_set_int(o, "calls", f.tool_calls);
    jdoc_set_int(o, "files", f.files_modified);
    jdoc_set_int(o, "started", f.has_times ? f.started_ms : 0);
    jdoc_set_int(o, "ended", f.has_times ? f.ended_ms : 0);
    jdoc_set_str(o, "title", f.title);
    jdoc_set_str(o, "cwd", f.cwd);
    jdoc_set_str(o, "branch", f.git_branch);
    jdoc_set_str(o, "model", f.model);
    jdoc_set_str(o, "id", f.session_id);
    usage = usage_json(&f.usage);
    if (usage != NULL)
        json_object_object_add(o, "usage", usage);
    puts(jdoc_text(o));
    json_object_put(o);
    transcript_free(t);
    return 0;
}
