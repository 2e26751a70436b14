#include "reports/cells.h"

#include "base/date.h"
#include "base/utf8.h"

#define CAMPAIGN_BYTES 128

bool
cells_parse_time(struct str cell, int64_t zone_offset_ms, int64_t *ms)
{
    int64_t v;
    bool has_zone;
    if (!date_parse_exported_timestamp(str_trim(cell), &v, &has_zone))
        return false;
    if (!has_zone)
        v -= zone_offset_ms;
    if (!date_is_in_calendar(v))
        return false;
    *ms = v;
    return true;
}

/* The fast path for nearly every campaign: short, and ASCII only. */
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
