/* Chance of a test: the same course for the same PLAYMETER_SEED, PLAYMETER_ROUNDS times as many
 * rounds; and how often each branch that the test names was reached.  Dice in tests/harness.py
 * are the same for Python.
 *
 *     dice_begin(__func__);
 *     for (size_t round = 0; round < dice_rounds(6000); round++) {
 *         ...
 *         dice_reach("refused", !ok);
 *     }
 *     dice_end();     prints the seed and the counts; a branch that was never reached fails
 */
#pragma once

#include "base/hash.h"
#include "base/num.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define DICE_SEED "20260131"
#define DICE_BRANCHES 80

/* What a fixture draws before a test begins has the course of no test. */
static struct {
    uint64_t state;
    const char *test;
    size_t branch_count;
    struct {
        const char *name;
        uint64_t count;
    } branches[DICE_BRANCHES];
} dice = {.state = 88172645463325252};

static inline const char *
dice_seed(void)
{
    const char *seed = getenv("PLAYMETER_SEED");
    return seed ? seed : DICE_SEED;
}

static inline void
dice_begin(const char *test)
{
    memset(&dice, 0, sizeof(dice));
    dice.test = test;
    dice.state = hash_bytes(str_from(dice_seed()), hash_bytes(str_from(test), 1)) | 1;
}

/* xorshift64* */
static inline uint64_t
dice_u64(void)
{
    dice.state ^= dice.state >> 12;
    dice.state ^= dice.state << 25;
    dice.state ^= dice.state >> 27;
    return dice.state * UINT64_C(0x2545f4914f6cdd1d);
}

static inline uint64_t
dice_below(uint64_t limit)
{
    return (dice_u64() >> 8) % limit;
}

static inline size_t
dice_rounds(size_t count)
{
    const char *factor = getenv("PLAYMETER_ROUNDS");
    int64_t n = 1;
    assert_true(!factor || num_parse_i64(str_from(factor), &n));
    return count * (size_t)n;
}

/* `branch` is a literal; it counts as named whether it is reached or not. */
static inline void
dice_reach(const char *branch, bool is_reached)
{
    size_t i = 0;
    while (i < dice.branch_count && strcmp(dice.branches[i].name, branch) != 0)
        i++;
    assert_true(i < DICE_BRANCHES);
    if (i == dice.branch_count)
        dice.branches[dice.branch_count++].name = branch;
    dice.branches[i].count += is_reached;
}

static inline void
dice_end(void)
{
    const char *missed = NULL;
    print_message("# %s, seed %s", dice.test, dice_seed());
    for (size_t i = 0; i < dice.branch_count; i++) {
        print_message("%s %s %llu", i ? "," : ":", dice.branches[i].name,
                      (unsigned long long)dice.branches[i].count);
        if (!dice.branches[i].count)
            missed = dice.branches[i].name;
    }
    print_message("\n");
    if (missed)
        fail_msg("never reached: %s", missed);
}
