/* What kind of file is this?  Encoding, compression and dialect from the bytes themselves. */
#pragma once

#include "csv/csv.h"

enum csv_encoding {
    CSV_ENCODING_AUTO,
    CSV_UTF_8,
    CSV_UTF_16, /* byte order by BOM, else by which bytes are zero */
    CSV_ISO_8859_1,
    CSV_WINDOWS_1252,
    CSV_ASCII,
};
/* By the names of SPEC 3.1 (utf-8, utf-16, iso-8859-1, windows-1252, ascii, auto; any case,
 * with the usual spellings such as latin1, utf8, cp1252). */
bool csv_encoding_parse(struct str name, enum csv_encoding *out);
const char *csv_encoding_name(enum csv_encoding encoding);

/* Refuses what is no text at all with code not_csv, saying what it looks like ("a PNG image",
 * "an HTML page; check that the link serves the file itself", "a ZIP archive; unpack it
 * first").  Only the first few KiB are looked at. */
MUST_CHECK bool csv_check_is_text(struct str head, struct err *err);

/* How much of a text is UTF-8: counted chunk by chunk, so that a large file need not be in
 * memory at once. */
struct csv_utf8_count {
    uint64_t sequences; /* valid ones of two and more bytes */
    uint64_t invalid;   /* bytes that belong to none */
};
/* Counts a chunk and returns the bytes it took: all of them, but for a sequence that the end
 * of a chunk cut short, which is left to the next one.  With `is_last` it counts as invalid. */
size_t csv_count_utf8(struct csv_utf8_count *count, struct str chunk, bool is_last);
/* By the first few KiB alone: a BOM decides; else zero bytes in nearly every other place,
 * beside line ends too, mean UTF-16; else AUTO, which the count of the whole file settles:
 * valid UTF-8 is UTF-8; else it is UTF-8 with broken rows when multi-byte sequences that are
 * valid outnumber the invalid bytes, and windows-1252 when not. */
enum csv_encoding csv_detect_encoding_by_head(struct str head);
enum csv_encoding csv_encoding_by_count(const struct csv_utf8_count *count);

/* The dialect of decoded text, by its first rows (at most the first MiB is looked at, so all of
 * it may be given):
 *   delimiter  of , ; tab | the one that splits most rows into the same number (> 1) of cells;
 *              a comma when none splits more than half of them so
 *   quote      the ' when it opens and closes cells and the " does not, else the "
 *   header     unless the first row holds numbers where the rows below do, or words that the
 *              rows below repeat in the same column; a text over a column of numbers is a
 *              header whatever the other columns say
 * What `hints` knows is kept; a quote that equals the delimiter is off.  The result is valid
 * wherever each of the two that are known would be with another. */
struct csv_hints {
    bool knows_delimiter, knows_quote, knows_header;
    struct csv_dialect dialect;
};
struct csv_dialect csv_detect_dialect(struct str head, const struct csv_hints *hints);
