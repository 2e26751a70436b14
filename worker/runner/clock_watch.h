/* Watches the machine's clock for the events' sake (players/event_clock.h): says in the log
 * what it did, also where no event comes. */
#pragma once

#include "players/event_clock.h"

struct clock_watch {
    uint64_t looked_us;           /* steady; 0: never */
    struct event_clock_view last; /* what the log knows */
};
/* Looks every second. */
void clock_watch(struct clock_watch *watch, struct writer *writer);
