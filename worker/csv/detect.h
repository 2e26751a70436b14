/* Detects encoding, compression and dialect from the bytes of a file. */
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
/* The names of an import's option `encoding` (utf-8, utf-16, iso-8859-1, windows-1252, ascii,
 * auto; in any case, also as usually spelt: latin1, utf8, cp1252). */
bool csv_encoding_parse(struct str name, enum csv_encoding *out);
const char *csv_encoding_name(enum csv_encoding encoding);

/* Refuses a file that is not text with code not_csv, saying what it looks like ("a PNG image",
 * "an HTML page; check that the link serves the file itself", "a ZIP archive; unpack it
 * first").  Only the first 4 KiB are examined. */
MUST_CHECK bool csv_check_is_text(struct str head, struct err *err);

/* How much of a text is UTF-8, counted chunk by chunk, so that a large file need not be in
 * memory at once. */
struct csv_utf8_count {
    uint64_t sequences; /* valid sequences of two and more bytes */
    uint64_t invalid;   /* bytes that are not part of a valid sequence */
};
/* Counts a chunk and returns how many bytes were counted: all of them, except for a sequence
 * cut off by the end of the chunk, which belongs to the next one.  With `is_last` such a
 * sequence counts as invalid. */
size_t csv_count_utf8(struct csv_utf8_count *count, struct str chunk, bool is_last);
/* By the first 4 KiB alone: the encoding of a BOM; else UTF-16 when nearly every second byte is
 * zero, also beside line ends; else CSV_ENCODING_AUTO, which means that csv_encoding_by_count
 * must decide. */
enum csv_encoding csv_detect_encoding_by_head(struct str head);
/* By the count of the whole file: UTF-8 when nothing is invalid; UTF-8 with some broken rows
 * when valid multi-byte sequences outnumber invalid bytes; else windows-1252. */
enum csv_encoding csv_encoding_by_count(const struct csv_utf8_count *count);

/* The dialect of decoded text, from its first rows.  `head` may be the whole text; at most its
 * first MiB is read.
 *   delimiter  the one of , ; tab | that splits most rows into the same number (> 1) of cells;
 *              a comma when none splits more than half of the rows so
 *   quote      ' when it opens and closes cells and " does not; else "
 *   header     assumed, unless the first row has numbers where the rows below do, or words that
 *              the rows below repeat in the same column; a text above a column of numbers is a
 *              header whatever the other columns say
 * What `hints` knows is kept; a quote that equals the delimiter is switched off.  The result is
 * valid provided that each known hint is valid by itself. */
struct csv_hints {
    bool knows_delimiter, knows_quote, knows_header;
    struct csv_dialect dialect;
};
struct csv_dialect csv_detect_dialect(struct str head, const struct csv_hints *hints);
