/*
 *   text   = ws value ws
 *   value  = object / array / string / number / "true" / "false" / "null"
 *   object = "{" ws [ string ws ":" ws value ws *( "," ws string ws ":" ws value ws ) ] "}"
 *   array  = "[" ws [ value ws *( "," ws value ws ) ] "]"
 *
 * Recursive descent, one function per rule.  Recursion is bounded by JSON_READ_DEPTH_MAX. */
#include "json/scan.h"

#include "base/utf8.h"

#include <string.h>

struct scan {
    struct arena *arena;
    struct str text;
    size_t at;
    unsigned depth;
    struct json_mark *marks;
    size_t mark_count, mark_cap;
    struct err *err;
};

static bool
refuse_json(struct scan *s, const char *rule)
{
    return err_set(s->err, ERR_MALFORMED, "the JSON is wrong at byte %zu: %s", s->at, rule);
}

/* The next byte, or 0 at the end of the text; a NUL byte in the text begins no token, so the
 * two need not be told apart. */
static char
peek(const struct scan *s)
{
    return s->at < s->text.n ? s->text.p[s->at] : '\0';
}

static bool
skip_char(struct scan *s, char c)
{
    bool is_there = s->at < s->text.n && s->text.p[s->at] == c;
    s->at += is_there;
    return is_there;
}

static void
skip_blanks(struct scan *s)
{
    while (s->at < s->text.n && strchr(" \t\r\n", s->text.p[s->at]) && s->text.p[s->at])
        s->at++;
}

/* Returns an index, not a pointer: marks move when their array grows. */
static size_t
add_mark(struct scan *s, enum json_kind kind)
{
    s->marks =
        arena_grow(s->arena, s->marks, &s->mark_cap, s->mark_count + 1, sizeof(*s->marks));
    s->marks[s->mark_count] = (struct json_mark){.kind = kind, .from = s->at};
    return s->mark_count++;
}

static bool
scan_digits(struct scan *s)
{
    size_t from = s->at;
    while (peek(s) >= '0' && peek(s) <= '9')
        s->at++;
    return s->at > from || refuse_json(s, "a digit is expected");
}

/* number = [ "-" ] ( "0" / digit1-9 *digit ) [ "." 1*digit ] [ "e" [ "+" / "-" ] 1*digit ] */
static bool
scan_number(struct scan *s)
{
    skip_char(s, '-');
    if (!skip_char(s, '0') && !scan_digits(s))
        return false;
    if (skip_char(s, '.') && !scan_digits(s))
        return false;
    if (peek(s) != 'e' && peek(s) != 'E')
        return true;
    s->at++;
    if (peek(s) == '+' || peek(s) == '-')
        s->at++;
    return scan_digits(s);
}

/* The four digits after \u. */
static bool
scan_hex(struct scan *s, uint32_t *out)
{
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++, s->at++) {
        int digit = str_hex_digit(peek(s));
        if (digit < 0)
            return refuse_json(s, "\\u takes four hex digits");
        unit = unit << 4 | (uint32_t)digit;
    }
    *out = unit;
    return true;
}

/* After "\u": one code point, written as one unit or as a surrogate pair. */
static bool
scan_unicode_escape(struct scan *s)
{
    uint32_t high = 0, low = 0;
    if (!scan_hex(s, &high))
        return false;
    if (high == 0)
        return refuse_json(s, "the character NUL (\\u0000) is not accepted");
    if (high < 0xd800 || high > 0xdfff)
        return true;
    if (high > 0xdbff || !skip_char(s, '\\') || !skip_char(s, 'u'))
        return refuse_json(s, "half of a surrogate pair stands alone");
    if (!scan_hex(s, &low))
        return false;
    bool is_pair = low >= 0xdc00 && low <= 0xdfff;
    return is_pair || refuse_json(s, "half of a surrogate pair stands alone");
}

static bool
scan_escape(struct scan *s)
{
    char c = peek(s);
    if (c == '\0' || !strchr("\"\\/bfnrtu", c))
        return refuse_json(s, "a backslash is followed by one of \" \\ / b f n r t u");
    s->at++;
    return c != 'u' || scan_unicode_escape(s);
}

static bool
scan_string(struct scan *s)
{
    if (!skip_char(s, '"'))
        return refuse_json(s, "a string in double quotes is expected");
    while (!skip_char(s, '"')) {
        if (s->at >= s->text.n)
            return refuse_json(s, "the text ends inside a string");
        if ((unsigned char)peek(s) < 0x20)
            return refuse_json(s, "a control character in a string has to be escaped");
        if (skip_char(s, '\\')) {
            if (!scan_escape(s))
                return false;
            continue;
        }
        size_t n = utf8_sequence(str_skip(s->text, s->at));
        if (n == 0)
            return refuse_json(s, "the text is not valid UTF-8");
        s->at += n;
    }
    return true;
}

static bool scan_value(struct scan *s);

static bool
scan_container(struct scan *s, size_t mark)
{
    bool is_object = s->marks[mark].kind == JSON_OBJECT;
    char closing = is_object ? '}' : ']';
    s->at++;
    if (++s->depth > JSON_READ_DEPTH_MAX)
        return refuse_json(s, "values are nested more than 16 deep");
    skip_blanks(s);
    if (!skip_char(s, closing)) {
        do {
            skip_blanks(s);
            if (is_object) {
                if (!scan_string(s))
                    return false;
                skip_blanks(s);
                if (!skip_char(s, ':'))
                    return refuse_json(s, "':' is expected behind a key");
                skip_blanks(s);
            }
            if (!scan_value(s))
                return false;
            s->marks[mark].child_count++;
            skip_blanks(s);
        } while (skip_char(s, ','));
        if (!skip_char(s, closing))
            return refuse_json(s,
                               is_object ? "',' or '}' is expected" : "',' or ']' is expected");
    }
    s->depth--;
    return true;
}

static bool
scan_word(struct scan *s, struct str word)
{
    if (!str_starts(str_skip(s->text, s->at), word))
        return refuse_json(s, "a value is expected");
    s->at += word.n;
    return true;
}

static bool
scan_value(struct scan *s)
{
    char c = peek(s);
    enum json_kind kind = c == '{'               ? JSON_OBJECT
                          : c == '['             ? JSON_ARRAY
                          : c == '"'             ? JSON_STRING
                          : c == 't' || c == 'f' ? JSON_BOOL
                          : c == 'n'             ? JSON_NULL
                                                 : JSON_NUMBER;
    if (kind == JSON_NUMBER && c != '-' && !(c >= '0' && c <= '9'))
        return refuse_json(s, s->at < s->text.n ? "a value is expected"
                                                : "the text ends too early");
    size_t mark = add_mark(s, kind);
    bool is_right = kind == JSON_OBJECT || kind == JSON_ARRAY ? scan_container(s, mark)
                    : kind == JSON_STRING                     ? scan_string(s)
                    : kind == JSON_NUMBER                     ? scan_number(s)
                    : c == 't'                                ? scan_word(s, STR("true"))
                    : c == 'f'                                ? scan_word(s, STR("false"))
                                                              : scan_word(s, STR("null"));
    s->marks[mark].boolean = c == 't';
    s->marks[mark].to = s->at;
    return is_right;
}

bool
json_scan(struct arena *a, struct str text, const struct json_mark **out, struct err *err)
{
    struct scan s = {.arena = a, .text = text, .err = err};
    skip_blanks(&s);
    if (!scan_value(&s))
        return false;
    skip_blanks(&s);
    if (s.at < text.n)
        return refuse_json(&s, "something follows the value");
    *out = s.marks;
    return true;
}
