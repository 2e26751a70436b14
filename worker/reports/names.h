/* Interned text: equal text has equal numbers, so that comparing is comparing numbers and a
 * table of a million rows holds each name once.  Numbers count up in the order in which names
 * come first; 0 is "".  One thread at a time. */
#pragma once

#include "base/str.h"

struct name_table;
struct name_table *names_open(void);
void names_close(struct name_table **names); /* accepts NULL */

uint32_t name_intern(struct name_table *names, struct str text);
struct str name_text(const struct name_table *names, uint32_t name); /* lives with the table */
/* Numbers handed out, 0 among them: what an array by name needs. */
size_t name_count(const struct name_table *names);
