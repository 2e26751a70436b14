/* List cells.  Two spellings, told apart by trying the first:
 *
 *   python = "[" [string *("," string)] "]"      blanks between the parts
 *   string = "'" ... "'" / '"' ... '"'           escapes as in Python
 *   commas = part *("," part)                    parts trimmed, empty ones dropped
 *
 * Elements point into the raw text wherever their bytes stand there as they are, which is all
 * of them but Python strings with escapes. */
#include "catalogue/schema.h"

#include "base/utf8.h"

#include <string.h>

static void
skip_blanks(struct str *s)
{
    while (s->n && strchr(" \t\r\n", s->p[0]) && s->p[0] != '\0')
        *s = str_skip(*s, 1);
}

/* The digits of \xHH, \uHHHH, \UHHHHHHHH. */
static bool
take_hex(struct str *s, size_t digits, uint32_t *out)
{
    uint32_t v = 0;
    if (s->n < digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        int digit = str_hex_digit(s->p[i]);
        if (digit < 0)
            return false;
        v = v << 4 | (uint32_t)digit;
    }
    *s = str_skip(*s, digits);
    *out = v;
    return v <= 0x10ffff && (v < 0xd800 || v > 0xdfff);
}

/* What stands behind the backslash; an escape Python does not know keeps its backslash. */
static bool
take_escape(struct str *s, char *out, size_t *n)
{
    static const char FROM[] = "\\'\"nrtabfv0", TO[] = "\\'\"\n\r\t\a\b\f\v\0";
    if (s->n == 0)
        return false;
    char c = s->p[0];
    *s = str_skip(*s, 1);
    size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (digits) {
        uint32_t code_point;
        if (!take_hex(s, digits, &code_point))
            return false;
        *n += utf8_encode(code_point, out + *n);
        return true;
    }
    const char *known = c ? strchr(FROM, c) : NULL;
    if (!known)
        out[(*n)++] = '\\';
    out[(*n)++] = known ? TO[known - FROM] : c;
    return true;
}

static bool
take_string(struct arena *a, struct str *s, struct str *out)
{
    if (s->n == 0 || (s->p[0] != '\'' && s->p[0] != '"'))
        return false;
    char quote = s->p[0];
    struct str rest = str_skip(*s, 1);
    size_t plain = 0;
    while (plain < rest.n && rest.p[plain] != quote && rest.p[plain] != '\\')
        plain++;
    if (plain < rest.n && rest.p[plain] == quote) {
        *out = str_slice(rest, 0, plain);
        *s = str_skip(rest, plain + 1);
        return true;
    }
    /* An escape is never shorter than what it stands for. */
    char *text = arena_alloc(a, rest.n + 1);
    size_t n = 0;
    while (rest.n && rest.p[0] != quote) {
        char c = rest.p[0];
        rest = str_skip(rest, 1);
        if (c != '\\')
            text[n++] = c;
        else if (!take_escape(&rest, text, &n))
            return false;
    }
    *out = (struct str){text, n};
    *s = str_skip(rest, 1);
    return rest.n > 0;
}

static bool
split_python(struct arena *a, struct str raw, struct str *elements, size_t *count)
{
    struct str s = str_trim(raw);
    if (s.n < 2 || s.p[0] != '[' || s.p[s.n - 1] != ']')
        return false;
    s = str_slice(s, 1, s.n - 1);
    size_t n = 0;
    skip_blanks(&s);
    while (s.n) {
        if (!take_string(a, &s, &elements[n]))
            return false;
        n++;
        skip_blanks(&s);
        if (s.n == 0)
            break;
        if (s.p[0] != ',')
            return false;
        s = str_skip(s, 1);
        skip_blanks(&s);
    }
    *count = n;
    return true;
}

/* Equal without regard to dots and blanks, so that "L.L.C." is "LLC" and "S. A." is "S.A.". */
static bool
is_same_suffix(struct str a, struct str b)
{
    size_t i = 0, j = 0;
    for (;;) {
        while (i < a.n && (a.p[i] == '.' || a.p[i] == ' '))
            i++;
        while (j < b.n && (b.p[j] == '.' || b.p[j] == ' '))
            j++;
        if (i == a.n || j == b.n)
            return i == a.n && j == b.n;
        if (a.p[i++] != b.p[j++])
            return false;
    }
}

static bool
is_suffix_only(const struct schema_column *column, struct str element)
{
    enum { SUFFIX_BYTES_MAX = 32 };
    if (column->list_join_count == 0 || element.n > SUFFIX_BYTES_MAX)
        return false;
    char folded[SUFFIX_BYTES_MAX * 3 / 2 + 4];
    struct str s = {folded, utf8_fold_into(folded, element)};
    for (size_t i = 0; i < column->list_join_count; i++)
        if (is_same_suffix(s, column->list_join[i]))
            return true;
    return false;
}

static size_t
split_commas(const struct schema_column *column, struct str raw, struct str *elements)
{
    size_t n = 0;
    for (struct str rest = raw; rest.p;) {
        struct str part = str_trim(str_cut(&rest, ','));
        if (part.n == 0)
            continue;
        if (n && is_suffix_only(column, part))
            elements[n - 1].n = (size_t)(part.p + part.n - elements[n - 1].p);
        else
            elements[n++] = part;
    }
    return n;
}

void
schema_split_list(struct arena *a, const struct schema_column *column, struct str raw,
                  struct str **out, size_t *out_count)
{
    *out = NULL;
    *out_count = 0;
    if (str_trim(raw).n == 0)
        return;
    size_t commas = 0;
    for (const char *p = raw.p, *end = raw.p + raw.n;
         p && (p = memchr(p, ',', (size_t)(end - p))); p++)
        commas++;
    *out = arena_array(a, commas + 1, struct str);
    if (!split_python(a, raw, *out, out_count))
        *out_count = split_commas(column, raw, *out);
}
