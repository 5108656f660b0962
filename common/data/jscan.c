#include <string.h>

#include "common/data/jscan.h"

enum state {
    AT_START,     /* nothing but white space yet */
    AT_VALUE,     /* after a colon, or a comma in an array */
    AT_FIRST,     /* after [ */
    AT_FIRST_KEY, /* after { */
    AT_KEY,       /* after a comma in an object */
    AT_COLON,     /* after a key */
    AFTER_VALUE,  /* comma or end of the container */
    IN_STRING,
    IN_ESCAPE,  /* after a backslash */
    IN_HEX,     /* after \u */
    IN_LITERAL, /* true, false, null */
    NUM_MINUS,  /* the states of a number, named by what was read last */
    NUM_ZERO,
    NUM_INT,
    NUM_DOT,
    NUM_FRACTION,
    NUM_E,
    NUM_E_SIGN,
    NUM_EXPONENT,
    AT_END,
    BAD,
};

static const char *const literals[] = {"true", "false", "null"};

static size_t want_none(void *arg, const struct jscan *s, enum jscan_type type)
{
    (void)arg;
    (void)s;
    (void)type;
    return 0;
}

static void take_none(void *arg, const struct jscan *s, const char *text, size_t len, int is_cut)
{
    (void)arg;
    (void)s;
    (void)text;
    (void)len;
    (void)is_cut;
}

static void close_none(void *arg, const struct jscan *s)
{
    (void)arg;
    (void)s;
}

const struct jscan_ops jscan_no_ops = {want_none, take_none, close_none, NULL};

void jscan_init(struct jscan *s)
{
    /* The text buffer needs no clearing, and it is the bulk. */
    s->at = s->fed = 0;
    s->depth = 0;
    s->key_len = 0;
    s->key[0] = '\0';
    s->state = AT_START;
    s->is_key = s->is_cut = 0;
    s->utf8_left = s->utf8_lo = s->utf8_hi = 0;
    s->literal = s->literal_at = 0;
    s->hex_left = 0;
    s->code = s->high = 0;
    s->text_max = s->text_len = 0;
}

int jscan_is_bad(const struct jscan *s)
{
    return s->state == BAD;
}

int jscan_is_object(const struct jscan *s)
{
    return s->state == AT_END;
}

static int in_object(const struct jscan *s)
{
    uint32_t i = s->depth - 1;

    return s->stack[i / 8] >> (i % 8) & 1;
}

static uint8_t push(struct jscan *s, int is_object)
{
    uint32_t i = s->depth;

    if (i == JSCAN_DEPTH)
        return BAD;
    s->depth++;
    if (is_object)
        s->stack[i / 8] = (uint8_t)(s->stack[i / 8] | 1U << (i % 8));
    else
        s->stack[i / 8] = (uint8_t)(s->stack[i / 8] & ~(1U << (i % 8)));
    return is_object ? AT_FIRST_KEY : AT_FIRST;
}

static uint8_t pop(struct jscan *s, const struct jscan_ops *ops, void *arg)
{
    ops->close(arg, s);
    s->depth--;
    return s->depth == 0 ? AT_END : AFTER_VALUE;
}

static int is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* ---- strings ----------------------------------------------------------------------------------
 */

static int is_plain(char c)
{
    return (unsigned char)(c - 0x20) < 0x60 && c != '"' && c != '\\';
}

/* How many bytes at ${p} are plain ASCII inside a string: eight at a time, for this is where the
 * scanner spends its life.  (A borrow in the subtractions can only blame a byte behind a guilty
 * one.) */
size_t jscan_plain(const char *p, size_t n)
{
    const uint64_t ones = 0x0101010101010101U, tops = 0x8080808080808080U;
    size_t i = 0;

    while (n - i >= 8) {
        uint64_t v, quote, slash;
        memcpy(&v, p + i, 8);
        quote = v ^ ones * '"';
        slash = v ^ ones * '\\';
        if ((v | (v - ones * 0x20) | (quote - ones) | (slash - ones)) & tops)
            break;
        i += 8;
    }
    while (i < n && is_plain(p[i]))
        i++;
    return i;
}

static int is_simple_escape(char c)
{
    switch (c) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return 1;
    default:
        return 0;
    }
}

