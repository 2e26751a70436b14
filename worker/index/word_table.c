/* Linear probing at most half full. */
#include "index/word_table.h"

#include "base/hash.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 4096
#define KEY_BYTES 16
#define LONG_WORD UINT64_C(0xff00000000000000)

struct key {
    uint64_t low, high;
};

void
word_table_init(struct word_table *t, uint64_t seed)
{
    *t = (struct word_table){.slot_count = FIRST_SLOTS, .seed = seed};
    buf_init(&t->bytes, SIZE_MAX / 2);
    t->slots = mem_array(t->slot_count, struct word_slot);
    t->offsets = mem_array(t->slot_count / 2 + 1, uint64_t);
}

void
word_table_free(struct word_table *t)
{
    buf_free(&t->bytes);
    free(t->slots);
    free(t->offsets);
    *t = (struct word_table){0};
}

struct str
word_table_word(const struct word_table *t, uint32_t number)
{
    return str_slice(buf_str(&t->bytes), t->offsets[number], t->offsets[number + 1]);
}

static inline uint64_t
load_u64(const char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

/* Loads up to eight bytes by two overlapping reads; memcpy of a variable length is a call. */
static inline uint64_t
load_short(const char *p, size_t n)
{
    if (n >= sizeof(uint32_t)) {
        uint32_t head, tail;
        memcpy(&head, p, sizeof(head));
        memcpy(&tail, p + n - sizeof(tail), sizeof(tail));
        return head | (uint64_t)tail << 8 * (n - sizeof(tail));
    }
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v |= (uint64_t)(unsigned char)p[i] << 8 * i;
    return v;
}

static inline struct key
key_of(struct str word, uint64_t seed)
{
    if (word.n <= 8)
        return (struct key){load_short(word.p, word.n), 0};
    if (word.n <= KEY_BYTES)
        return (struct key){load_u64(word.p),
                            load_u64(word.p + word.n - 8) >> 8 * (KEY_BYTES - word.n)};
    return (struct key){hash_bytes(word, seed), LONG_WORD | word.n};
}

static inline size_t
slot_of(const struct word_table *t, uint64_t low, uint64_t high)
{
    uint64_t other = high ^ (t->seed << 32 | t->seed >> 32);
    unsigned __int128 product =
        (unsigned __int128)(low ^ t->seed) * (other * UINT64_C(0x9e3779b97f4a7c15) | 1);
    return ((uint64_t)product ^ (uint64_t)(product >> 64)) & (t->slot_count - 1);
}

static void
grow(struct word_table *t)
{
    struct word_slot *before = t->slots;
    size_t before_count = t->slot_count;
    assert(before_count <= UINT32_MAX / 4);
    t->slot_count *= 2;
    t->slots = mem_array(t->slot_count, struct word_slot);
    t->offsets = mem_resize(t->offsets, t->slot_count / 2 + 1, sizeof(*t->offsets));
    for (size_t i = 0; i < before_count; i++) {
        if (before[i].next_number == 0)
            continue;
        size_t slot = slot_of(t, before[i].low, before[i].high);
        while (t->slots[slot].next_number)
            slot = (slot + 1) & (t->slot_count - 1);
        t->slots[slot] = before[i];
    }
    free(before);
}

uint32_t
word_table_number(struct word_table *t, struct str word)
{
    struct key key = key_of(word, t->seed);
    size_t slot = slot_of(t, key.low, key.high);
    for (; t->slots[slot].next_number; slot = (slot + 1) & (t->slot_count - 1)) {
        const struct word_slot *s = &t->slots[slot];
        if (s->low == key.low && s->high == key.high &&
            (word.n <= KEY_BYTES || str_eq(word_table_word(t, s->next_number - 1), word)))
            return s->next_number - 1;
    }
    uint32_t number = t->count++;
    t->slots[slot] = (struct word_slot){key.low, key.high, number + 1};
    buf_add(&t->bytes, word);
    t->offsets[t->count] = t->bytes.n;
    if (t->count == t->slot_count / 2)
        grow(t);
    return number;
}
