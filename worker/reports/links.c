#include "reports/links.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/table.h"
#include "base/utf8.h"

#include <stdlib.h>

#define CAMPAIGN_BYTES_MAX 256
#define CAMPAIGN_TOO_LONG STR("(TOO LONG)")
/* A pair in one number: the link in the upper bits, the player in the lower ones. */
#define PLAYER_BITS 44
#define PLAYER_MASK ((UINT64_C(1) << PLAYER_BITS) - 1)
#define PAIRS_BEGIN ((size_t)4096)
_Static_assert(LINKS_MAX < 1 << (64 - PLAYER_BITS),
               "a pair holds every link and the other one");

struct links {
    struct arena arena;
    struct link *links; /* LINKS_MAX, and after them the one for all others */
    size_t count;
    struct table index; /* of `links`, in the arena */
    uint64_t seed;
    uint64_t *pairs;
    size_t pair_count, pair_cap;
    uint64_t players;
    struct buf upper;
};

struct links *
links_open(void)
{
    struct links *links = mem_new(struct links);
    links->links = arena_array(&links->arena, LINKS_MAX + 1, struct link);
    links->index.arena = &links->arena;
    random_bytes(&links->seed, sizeof(links->seed));
    buf_init(&links->upper, 4 * CAMPAIGN_BYTES_MAX);
    return links;
}

void
links_close(struct links **links)
{
    if (*links) {
        arena_free(&(*links)->arena);
        buf_free(&(*links)->upper);
        free((*links)->pairs);
        free(*links);
    }
    *links = NULL;
}

static struct str
fold_campaign(struct links *links, struct str campaign)
{
    campaign = str_trim(campaign);
    if (campaign.n == 0)
        return STR("(NONE)");
    if (campaign.n > CAMPAIGN_BYTES_MAX)
        return CAMPAIGN_TOO_LONG;
    buf_clear(&links->upper);
    utf8_upper(&links->upper, campaign);
    return buf_str(&links->upper);
}

/* The link's index; LINKS_MAX for the link of all others. */
static size_t
find(struct links *links, const struct link *key)
{
    uint64_t hash = hash_bytes(key->campaign, hash_bytes(key->character, links->seed));
    struct table_probe probe = table_probe(hash += key->has_character);
    while (table_next(&links->index, &probe)) {
        const struct link *link = &links->links[probe.place];
        if (link->has_character == key->has_character &&
            str_eq(link->character, key->character) && str_eq(link->campaign, key->campaign))
            return probe.place;
    }
    if (links->count == LINKS_MAX)
        return LINKS_MAX;
    links->links[links->count] = (struct link){
        .has_character = key->has_character,
        .character = arena_str(&links->arena, key->character),
        .campaign = arena_str(&links->arena, key->campaign),
    };
    table_add(&links->index, hash, (uint32_t)links->count);
    return links->count++;
}

static int
compare_u64(const void *x, const void *y)
{
    uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
    return (a > b) - (a < b);
}

/* Sorts the pairs and removes duplicates; returns how many are left. */
static size_t
sort_unique(uint64_t *values, size_t count)
{
    size_t n = 0;
    if (count)
        qsort(values, count, sizeof(values[0]), compare_u64);
    for (size_t i = 0; i < count; i++)
        if (n == 0 || values[i] != values[n - 1])
            values[n++] = values[i];
    return n;
}

static void
add_pair(struct links *links, size_t link, int64_t player)
{
    if (links->pair_count == links->pair_cap) {
        links->pair_count = sort_unique(links->pairs, links->pair_count);
        /* Half full after removal: grow, since sorting again soon would remove little. */
        if (links->pair_count >= links->pair_cap / 2) {
            links->pair_cap = MAX(links->pair_cap * 2, PAIRS_BEGIN);
            links->pairs = mem_resize(links->pairs, links->pair_cap, sizeof(links->pairs[0]));
        }
    }
    assert((uint64_t)player <= PLAYER_MASK);
    links->pairs[links->pair_count++] = (uint64_t)link << PLAYER_BITS | (uint64_t)player;
}

void
links_add(struct links *links, bool has_character, struct str character, struct str campaign,
          int64_t player)
{
    bool is_good = has_character && character.n > 0 && character.n <= LINKS_TEXT_BYTES_MAX &&
                   str_is_alnum(character, "_.:-");
    struct link key = {
        .has_character = is_good,
        .character = is_good ? character : STR(""),
        .campaign = fold_campaign(links, campaign),
    };
    size_t at = find(links, &key);
    struct link *link = &links->links[at];
    link->opens++;
    link->missing += !has_character;
    link->malformed += has_character && !is_good;
    if (player)
        add_pair(links, at, player);
}

static int
compare_links(const void *x, const void *y)
{
    const struct link *a = x, *b = y;
    int order = (int)a->has_character - (int)b->has_character;
    order = order ? order : str_cmp(a->character, b->character);
    return order ? order : str_cmp(a->campaign, b->campaign);
}

void
links_finish(struct links *links)
{
    /* The players before the sort, while a pair's link is an index. */
    links->pair_count = sort_unique(links->pairs, links->pair_count);
    for (size_t i = 0; i < links->pair_count; i++) {
        links->links[links->pairs[i] >> PLAYER_BITS].players++;
        links->pairs[i] &= PLAYER_MASK;
    }
    links->players = sort_unique(links->pairs, links->pair_count);
    links->pair_count = 0;
    qsort(links->links, links->count, sizeof(links->links[0]), compare_links);
}

const struct link *
links_list(const struct links *links, size_t *count)
{
    *count = links->count;
    return links->links;
}

const struct link *
links_other(const struct links *links)
{
    return &links->links[LINKS_MAX];
}

uint64_t
links_players(const struct links *links)
{
    return links->players;
}
