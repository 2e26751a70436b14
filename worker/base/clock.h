/* The clocks: durations come from the steady one, times that people see from the UTC one. */
#pragma once

#include "base/base.h"

#include <time.h>

int64_t clock_now_ms(void);               /* UTC, milliseconds since 1970-01-01 */
uint64_t clock_steady_us(void);           /* never goes back; for durations and deadlines */
int64_t clock_boot_ms(void);              /* since the machine started, its sleep included */
bool clock_is_past(uint64_t deadline_us); /* steady clock; 0 is never past */
/* The time `ms` from now, as an absolute time for pthread_cond_timedwait. */
struct timespec clock_wait_until(unsigned ms);
void clock_sleep_ms(unsigned ms); /* returns early when a signal arrives */
void clock_sleep_us(unsigned us); /* the same */
