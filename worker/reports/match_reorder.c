/* Changes an optimal matching into the optimal one with the smallest list of pairs.
 *
 * Any two matchings with the most pairs differ by exchanges: cycles, and paths along which one
 * timestamp gives its place to another of the same list.  Between two optimal matchings each
 * exchange alone costs nothing.  As a graph:
 *     left -> right           may become a pair:             + gap
 *     right -> its mate       ceases to be a pair:           - gap
 *     a left with a mate -> LEFT_DOOR -> a left without:     gives its place away
 *     a right without -> RIGHT_DOOR -> a right with a mate:  takes its place
 * every exchange is a cycle.  An optimal matching has no negative cycle, so there are
 * potentials under which no edge is negative (Bellman and Ford), and the exchanges that cost
 * nothing are the cycles of tight edges: those that are zero under the potentials.
 *
 * Then greedily, because lists are compared from the front: the left timestamps are taken in
 * the order of their lines.  Each gets the right timestamp with the smallest line from which
 * tight edges lead back to it through timestamps that are not settled yet, and is settled.
 * The exchange reverses its edges, and the reversed edges are tight too, so the potentials
 * stay valid. */
#include "reports/match_work.h"

#include <stdlib.h>

struct reorder {
    struct match_part *part;
    struct match_range *of_left, *of_right; /* what lies within the window of each */
    int64_t *potential;                     /* of nodes: left, right, the two doors */
    uint32_t *next;     /* the next node on a tight path to the target of the search */
    uint32_t *seen;     /* number of the last search that reached the node */
    uint32_t *queue;    /* of nodes */
    bool *is_settled;   /* of nodes */
    uint32_t search;    /* number of the current search, from 1 */
    size_t queue_count; /* nodes in the queue */
    uint64_t steps;     /* how many may still be taken */
};

static uint32_t
node_of_right(const struct reorder *o, uint32_t r)
{
    return (uint32_t)o->part->left_count + r;
}

static uint32_t
left_door(const struct reorder *o)
{
    return (uint32_t)(o->part->left_count + o->part->right_count);
}

static uint32_t
right_door(const struct reorder *o)
{
    return left_door(o) + 1;
}

static bool
spend(struct reorder *o, uint64_t steps)
{
    bool is_affordable = o->steps >= steps;
    o->steps = is_affordable ? o->steps - steps : 0;
    return is_affordable;
}

static bool
lower(int64_t *potential, int64_t to)
{
    bool is_lower = to < *potential;
    if (is_lower)
        *potential = to;
    return is_lower;
}

/* Relaxes every edge once; true when a potential was lowered. */
static bool
relax(struct reorder *o)
{
    const struct match_part *part = o->part;
    int64_t *left = o->potential, *right = left + part->left_count;
    int64_t *doors = right + part->right_count;
    bool has_sunk = false;
    for (uint32_t l = 0; l < part->left_count; l++) {
        for (uint32_t r = o->of_left[l].first; r < o->of_left[l].end; r++)
            if (part->left[l].mate != r)
                has_sunk |=
                    lower(&right[r], left[l] + match_gap(&part->left[l], &part->right[r]));
        if (part->left[l].mate != MATCH_NONE)
            has_sunk |= lower(&doors[0], left[l]);
    }
    for (uint32_t r = 0; r < part->right_count; r++)
        if (part->right[r].mate == MATCH_NONE)
            has_sunk |= lower(&doors[1], right[r]);
    for (uint32_t r = 0; r < part->right_count; r++) {
        uint32_t l = part->right[r].mate;
        if (l == MATCH_NONE)
            continue;
        has_sunk |= lower(&right[r], doors[1]);
        has_sunk |= lower(&left[l], right[r] - match_gap(&part->left[l], &part->right[r]));
    }
    for (uint32_t l = 0; l < part->left_count; l++)
        if (part->left[l].mate == MATCH_NONE)
            has_sunk |= lower(&left[l], doors[0]);
    return has_sunk;
}

static bool
find_potentials(struct reorder *o)
{
    uint64_t edges = o->part->left_count + o->part->right_count;
    for (size_t l = 0; l < o->part->left_count; l++)
        edges += o->of_left[l].end - o->of_left[l].first;
    while (spend(o, edges))
        if (!relax(o))
            return true;
    return false;
}

static bool
is_tight(const struct reorder *o, uint32_t l, uint32_t r)
{
    int64_t gap = match_gap(&o->part->left[l], &o->part->right[r]);
    return o->potential[l] + gap == o->potential[node_of_right(o, r)];
}

static void
visit(struct reorder *o, uint32_t node, uint32_t next)
{
    if (o->seen[node] == o->search || o->is_settled[node])
        return;
    o->seen[node] = o->search;
    o->next[node] = next;
    o->queue[o->queue_count++] = node;
}

/* Visits those of a list that have a mate (or have none) and a tight edge to the door. */
static bool
visit_before_door(struct reorder *o, uint32_t door, const struct match_timestamp *list,
                  size_t count, uint32_t first_node, bool has_mate)
{
    for (uint32_t i = 0; i < count; i++)
        if ((list[i].mate != MATCH_NONE) == has_mate &&
            o->potential[first_node + i] == o->potential[door])
            visit(o, first_node + i, door);
    return spend(o, count);
}

