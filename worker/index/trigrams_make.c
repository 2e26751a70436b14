#include "index/trigrams_make.h"

#include "base/mem.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Enough to determine the common trigrams, and little compared with the text. */
#define SAMPLE_COUNT 64
#define SAMPLE_BYTES (16 * KIB)
#define CHUNK_BYTES 16
#define CHUNK_DATA_BYTES 12
#define GAP_BYTES_MAX 3 /* of a gap below 65,536 */

#define IDS_BYTES (TRIGRAM_COUNT * sizeof(uint32_t))
#define LISTS_BYTES                                                                            \
    ((TRIGRAM_COUNT + (size_t)TRIGRAMS_COMMON_COUNT + 1) * sizeof(struct trigrams_list))
#define BITMAPS_BYTES ((size_t)TRIGRAMS_COMMON_COUNT * TRIGRAMS_MAKE_ROWS_MAX / 8)

/* Zeroed memory that takes up RAM only where it is touched. */
static void *
map_table(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        mem_exhausted();
    return p;
}

/* ---- numbers ---- */

void
trigrams_numbers_init(struct trigrams_numbers *n)
{
    *n = (struct trigrams_numbers){.ids = map_table(IDS_BYTES), .last = TRIGRAMS_COMMON_COUNT};
    pthread_mutex_init(&n->mutex, NULL);
}

void
trigrams_numbers_free(struct trigrams_numbers *n)
{
    munmap((void *)n->ids, IDS_BYTES);
    pthread_mutex_destroy(&n->mutex);
}

static uint32_t
give_id(struct trigrams_numbers *n, uint32_t gram)
{
    pthread_mutex_lock(&n->mutex);
    uint32_t id = atomic_load(&n->ids[gram]);
    if (id == 0) {
        id = ++n->last;
        atomic_store(&n->ids[gram], id);
    }
    pthread_mutex_unlock(&n->mutex);
    return id;
}

static int
compare_ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Counts in the table of numbers, which is still empty; `seen` lists the entries that are not
 * 0. */
static void
count_sample(struct trigrams_numbers *n, struct str text, uint32_t **seen, size_t *seen_count,
             size_t *cap)
{
    for (size_t i = 0; i + TRIGRAM_BYTES <= text.n; i++) {
        uint32_t gram = trigram_at(text.p + i);
        if (n->ids[gram]++)
            continue;
        *seen = mem_grow(*seen, cap, *seen_count + 1, sizeof(**seen));
        (*seen)[(*seen_count)++] = gram;
    }
}

static int
compare_descending(const void *a, const void *b)
{
    return compare_ascending(b, a);
}

void
trigrams_numbers_choose(struct trigrams_numbers *n, const struct str *texts, size_t text_count)
{
    uint32_t *seen = NULL;
    size_t seen_count = 0, cap = 0;
    for (size_t i = 0; i < text_count * SAMPLE_COUNT; i++) {
        struct str text = texts[i / SAMPLE_COUNT];
        size_t at = text.n / SAMPLE_COUNT * (i % SAMPLE_COUNT);
        count_sample(n, str_slice(text, at, at + SAMPLE_BYTES), &seen, &seen_count, &cap);
    }
    uint64_t *counts = mem_array(seen_count, uint64_t); /* count << 32 | trigram */
    for (size_t i = 0; i < seen_count; i++) {
        counts[i] = (uint64_t)n->ids[seen[i]] << 32 | seen[i];
        n->ids[seen[i]] = 0;
    }
    qsort(counts, seen_count, sizeof(*counts), compare_descending);
    n->common_count = (uint32_t)MIN(seen_count, TRIGRAMS_COMMON_COUNT);
    for (uint32_t i = 0; i < n->common_count; i++) {
        n->common[i] = (uint32_t)counts[i];
        n->ids[n->common[i]] = i + 1;
    }
    free(counts);
    free(seen);
}

/* ---- lists ---- */

void
trigrams_maker_init(struct trigrams_maker *m, struct trigrams_numbers *numbers)
{
    *m = (struct trigrams_maker){.numbers = numbers,
                                 .lists = map_table(LISTS_BYTES),
                                 .bitmaps = map_table(BITMAPS_BYTES)};
}

void
trigrams_maker_free(struct trigrams_maker *m)
{
    munmap(m->lists, LISTS_BYTES);
    munmap(m->bitmaps, BITMAPS_BYTES);
    free(m->chunks);
    free(m->used);
}

static void
clear(struct trigrams_maker *m)
{
    for (size_t i = 0; i < m->used_count; i++)
        m->lists[(uint32_t)m->used[i]] = (struct trigrams_list){0};
    m->used_count = 0;
    m->chunks_bytes = 0;
}

static uint32_t
new_chunk(struct trigrams_maker *m)
{
    size_t at = m->chunks_bytes;
    m->chunks_bytes += CHUNK_BYTES;
    m->chunks = mem_grow(m->chunks, &m->chunks_cap, m->chunks_bytes, 1);
    assert(m->chunks_bytes <= UINT32_MAX);
    return (uint32_t)at;
}

