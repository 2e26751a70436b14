/*     preamble                          any bytes, ignored
 *     --boundary CRLF                   only white space may stand before the CRLF
 *     Content-Disposition: form-data; name="file"; filename="games.csv" CRLF
 *     Content-Type: text/csv CRLF
 *     CRLF
 *     value                             ends before the CRLF of the next delimiter
 *     CRLF --boundary-- epilogue        any bytes, ignored
 *
 * A line that merely begins with the delimiter is part of the value. */
#include "http/multipart.h"

#include "base/utf8.h"

#include <string.h>

#define CRLF STR("\r\n")

/* ---- parameters of a header: type; name=value; name="value" ---- */

static struct str
skip_blanks(struct str s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = str_skip(s, 1);
    return s;
}

static size_t
token_length(struct str s)
{
    size_t n = 0;
    while (n < s.n && s.p[n] > ' ' && s.p[n] < 0x7f && !strchr("()<>@,;:\\\"/[]?=", s.p[n]))
        n++;
    return n;
}

/* The text after an opening quote, up to the closing one.  Only \" and \\ are escapes: browsers
 * send %22 for a quote, and old ones send C:\games.csv unescaped. */
static bool
take_quoted(struct arena *a, struct str *rest, struct str *out)
{
    char *text = arena_alloc(a, rest->n);
    size_t n = 0, i = 0;
    for (; i < rest->n && rest->p[i] != '"'; i++) {
        bool is_escape = rest->p[i] == '\\' && i + 1 < rest->n &&
                         (rest->p[i + 1] == '"' || rest->p[i + 1] == '\\');
        i += is_escape;
        text[n++] = rest->p[i];
    }
    if (i == rest->n)
        return false;
    *rest = str_skip(*rest, i + 1);
    *out = (struct str){text, n};
    return true;
}

/* An unquoted value runs to the next ';': some clients leave out the quotes that a boundary's
 * characters would need. */
static struct str
take_bare(struct str *rest)
{
    ptrdiff_t at = str_find_char(*rest, ';');
    struct str value = str_slice(*rest, 0, at < 0 ? rest->n : (size_t)at);
    *rest = str_skip(*rest, value.n);
    return str_trim(value);
}

/* Reads the next parameter: 1, 0 at the end, -1 when what follows is not a parameter. */
static int
next_parameter(struct arena *a, struct str *rest, struct str *name, struct str *value)
{
    struct str s = skip_blanks(*rest);
    while (s.n && s.p[0] == ';')
        s = skip_blanks(str_skip(s, 1));
    if (s.n == 0)
        return 0;
    *name = str_slice(s, 0, token_length(s));
    s = skip_blanks(str_skip(s, name->n));
    if (name->n == 0 || s.n == 0 || s.p[0] != '=')
        return -1;
    s = skip_blanks(str_skip(s, 1));
    if (s.n && s.p[0] == '"') {
        s = str_skip(s, 1);
        if (!take_quoted(a, &s, value))
            return -1;
        s = skip_blanks(s);
        if (s.n && s.p[0] != ';')
            return -1;
    } else {
        *value = take_bare(&s);
    }
    *rest = s;
    return 1;
}

/* The word before the parameters; `*rest` then begins after it. */
static struct str
take_type(struct str *rest)
{
    return take_bare(rest);
}

/* ---- the boundary ---- */

static bool
check_boundary(struct str boundary, struct err *err)
{
    if (boundary.n == 0 || boundary.n > MULTIPART_BOUNDARY_BYTES_MAX)
        return err_set(err, ERR_MALFORMED,
                       "The boundary of multipart/form-data has 1 to %d characters, got %zu",
                       MULTIPART_BOUNDARY_BYTES_MAX, boundary.n);
    for (size_t i = 0; i < boundary.n; i++)
        if (boundary.p[i] < ' ' || boundary.p[i] > '~')
            return err_set(err, ERR_MALFORMED,
                           "The boundary of multipart/form-data is printable ASCII, got "
                           "'%" STR_FMT "'",
                           STR_ARG(boundary));
    return true;
}

static bool
parse_boundary(struct arena *a, struct str content_type, struct str *boundary, struct err *err)
{
    struct str rest = content_type, name, value;
    if (!str_eq_ascii_nocase(take_type(&rest), STR("multipart/form-data")))
        return err_set(err, ERR_MALFORMED,
                       "The Content-Type is not multipart/form-data but '%" STR_FMT "'",
                       STR_ARG(content_type));
    int found;
    while ((found = next_parameter(a, &rest, &name, &value)) == 1) {
        if (!str_eq_ascii_nocase(name, STR("boundary")))
            continue;
        *boundary = value;
        return check_boundary(value, err);
    }
    return err_set(err, ERR_MALFORMED,
                   "The Content-Type has no boundary parameter; let the client set the header "
                   "itself (curl -F, FormData), got '%" STR_FMT "'",
                   STR_ARG(content_type));
}

