/* Which moments have a mate in a matching of the most pairs and the least total gap.
 *
 * Lay both lists out on one line of places, by time; moments of equal times stand side by side
 * in any order, as if a hair apart.  In a best matching
 *   - no pair has a moment without a mate between its two: that one would be the nearer mate;
 *   - no two pairs cross the same spot in opposite directions: they would exchange mates.
 * So the line falls into moments without a mate and into blocks, unbroken stretches that are
 * matched within themselves and in one direction.  Count left moments as steps up and right
 * ones as steps down, and a block is an excursion: it leaves a height and ends where it first
 * comes back to it.  Where it begins says where it ends, so there is one block for each place.
 *
 *     place     0 1 2 3 4 5 6 7           a block that begins at 0 ends at 5 and pairs 0-2 1-4
 * 3-5, moment    L L R L R R L R           one that begins at 1 ends at 2, at 3 at 4, at 6 at
 * 7, height   0 1 2 1 2 1 0 1 0          and one that begins at 2, downwards, at 3
 *
 * In a block the first left one pairs with the first right one, the second with the second:
 * nothing needs to cross (see match.c), and any other way is as long.  It is within the window
 * when no right moment of it comes too late for its mate, that is when
 *     left moments of the block past the window  <=  right moments of the block before this one
 * holds at each; with counts from the front of the line instead, the greatest
 *     lateness = left moments past the window - right moments before this one
 * in the block is at most the height at which it begins.  Downwards likewise with the lists
 * exchanged.  The end of a block, its greatest lateness and its gap (sums of times) come from
 * those of the blocks within and behind it.
 *
 * Then, from the last place to the first: the best of a place is leaving it alone, or taking
 * its block, and the best of what follows.  All of it is linear. */
#include "reports/match_work.h"

enum way { UP, DOWN, WAYS };

struct place {
    struct match_timestamp *moment;
    enum way way;        /* UP: of the left list */
    bool is_taken;       /* the best of this place takes its block */
    int32_t height;      /* before it */
    int32_t late;        /* its lateness, as the later of a pair */
    uint32_t turn[WAYS]; /* the first place from here that goes beyond the height, this way */
    int32_t lateness[WAYS]; /* the greatest up to there, of the places that go this way */
    uint32_t pairs;         /* the best of the places from here */
    int64_t gap;
    uint64_t sum; /* of times before it, left less right; modulo 2^64, where differences are
                   * right */
};

/* The places, and one behind the last. */
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
        struct match_timestamp *moment = &lists[way][at[way]];
        while (past[!way] < at[!way] &&
               moment->time_ms - lists[!way][past[!way]].time_ms > part->window_ms)
            past[!way]++;
        places[i].moment = moment;
        places[i].late = (int32_t)past[!way] - (int32_t)at[way];
        sum += is_left ? (uint64_t)moment->time_ms : -(uint64_t)moment->time_ms;
        at[way]++;
    }
    return places;
}

/* The block of place i is from i to the turn of the next place against its way. */
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
    /* Against its way: over its block, and on from there. */
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
            places[k].moment->mate = 0;
        i = next;
    }
}
