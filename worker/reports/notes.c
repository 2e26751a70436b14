#include "reports/notes.h"

#include "reports/data.h"
#include "reports/money.h"

#include <stdarg.h>
#include <stdio.h>

void
notes_init(struct notes *notes, enum input_kind kind)
{
    *notes = (struct notes){.kind = kind};
    notes->list = arena_array(&notes->arena, NOTES_LIST_MAX, struct report_warning);
}

void
notes_free(struct notes *notes)
{
    arena_free(&notes->arena);
}

void
notes_add(struct notes *notes, uint64_t line, const char *fmt, ...)
{
    char reason[256];
    va_list args;
    if (notes->row_count++ >= NOTES_MAX)
        return;
    va_start(args, fmt);
    vsnprintf(reason, sizeof(reason), fmt, args);
    va_end(args);
    notes->list[notes->count++] = (struct report_warning){
        STR("bad_row"), arena_printf(&notes->arena, "%s line %llu: %s", input_name(notes->kind),
                                     (unsigned long long)line, reason)};
}

void
notes_add_unread(struct notes *notes, enum notes_unread what, uint64_t line, struct str cell)
{
    struct notes_cells *cells = &notes->unread[what];
    if (cells->count++ == 0) {
        cells->first_line = line;
        cells->first = arena_str(&notes->arena, str_slice(cell, 0, NOTES_CELL_BYTES_MAX));
    }
}

void
notes_add_amount(struct notes *notes, int64_t millionths)
{
    notes->amounts = money_plus(notes->amounts, money_magnitude(millionths));
}

static void
tell_unread(struct notes *notes)
{
    static const struct {
        struct str code;
        const char *word;
    } TOLD[] = {
#define X(what, code, word) [what] = {STR_INIT(code), word},
        NOTES_UNREAD(X)
#undef X
    };
    for (size_t i = 0; i < NOTES_UNREAD_COUNT; i++) {
        const struct notes_cells *cells = &notes->unread[i];
        if (cells->count)
            notes->list[notes->count++] = (struct report_warning){
                TOLD[i].code,
                arena_printf(&notes->arena,
                             "%s: rows with a %s that cannot be read: %llu, the first in line "
                             "%llu: '%" STR_FMT "'; no figure has them",
                             input_name(notes->kind), TOLD[i].word,
                             (unsigned long long)cells->count,
                             (unsigned long long)cells->first_line, STR_ARG(cells->first))};
    }
}

void
notes_finish(struct notes *notes, uint64_t rejected_rows)
{
    const char *name = input_name(notes->kind);
    tell_unread(notes);
    if (notes->row_count > NOTES_MAX)
        notes->list[notes->count++] = (struct report_warning){
            STR("more_bad_rows"),
            arena_printf(&notes->arena,
                         "%s: %llu rows cannot be used; the first %d of them are named", name,
                         (unsigned long long)notes->row_count, NOTES_MAX)};
    if (rejected_rows)
        notes->list[notes->count++] = (struct report_warning){
            STR("rejected_rows"),
            arena_printf(&notes->arena,
                         "%s: rows rejected when it was imported: %llu; the rejects of that "
                         "job name them",
                         name, (unsigned long long)rejected_rows)};
    if (notes->amounts == INT64_MAX)
        notes->list[notes->count++] = (struct report_warning){
            STR("amounts_too_large"),
            arena_printf(
                &notes->arena,
                "%s: its amounts add up to more than 9223372036854.775807, where a sum "
                "stays: sums that are as much, and what is made of them, are not right",
                name)};
}
