#include <stdio.h>
#include <string.h>

#include "common/data/jdoc.h"
#include "common/base/str.h"

#include "api/api.h"

unsigned api_features(const struct json_object *answer)
{
    struct json_object *list = jdoc_array(answer, "features");
    unsigned features = 0;

    for (size_t i = 0; list != NULL && i < json_object_array_length(list); i++) {
        const char *word = json_object_get_string(json_object_array_get_idx(list, i));
        if (word != NULL && strcmp(word, API_FEATURE_HEADS) == 0)
            features |= API_HAS_HEADS;
        else if (word != NULL && strcmp(word, API_FEATURE_BASE_CHECKSUMS) == 0)
            features |= API_HAS_BASE_CHECKSUMS;
        else if (word != NULL && strcmp(word, API_FEATURE_PROFILE) == 0)
            features |= API_HAS_PROFILE;
    }
    return features;
}

int api_head_read(struct json_object *row, struct api_head *ret)
{
    const char *sum = jdoc_str(row, "checksum");
    /* The machine calls itself something else than the log-in did; sealed, it says nothing. */
    int is_sealed = jdoc_has(jdoc_obj(row, "metadata"), "sealed");
    const char *name = is_sealed ? NULL : jdoc_str(row, "sourceMachine");

    memset(ret, 0, sizeof(*ret));
    ret->version = jdoc_int(row, "version", jdoc_int(row, "currentVersion", 0));
    if (ret->version <= 0 || ret->version > API_VERSION_MAX)
        return 0;
    if (sum != NULL && api_checksum_is_valid(sum))
        snprintf(ret->checksum, sizeof(ret->checksum), "%s", sum);
    if (name == NULL)
        name = jdoc_str(jdoc_obj(row, "device"), "name");
    if (name != NULL)
        str_escape(name, strlen(name), ret->device, sizeof(ret->device));
    ret->is_told_whose = jdoc_has(row, "thisDevice");
    ret->is_own = jdoc_bool(row, "thisDevice", 0);
    ret->is_pinned = jdoc_bool(row, "pinned", 0);
    ret->is_head = jdoc_bool(row, "isHead", !ret->is_pinned);
    ret->messages = jdoc_int(row, "messages", -1);
    ret->metadata = jdoc_obj(row, "metadata");
    return 1;
}

struct json_object *api_base_json(int64_t version, const char *sha256, int is_exact)
{
    char sum[API_CHECKSUM_SIZE];
    struct json_object *o;

    if (!is_exact || sha256[0] == '\0')
        return json_object_new_int64(version);
    snprintf(sum, sizeof(sum), "sha256:%.64s", sha256);
    o = json_object_new_object();
    jdoc_set_int(o, "version", version);
    jdoc_set_str(o, "checksum", sum);
    return o;
}
