/* Calendar days and moments in the proleptic Gregorian calendar, UTC, years 0001 to 9999.
 * A day is days since 1970-01-01; a moment is milliseconds since 1970-01-01T00:00:00Z. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

#define DATE_MS_PER_DAY INT64_C(86400000)
#define DATE_DAY_MIN INT64_C(-719162) /* 0001-01-01 */
#define DATE_DAY_END INT64_C(2932897) /* 10000-01-01 */

int64_t date_from_ymd(int year, int month, int day); /* the date must exist */
void date_to_ymd(int64_t day, int *year, int *month, int *out_day);
/* Of a moment: a zone can move the first and the last day out of it. */
bool date_is_in_calendar(int64_t ms);

/* YYYY-MM-DD. */
bool date_parse_iso(struct str s, int64_t *day);
/* By a strptime-like format of %Y %m %d %b (English month names, short or long, any case),
 * blanks and plain characters.  A format without %d gives the first of the month. */
bool date_parse_format(struct str s, struct str format, int64_t *day);
/* RFC 3339, or the same with a blank for the T, without seconds, with up to nine fraction
 * digits (kept to the millisecond, the rest cut), without zone (read as UTC).  Leap second 60
 * is read as 59.999. */
bool date_parse_timestamp(struct str s, int64_t *ms);
/* RFC 3339, and what exports write in its place:
 *
 *   time = day ("T" | " ") HH:MM [":" SS ["." digits]] [zone]
 *   day  = YYYY-MM-DD | YYYY/MM/DD
 *   zone = "Z" | " UTC" | ("+" | "-") HH [[":"] MM]
 *
 * Letters in any case.  Hours to 23, minutes and seconds to 59, in the zone too: neither 24:00
 * nor a leap second is read, since what they mean differs from export to export.  Three digits
 * behind the dot count, the rest is cut.  A time without a zone is `*ms` as if in UTC. */
bool date_parse_exported_timestamp(struct str s, int64_t *ms, bool *has_zone);
/* "UTC", "Z" or +hh:mm: an offset that is the same all year, since a wall clock that is put
 * back has hours that mean two moments.  "" is UTC. */
bool date_parse_zone(struct str s, int64_t *offset_ms);
/* HH:MM, 00:00 to 23:59, as milliseconds from midnight. */
bool date_parse_time_of_day(struct str s, int64_t *ms);

void date_add_day(struct buf *out, int64_t day);    /* 2026-01-31 */
struct str date_text(struct arena *a, int64_t day); /* the same, with a NUL behind it */
void date_add_timestamp(struct buf *out,
                        int64_t ms); /* 2026-01-31T08:00:00Z, .250 when not whole */