/* The same for a string that nobody wants, where short escapes are passed over as well. */
static size_t unwanted_run(const char *p, size_t n)
{
    size_t i = 0;

    for (;;) {
        i += jscan_plain(p + i, n - i);
        if (n - i < 2 || p[i] != '\\' || !is_simple_escape(p[i + 1]))
            return i;
        i += 2;
    }
}

static void keep(struct jscan *s, const char *p, size_t n)
{
    if (s->is_key) {
        size_t have = s->key_len < JSCAN_KEY ? s->key_len : JSCAN_KEY;
        size_t room = JSCAN_KEY - have;
        memcpy(s->key + have, p, n < room ? n : room);
        /* One more than fits marks a name that is too long to be one of ours. */
        s->key_len = n > room ? JSCAN_KEY + 1 : (uint32_t)(s->key_len + n);
    } else if (s->text_max > 0) {
        size_t room = s->text_max - s->text_len;
        if (n > room) {
            n = room;
            s->is_cut = 1;
        }
        memcpy(s->text + s->text_len, p, n);
        s->text_len += (uint32_t)n;
    }
}

static void keep_code(struct jscan *s, uint32_t c)
{
    char u[4];

    if (c == 0 || (c >= 0xD800 && c < 0xE000))
        c = 0xFFFD;
    if (c < 0x80) {
        u[0] = (char)c;
        keep(s, u, 1);
    } else if (c < 0x800) {
        u[0] = (char)(0xC0 | c >> 6);
        u[1] = (char)(0x80 | (c & 0x3F));
        keep(s, u, 2);
    } else if (c < 0x10000) {
        u[0] = (char)(0xE0 | c >> 12);
        u[1] = (char)(0x80 | (c >> 6 & 0x3F));
        u[2] = (char)(0x80 | (c & 0x3F));
        keep(s, u, 3);
    } else {
        u[0] = (char)(0xF0 | c >> 18);
        u[1] = (char)(0x80 | (c >> 12 & 0x3F));
        u[2] = (char)(0x80 | (c >> 6 & 0x3F));
        u[3] = (char)(0x80 | (c & 0x3F));
        keep(s, u, 4);
    }
}

/* A high surrogate waits for its other half; whatever else comes leaves it alone. */
static void flush_high(struct jscan *s)
{
    if (s->high != 0) {
        s->high = 0;
        keep_code(s, 0xFFFD);
    }
}

static void end_code(struct jscan *s)
{
    if (s->high != 0 && s->code >= 0xDC00 && s->code < 0xE000) {
        uint32_t c = 0x10000U + ((uint32_t)(s->high - 0xD800) << 10) + (s->code - 0xDC00U);
        s->high = 0;
        keep_code(s, c);
        return;
    }
    flush_high(s);
    if (s->code >= 0xD800 && s->code < 0xDC00)
        s->high = s->code;
    else
        keep_code(s, s->code);
}

static uint8_t begin_string(struct jscan *s, const struct jscan_ops *ops, void *arg, int is_key)
{
    s->is_key = (uint8_t)is_key;
    s->high = 0;
    s->utf8_left = 0;
    if (is_key) {
        s->key_len = 0;
    } else {
        size_t want = ops->begin(arg, s, JSCAN_STRING);
        s->text_max = (uint32_t)(want > JSCAN_TEXT ? JSCAN_TEXT : want);
        s->text_len = 0;
        s->is_cut = 0;
    }
    return IN_STRING;
}

/* Take a sequence that the limit cut in two off the end. */
static void trim_utf8(struct jscan *s)
{
    size_t n = s->text_len, need;

    while (n > 0 && s->text_len - n < 3 && ((unsigned char)s->text[n - 1] & 0xC0) == 0x80)
        n--;
    if (n == 0 || (unsigned char)s->text[n - 1] < 0xC0)
        return;
    need = (unsigned char)s->text[n - 1] >= 0xF0   ? 4
           : (unsigned char)s->text[n - 1] >= 0xE0 ? 3
                                                   : 2;
    if (s->text_len - (n - 1) < need)
        s->text_len = (uint32_t)(n - 1);
}

static uint8_t end_string(struct jscan *s, const struct jscan_ops *ops, void *arg)
{
    flush_high(s);
    if (s->is_key) {
        if (s->key_len > JSCAN_KEY)
            s->key_len = 0;
        s->key[s->key_len] = '\0';
        return AT_COLON;
    }
    if (s->text_max > 0) {
        if (s->is_cut)
            trim_utf8(s);
        s->text[s->text_len] = '\0';
        ops->string(arg, s, s->text, s->text_len, s->is_cut);
    }
    return AFTER_VALUE;
}

