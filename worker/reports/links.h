/* Opens of deep links, counted per character and campaign, with the distinct players of each.
 *
 * Anybody who can reach the service can invent characters and campaigns, so only the first
 * LINKS_MAX links are counted one by one, and all later ones together.  That bounds the
 * memory, and a link that is known by then keeps its own count.  Players are stored as (link,
 * player) pairs, which are sorted and made unique whenever the array is full: at most 16 bytes
 * per pair, however many opens there are. */
#pragma once

#include "base/arena.h"

#define LINKS_MAX 100000
#define LINKS_TEXT_BYTES_MAX 64 /* of a character: [A-Za-z0-9_.:-]+, else it is malformed */

struct link {
    bool has_character;
    struct str character; /* if has_character */
    struct str campaign;
    uint64_t opens;
    uint64_t players; /* distinct known players; set by links_finish */
    uint64_t missing, malformed;
};

struct links;
struct links *links_open(void);
void links_close(struct links **links); /* accepts NULL */

/* Counts one open.  An open with a malformed character counts for the link of its campaign
 * that has no character.  The campaign is trimmed, in upper case, and "(NONE)" when empty.
 * player 0: unknown. */
void links_add(struct links *links, bool has_character, struct str character,
               struct str campaign, int64_t player);
/* Sorts by character (a missing one first), then by campaign, and counts the players. */
void links_finish(struct links *links);

/* After links_finish.  links_other counts the links beyond LINKS_MAX: 0 opens when there are
 * none. */
const struct link *links_list(const struct links *links, size_t *count);
const struct link *links_other(const struct links *links);
uint64_t links_players(const struct links *links); /* distinct, of all links */
