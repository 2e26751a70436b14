#include "players/dictionary.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/fs.h"

#include <string.h>

#define MAGIC 0x70775631
#define BLOCK_WORDS 16
#define FIRST_BYTES 256
/* A hundred times the largest dictionary that is offered. */
#define FILE_BYTES_MAX (1024 * MIB)

struct header {
    uint32_t magic, word_count;
    uint16_t block_words, zero;
};

/* The words' text, read from its beginning; `word` is the word just read. */
struct walk {
    struct str rest;
    char word[DICTIONARY_WORD_BYTES];
    uint32_t last_words[FIRST_BYTES]; /* what .hwm should hold */
};

static uint32_t
number_at(struct str numbers, size_t i)
{
    uint32_t number;
    memcpy(&number, numbers.p + i * sizeof(number), sizeof(number));
    return number;
}

static bool
next_word(struct walk *walk, bool begins_block)
{
    size_t shared = 0;
    if (!begins_block) {
        if (walk->rest.n == 0)
            return false;
        shared = (unsigned char)walk->rest.p[0];
        walk->rest = str_skip(walk->rest, 1);
    }
    ptrdiff_t n = str_find_char(walk->rest, '\0');
    if (n < 0 || shared > strlen(walk->word) || shared + (size_t)n >= sizeof(walk->word))
        return false;
    char before[DICTIONARY_WORD_BYTES];
    memcpy(before, walk->word, sizeof(before));
    memcpy(walk->word + shared, walk->rest.p, (size_t)n + 1);
    walk->rest = str_skip(walk->rest, (size_t)n + 1);
    return walk->word[0] && strcmp(before, walk->word) <= 0;
}

static bool
walk_words(struct walk *walk, struct str words, struct str index, struct dictionary_sample *out)
{
    walk->rest = words;
    for (uint32_t i = 0; i < out->word_count; i++) {
        bool begins_block = i % BLOCK_WORDS == 0;
        if (begins_block && number_at(index, i / BLOCK_WORDS) != words.n - walk->rest.n)
            return false;
        if (!next_word(walk, begins_block))
            return false;
        walk->last_words[(unsigned char)walk->word[0]] = i;
        if (i == 0)
            memcpy(out->first, walk->word, sizeof(out->first));
        if (i == out->word_count / 2)
            memcpy(out->middle, walk->word, sizeof(out->middle));
    }
    memcpy(out->last, walk->word, sizeof(out->last));
    for (size_t i = 0; i < walk->rest.n; i++)
        if (walk->rest.p[i])
            return false;
    return walk->rest.n == (BLOCK_WORDS - out->word_count % BLOCK_WORDS) % BLOCK_WORDS;
}

/* As packlib.c fills it: a first byte without words gets the number of the byte before it. */
static bool
check_last_words(struct walk *walk, struct str numbers)
{
    if (numbers.n != sizeof(walk->last_words))
        return false;
    for (size_t i = 0; i < FIRST_BYTES; i++) {
        if (i && walk->last_words[i] == 0)
            walk->last_words[i] = walk->last_words[i - 1];
        if (number_at(numbers, i) != walk->last_words[i])
            return false;
    }
    return true;
}

static bool
damaged(struct err *err, const char *path, const char *ending)
{
    return err_set(err, ERR_INVALID, "%s%s is damaged, or no dictionary of cracklib", path,
                   ending);
}

static bool
read_file(struct buf *out, const char *path, const char *ending, struct err *err)
{
    scoped_arena a = {0};
    return fs_read_named(out, arena_printf(&a, "%s%s", path, ending).p, err);
}

/* The index may be shorter than its header says, or that of a dictionary without words. */
static bool
check_index(struct str index, uint32_t *word_count)
{
    struct header header;
    if (index.n < sizeof(header))
        return false;
    memcpy(&header, index.p, sizeof(header));
    *word_count = header.word_count;
    uint64_t block_count = ((uint64_t)header.word_count + BLOCK_WORDS - 1) / BLOCK_WORDS;
    return header.magic == MAGIC && header.word_count > 0 &&
           header.block_words == BLOCK_WORDS &&
           index.n == sizeof(header) + block_count * sizeof(uint32_t);
}

bool
dictionary_check(const char *path, struct dictionary_sample *out, struct err *err)
{
    scoped_buf words = {.max = FILE_BYTES_MAX}, index = {.max = FILE_BYTES_MAX},
               last_words = {.max = FILE_BYTES_MAX};
    struct walk walk = {0};
    if (!read_file(&words, path, ".pwd", err) || !read_file(&index, path, ".pwi", err))
        return false;
    if (!check_index(buf_str(&index), &out->word_count))
        return damaged(err, path, ".pwi");
    if (!walk_words(&walk, buf_str(&words), str_skip(buf_str(&index), sizeof(struct header)),
                    out))
        return damaged(err, path, ".pwd");
    struct err none = {0};
    /* Without this file, cracklib searches without it. */
    return !read_file(&last_words, path, ".hwm", &none) ||
           check_last_words(&walk, buf_str(&last_words)) || damaged(err, path, ".hwm");
}
