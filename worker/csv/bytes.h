/* The byte loops of the CSV parser, a block at a time where the machine has SSE2 (every
 * x86-64) and one at a time elsewhere.  No state, no failure. */
#pragma once

#include "base/str.h"

/* The first `delimiter`, CR or LF in [p, end); `end` when there is none. */
const char *bytes_find_stop(const char *p, const char *end, char delimiter);
/* The first CR or LF in [p, end); `end` when there is none. */
const char *bytes_find_eol(const char *p, const char *end);

struct bytes_survey {
    uint64_t line_ends; /* CRLF, LF and CR count one each */
    bool has_nul;
    bool is_ascii;
};
/* One pass over the text. */
struct bytes_survey bytes_survey(struct str s);
