/* What an import's request brings: a file or a URL, and options, in any of the ways that
 * the manual has for it (analysts.md, "Upload a file of your own"). */
#pragma once

#include "api/app.h"
#include "import/import.h"

/* Ways in that a route accepts. */
enum body_forms {
    BODY_MULTIPART = 1,
    BODY_RAW = 2,
    BODY_JSON = 4,
    BODY_FORM = 8, /* application/x-www-form-urlencoded, and no body at all */
};

struct body {
    struct import_options options;
    const char *path;                      /* the file that holds the source; NULL for a URL */
    uint64_t source_offset, source_length; /* 0, 0: the whole file */
    struct str source_name;
};

/* Options come from the query (what the route declares), form fields or JSON members; one given
 * twice is refused.  Errors: unsupported_media_type (415) naming the right curl flag,
 * bad_parameter, malformed, empty_file. */
MUST_CHECK bool body_read(struct request *request, unsigned forms, struct body *out,
                          struct err *err);
