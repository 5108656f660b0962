#include "agents/claude/claude.h"
#include "agents/lines/names.h"

/*
 * Every name that versions 1.0.24 to 2.1.332 have been seen to make in their data folder, or that
 * stands in their code: who takes it, or why nobody does (names.h).  claude_classify() says what
 * the taken ones are.
 */
static const struct agent_name names[] = {
    /* Of a session. */
    {"projects/*/%.jsonl", AGENT_OF_SESSION},
    {"projects/*/%.jsonl.superseded-*", AGENT_OF_SESSION},
    {"projects/*/%/", AGENT_OF_SESSION},
    {"projects/*/agent-*.jsonl", AGENT_OF_SESSION},
    {"projects/*/memory/", AGENT_OF_SESSION},
    {"file-history/%/", AGENT_OF_SESSION},
    {"tasks/%/*.json", AGENT_OF_SESSION},
    {"tasks/%/.highwatermark", AGENT_OF_SESSION},
    {"tasks/session-########/*.json", AGENT_OF_SESSION},
    {"tasks/session-########/.highwatermark", AGENT_OF_SESSION},
    {"uploads/%/", AGENT_OF_SESSION},
    {"todos/%-agent-*.json", AGENT_OF_SESSION},
    {"plans/*.md", AGENT_OF_SESSION},
    {"paste-cache/*.txt", AGENT_OF_SESSION},
    {"history.jsonl", AGENT_OF_SESSION},
    /* Of no session. */
    {"agent-memory/", AGENT_OF_PROFILE},
    {"memory/", AGENT_OF_PROFILE},
    {"teams/", AGENT_OF_PROFILE},
    {"tasks/*/*.json", AGENT_OF_PROFILE},
    {"tasks/*/.highwatermark", AGENT_OF_PROFILE},
    /* Made anew from something else, of this machine, or of this moment. */
    {"sessions/*.json", AGENT_DERIVED},
    {"projects/*/sessions-index.json", AGENT_DERIVED},
    {"projects/*/.session-aliases", AGENT_DERIVED},
    {".codeteleport/", AGENT_DERIVED}, /* ours */
    {".config.json", AGENT_SECRET},    /* .claude.json of old versions */
    {"backups/", AGENT_SECRET},        /* of .claude.json */
    {"cache/", AGENT_DERIVED},
    {"ccr/", AGENT_DERIVED},
    {"chrome/", AGENT_DERIVED},
    {"daemon/", AGENT_DERIVED},
    {"daemon.*", AGENT_DERIVED},
    {"debug/", AGENT_DERIVED},
    {"downloads/", AGENT_DERIVED},
    {"dump-prompts/", AGENT_DERIVED},
    {"gh-pr-status-cache.json", AGENT_DERIVED},
    {"image-cache/", AGENT_DERIVED},
    {"local/", AGENT_DERIVED},
    {"locks/", AGENT_DERIVED},
    {"logs/", AGENT_DERIVED},
    {"mcp-discovery-cache/", AGENT_DERIVED},
    {"model-capabilities.json", AGENT_DERIVED},
    {"shell-snapshots/", AGENT_DERIVED},
    {"staging/", AGENT_DERIVED},
    {"startup-perf/", AGENT_DERIVED},
    {"state/", AGENT_DERIVED},
    {"stats-cache.json", AGENT_DERIVED},
    {"statsig/", AGENT_DERIVED},
    {"telemetry/", AGENT_DERIVED},
    {"tool-container-runs.json", AGENT_DERIVED},
    {"traces/", AGENT_DERIVED},
    {"usage-data/", AGENT_DERIVED},
    {"versions/", AGENT_DERIVED},
    {".last-cleanup", AGENT_DERIVED},
    {".last-update-result.json", AGENT_DERIVED},
    {".deep-link-register-failed", AGENT_DERIVED},
    /* What a person, or a person's organisation, sets up. */
    {"CLAUDE.md", AGENT_CONFIGURATION},
    {"CLAUDE.local.md", AGENT_CONFIGURATION},
    {"ULTRACLAUDE.md", AGENT_CONFIGURATION},
    {"agents/", AGENT_CONFIGURATION},
    {"commands/", AGENT_CONFIGURATION},
    {"cowork_plugins/", AGENT_CONFIGURATION},
    {"dev-mods/", AGENT_CONFIGURATION},
    {"hooks/", AGENT_CONFIGURATION},
    {"keybindings.json", AGENT_CONFIGURATION},
    {"loop.md", AGENT_CONFIGURATION},
    {"output-styles/", AGENT_CONFIGURATION},
    {"plugins/", AGENT_CONFIGURATION},
    {"rules/", AGENT_CONFIGURATION},
    {"session-memory/", AGENT_CONFIGURATION}, /* how a session's notes are to look */
    {"skills/", AGENT_CONFIGURATION},
    {"statusline*", AGENT_CONFIGURATION},
    {"themes/", AGENT_CONFIGURATION},
    {"workflows/", AGENT_CONFIGURATION},
    {"remote-settings.json", AGENT_CONFIGURATION},
    {"settings*.json", AGENT_CONFIGURATION}, /* may hold secrets too */
    {"daemon.json", AGENT_CONFIGURATION},
    /* Secrets, and what would run. */
    {".credentials.json", AGENT_SECRET},
    {".anthropic", AGENT_SECRET},
    {".claude.json*", AGENT_SECRET},
    {"hfi-auth.json", AGENT_SECRET},
    {"ide/", AGENT_SECRET},
    {"mcp-needs-auth-cache.json", AGENT_SECRET},
    {"seed-admin/", AGENT_SECRET},
    {"session-env/", AGENT_SECRET},
    {"sessions/*.key", AGENT_SECRET},
    {NULL, 0},
};

enum agent_fate claude_fate(const char *path)
{
    return names_fate(NULL, names, path);
}