/* One byte of a sequence beyond ASCII (RFC 3629: no overlong form, no surrogate). */
static uint8_t utf8_byte(struct jscan *s, unsigned char c)
{
    if (s->utf8_left > 0) {
        if (c < s->utf8_lo || c > s->utf8_hi)
            return BAD;
        s->utf8_left--;
        s->utf8_lo = 0x80;
        s->utf8_hi = 0xBF;
        return IN_STRING;
    }
    s->utf8_lo = 0x80;
    s->utf8_hi = 0xBF;
    if (c >= 0xC2 && c <= 0xDF) {
        s->utf8_left = 1;
    } else if (c >= 0xE0 && c <= 0xEF) {
        s->utf8_left = 2;
        if (c == 0xE0)
            s->utf8_lo = 0xA0;
        else if (c == 0xED)
            s->utf8_hi = 0x9F;
    } else if (c >= 0xF0 && c <= 0xF4) {
        s->utf8_left = 3;
        if (c == 0xF0)
            s->utf8_lo = 0x90;
        else if (c == 0xF4)
            s->utf8_hi = 0x8F;
    } else {
        return BAD;
    }
    return IN_STRING;
}

/* Walk on inside a string; return how many bytes were used. */
static size_t in_string(struct jscan *s, const struct jscan_ops *ops, void *arg, const char *p,
                        size_t n)
{
    int is_wanted = s->is_key || (s->text_max > 0 && !s->is_cut);
    size_t run = 0;
    unsigned char c;

    if (s->utf8_left == 0)
        run = is_wanted ? jscan_plain(p, n) : unwanted_run(p, n);
    if (run > 0) {
        flush_high(s);
        keep(s, p, run);
        return run;
    }
    c = (unsigned char)*p;
    if (c >= 0x80) {
        flush_high(s);
        s->state = utf8_byte(s, c);
        if (s->state == IN_STRING)
            keep(s, p, 1);
    } else if (s->utf8_left > 0 || c < 0x20) {
        s->state = BAD;
    } else if (c == '"') {
        s->state = end_string(s, ops, arg);
    } else {
        s->state = IN_ESCAPE;
    }
    return 1;
}

static uint8_t escape(struct jscan *s, char c)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    const char *at;

    if (c == 'u') {
        s->hex_left = 4;
        s->code = 0;
        return IN_HEX;
    }
    if (!is_simple_escape(c))
        return BAD;
    flush_high(s);
    at = strchr(from, c);
    keep(s, at != NULL ? &to[at - from] : &c, 1);
    return IN_STRING;
}

static uint8_t hex(struct jscan *s, char c)
{
    unsigned int d;

    if (c >= '0' && c <= '9')
        d = (unsigned int)(c - '0');
    else if (c >= 'a' && c <= 'f')
        d = (unsigned int)(c - 'a') + 10;
    else if (c >= 'A' && c <= 'F')
        d = (unsigned int)(c - 'A') + 10;
    else
        return BAD;
    s->code = (uint16_t)((unsigned int)s->code << 4 | d);
    if (--s->hex_left > 0)
        return IN_HEX;
    end_code(s);
    return IN_STRING;
}

/* ---- everything else --------------------------------------------------------------------------
 */

/* The next state of a number on ${c}, or AFTER_VALUE if it ended before ${c}. */
static uint8_t number(uint8_t state, char c)
{
    int is_digit = c >= '0' && c <= '9';

    switch (state) {
    case NUM_MINUS:
        return c == '0' ? NUM_ZERO : is_digit ? NUM_INT : BAD;
    case NUM_INT:
        if (is_digit)
            return NUM_INT;
        /* fallthrough */
    case NUM_ZERO:
        return c == '.' ? NUM_DOT : c == 'e' || c == 'E' ? NUM_E : AFTER_VALUE;
    case NUM_DOT:
        return is_digit ? NUM_FRACTION : BAD;
    case NUM_FRACTION:
        return is_digit ? NUM_FRACTION : c == 'e' || c == 'E' ? NUM_E : AFTER_VALUE;
    case NUM_E:
        if (c == '+' || c == '-')
            return NUM_E_SIGN;
        /* fallthrough */
    case NUM_E_SIGN:
        return is_digit ? NUM_EXPONENT : BAD;
    default:
        return is_digit ? NUM_EXPONENT : AFTER_VALUE;
    }
}

