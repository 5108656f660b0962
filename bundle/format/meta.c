#include <string.h>

#include "common/base/hash.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "bundle/format/meta.h"

#define FORMAT_MAX 2 /* the newest that we know */
#define PATH_BYTES_MAX 4096
#define BRANCH_BYTES_MAX 1024

static int has_control(const char *s)
{
    for (; *s != '\0'; s++) {
        if ((unsigned char)*s < 0x20 || *s == 0x7F)
            return 1;
    }
    return 0;
}

static int is_drive(const char *s)
{
    return ((s[0] >= 'A' && s[0] <= 'Z') || (s[0] >= 'a' && s[0] <= 'z')) && s[1] == ':' &&
           (s[2] == '\\' || s[2] == '/');
}

/* No component of it may lead elsewhere. */
static int has_dots(const char *s, const char *separators)
{
    while (*s != '\0') {
        size_t n = strcspn(s, separators);
        if ((n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.'))
            return 1;
        s += n + (s[n] != '\0');
    }
    return 0;
}

int meta_is_path(const char *s)
{
    int is_windows = is_drive(s) || strncmp(s, "\\\\", 2) == 0;

    if (s[0] != '/' && !is_windows)
        return 0;
    return strlen(s) <= PATH_BYTES_MAX && !has_control(s) && !has_dots(s, is_windows ? "\\/" : "/");
}

int meta_is_branch(const char *s)
{
    return strlen(s) <= BRANCH_BYTES_MAX && !has_control(s);
}

static int path_member(const struct json_object *o, const char *key, const char **ret,
                       struct ct_err *err)
{
    const char *s = jdoc_str(o, key);

    if (s == NULL || !meta_is_path(s))
        return err_set(err, ERR_CORRUPT,
                       "the bundle's meta.json has no %s that is an absolute path", key);
    *ret = s;
    return 0;
}

static int is_content_id(const char *s)
{
    return strlen(s) == HASH_SHA256_HEX - 1 && strspn(s, "0123456789abcdef") == HASH_SHA256_HEX - 1;
}

static int is_component(const char *s)
{
    return meta_is_branch(s) && strlen(s) < 256 && strchr(s, '/') == NULL && *s != '.';
}

/* Members that may be absent. */
static int optional_members(const struct json_object *o, struct meta *ret, struct ct_err *err)
{
    ret->git_branch = jdoc_str(o, "gitBranch");
    if (jdoc_has(o, "gitBranch") && (ret->git_branch == NULL || !meta_is_branch(ret->git_branch)))
        return err_set(err, ERR_CORRUPT, "the bundle's meta.json has a gitBranch that is none");
    ret->content_id = jdoc_str(o, "contentId");
    if (jdoc_has(o, "contentId") && (ret->content_id == NULL || !is_content_id(ret->content_id)))
        return err_set(err, ERR_CORRUPT, "the bundle's meta.json has a contentId that is none");
    ret->data_dir = jdoc_str(o, "sourceDataDir");
    if (jdoc_has(o, "sourceDataDir") && (ret->data_dir == NULL || !meta_is_path(ret->data_dir)))
        return err_set(err, ERR_CORRUPT, "the bundle's meta.json has a sourceDataDir that is none");
    ret->project = jdoc_str(o, "sourceProject");
    if (jdoc_has(o, "sourceProject") && (ret->project == NULL || !is_component(ret->project)))
        return err_set(err, ERR_CORRUPT, "the bundle's meta.json has a sourceProject that is none");
    ret->transcript_file = jdoc_str(o, "sourceTranscript");
    if (jdoc_has(o, "sourceTranscript") &&
        (ret->transcript_file == NULL || !is_component(ret->transcript_file)))
        return err_set(err, ERR_CORRUPT,
                       "the bundle's meta.json has a sourceTranscript that is none");
    ret->is_profile = jdoc_str(o, "kind") != NULL && strcmp(jdoc_str(o, "kind"), "profile") == 0;
    ret->memory_cwd = jdoc_str(o, "memoryCwd");
    if (jdoc_has(o, "memoryCwd") && (ret->memory_cwd == NULL || !meta_is_path(ret->memory_cwd)))
        return err_set(err, ERR_CORRUPT, "the bundle's meta.json has a memoryCwd that is none");
    return 0;
}

static int agent_and_format(const struct json_object *o, struct meta *ret, struct ct_err *err)
{
    const char *id = jdoc_str(o, "agentId");
    char text[64];

    /* The stock client's first versions wrote neither. */
    if (!jdoc_has(o, "agentId"))
        id = agent_unnamed()->id;
    ret->agent = id != NULL ? agent_find(id) : NULL;
    if (ret->agent == NULL) {
        str_escape(id != NULL ? id : "?", id != NULL ? strlen(id) : 1, text, sizeof(text));
        return err_set(err, ERR_REFUSED,
                       "the bundle is a session of the agent \"%s\", which this version does not "
                       "know",
                       text);
    }
    ret->format_version = 1;
    if (jdoc_has(o, "formatVersion")) {
        int64_t v = jdoc_int(o, "formatVersion", 0);
        if (v < 1)
            return err_set(err, ERR_CORRUPT,
                           "the bundle's meta.json has a formatVersion that is none");
        if (v > FORMAT_MAX)
            return err_set(err, ERR_REFUSED,
                           "the bundle was made by a newer program (format %lld): update this one",
                           (long long)v);
        ret->format_version = (int)v;
    }
    return 0;
}

/* What stock clients call otherwise, where ours says nothing; what is none is passed over. */
static void stock_members(const struct json_object *o, struct meta *ret)
{
    const struct agent_stock_names *names = &ret->agent->stock_names;
    const char *home = names->home != NULL ? jdoc_str(o, names->home) : NULL;
    const char *file = names->file != NULL ? jdoc_str(o, names->file) : NULL;

    if (ret->data_dir == NULL && home != NULL && meta_is_path(home))
        ret->data_dir = home;
    if (ret->transcript_file == NULL && file != NULL && is_component(file))
        ret->transcript_file = file;
}

int meta_parse(const char *p, size_t n, struct meta *ret, struct json_object **ret_document,
               struct ct_err *err)
{
    struct meta meta = {0};
    struct json_object *o;
    const char *id;

    if (jdoc_parse(p, n, &o, err) != 0)
        return err_prefix(err, "the bundle's meta.json");
    id = jdoc_str(o, "sessionId");
    if (id == NULL || !uuid_is_valid(id)) {
        err_set(err, ERR_CORRUPT, "the bundle's meta.json has no sessionId that is a UUID");
        goto fail;
    }
    memcpy(meta.session_id, id, UUID_SIZE);
    if (path_member(o, "sourceCwd", &meta.source_cwd, err) != 0 ||
        path_member(o, "sourceUserDir", &meta.source_user_dir, err) != 0 ||
        agent_and_format(o, &meta, err) != 0 || optional_members(o, &meta, err) != 0)
        goto fail;
    stock_members(o, &meta);
    *ret = meta;
    *ret_document = o;
    return 0;

fail:
    json_object_put(o);
    return -1;
}
