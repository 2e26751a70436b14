/* Chooses which timestamps have a mate in a matching with the most pairs and the least total
 * gap.
 *
 * Merge both lists into one sequence of places, ordered by time; equal times in any order.  In
 * an optimal matching
 *   - no timestamp without a mate lies between the two of a pair: it would be a nearer mate;
 *   - no two pairs cross the same point in opposite directions, since exchanging mates would be
 *     shorter.
 * So the sequence consists of timestamps without a mate and of blocks: unbroken stretches that
 * are matched within themselves, all pairs in the same direction.  Count a left timestamp as a
 * step up and a right one as a step down.  Then a block is an excursion: it leaves a height
 * and ends where it first returns to it.  Its beginning determines its end, so there is one
 * block for each place.
 *
 *     place     0 1 2 3 4 5 6 7     a block that begins at 0 ends at 5, with pairs 0-2 1-4 3-5;
 *     list      L L R L R R L R     those that begin at 1, 3 and 6 end at 2, 4 and 7;
 *     height   0 1 2 1 2 1 0 1 0    one that begins at 2, downwards, ends at 3
 *
 * Within a block the first left timestamp is paired with the first right one, the second with
 * the second, and so on: no crossing is needed (see match.c), and every other pairing is as
 * long.  The block is within the window when no right timestamp in it is too late for its
 * mate, that is, when
 *     left timestamps of the block past the window  <=  right ones of the block before this one
 * holds at each of them.  With counts from the beginning of the sequence instead, the
 * condition is that the maximum in the block of
 *     lateness = left timestamps past the window - right timestamps before this one
 * is at most the height at which the block begins.  Downwards, the lists change roles.  A
 * block's end, greatest lateness and gap (from sums of times) are computed from those of the
 * blocks inside it and after it.
 *
 * Then, from the last place to the first: the optimum from a place on is the better of leaving
 * the place without a mate, and of taking its block, each with the optimum of what follows.
 * All of it is linear. */
#include "reports/match_work.h"

enum way { UP, DOWN, WAYS };

struct place {
    struct match_timestamp *timestamp;
    enum way way;        /* UP: of the left list */
    bool is_taken;       /* the optimum from this place on takes its block */
    int32_t height;      /* before this place */
    int32_t late;        /* its lateness, as the later one of a pair */
    uint32_t turn[WAYS]; /* the first place from here that goes beyond the height, this way */
    int32_t lateness[WAYS]; /* the maximum up to there, over the places that go this way */
    uint32_t pairs;         /* of the optimum from here on */
    int64_t gap;            /* likewise */
    uint64_t sum; /* of the times before it, left minus right; modulo 2^64, which keeps
                   * differences correct */
};

/* The places, and one more after the last. */
static struct place *
lay_out(struct arena *scratch, const struct match_part *part)
{
    struct match_timestamp *lists[WAYS] = {part->left, part->right};
    size_t counts[WAYS] = {part->left_count, part->right_count};
    size_t at[WAYS] = {0}, past[WAYS] = {0}, total = counts[UP] + counts[DOWN];
    struct place *places = arena_array(scratch, total + 1, struct place);
    uint64_t sum = 0;
    for (size_t i = 0; i <= total; i++) {
        bool is_left =
            at[DOWN] == counts[DOWN] ||
            (at[UP] < counts[UP] && lists[UP][at[UP]].time_ms <= lists[DOWN][at[DOWN]].time_ms);
        enum way way = is_left ? UP : DOWN;
        places[i] = (struct place){
            .way = way, .height = (int32_t)at[UP] - (int32_t)at[DOWN], .sum = sum};
        if (i == total)
            break;
        struct match_timestamp *timestamp = &lists[way][at[way]];
        while (past[!way] < at[!way] &&
               timestamp->time_ms - lists[!way][past[!way]].time_ms > part->window_ms)
            past[!way]++;
        places[i].timestamp = timestamp;
        places[i].late = (int32_t)past[!way] - (int32_t)at[way];
        sum += is_left ? (uint64_t)timestamp->time_ms : -(uint64_t)timestamp->time_ms;
        at[way]++;
    }
    return places;
}

/* The block of place i ends at the turn, against its direction, of the next place. */
static uint32_t
end_of_block(const struct place *places, size_t i)
{
    return places[i + 1].turn[!places[i].way];
}

static void
find_turns(struct place *places, size_t i, size_t total)
{
    struct place *place = &places[i];
    enum way way = place->way;
    uint32_t end = end_of_block(places, i);
    const struct place *behind = &places[end < total ? end + 1 : total];
    place->turn[way] = (uint32_t)i;
    place->lateness[way] = place->late;
    /* Against its direction: over its block, and on from there. */
    place->turn[!way] = behind->turn[!way];
    place->lateness[!way] = MAX(places[i + 1].lateness[!way], behind->lateness[!way]);
}

static bool
is_in_window(const struct place *places, size_t i)
{
    int32_t height = places[i].way == UP ? places[i].height : -places[i].height;
    return places[i + 1].lateness[!places[i].way] <= height;
}

static void
choose_best(struct place *places, size_t i, size_t total)
{
    struct place *place = &places[i];
    uint32_t end = end_of_block(places, i);
    place->pairs = places[i + 1].pairs;
    place->gap = places[i + 1].gap;
    if (end == total || !is_in_window(places, i))
        return;
    const struct place *behind = &places[end + 1];
    uint64_t sum = behind->sum - place->sum;
    uint32_t pairs = behind->pairs + (uint32_t)((end + 1 - i) / 2);
    int64_t gap = behind->gap + (int64_t)(place->way == UP ? -sum : sum);
    if (pairs < place->pairs || (pairs == place->pairs && gap > place->gap))
        return;
    place->is_taken = true;
    place->pairs = pairs;
    place->gap = gap;
}

void
match_choose(struct arena *scratch, struct match_part *part)
{
    size_t total = part->left_count + part->right_count;
    struct place *places = lay_out(scratch, part);
    places[total].turn[UP] = places[total].turn[DOWN] = (uint32_t)total;
    places[total].lateness[UP] = places[total].lateness[DOWN] = INT32_MIN;
    for (size_t i = total; i-- > 0;) {
        choose_best(places, i, total);
        find_turns(places, i, total);
    }
    for (size_t i = 0; i < total;) {
        size_t next = places[i].is_taken ? end_of_block(places, i) + (size_t)1 : i + 1;
        for (size_t k = i; k < next && places[i].is_taken; k++)
            places[k].timestamp->mate = 0;
        i = next;
    }
}
