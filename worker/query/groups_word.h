/* What a value that is not text is grouped by, as one number of 64 bits.  Only for groups*.c.
 */
#pragma once

#include "query/groups.h"

/* int64 (as given; the year; months since year 0; the day; the lower edge of the bin) or the
 * bits of a double (as given, or the lower edge).  The row is not null. */
uint64_t groups_word(const struct column *column, const struct groups_key *key, uint64_t row);
/* The same of an integral column's value.  Ascends with it. */
int64_t groups_word_of_int(enum column_type type, const struct groups_key *key, int64_t v);
bool groups_word_is_real(const struct column *column, const struct groups_key *key);
double groups_real_of_word(uint64_t word);
