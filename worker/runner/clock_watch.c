#include "runner/clock_watch.h"

#include "base/clock.h"
#include "base/log.h"

#include <inttypes.h>
#include <math.h>

#define LOOK_EVERY_US UINT64_C(1000000)

static void
tell(const struct event_clock_view *last, const struct event_clock_view *view)
{
    int64_t step_s = llround((double)(view->offset_ms - last->offset_ms) / 1e3);
    if (view->state == EVENT_CLOCK_WAITS)
        log_message(LOG_WARN, "clock_ahead", "the machine's clock: %s", view->text);
    else if (view->state == EVENT_CLOCK_HOLDS)
        log_message(LOG_WARN, "clock_back", "the machine's clock: %s", view->text);
    else if (step_s == 0)
        log_message(LOG_INFO, "clock_followed",
                    "the machine's clock is back where it was; events follow it");
    else
        log_message(LOG_WARN, "clock_followed",
                    "the machine's clock was put %" PRId64 " s %s; events follow it now",
                    step_s < 0 ? -step_s : step_s, step_s < 0 ? "back" : "ahead");
}

void
clock_watch(struct clock_watch *watch, struct writer *writer)
{
    struct err ignored;
    struct event_clock_view view;
    uint64_t now_us = clock_steady_us();
    if (watch->looked_us && now_us - watch->looked_us < LOOK_EVERY_US)
        return;
    /* Without a writer no event is stored either, and whoever needs it complains. */
    if (!event_clock_tick(writer, &view, &ignored))
        return;
    bool is_first = watch->looked_us == 0;
    int64_t step_ms = view.offset_ms - watch->last.offset_ms;
    bool has_stepped = step_ms > EVENT_CLOCK_STEP_MS || step_ms < -EVENT_CLOCK_STEP_MS;
    if (is_first ? view.state != EVENT_CLOCK_FOLLOWS
                 : view.state != watch->last.state || has_stepped)
        tell(&watch->last, &view);
    watch->last = view;
    watch->looked_us = now_us;
}
