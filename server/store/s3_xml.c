#include <expat.h>

#include "common/base/buf.h"

#include "server/store/s3_xml.h"

#define MAX_TEXT 65536

struct reading {
    XML_Parser parser;
    struct buf text;
    void (*element)(void *arg, const char *name, const char *text);
    void *arg;
};

static void on_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
    struct reading *r = arg;

    (void)name;
    (void)attributes;
    buf_reset(&r->text);
}

static void on_text(void *arg, const XML_Char *s, int n)
{
    struct reading *r = arg;

    if (r->text.len + (size_t)n > MAX_TEXT)
        XML_StopParser(r->parser, XML_FALSE);
    else
        buf_add(&r->text, s, (size_t)n);
}

static void on_end(void *arg, const XML_Char *name)
{
    struct reading *r = arg;

    buf_add(&r->text, "", 0);
    r->element(r->arg, name, r->text.data);
    buf_reset(&r->text);
}

/* No answer of a store declares entities: whoever does is up to something. */
static void on_entity(void *arg, const XML_Char *name, int is_parameter, const XML_Char *value,
                      int n, const XML_Char *base, const XML_Char *system,
                      const XML_Char *public_id, const XML_Char *notation)
{
    struct reading *r = arg;

    (void)name;
    (void)is_parameter;
    (void)value;
    (void)n;
    (void)base;
    (void)system;
    (void)public_id;
    (void)notation;
    XML_StopParser(r->parser, XML_FALSE);
}

int s3_xml_read(const char *p, size_t n,
                void (*element)(void *arg, const char *name, const char *text), void *arg,
                struct ct_err *err)
{
    struct reading r = {.parser = XML_ParserCreate(NULL), .element = element, .arg = arg};
    int rc = 0;

    if (r.parser == NULL)
        return err_set(err, ERR_BUG, "an XML parser can't be made");
    XML_SetUserData(r.parser, &r);
    XML_SetElementHandler(r.parser, on_start, on_end);
    XML_SetCharacterDataHandler(r.parser, on_text);
    XML_SetEntityDeclHandler(r.parser, on_entity);
    if (XML_Parse(r.parser, p, (int)n, 1) != XML_STATUS_OK)
        rc = err_set(err, ERR_CORRUPT, "the object store's answer is no XML: %s",
                     XML_ErrorString(XML_GetErrorCode(r.parser)));
    XML_ParserFree(r.parser);
    buf_free(&r.text);
    return rc;
}
