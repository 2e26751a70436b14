#include "reports/words.h"

#include "base/utf8.h"

struct word_list
words_from_config(struct arena *a, const struct config_list *list)
{
    struct word_list out = {arena_array(a, list->count, struct str), list->count};
    for (size_t i = 0; i < list->count; i++)
        out.words[i] = utf8_folded(a, str_trim(list->items[i]));
    return out;
}

static size_t
find_folded(const struct word_list *list, struct str cell)
{
    scoped_arena a = {0};
    struct str folded = utf8_folded(&a, cell);
    for (size_t i = 0; i < list->count; i++)
        if (str_eq(list->words[i], folded))
            return i;
    return WORD_NONE;
}

size_t
words_find(const struct word_list *list, struct str cell)
{
    cell = str_trim(cell);
    if (!utf8_is_ascii(cell))
        return find_folded(list, cell);
    for (size_t i = 0; i < list->count; i++)
        if (str_eq_ascii_nocase(list->words[i], cell))
            return i;
    return WORD_NONE;
}
