/* What an input has to say about its rows: the first of those that cannot be used by name, the
 * rest as a count. */
#pragma once

#include "base/arena.h"
#include "reports/input.h"

#define NOTES_MAX 100
#define NOTES_CELL_BYTES_MAX 40 /* shown of a cell */

/* Cells of purchases_raw that cannot be read.  Their rows stand one by one in
 * purchases_curated; the other reports are without them, and a file whose times are all of
 * another form would give nothing but zeros. */
#define NOTES_UNREAD(X)                                                                        \
    X(NOTES_UNREAD_TIME, "unread_times", "time")                                               \
    X(NOTES_UNREAD_REVENUE, "unread_revenues", "revenue")
enum notes_unread {
#define X(what, code, word) what,
    NOTES_UNREAD(X)
#undef X
        NOTES_UNREAD_COUNT
};
struct notes_cells {
    uint64_t count, first_line;
    struct str first; /* the cell in that line, cut */
};

struct notes {
    struct arena arena; /* of the list */
    enum input_kind kind;
    struct report_warning *list; /* room for NOTES_LIST_MAX */
    size_t count;
    int64_t amounts;    /* the sum of the magnitudes of all of them, in millionths */
    uint64_t row_count; /* rows that could not be used */
    struct notes_cells unread[NOTES_UNREAD_COUNT];
};
#define NOTES_LIST_MAX (NOTES_MAX + NOTES_UNREAD_COUNT + 3) /* what notes_finish has to say */
void notes_init(struct notes *notes, enum input_kind kind);
void notes_free(struct notes *notes); /* accepts a zeroed struct */
/* The format gives the reason behind "purchases_raw line 17: ". */
void notes_add(struct notes *notes, uint64_t line, const char *fmt, ...) PRINTF(3, 4);
void notes_add_unread(struct notes *notes, enum notes_unread what, uint64_t line,
                      struct str cell);
/* Whatever the reports add up of an input is no more than all of it, so one look at the whole
 * tells whether a sum may have met its bound (see money_plus). */
void notes_add_amount(struct notes *notes, int64_t millionths);
/* Of how many there are no names: rows that the import of the version refused. */
void notes_finish(struct notes *notes, uint64_t rejected_rows);
