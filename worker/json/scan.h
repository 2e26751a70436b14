/* The strict pass over a JSON text, private to this folder: checks the grammar of RFC 8259 with
 * the rules that read.h states, and yields one mark per value, in the order in which the values
 * begin.  Unescaping and member lookup are left to json-c, which then sees only valid text. */
#pragma once

#include "json/read.h"

struct json_mark {
    enum json_kind kind;
    bool boolean;
    size_t from, to;    /* bytes of the value in the text; a string's with its quotes */
    size_t child_count; /* items or members, duplicates counted */
};

/* `*out` has one mark per value; the first is that of the whole text.  Errors: malformed. */
MUST_CHECK bool json_scan(struct arena *a, struct str text, const struct json_mark **out,
                          struct err *err);