static void begin_number(struct jscan *s, const struct jscan_ops *ops, void *arg, char c)
{
    size_t want = ops->begin(arg, s, JSCAN_NUMBER);

    s->is_key = 0;
    s->text_max = (uint32_t)(ops->number == NULL ? 0 : want > JSCAN_TEXT ? JSCAN_TEXT : want);
    s->text_len = 0;
    s->is_cut = 0;
    keep(s, &c, 1);
}

static void end_number(struct jscan *s, const struct jscan_ops *ops, void *arg)
{
    if (s->text_max == 0)
        return;
    s->text[s->text_len] = '\0';
    ops->number(arg, s, s->text, s->text_len, s->is_cut);
}

static uint8_t begin_value(struct jscan *s, const struct jscan_ops *ops, void *arg, char c)
{
    switch (c) {
    case '{':
        ops->begin(arg, s, JSCAN_OBJECT);
        return push(s, 1);
    case '[':
        ops->begin(arg, s, JSCAN_ARRAY);
        return push(s, 0);
    case '"':
        return begin_string(s, ops, arg, 0);
    case 't':
    case 'f':
    case 'n':
        ops->begin(arg, s, c == 't' ? JSCAN_TRUE : c == 'f' ? JSCAN_FALSE : JSCAN_NULL);
        s->literal = c == 't' ? 0 : c == 'f' ? 1 : 2;
        s->literal_at = 1;
        return IN_LITERAL;
    default:
        if (c != '-' && (c < '0' || c > '9'))
            return BAD;
        begin_number(s, ops, arg, c);
        return c == '-' ? NUM_MINUS : c == '0' ? NUM_ZERO : NUM_INT;
    }
}

/* One byte between the tokens. */
static uint8_t structure(struct jscan *s, const struct jscan_ops *ops, void *arg, char c)
{
    if (is_space(c))
        return s->state;
    switch (s->state) {
    case AT_START:
        return c == '{' ? begin_value(s, ops, arg, c) : BAD;
    case AT_FIRST:
        if (c == ']')
            return pop(s, ops, arg);
        /* fallthrough */
    case AT_VALUE:
        return begin_value(s, ops, arg, c);
    case AT_FIRST_KEY:
        if (c == '}')
            return pop(s, ops, arg);
        /* fallthrough */
    case AT_KEY:
        return c == '"' ? begin_string(s, ops, arg, 1) : BAD;
    case AT_COLON:
        return c == ':' ? AT_VALUE : BAD;
    case AFTER_VALUE:
        if (c == ',')
            return in_object(s) ? AT_KEY : AT_VALUE;
        if (c == (in_object(s) ? '}' : ']'))
            return pop(s, ops, arg);
        return BAD;
    default: /* AT_END: something follows the object */
        return BAD;
    }
}

void jscan_feed(struct jscan *s, const struct jscan_ops *ops, void *arg, const char *p, size_t n)
{
    size_t i = 0;

    while (i < n && s->state != BAD) {
        switch (s->state) {
        case IN_STRING:
            s->at = s->fed + i;
            i += in_string(s, ops, arg, p + i, n - i);
            break;
        case IN_ESCAPE:
            s->state = escape(s, p[i++]);
            break;
        case IN_HEX:
            s->state = hex(s, p[i++]);
            break;
        case IN_LITERAL:
            if (p[i++] != literals[s->literal][s->literal_at])
                s->state = BAD;
            else if (literals[s->literal][++s->literal_at] == '\0')
                s->state = AFTER_VALUE;
            break;
        case NUM_MINUS:
        case NUM_ZERO:
        case NUM_INT:
        case NUM_DOT:
        case NUM_FRACTION:
        case NUM_E:
        case NUM_E_SIGN:
        case NUM_EXPONENT:
            s->state = number(s->state, p[i]);
            if (s->state == AFTER_VALUE)
                end_number(s, ops, arg);
            else if (s->state != BAD)
                keep(s, &p[i++], 1);
            break;
        default:
            s->at = s->fed + i;
            s->state = structure(s, ops, arg, p[i++]);
        }
    }
    s->fed += n;
}
