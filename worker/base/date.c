/* Days are converted with years that begin in March, so that the leap day is the last of its
 * year (Hinnant, "chrono-Compatible Low-Level Date Algorithms"). */
#include "base/date.h"

#include "base/num.h"

#include <string.h>

int64_t
date_from_ymd(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

void
date_to_ymd(int64_t day, int *year, int *month, int *out_day)
{
    int64_t z = day + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t day_of_era = z - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted_month = (5 * day_of_year + 2) / 153;
    *out_day = (int)(day_of_year - (153 * shifted_month + 2) / 5 + 1);
    *month = (int)(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
    *year = (int)(year_of_era + era * 400 + (*month <= 2));
}

static bool
exists(int year, int month, int day)
{
    static const int DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 &&
           day <= DAYS[month - 1] + (month == 2 && is_leap);
}

bool
date_is_in_calendar(int64_t ms)
{
    return ms >= DATE_DAY_MIN * DATE_MS_PER_DAY && ms < DATE_DAY_END * DATE_MS_PER_DAY;
}

/* Take `digits_min` to `digits_max` digits off the front. */
static bool
take_number(struct str *s, size_t digits_min, size_t digits_max, int *out)
{
    size_t n = 0;
    int v = 0;
    while (n < s->n && n < digits_max && s->p[n] >= '0' && s->p[n] <= '9')
        v = v * 10 + (s->p[n++] - '0');
    *s = str_skip(*s, n);
    *out = v;
    return n >= digits_min;
}

static bool
take_char(struct str *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    *s = str_skip(*s, 1);
    return true;
}

static bool
take_day(struct str *s, char separator, int64_t *day)
{
    int y, m, d;
    if (!take_number(s, 4, 4, &y) || !take_char(s, separator) || !take_number(s, 2, 2, &m) ||
        !take_char(s, separator) || !take_number(s, 2, 2, &d) || !exists(y, m, d))
        return false;
    *day = date_from_ymd(y, m, d);
    return true;
}

bool
date_parse_iso(struct str s, int64_t *day)
{
    int64_t v;
    if (!take_day(&s, '-', &v) || s.n)
        return false;
    *day = v;
    return true;
}

static bool
take_month_name(struct str *s, int *month)
{
    static const struct str NAMES[] = {
        STR_INIT("January"), STR_INIT("February"), STR_INIT("March"),
        STR_INIT("April"),   STR_INIT("May"),      STR_INIT("June"),
        STR_INIT("July"),    STR_INIT("August"),   STR_INIT("September"),
        STR_INIT("October"), STR_INIT("November"), STR_INIT("December")};
    size_t n = 0;
    while (n < s->n && ((s->p[n] | 32) >= 'a' && (s->p[n] | 32) <= 'z'))
        n++;
    struct str word = str_slice(*s, 0, n);
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        if (!str_eq_ascii_nocase(word, NAMES[i]) &&
            !str_eq_ascii_nocase(word, str_slice(NAMES[i], 0, 3)))
            continue;
        *month = (int)i + 1;
        *s = str_skip(*s, n);
        return true;
    }
    return false;
}

bool
date_parse_format(struct str s, struct str format, int64_t *day)
{
    int y = 0, m = 0, d = 1;
    while (format.n) {
        char c = format.p[0];
        bool is_field = c == '%' && format.n > 1;
        if (is_field)
            c = format.p[1];
        format = str_skip(format, is_field ? 2 : 1);
        bool ok = !is_field  ? take_char(&s, c)
                  : c == 'Y' ? take_number(&s, 4, 4, &y)
                  : c == 'm' ? take_number(&s, 1, 2, &m)
                  : c == 'd' ? take_number(&s, 1, 2, &d)
                  : c == 'b' ? take_month_name(&s, &m)
                             : take_char(&s, c);
        if (!ok)
            return false;
    }
    if (s.n || !exists(y, m, d))
        return false;
    *day = date_from_ymd(y, m, d);
    return true;
}

/* The digits after the seconds' dot, as milliseconds. */
static bool
take_fraction(struct str *s, size_t digits_max, int *ms)
{
    size_t n = 0;
    *ms = 0;
    for (; n < s->n && n < digits_max && s->p[n] >= '0' && s->p[n] <= '9'; n++)
        if (n < 3)
            *ms = *ms * 10 + (s->p[n] - '0');
    for (size_t i = n; i < 3; i++)
        *ms *= 10;
    *s = str_skip(*s, n);
    return n > 0;
}

static bool
take_zone(struct str *s, int64_t *offset_ms)
{
    *offset_ms = 0;
    if (s->n == 0 || take_char(s, 'Z') || take_char(s, 'z'))
        return true;
    bool is_west = s->p[0] == '-';
    int h, m;
    if (!(take_char(s, '+') || take_char(s, '-')) || !take_number(s, 2, 2, &h) ||
        !take_char(s, ':') || !take_number(s, 2, 2, &m) || h > 23 || m > 59)
        return false;
    *offset_ms = (int64_t)(h * 60 + m) * 60000 * (is_west ? -1 : 1);
    return true;
}

bool
date_parse_timestamp(struct str s, int64_t *ms)
{
    int64_t day, offset_ms;
    int hour, minute, second = 0, fraction = 0;
    if (!take_day(&s, '-', &day) || s.n == 0 || !strchr("Tt ", s.p[0]) || s.p[0] == '\0')
        return false;
    s = str_skip(s, 1);
    if (!take_number(&s, 2, 2, &hour) || !take_char(&s, ':') || !take_number(&s, 2, 2, &minute))
        return false;
    if (take_char(&s, ':') && !take_number(&s, 2, 2, &second))
        return false;
    if (take_char(&s, '.') && !take_fraction(&s, 9, &fraction))
        return false;
    if (!take_zone(&s, &offset_ms) || s.n || hour > 23 || minute > 59 || second > 60)
        return false;
    if (second == 60) {
        second = 59;
        fraction = 999;
    }
    int64_t of_day = ((hour * 60 + minute) * 60 + second) * INT64_C(1000) + fraction;
    int64_t v = day * DATE_MS_PER_DAY + of_day - offset_ms;
    if (!date_is_in_calendar(v))
        return false;
    *ms = v;
    return true;
}

/* HH:MM[:SS[.digits]] as milliseconds from midnight. */
static bool
take_clock(struct str *s, int64_t *of_day)
{
    int hour, minute, second = 0, fraction = 0;
    if (!take_number(s, 2, 2, &hour) || !take_char(s, ':') || !take_number(s, 2, 2, &minute))
        return false;
    if (take_char(s, ':') && (!take_number(s, 2, 2, &second) ||
                              (take_char(s, '.') && !take_fraction(s, SIZE_MAX, &fraction))))
        return false;
    *of_day = ((hour * 60 + minute) * 60 + second) * INT64_C(1000) + fraction;
    return hour <= 23 && minute <= 59 && second <= 59;
}

/* The rest of a timestamp, from its time of day to its end. */
static bool
parse_zone_of(struct str s, int64_t *offset_ms)
{
    int hours, minutes = 0;
    if (str_eq_ascii_nocase(s, STR("Z")) || str_eq_ascii_nocase(s, STR(" UTC")))
        return true;
    bool is_west = s.p[0] == '-';
    if (!(take_char(&s, '+') || take_char(&s, '-')) || !take_number(&s, 2, 2, &hours))
        return false;
    bool needs_minutes = take_char(&s, ':') || s.n;
    if (needs_minutes && !take_number(&s, 2, 2, &minutes))
        return false;
    *offset_ms = (hours * 60 + minutes) * INT64_C(60000) * (is_west ? -1 : 1);
    return s.n == 0 && hours <= 23 && minutes <= 59;
}

bool
date_parse_exported_timestamp(struct str s, int64_t *ms, bool *has_zone)
{
    int64_t day, of_day, offset_ms = 0;
    char separator = s.n > 4 && s.p[4] == '/' ? '/' : '-';
    if (!take_day(&s, separator, &day) ||
        !(take_char(&s, 'T') || take_char(&s, 't') || take_char(&s, ' ')) ||
        !take_clock(&s, &of_day) || (s.n && !parse_zone_of(s, &offset_ms)))
        return false;
    int64_t v = day * DATE_MS_PER_DAY + of_day - offset_ms;
    if (!date_is_in_calendar(v))
        return false;
    *ms = v;
    *has_zone = s.n > 0;
    return true;
}

bool
date_parse_zone(struct str s, int64_t *offset_ms)
{
    int64_t of_day = 0;
    bool is_offset = s.n && (s.p[0] == '+' || s.p[0] == '-');
    if (is_offset ? !date_parse_time_of_day(str_skip(s, 1), &of_day)
                  : s.n && !str_eq_ascii_nocase(s, STR("utc")) && !str_eq(s, STR("Z")))
        return false;
    *offset_ms = is_offset && s.p[0] == '-' ? -of_day : of_day;
    return true;
}

bool
date_parse_time_of_day(struct str s, int64_t *ms)
{
    int hour, minute;
    if (!take_number(&s, 2, 2, &hour) || !take_char(&s, ':') ||
        !take_number(&s, 2, 2, &minute) || s.n || hour > 23 || minute > 59)
        return false;
    *ms = (hour * 60 + minute) * INT64_C(60000);
    return true;
}

static char
digit(int v)
{
    return (char)('0' + v % 10);
}

void
date_add_day(struct buf *out, int64_t day)
{
    int y, m, d;
    date_to_ymd(day, &y, &m, &d);
    assert(y >= 0 && y <= 9999);
    /* Written digit by digit, without printf: an export prints millions of these. */
    char text[10] = {digit(y / 1000), digit(y / 100), digit(y / 10), digit(y),      '-',
                     digit(m / 10),   digit(m),       '-',           digit(d / 10), digit(d)};
    buf_add(out, (struct str){text, sizeof(text)});
}

struct str
date_text(struct arena *a, int64_t day)
{
    scoped_buf text = {.max = 16};
    date_add_day(&text, day);
    return arena_str(a, buf_str(&text));
}

void
date_add_timestamp(struct buf *out, int64_t ms)
{
    int64_t day = ms / DATE_MS_PER_DAY - (ms % DATE_MS_PER_DAY < 0);
    int of_day = (int)(ms - day * DATE_MS_PER_DAY);
    date_add_day(out, day);
    int h = of_day / 3600000, m = of_day / 60000 % 60, s = of_day / 1000 % 60;
    char text[9] = {'T',      digit(h / 10), digit(h),      ':',     digit(m / 10),
                    digit(m), ':',           digit(s / 10), digit(s)};
    buf_add(out, (struct str){text, sizeof(text)});
    if (of_day % 1000)
        buf_printf(out, ".%03d", of_day % 1000);
    buf_add_char(out, 'Z');
}