static void
add_byte(struct trigrams_maker *m, struct trigrams_list *l, uint32_t byte)
{
    if (l->end % CHUNK_BYTES == CHUNK_DATA_BYTES) {
        uint32_t next = new_chunk(m);
        memcpy(m->chunks + l->end, &next, sizeof(next));
        l->end = next;
    }
    m->chunks[l->end++] = (char)byte;
    l->bytes++;
}

static void
use(struct trigrams_maker *m, uint32_t gram, uint32_t id)
{
    m->used = mem_grow(m->used, &m->used_cap, m->used_count + 1, sizeof(*m->used));
    m->used[m->used_count++] = (uint64_t)gram << 32 | id;
}

static void
begin_list(struct trigrams_maker *m, uint32_t gram, uint32_t id)
{
    struct trigrams_list *l = &m->lists[id];
    l->first = l->end = new_chunk(m);
    use(m, gram, id);
}

/* Appends `row`, counted from 1, which is above the list's last row. */
static void
add_row(struct trigrams_maker *m, struct trigrams_list *l, uint32_t row)
{
    uint32_t gap = row - l->last - 1;
    for (; gap >= 0x80; gap >>= 7)
        add_byte(m, l, gap | 0x80);
    add_byte(m, l, gap);
    l->last = row;
}

static void
add_uncommon(struct trigrams_maker *m, uint32_t row, uint32_t gram, uint32_t id)
{
    if (id == 0)
        id = give_id(m->numbers, gram);
    struct trigrams_list *l = &m->lists[id];
    if (l->last == row)
        return;
    if (l->last == 0)
        begin_list(m, gram, id);
    add_row(m, l, row);
}

static void
add_text(struct trigrams_maker *m, uint32_t row, struct str text)
{
    const unsigned char *p = (const unsigned char *)text.p;
    const _Atomic uint32_t *ids = m->numbers->ids;
    uint64_t *set = m->rows[row % 64];
    if (text.n < TRIGRAM_BYTES)
        return;
    uint32_t gram = (uint32_t)p[0] << 8 | p[1];
    for (size_t i = 2; i < text.n; i++) {
        gram = (gram << 8 | p[i]) % TRIGRAM_COUNT;
        uint32_t id = atomic_load_explicit(&ids[gram], memory_order_relaxed);
        uint32_t common = id - 1;
        if (common < TRIGRAMS_COMMON_COUNT)
            set[common / 64] |= UINT64_C(1) << common % 64;
        else
            add_uncommon(m, row + 1, gram, id);
    }
}

/* Bit i of word j becomes bit j of word i (Hacker's Delight, 7-3: swaps off-diagonal blocks of
 * halves, then of quarters within the halves, and so on). */
static void
transpose(uint64_t words[64])
{
    uint64_t mask = UINT64_C(0x00000000ffffffff);
    for (unsigned step = 32; step; step >>= 1, mask ^= mask << step)
        for (unsigned i = 0; i < 64; i = (i + step + 1) & ~step) {
            uint64_t t = ((words[i] >> step) ^ words[i + step]) & mask;
            words[i] ^= t << step;
            words[i + step] ^= t;
        }
}

/* Writes the current 64 rows as word `at` of each bitmap. */
static void
transpose_rows(struct trigrams_maker *m, size_t at)
{
    for (size_t group = 0; group * 64 < m->numbers->common_count; group++) {
        uint64_t words[64];
        for (size_t i = 0; i < 64; i++)
            words[i] = m->rows[i][group];
        transpose(words);
        for (size_t i = 0; i < 64; i++)
            m->bitmaps[(group * 64 + i) * m->word_count + at] = words[i];
    }
    memset(m->rows, 0, sizeof(m->rows));
}

void
trigrams_make_begin(struct trigrams_maker *m, uint32_t row_count)
{
    assert(row_count > 0 && row_count <= TRIGRAMS_MAKE_ROWS_MAX && m->used_count == 0);
    m->row_count = row_count;
    m->word_count = bitmap_word_count(row_count);
}

void
trigrams_make_add(struct trigrams_maker *m, uint32_t row, struct str folded_text)
{
    assert(row < m->row_count);
    add_text(m, row, folded_text);
    if (row % 64 == 63 || row + 1 == m->row_count)
        transpose_rows(m, row / 64);
}

/* ---- into bytes ---- */

/* The data of a list in *chunk; moves *chunk to the next one. */
static struct str
next_data(const struct trigrams_maker *m, uint32_t *chunk, uint32_t *left)
{
    uint32_t n = MIN(*left, CHUNK_DATA_BYTES);
    struct str data = {m->chunks + *chunk, n};
    *left -= n;
    if (*left)
        memcpy(chunk, m->chunks + *chunk + CHUNK_DATA_BYTES, sizeof(*chunk));
    return data;
}

