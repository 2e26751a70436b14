/* Interned text: equal texts get equal numbers, so that only numbers are compared, and a table
 * of a million rows stores each name once.  Numbers ascend in the order of first appearance; 0
 * is "".  For one thread at a time. */
#pragma once

#include "base/str.h"

struct name_table;
struct name_table *names_open(void);
void names_close(struct name_table **names); /* accepts NULL */

uint32_t name_intern(struct name_table *names, struct str text);
struct str name_text(const struct name_table *names, uint32_t name); /* until names_close */
/* One more than the highest number: the size of an array indexed by name. */
size_t name_count(const struct name_table *names);
