/* See cells.h. */
#include "reports/cells.h"

#include "base/date.h"
#include "base/utf8.h"

#define SECONDS_END 19 /* of YYYY-MM-DD HH:MM:SS */
#define CAMPAIGN_BYTES 128

/* Ends in Z or +hh:mm. */
static bool
has_zone(struct str s)
{
    char last = s.p[s.n - 1], sign = s.n >= SECONDS_END + 6 ? s.p[s.n - 6] : '\0';
    return last == 'Z' || last == 'z' || sign == '+' || sign == '-';
}

bool
cells_parse_time(struct str cell, int64_t zone_offset_ms, int64_t *ms)
{
    int64_t v;
    cell = str_trim(cell);
    /* Without seconds it is neither of the two forms. */
    if (cell.n < SECONDS_END || cell.p[16] != ':' || !date_parse_moment(cell, &v))
        return false;
    bool is_zoned = has_zone(cell);
    if (!is_zoned && cell.p[10] != ' ')
        return false;
    if (!is_zoned)
        v -= zone_offset_ms;
    if (v < DATE_DAY_MIN * DATE_MS_PER_DAY || v >= DATE_DAY_END * DATE_MS_PER_DAY)
        return false;
    *ms = v;
    return true;
}

/* Almost every campaign: short and of ASCII. */
static bool
upper_ascii(struct str s, char out[CAMPAIGN_BYTES])
{
    if (s.n > CAMPAIGN_BYTES)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if ((unsigned char)c >= 0x80)
            return false;
        out[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    }
    return true;
}

uint32_t
cells_intern_campaign(struct name_table *names, struct str cell)
{
    char small[CAMPAIGN_BYTES];
    cell = str_trim(cell);
    if (cell.n == 0)
        return name_intern(names, STR("(NONE)"));
    if (upper_ascii(cell, small))
        return name_intern(names, (struct str){small, cell.n});
    scoped_buf upper;
    buf_init(&upper, cell.n * 3 / 2 + 4);
    utf8_upper(&upper, cell);
    return name_intern(names, buf_str(&upper));
}