/* ---- names and values of a part ---- */

/* RFC 5987: charset'language'percent-encoded bytes. */
static bool
parse_extended(struct arena *a, struct str s, struct str *out)
{
    struct str charset = str_cut(&s, '\'');
    str_cut(&s, '\'');
    bool is_latin = str_eq_ascii_nocase(charset, STR("iso-8859-1"));
    if (!s.p || (!is_latin && !str_eq_ascii_nocase(charset, STR("utf-8"))))
        return false;
    char *text = arena_alloc(a, s.n * 2);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '%') {
            int high = i + 2 < s.n ? str_hex_digit(s.p[i + 1]) : -1;
            int low = high >= 0 ? str_hex_digit(s.p[i + 2]) : -1;
            if (low < 0)
                return false;
            c = (unsigned char)(high * 16 + low);
            i += 2;
        }
        if (is_latin)
            n += utf8_encode(c, text + n);
        else
            text[n++] = (char)c;
    }
    *out = (struct str){text, n};
    return true;
}

static struct str
without_folders(struct str path)
{
    size_t start = 0;
    for (size_t i = 0; i < path.n; i++)
        if (path.p[i] == '/' || path.p[i] == '\\')
            start = i + 1;
    return str_skip(path, start);
}

/* A part whose headers are being read. */
struct reading {
    struct arena *arena;
    size_t number; /* from 1, for messages */
    bool has_disposition, has_extended_filename;
    struct multipart_part part;
};

static bool
fail_part(const struct reading *r, struct err *err, const char *rule)
{
    return err_set(err, ERR_MALFORMED, "Part %zu of the form %s", r->number, rule);
}

static bool
set_parameter(struct reading *r, struct str name, struct str value, struct err *err)
{
    if (str_eq_ascii_nocase(name, STR("name"))) {
        r->part.name = value;
    } else if (str_eq_ascii_nocase(name, STR("filename")) && !r->has_extended_filename) {
        r->part.has_filename = true;
        r->part.filename = without_folders(value);
    } else if (str_eq_ascii_nocase(name, STR("filename*"))) {
        if (!parse_extended(r->arena, value, &value))
            return fail_part(r, err, "has a filename* that is not as RFC 5987 has it");
        r->part.has_filename = r->has_extended_filename = true;
        r->part.filename = without_folders(value);
    }
    return true;
}

static bool
read_disposition(struct reading *r, struct str value, struct err *err)
{
    if (r->has_disposition)
        return fail_part(r, err, "has two Content-Disposition headers");
    r->has_disposition = true;
    if (!str_eq_ascii_nocase(take_type(&value), STR("form-data")))
        return fail_part(r, err, "has a Content-Disposition that is not form-data");
    struct str name, parameter;
    int found;
    while ((found = next_parameter(r->arena, &value, &name, &parameter)) == 1)
        if (!set_parameter(r, name, parameter, err))
            return false;
    return found == 0 ||
           fail_part(r, err, "has a Content-Disposition whose parameters are not name=value");
}

static bool
read_header(struct reading *r, struct str line, struct err *err)
{
    ptrdiff_t colon = str_find_char(line, ':');
    struct str name = str_slice(line, 0, colon < 0 ? 0 : (size_t)colon);
    if (name.n == 0 || token_length(name) != name.n)
        return fail_part(r, err, "has a header line that is not 'name: value'");
    struct str value = str_trim(str_skip(line, name.n + 1));
    if (str_eq_ascii_nocase(name, STR("Content-Disposition")))
        return read_disposition(r, value, err);
    if (str_eq_ascii_nocase(name, STR("Content-Type")))
        r->part.content_type = value;
    bool is_coding = str_eq_ascii_nocase(name, STR("Content-Transfer-Encoding"));
    bool is_plain = str_eq_ascii_nocase(value, STR("binary")) ||
                    str_eq_ascii_nocase(value, STR("8bit")) ||
                    str_eq_ascii_nocase(value, STR("7bit"));
    if (is_coding && !is_plain)
        return fail_part(r, err, "has a Content-Transfer-Encoding; send the bytes as they are");
    return true;
}

static bool
check_part(const struct reading *r, struct err *err)
{
    const struct multipart_part *part = &r->part;
    if (!r->has_disposition)
        return fail_part(r, err, "has no Content-Disposition header");
    if (part->name.n == 0)
        return fail_part(r, err, "has no name");
    if (!utf8_is_valid(part->name) || str_find_char(part->name, '\0') >= 0)
        return fail_part(r, err, "has a name that is not UTF-8");
    if (!utf8_is_valid(part->filename) || str_find_char(part->filename, '\0') >= 0)
        return fail_part(r, err, "has a filename that is not UTF-8");
    return true;
}

