/* Calendar days and timestamps in the proleptic Gregorian calendar, UTC, years 0001 to 9999.
 * A day is days since 1970-01-01; a timestamp is milliseconds since 1970-01-01T00:00:00Z. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

#define DATE_MS_PER_DAY INT64_C(86400000)
#define DATE_DAY_MIN INT64_C(-719162) /* 0001-01-01 */
#define DATE_DAY_END INT64_C(2932897) /* 10000-01-01 */

int64_t date_from_ymd(int year, int month, int day); /* the date must exist */
void date_to_ymd(int64_t day, int *year, int *month, int *out_day);
/* Is the timestamp within those years?  A zone's offset can move the first and the last day out
 * of them. */
bool date_is_in_calendar(int64_t ms);

/* YYYY-MM-DD. */
bool date_parse_iso(struct str s, int64_t *day);
/* By a strptime-like format of %Y %m %d %b (English month names, short or long, in any case),
 * blanks and plain characters.  A format without %d gives the first day of the month. */
bool date_parse_format(struct str s, struct str format, int64_t *day);
/* RFC 3339, also with a blank in place of the T, without seconds, with up to nine fraction
 * digits (truncated to milliseconds), or without a zone (then read as UTC).  Leap second 60 is
 * read as 59.999. */
bool date_parse_timestamp(struct str s, int64_t *ms);
/* RFC 3339, and what exports write in its place:
 *
 *   time = day ("T" | " ") HH:MM [":" SS ["." digits]] [zone]
 *   day  = YYYY-MM-DD | YYYY/MM/DD
 *   zone = "Z" | " UTC" | ("+" | "-") HH [[":"] MM]
 *
 * Letters in any case.  Hours are at most 23, minutes and seconds at most 59, in the zone too:
 * neither 24:00 nor a leap second is accepted, because exports differ in what they mean by
 * them.  The fraction is truncated to milliseconds.  For a time without a zone, `*ms` is the
 * time read as if it were UTC. */
bool date_parse_exported_timestamp(struct str s, int64_t *ms, bool *has_zone);
/* "UTC", "Z", "" (all UTC) or +hh:mm.  Only a constant offset: in a zone with daylight saving
 * time, the hour that is repeated in autumn names two different timestamps. */
bool date_parse_zone(struct str s, int64_t *offset_ms);
/* HH:MM, 00:00 to 23:59, as milliseconds from midnight. */
bool date_parse_time_of_day(struct str s, int64_t *ms);

void date_add_day(struct buf *out, int64_t day);    /* 2026-01-31 */
struct str date_text(struct arena *a, int64_t day); /* the same, NUL-terminated */
void date_add_timestamp(struct buf *out,
                        int64_t ms); /* 2026-01-31T08:00:00Z, .250 when not whole */
