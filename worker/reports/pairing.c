/* Both sides are sorted by user and time; each user's timestamps are one call of
 * match_timestamps.  Before that, rows with equal receipts are paired if they lie within the
 * window.  Each table has at most one kept row per receipt, so this can be decided for each
 * row by itself and for any window, and nothing needs to be stored. */
#include "reports/pairing.h"

#include <stdlib.h>
#include <string.h>

static int
compare_entries(const void *a, const void *b)
{
    const struct pairing_entry *x = a, *y = b;
    if (x->user != y->user)
        return x->user < y->user ? -1 : 1;
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* A kept row represents its receipt, else the earliest row; one without a time comes last. */
static bool
speaks_rather(const struct purchase *row, const struct purchase *other)
{
    if ((row->dropped == DROP_NONE) != (other->dropped == DROP_NONE))
        return row->dropped == DROP_NONE;
    if ((row->dropped == DROP_BAD_TIME) != (other->dropped == DROP_BAD_TIME))
        return other->dropped == DROP_BAD_TIME;
    return row->time_ms < other->time_ms;
}

static void
side_init(struct arena *a, struct pairing_list *side, const struct purchase_table *table,
          size_t receipts)
{
    *side = (struct pairing_list){.table = table,
                                  .entries = arena_array(a, table->count, struct pairing_entry),
                                  .mates = arena_array(a, table->count, uint32_t),
                                  .by_receipt = arena_array(a, receipts, uint32_t)};
    memset(side->mates, 0xff, table->count * sizeof(*side->mates));
    memset(side->by_receipt, 0xff, receipts * sizeof(*side->by_receipt));
    for (uint32_t i = 0; i < table->count; i++) {
        const struct purchase *row = &table->rows[i];
        uint32_t *speaker = &side->by_receipt[row->receipt];
        if (row->dropped == DROP_NONE)
            side->entries[side->count++] = (struct pairing_entry){row->time_ms, row->user, i};
        if (row->receipt &&
            (*speaker == PAIRING_NO_ROW || speaks_rather(row, &table->rows[*speaker])))
            *speaker = i;
    }
    qsort(side->entries, side->count, sizeof(*side->entries), compare_entries);
}

void
pairing_init(struct arena *a, const struct report_data *data, struct pairing *out)
{
    *out = (struct pairing){0};
    side_init(a, &out->sides[AF], &data->purchases, name_count(data->names));
    side_init(a, &out->sides[CF], &data->confirmed, name_count(data->names));
    for (enum pairing_side i = AF; i < SIDES; i++)
        out->timestamps[i] = arena_array(a, out->sides[i].count, struct match_timestamp);
}

void
pairing_free(struct pairing *p)
{
    arena_free(&p->scratch);
}

uint32_t
pairing_receipt_row(const struct pairing *p, enum pairing_side which,
                    const struct purchase *row)
{
    return row->receipt ? p->sides[!which].by_receipt[row->receipt] : PAIRING_NO_ROW;
}

static uint32_t
receipt_mate(const struct pairing *p, enum pairing_side which, const struct purchase *row,
             int64_t window_ms)
{
    uint32_t at = pairing_receipt_row(p, which, row);
    if (at == PAIRING_NO_ROW)
        return PAIRING_NO_ROW;
    const struct purchase *other = &p->sides[!which].table->rows[at];
    bool is_mate = other->dropped == DROP_NONE && other->user == row->user &&
                   llabs(other->time_ms - row->time_ms) <= window_ms;
    return is_mate ? at : PAIRING_NO_ROW;
}

static size_t
end_of_user(const struct pairing_list *side, size_t at, uint32_t user)
{
    while (at < side->count && side->entries[at].user == user)
        at++;
    return at;
}

/* Collects the timestamps of a user's rows that are not paired by receipt. */
static size_t
take_timestamps(struct pairing *p, enum pairing_side which, size_t first, size_t end,
                int64_t window_ms)
{
    struct pairing_list *side = &p->sides[which];
    size_t count = 0;
    for (size_t i = first; i < end; i++) {
        const struct pairing_entry *e = &side->entries[i];
        if (receipt_mate(p, which, &side->table->rows[e->row], window_ms) == PAIRING_NO_ROW)
            p->timestamps[which][count++] =
                (struct match_timestamp){e->time_ms, e->row, MATCH_NONE};
    }
    return count;
}

/* Goes through the users and returns how many pairs there are; stores them if that is wanted.
 */
static size_t
match_users(struct pairing *p, int64_t window_ms, bool are_kept)
{
    const struct pairing_list *af = &p->sides[AF], *cf = &p->sides[CF];
    size_t pairs = 0;
    for (size_t l = 0, c = 0, l_end, c_end; l < af->count && c < cf->count;
         l = l_end, c = c_end) {
        uint32_t user = MIN(af->entries[l].user, cf->entries[c].user);
        l_end = end_of_user(af, l, user);
        c_end = end_of_user(cf, c, user);
        size_t left = take_timestamps(p, AF, l, l_end, window_ms);
        size_t right = take_timestamps(p, CF, c, c_end, window_ms);
        pairs += l_end - l - left;
        pairs += match_count(p->timestamps[AF], left, p->timestamps[CF], right, window_ms);
        if (!are_kept)
            continue;
        match_timestamps(&p->scratch, p->timestamps[AF], left, p->timestamps[CF], right,
                         window_ms);
        for (size_t i = 0; i < left; i++) {
            const struct match_timestamp *timestamp = &p->timestamps[AF][i];
            if (timestamp->mate == MATCH_NONE)
                continue;
            uint32_t right_row = p->timestamps[CF][timestamp->mate].line;
            p->sides[AF].mates[timestamp->line] = right_row;
            p->sides[CF].mates[right_row] = timestamp->line;
        }
    }
    return pairs;
}

static void
keep_receipt_mates(struct pairing *p, enum pairing_side which, int64_t window_ms)
{
    struct pairing_list *side = &p->sides[which];
    for (size_t i = 0; i < side->count; i++) {
        uint32_t row = side->entries[i].row;
        side->mates[row] = receipt_mate(p, which, &side->table->rows[row], window_ms);
    }
}

void
pairing_match(struct pairing *p, int64_t window_ms)
{
    /* First: match_users pairs only the rows that these leave without a mate. */
    keep_receipt_mates(p, AF, window_ms);
    keep_receipt_mates(p, CF, window_ms);
    match_users(p, window_ms, true);
}

size_t
pairing_count(struct pairing *p, int64_t window_ms)
{
    return match_users(p, window_ms, false);
}
