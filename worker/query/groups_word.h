/* What a value that is not text is grouped by, as one number of 64 bits. */
#pragma once

#include "query/groups.h"

/* Is it the bits of a double (the value, or the lower edge of its bin)?  Else it is an int64:
 * the value; the year; months since year 0; the day; the lower edge. */
bool groups_word_is_real(const struct groups_key *key);
int64_t groups_word_of_int(const struct groups_key *key, int64_t v); /* ascends with v */
uint64_t groups_word_of_real(const struct groups_key *key, double v);
double groups_real_of_word(uint64_t word);
