/* Encodings, and files that are not CSV; the dialect is in detect_dialect.c. */
#include "csv/detect.h"

#include "base/utf8.h"

#include <string.h>

/* What the functions that decide by the first few KiB examine. */
#define HEAD_BYTES_MAX (4 * KIB)

/* ---- names ---- */

static const char *const NAMES[] = {
    [CSV_ENCODING_AUTO] = "auto",
    [CSV_UTF_8] = "utf-8",
    [CSV_UTF_16] = "utf-16",
    [CSV_ISO_8859_1] = "iso-8859-1",
    [CSV_WINDOWS_1252] = "windows-1252",
    [CSV_ASCII] = "ascii",
};

/* Other spellings, without the '-', '_' and blanks that people put in various places. */
static const struct {
    const char *name;
    enum csv_encoding encoding;
} SPELLINGS[] = {
    {"auto", CSV_ENCODING_AUTO},
    {"utf8", CSV_UTF_8},
    {"utf8bom", CSV_UTF_8},
    {"utf8sig", CSV_UTF_8},
    {"utf16", CSV_UTF_16},
    {"utf16le", CSV_UTF_16},
    {"utf16be", CSV_UTF_16},
    {"unicode", CSV_UTF_16},
    {"ucs2", CSV_UTF_16},
    {"iso88591", CSV_ISO_8859_1},
    {"latin1", CSV_ISO_8859_1},
    {"l1", CSV_ISO_8859_1},
    {"windows1252", CSV_WINDOWS_1252},
    {"cp1252", CSV_WINDOWS_1252},
    {"win1252", CSV_WINDOWS_1252},
    {"ansi", CSV_WINDOWS_1252},
    {"ascii", CSV_ASCII},
    {"usascii", CSV_ASCII},
};

bool
csv_encoding_parse(struct str name, enum csv_encoding *out)
{
    char plain[16];
    size_t n = 0;
    for (size_t i = 0; i < name.n; i++) {
        if (strchr("-_ ", name.p[i]) && name.p[i] != '\0')
            continue;
        if (n == sizeof(plain))
            return false;
        plain[n++] = name.p[i];
    }
    for (size_t i = 0; i < COUNT_OF(SPELLINGS); i++)
        if (str_eq_ascii_nocase((struct str){plain, n}, str_from(SPELLINGS[i].name))) {
            *out = SPELLINGS[i].encoding;
            return true;
        }
    return false;
}

const char *
csv_encoding_name(enum csv_encoding encoding)
{
    return NAMES[encoding];
}

/* ---- files that are not text ---- */

/* A file that begins with these bytes is not CSV.  A signature that could also begin a text is
 * left out; is_binary decides there. */
