/* What an input has to say about its rows: the first of those that cannot be used by name, the
 * rest as a count. */
#pragma once

#include "base/arena.h"
#include "reports/input.h"

#define NOTES_MAX 100

struct notes {
    struct arena arena; /* of the list */
    enum input_kind kind;
    struct report_warning *list; /* room for NOTES_MAX and two more */
    size_t count;
    uint64_t row_count; /* rows that could not be used */
};
void notes_init(struct notes *notes, enum input_kind kind);
void notes_free(struct notes *notes); /* accepts a zeroed struct */
/* The format gives the reason behind "purchases_raw line 17: ". */
void notes_add(struct notes *notes, uint64_t line, const char *fmt, ...) PRINTF(3, 4);
/* Of how many there are no names: rows that the import of the version refused. */
void notes_finish(struct notes *notes, uint64_t rejected_rows);
