/* The warnings about the rows of an input: the first unusable rows one by one, the rest as a
 * count. */
#pragma once

#include "base/arena.h"
#include "reports/input.h"

#define NOTES_MAX 100
#define NOTES_CELL_BYTES_MAX 40 /* how much of a cell is shown */

/* Cells of purchases_raw that cannot be read.  purchases_curated lists their rows one by one;
 * the other reports leave them out, so a file whose times all have another form would silently
 * give zeros. */
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
    struct str first; /* the cell on that line, truncated */
};

struct notes {
    struct arena arena; /* of the list */
    enum input_kind kind;
    struct report_warning *list; /* room for NOTES_LIST_MAX */
    size_t count;
    int64_t amounts;    /* sum of the magnitudes of all amounts, in millionths */
    uint64_t row_count; /* unusable rows */
    struct notes_cells unread[NOTES_UNREAD_COUNT];
};
#define NOTES_LIST_MAX (NOTES_MAX + NOTES_UNREAD_COUNT + 3) /* 3: from notes_finish */
void notes_init(struct notes *notes, enum input_kind kind);
void notes_free(struct notes *notes); /* accepts a zeroed struct */
/* Adds a warning about one row; the format gives the text after "purchases_raw line 17: ". */
void notes_add(struct notes *notes, uint64_t line, const char *fmt, ...) PRINTF(3, 4);
/* Counts a cell that cannot be read; the first one is quoted in the warning. */
void notes_add_unread(struct notes *notes, enum notes_unread what, uint64_t line,
                      struct str cell);
/* Adds to the sum of all magnitudes.  No sum in a report can exceed that, so this one sum tells
 * whether any of them may have reached the limit of money_plus. */
void notes_add_amount(struct notes *notes, int64_t millionths);
/* Adds the warnings about the whole input.  `rejected_rows`: rows that the import rejected. */
void notes_finish(struct notes *notes, uint64_t rejected_rows);