static const struct {
    struct str magic;
    const char *what;
} SIGNATURES[] = {
    {STR_INIT("\x89PNG\r\n"), "a PNG image"},
    {STR_INIT("\xff\xd8\xff"), "a JPEG image"},
    {STR_INIT("GIF87a"), "a GIF image"},
    {STR_INIT("GIF89a"), "a GIF image"},
    {STR_INIT("%PDF-"), "a PDF document; export the table as CSV"},
    {STR_INIT("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
     "an old Office document (.xls); save it as CSV first"},
    {STR_INIT("PK\x03\x04"), "a ZIP archive; unpack it first"},
    {STR_INIT("PK\x05\x06"), "an empty ZIP archive"},
    {STR_INIT("\x1f\x8b"), "a gzip archive inside a gzip archive; compress it only once"},
    {STR_INIT("\xfd"
              "7zXZ"),
     "an XZ archive; unpack it or use gzip"},
    {STR_INIT("\x28\xb5\x2f\xfd"), "a Zstandard archive; unpack it or use gzip"},
    {STR_INIT("BZh91AY"), "a bzip2 archive; unpack it or use gzip"},
    {STR_INIT("7z\xbc\xaf\x27\x1c"), "a 7-Zip archive; unpack it first"},
    {STR_INIT("Rar!\x1a\x07"), "a RAR archive; unpack it first"},
    {STR_INIT("SQLite format 3"), "an SQLite database; export the table as CSV"},
    {STR_INIT("PAR1"), "a Parquet file; export it as CSV"},
    {STR_INIT("ARROW1"), "an Arrow file; export it as CSV"},
    {STR_INIT("\x7f"
              "ELF"),
     "a program"},
    {STR_INIT("version https://git-lfs.github.com/spec/"),
     "a Git LFS pointer; the file itself is in the LFS store, `git lfs pull` fetches it"},
    {STR_INIT("\xff\xfe\x00\x00"), "UTF-32 text; save it as UTF-8"},
    {STR_INIT("\x00\x00\xfe\xff"), "UTF-32 text; save it as UTF-8"},
};

static const char *
by_signature(struct str head)
{
    bool is_zip = str_starts(head, STR("PK\x03\x04"));
    if (is_zip &&
        (str_find(head, STR("[Content_Types].xml")) >= 0 || str_find(head, STR("xl/")) >= 0))
        return "an Excel workbook (.xlsx); save it as CSV first";
    for (size_t i = 0; i < COUNT_OF(SIGNATURES); i++)
        if (str_starts(head, SIGNATURES[i].magic))
            return SIGNATURES[i].what;
    return NULL;
}

static bool
starts_nocase(struct str s, const char *prefix)
{
    struct str word = str_from(prefix);
    return s.n >= word.n && str_eq_ascii_nocase(str_slice(s, 0, word.n), word);
}

static const char *
by_markup(struct str head)
{
    static const char *const HTML[] = {"<!doctype html", "<html", "<head", "<body",
                                       "<script",        "<div",  "<table"};
    if (str_starts(head, STR("\xef\xbb\xbf")))
        head = str_skip(head, 3);
    head = str_trim(head);
    for (size_t i = 0; i < COUNT_OF(HTML); i++)
        if (starts_nocase(head, HTML[i]))
            return "an HTML page; check that the link serves the file itself";
    if (starts_nocase(head, "<?xml") || starts_nocase(head, "<!doctype"))
        return "an XML document; export it as CSV";
    struct str inside = str_trim(str_skip(head, 1));
    char outer = head.n ? head.p[0] : '\0', inner = inside.n ? inside.p[0] : '\0';
    bool is_object = outer == '{' && (inner == '"' || inner == '}');
    bool is_array = outer == '[' && (inner == '{' || inner == '[' || inner == '"');
    return is_object || is_array ? "a JSON document; export it as CSV" : NULL;
}

/* Text has no control bytes but white space; a single stray one is left to the parser, which
 * rejects its row.  In compressed data 11 % of the bytes are control bytes. */
static bool
is_binary(struct str head)
{
    size_t controls = 0;
    for (size_t i = 0; i < head.n; i++) {
        unsigned char c = (unsigned char)head.p[i];
        controls += (c < 0x20 && !(c >= '\t' && c <= '\r')) || c == 0x7f;
    }
    return controls >= 8 && controls > head.n / 20;
}

bool
csv_check_is_text(struct str head, struct err *err)
{
    head = str_slice(head, 0, HEAD_BYTES_MAX);
    const char *what = by_signature(head);
    if (!what)
        what = by_markup(head);
    if (!what && csv_detect_encoding_by_head(head) != CSV_UTF_16 && is_binary(head))
        what = str_find_char(head, '\0') >= 0
                   ? "binary data with NUL bytes; for UTF-16 without a byte order mark say "
                     "encoding=utf-16"
                   : "binary data";
    if (!what)
        return true;
    return err_set_code(err, ERR_INVALID, "not_csv", "The file is no CSV text but %s", what);
}

/* ---- encodings ---- */

/* Latin text in UTF-16 has a zero in one half of nearly every unit and hardly any in the other
 * half; a quarter of the units may have none, for names in other scripts.  A file of single
 * bytes with NULs around its delimiters can have as many, also in one half only, but it has no
 * zero beside its line ends:
 *
 *     7 0 | , 0 | 8 8 | \r \n      bytes, and 0x0a0d is no line end
 *     7 0 | , 0 | 8 0 | \n  0      UTF-16
 */
static bool
has_zeros_of_utf16(struct str head)
{
    size_t zeros[2] = {0}, units = head.n / 2, wide_ends = 0, bare_ends = 0;
    for (size_t i = 0; i < units * 2; i++) {
        bool is_end = head.p[i] == '\n' || head.p[i] == '\r';
        bool is_wide = head.p[i ^ 1] == '\0';
        zeros[i % 2] += head.p[i] == '\0';
        wide_ends += is_end && is_wide;
        bare_ends += is_end && !is_wide;
    }
    size_t more = MAX(zeros[0], zeros[1]), less = MIN(zeros[0], zeros[1]);
    return units >= 2 && more * 4 >= units * 3 && less * 16 <= more && bare_ends <= wide_ends;
}

enum csv_encoding
csv_detect_encoding_by_head(struct str head)
{
    head = str_slice(head, 0, HEAD_BYTES_MAX);
    if (str_starts(head, STR("\xef\xbb\xbf")))
        return CSV_UTF_8;
    if (str_starts(head, STR("\xff\xfe")) || str_starts(head, STR("\xfe\xff")))
        return CSV_UTF_16;
    return has_zeros_of_utf16(head) ? CSV_UTF_16 : CSV_ENCODING_AUTO;
}

/* Could more bytes complete this to a valid sequence? */
static bool
is_cut_sequence(struct str s)
{
    static const char REST[] = {'\x80', '\x90', '\xa0'};
    for (size_t i = 0; s.n < 4 && i < COUNT_OF(REST); i++) {
        char longer[8] = {0};
        memcpy(longer, s.p, s.n);
        /* The second byte has rules of its own; each later one may be any continuation byte. */
        memset(longer + s.n, '\x80', 4 - s.n);
        if (s.n == 1)
            longer[1] = REST[i];
        if (utf8_sequence((struct str){longer, 4}) > s.n)
            return true;
    }
    return false;
}

size_t
csv_count_utf8(struct csv_utf8_count *count, struct str chunk, bool is_last)
{
    size_t at = 0;
    for (;;) {
        at += utf8_count_prefix(str_skip(chunk, at), &count->sequences);
        struct str rest = str_skip(chunk, at);
        if (rest.n == 0 || (!is_last && is_cut_sequence(rest)))
            return at;
        count->invalid++;
        at++;
    }
}

enum csv_encoding
csv_encoding_by_count(const struct csv_utf8_count *count)
{
    return count->invalid == 0 || count->sequences > count->invalid ? CSV_UTF_8
                                                                    : CSV_WINDOWS_1252;
}
