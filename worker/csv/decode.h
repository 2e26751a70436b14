/* Produces the UTF-8 text that the parser reads: decompresses gzip (zlib) and converts the
 * encoding.  A plain UTF-8 file is used as it is, without a copy. */
#pragma once

#include "base/fs.h"
#include "csv/detect.h"

struct csv_source {
    uint64_t offset,
        length; /* the CSV's bytes inside source_fd (a multipart part has an offset) */
    enum csv_encoding encoding; /* as asked for; AUTO detects */
    uint64_t decoded_bytes_max;
};

struct csv_decoded {
    struct fs_map map; /* owns the mapping; of the source or of the decoded file */
    struct str text;   /* UTF-8 without BOM, inside map */
    bool was_gzip;
    enum csv_encoding encoding; /* the source's */
    uint64_t bom_bytes;         /* of the decoded file that were skipped before `text` */
};

/* `temporary_fd` is an empty file, written when a copy is needed.  on_progress, when given, is
 * called at least every 8 MiB with the source bytes read so far; the source may be read twice,
 * but the number never decreases.  When it returns false with err set, decoding stops.
 *
 * Errors: not_csv (see csv_check_is_text); too_large (413) beyond decoded_bytes_max of UTF-8;
 * bad_gzip for a damaged or truncated stream, and for anything after it but another gzip
 * member or zero padding; bad_encoding where the text cannot be of the encoding asked for:
 * UTF-16 of odd length or with lone surrogates, a byte over 127 in ascii.  Invalid bytes of
 * utf-8 are left to the parser, which rejects their rows.  The five bytes that windows-1252
 * does not define become the control characters of the same number, as in browsers (WHATWG). */
typedef bool csv_progress_fn(void *context, uint64_t source_bytes, struct err *err);
MUST_CHECK bool csv_decode_open(struct csv_decoded *out, int source_fd,
                                const struct csv_source *source, int temporary_fd,
                                csv_progress_fn *on_progress, void *context, struct err *err);
void csv_decode_close(struct csv_decoded *decoded); /* accepts a zeroed struct */
