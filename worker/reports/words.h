/* Lists of words out of the settings, compared without regard to case and blanks around. */
#pragma once

#include "base/arena.h"
#include "config/config.h"

struct word_list {
    struct str *words; /* folded */
    size_t count;
};
struct word_list words_from_config(struct arena *a, const struct config_list *list);
#define WORD_NONE SIZE_MAX
/* The place of the first that is the same word; equal cells have equal places. */
size_t words_find(const struct word_list *list, struct str cell);
