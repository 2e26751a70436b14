/* Opens of deep links, counted per character and campaign, with the distinct players of each.
 *
 * Whoever can reach the service can invent characters and campaigns, so links are counted one
 * by one up to LINKS_MAX, and those that come later together: memory is bounded, and a link
 * that is known by then keeps its line.  Players are kept as (link, player) pairs, sorted and
 * made unique whenever the array is full: 16 bytes per pair at most, however many opens there
 * are. */
#pragma once

#include "base/arena.h"

#define LINKS_MAX 100000
#define LINKS_TEXT_BYTES_MAX 64 /* of a character, which is [A-Za-z0-9_.:-]+ or malformed */

struct link {
    bool has_character;
    struct str character; /* while has_character */
    struct str campaign;
    uint64_t opens;
    uint64_t players; /* distinct and known; after links_finish */
    uint64_t missing, malformed;
};

struct links;
struct links *links_open(void);
void links_close(struct links **links); /* accepts NULL */

/* Counts one open.  A character that is malformed is counted with the missing ones' link of its
 * campaign, which is trimmed, in upper case, and "(NONE)" when empty.  player 0: nobody known.
 */
void links_add(struct links *links, bool has_character, struct str character,
               struct str campaign, int64_t player);
/* Sorts by character (the missing one first), then campaign, and counts the players. */
void links_finish(struct links *links);

/* After links_finish.  `other` counts what came when there were LINKS_MAX: 0 opens for none. */
const struct link *links_list(const struct links *links, size_t *count);
const struct link *links_other(const struct links *links);
uint64_t links_players(const struct links *links); /* distinct, of all links */