static bool
visit_before_right(struct reorder *o, uint32_t r)
{
    const struct match_part *part = o->part;
    uint32_t node = node_of_right(o, r), door = right_door(o);
    struct match_range range = o->of_right[r];
    if (part->right[r].mate != MATCH_NONE && o->potential[door] == o->potential[node])
        visit(o, door, node);
    for (uint32_t l = range.first; l < range.end; l++)
        if (part->right[r].mate != l && is_tight(o, l, r))
            visit(o, l, node);
    return spend(o, range.end - range.first);
}

static void
visit_before_left(struct reorder *o, uint32_t l)
{
    uint32_t r = o->part->left[l].mate, door = left_door(o);
    if (r != MATCH_NONE && is_tight(o, l, r))
        visit(o, node_of_right(o, r), l);
    if (r == MATCH_NONE && o->potential[door] == o->potential[l])
        visit(o, door, l);
}

/* Marks every node from which a tight path leads to `l`. */
static bool
search_back(struct reorder *o, uint32_t l)
{
    const struct match_part *part = o->part;
    uint32_t left_count = (uint32_t)part->left_count;
    bool is_affordable = true;
    o->search++;
    o->queue_count = 0;
    visit(o, l, l);
    for (size_t i = 0; i < o->queue_count && is_affordable; i++) {
        uint32_t node = o->queue[i];
        if (node < left_count)
            visit_before_left(o, node);
        else if (node < left_door(o))
            is_affordable = visit_before_right(o, node - left_count);
        else if (node == left_door(o))
            is_affordable = visit_before_door(o, node, part->left, part->left_count, 0, true);
        else
            is_affordable =
                visit_before_door(o, node, part->right, part->right_count, left_count, false);
    }
    return is_affordable;
}

/* The right timestamp with the smallest line, below that of the current mate, that `l` could
 * have; if is_reached, only among those that the search reached. */
static uint32_t
better_mate(struct reorder *o, uint32_t l, bool is_reached)
{
    const struct match_part *part = o->part;
    uint32_t best = part->left[l].mate;
    for (uint32_t r = o->of_left[l].first; r < o->of_left[l].end; r++) {
        uint32_t node = node_of_right(o, r);
        if (!o->is_settled[node] && (!is_reached || o->seen[node] == o->search) &&
            (best == MATCH_NONE || part->right[r].line < part->right[best].line) &&
            is_tight(o, l, r))
            best = r;
    }
    return best;
}

/* Follows the tight path from `r` to `l`, pairing what was not paired. */
static void
exchange(struct reorder *o, uint32_t l, uint32_t r)
{
    struct match_part *part = o->part;
    uint32_t left_count = (uint32_t)part->left_count;
    uint32_t giver = l;                  /* the left one that waits for its new mate */
    uint32_t node = node_of_right(o, r); /* its new mate */
    for (;;) {
        uint32_t at = o->next[node];
        part->left[giver].mate = node - left_count;
        part->right[node - left_count].mate = giver;
        if (at == right_door(o)) {
            uint32_t freed = o->next[at];
            part->right[freed - left_count].mate = MATCH_NONE;
            at = o->next[freed];
        }
        if (at == l)
            return;
        if (o->next[at] == left_door(o)) {
            part->left[at].mate = MATCH_NONE;
            at = o->next[left_door(o)];
            if (at == l)
                return;
        }
        giver = at;
        node = o->next[at];
    }
}

static int
compare_lines(const void *a, const void *b, void *context)
{
    const struct match_timestamp *list = context;
    uint32_t x = list[*(const uint32_t *)a].line, y = list[*(const uint32_t *)b].line;
    return (x > y) - (x < y);
}

static bool
settle(struct reorder *o, uint32_t l)
{
    const struct match_part *part = o->part;
    /* Usually nothing better exists, and no search is needed. */
    if (!spend(o, 1 + o->of_left[l].end - o->of_left[l].first))
        return false;
    if (better_mate(o, l, false) != part->left[l].mate) {
        if (!search_back(o, l))
            return false;
        uint32_t r = better_mate(o, l, true);
        if (r != part->left[l].mate)
            exchange(o, l, r);
    }
    o->is_settled[l] = true;
    if (part->left[l].mate != MATCH_NONE)
        o->is_settled[node_of_right(o, part->left[l].mate)] = true;
    return true;
}

void
match_reorder(struct arena *scratch, struct match_part *part)
{
    size_t n = part->left_count, m = part->right_count;
    struct reorder o = {
        .part = part,
        .of_left = match_ranges(scratch, part->left, n, part->right, m, part->window_ms),
        .of_right = match_ranges(scratch, part->right, m, part->left, n, part->window_ms),
        .potential = arena_array(scratch, n + m + 2, int64_t),
        .next = arena_array(scratch, n + m + 2, uint32_t),
        .seen = arena_array(scratch, n + m + 2, uint32_t),
        .queue = arena_array(scratch, n + m + 2, uint32_t),
        .is_settled = arena_array(scratch, n + m + 2, bool),
        .steps = (uint64_t)(n + m) * MATCH_STEPS_PER_TIMESTAMP,
    };
    if (!find_potentials(&o))
        return;
    uint32_t *order = arena_array(scratch, n, uint32_t);
    for (uint32_t i = 0; i < n; i++)
        order[i] = i;
    qsort_r(order, n, sizeof(*order), compare_lines, part->left);
    for (size_t i = 0; i < n; i++)
        if (!settle(&o, order[i]))
            return;
}
