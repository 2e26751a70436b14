/* Lists of words from the settings, compared without regard to case and surrounding blanks. */
#pragma once

#include "base/arena.h"
#include "config/config.h"

struct word_list {
    struct str *words; /* folded */
    size_t count;
};
struct word_list words_from_config(struct arena *a, const struct config_list *list);
#define WORD_NONE SIZE_MAX
/* The index of the first equal word, or WORD_NONE; equal cells give equal indexes. */
size_t words_find(const struct word_list *list, struct str cell);