static void
copy_gaps(const struct trigrams_maker *m, const struct trigrams_list *l, char *out)
{
    uint32_t chunk = l->first, left = l->bytes;
    while (left) {
        struct str data = next_data(m, &chunk, &left);
        memcpy(out, data.p, data.n);
        out += data.n;
    }
}

static void
set_bits(const struct trigrams_maker *m, const struct trigrams_list *l, char *out)
{
    uint32_t chunk = l->first, left = l->bytes, row = 0, gap = 0;
    unsigned shift = 0;
    while (left) {
        struct str data = next_data(m, &chunk, &left);
        for (size_t i = 0; i < data.n; i++) {
            uint32_t byte = (unsigned char)data.p[i];
            gap |= (byte & 0x7f) << shift;
            shift += 7;
            if (byte & 0x80)
                continue;
            row += gap;
            out[row / 8] |= (char)(1 << row % 8);
            row++;
            gap = shift = 0;
        }
    }
}

static bool
is_common(const struct trigrams_maker *m, uint32_t id)
{
    return id <= m->numbers->common_count;
}

static const uint64_t *
bitmap_of(const struct trigrams_maker *m, uint32_t id)
{
    return m->bitmaps + (id - 1) * m->word_count;
}

/* Writes a bitmap as gaps; 0 when these would not be shorter than the bitmap. */
static size_t
write_gaps(const uint64_t *words, size_t word_count, size_t bitmap_bytes, char *out)
{
    size_t n = 0;
    uint32_t next = 0;
    for (size_t i = 0; i < word_count; i++)
        for (uint64_t word = words[i]; word; word &= word - 1) {
            uint32_t row = (uint32_t)(i * 64) + (uint32_t)__builtin_ctzll(word);
            uint32_t gap = row - next;
            next = row + 1;
            if (n + GAP_BYTES_MAX > bitmap_bytes)
                return 0;
            for (; gap >= 0x80; gap >>= 7)
                out[n++] = (char)(gap | 0x80);
            out[n++] = (char)gap;
        }
    return n < bitmap_bytes ? n : 0;
}

/* Writes the list of a number; returns its bytes. */
static size_t
write_list(const struct trigrams_maker *m, uint32_t id, size_t bitmap_bytes, char *out)
{
    const struct trigrams_list *l = &m->lists[id];
    if (is_common(m, id)) {
        const uint64_t *words = bitmap_of(m, id);
        size_t n = write_gaps(words, m->word_count, bitmap_bytes, out);
        if (n == 0)
            memcpy(out, words, bitmap_bytes);
        return n ? n : bitmap_bytes;
    }
    if (l->bytes < bitmap_bytes) {
        copy_gaps(m, l, out);
        return l->bytes;
    }
    memset(out, 0, bitmap_bytes);
    set_bits(m, l, out);
    return bitmap_bytes;
}

static size_t
list_bytes_max(const struct trigrams_maker *m, uint32_t id, size_t bitmap_bytes)
{
    return is_common(m, id) ? bitmap_bytes : MIN(m->lists[id].bytes, bitmap_bytes);
}

static void
use_common(struct trigrams_maker *m)
{
    const struct trigrams_numbers *n = m->numbers;
    for (uint32_t id = 1; id <= n->common_count; id++) {
        const uint64_t *words = bitmap_of(m, id);
        uint64_t any = 0;
        for (size_t i = 0; i < m->word_count; i++)
            any |= words[i];
        if (any)
            use(m, n->common[id - 1], id);
    }
}

struct str
trigrams_make_finish(struct trigrams_maker *m, uint64_t first_row)
{
    use_common(m);
    qsort(m->used, m->used_count, sizeof(*m->used), compare_ascending);
    size_t bitmap_bytes = trigrams_bitmap_bytes(m->row_count);
    size_t count = m->used_count, lists_bytes_max = 0;
    for (size_t i = 0; i < count; i++)
        lists_bytes_max += list_bytes_max(m, (uint32_t)m->used[i], bitmap_bytes);
    assert(lists_bytes_max <= UINT32_MAX);
    size_t lists_at =
        sizeof(struct trigrams_segment_header) + (2 * count + 1) * sizeof(uint32_t);
    char *section = mem_alloc(lists_at + lists_bytes_max);
    struct trigrams_segment_header h = {first_row, m->row_count, (uint32_t)count};
    memcpy(section, &h, sizeof(h));
    uint32_t *grams = (uint32_t *)(section + sizeof(h));
    uint32_t *offsets = grams + count;
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        grams[i] = (uint32_t)(m->used[i] >> 32);
        offsets[i] = (uint32_t)at;
        at += write_list(m, (uint32_t)m->used[i], bitmap_bytes, section + lists_at + at);
    }
    offsets[count] = (uint32_t)at;
    clear(m);
    return (struct str){section, lists_at + at};
}
