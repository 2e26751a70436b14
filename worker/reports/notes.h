/* What an input has to say about its rows: the first of those that cannot be used by name, the
 * rest as a count. */
#pragma once

#include "base/arena.h"
#include "reports/input.h"

#define NOTES_MAX 100

struct notes {
    struct arena arena; /* of the list */
    enum input_kind kind;
    struct report_warning *list; /* room for NOTES_MAX and three more */
    size_t count;
    int64_t amounts;    /* the sum of the magnitudes of all of them, in millionths */
    uint64_t row_count; /* rows that could not be used */
};
void notes_init(struct notes *notes, enum input_kind kind);
void notes_free(struct notes *notes); /* accepts a zeroed struct */
/* The format gives the reason behind "purchases_raw line 17: ". */
void notes_add(struct notes *notes, uint64_t line, const char *fmt, ...) PRINTF(3, 4);
/* Whatever the reports add up of an input is no more than all of it, so one look at the whole
 * tells whether a sum may have met its bound (see money_plus). */
void notes_add_amount(struct notes *notes, int64_t millionths);
/* Of how many there are no names: rows that the import of the version refused. */
void notes_finish(struct notes *notes, uint64_t rejected_rows);
