#include "query/groups_word.h"

#include "base/date.h"

#include <math.h>
#include <string.h>

static int64_t
floor_divide(int64_t v, int64_t by)
{
    return v / by - (v % by < 0);
}

int64_t
groups_word_of_int(const struct groups_key *key, int64_t v)
{
    int year, month, day;
    if (key->part == GROUPS_WHOLE)
        return v;
    if (key->part == GROUPS_INTEGER_BIN) {
        __int128 edge = (__int128)floor_divide(v, key->integer_width) * key->integer_width;
        return edge < INT64_MIN ? INT64_MIN : (int64_t)edge;
    }
    int64_t day_number = key->type == COLUMN_DATETIME ? floor_divide(v, DATE_MS_PER_DAY) : v;
    if (key->part == GROUPS_DAY)
        return day_number;
    date_to_ymd(day_number, &year, &month, &day);
    return key->part == GROUPS_YEAR ? year : (int64_t)year * 12 + month - 1;
}

/* The double nearest to k * digits / 10^scale: one division of exact numbers rounds once. */
static double
real_edge(const struct groups_key *key, int64_t k)
{
    static const double POWERS[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    static_assert(COUNT_OF(POWERS) == 16, "as many as a width has digits, and one");
    __int128 multiple = (__int128)k * key->digits;
    if (multiple > -(INT64_C(1) << 53) && multiple < INT64_C(1) << 53)
        return (double)multiple / POWERS[key->scale];
    return (double)((long double)multiple / (long double)POWERS[key->scale]);
}

/* The division only says where to look: 0.3 / 0.1 is below 3. */
static double
real_bin(const struct groups_key *key, double v)
{
    double whole = floor(v / real_edge(key, 1));
    if (!(fabs(whole) < 0x1p53))
        return v;
    int64_t k = (int64_t)whole;
    while (real_edge(key, k + 1) <= v)
        k++;
    while (real_edge(key, k) > v)
        k--;
    return real_edge(key, k);
}

bool
groups_word_is_real(const struct groups_key *key)
{
    return key->type == COLUMN_REAL || key->part == GROUPS_REAL_BIN;
}

uint64_t
groups_word_of_real(const struct groups_key *key, double v)
{
    uint64_t word;
    if (key->part == GROUPS_REAL_BIN)
        v = real_bin(key, v);
    v += 0.0; /* one zero */
    memcpy(&word, &v, sizeof(word));
    return word;
}

double
groups_real_of_word(uint64_t word)
{
    double v;
    memcpy(&v, &word, sizeof(v));
    return v;
}