/* Reads the header lines off `*rest`, up to and including the empty line. */
static bool
read_headers(struct reading *r, struct str *rest, struct err *err)
{
    struct str head = str_slice(*rest, 0, MULTIPART_HEADER_BYTES_MAX);
    for (;;) {
        ptrdiff_t at = str_find(head, CRLF);
        if (at < 0 && rest->n > MULTIPART_HEADER_BYTES_MAX)
            return err_set(err, ERR_MALFORMED,
                           "Part %zu of the form has headers of more than %zu bytes", r->number,
                           MULTIPART_HEADER_BYTES_MAX);
        if (at < 0)
            return fail_part(r, err, "has headers that do not end with an empty line");
        struct str line = str_slice(head, 0, (size_t)at);
        head = str_skip(head, line.n + CRLF.n);
        if (line.n == 0)
            break;
        if (!read_header(r, line, err))
            return false;
    }
    *rest = str_skip(*rest, (size_t)(head.p - rest->p));
    return check_part(r, err);
}

/* ---- the body ---- */

enum after { AFTER_NONE, AFTER_PART, AFTER_END };

/* What follows a delimiter: the line end that begins a part, or the "--" that ends the form;
 * `*n` is its length in bytes. */
static enum after
look_behind(struct str s, size_t *n)
{
    *n = 0;
    if (str_starts(s, STR("--")))
        return AFTER_END;
    struct str line_end = skip_blanks(s);
    *n = s.n - line_end.n + CRLF.n;
    return str_starts(line_end, CRLF) ? AFTER_PART : AFTER_NONE;
}

/* Finds the next delimiter (CRLF -- boundary) in `*rest`: the bytes before it go to `value`,
 * and `*rest` then begins after the delimiter's line. */
static enum after
take_value(struct str *rest, struct str delimiter, struct str *value)
{
    size_t from = 0, line_bytes = 0;
    for (;;) {
        ptrdiff_t at = str_find(str_skip(*rest, from), delimiter);
        if (at < 0)
            return AFTER_NONE;
        size_t start = from + (size_t)at;
        from = start + delimiter.n;
        enum after after = look_behind(str_skip(*rest, from), &line_bytes);
        if (after == AFTER_NONE)
            continue;
        *value = str_slice(*rest, 0, start);
        *rest = str_skip(*rest, from + line_bytes);
        return after;
    }
}

/* The first delimiter needs no CRLF before it when the body begins with it. */
static enum after
skip_preamble(struct str *rest, struct str delimiter)
{
    struct str dashes = str_skip(delimiter, CRLF.n), unused;
    size_t line_bytes = 0;
    if (str_starts(*rest, dashes)) {
        enum after after = look_behind(str_skip(*rest, dashes.n), &line_bytes);
        if (after != AFTER_NONE) {
            *rest = str_skip(*rest, dashes.n + line_bytes);
            return after;
        }
    }
    return take_value(rest, delimiter, &unused);
}

bool
multipart_parse(struct arena *a, struct str content_type, struct str body,
                struct multipart *out, struct err *err)
{
    struct str boundary = {0}, rest = body;
    if (!parse_boundary(a, content_type, &boundary, err))
        return false;
    struct str delimiter = arena_printf(a, "\r\n--%" STR_FMT, STR_ARG(boundary));
    struct multipart m = {.parts = arena_array(a, MULTIPART_PARTS_MAX, struct multipart_part)};
    enum after after = skip_preamble(&rest, delimiter);
    if (after == AFTER_NONE)
        return err_set(err, ERR_MALFORMED,
                       "The body of %zu bytes does not contain the boundary '%" STR_FMT
                       "' of its Content-Type",
                       body.n, STR_ARG(boundary));
    while (after == AFTER_PART) {
        struct reading r = {.arena = a, .number = m.count + 1};
        if (m.count == MULTIPART_PARTS_MAX)
            return err_set(err, ERR_MALFORMED, "A form has at most %d parts",
                           MULTIPART_PARTS_MAX);
        if (!read_headers(&r, &rest, err))
            return false;
        after = take_value(&rest, delimiter, &r.part.value);
        if (after == AFTER_NONE)
            return fail_part(&r, err,
                             "has no closing boundary behind it: the body was cut short");
        r.part.offset = (size_t)(r.part.value.p - body.p);
        m.parts[m.count++] = r.part;
    }
    if (m.count == 0)
        return err_set(err, ERR_MALFORMED, "The form has no parts");
    *out = m;
    return true;
}
