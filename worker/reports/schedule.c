#include "reports/schedule.h"

#include "base/date.h"
#include "reports/archive.h"

int
schedule_tick(struct schedule *schedule, const struct config *config, struct db *db,
              struct writer *w, int64_t now_ms, struct err *err)
{
    int64_t at, today = now_ms / DATE_MS_PER_DAY;
    if (!date_parse_time_of_day(config->reports_at, &at) || now_ms % DATE_MS_PER_DAY < at ||
        today == schedule->settled_day)
        return 0;
    scoped_arena a = {0};
    struct str day = date_text(&a, today);
    scoped_stmt s = db_stmt(db, "report_schedule_get");
    stmt_bind_str(s, 1, day);
    int got = stmt_step(s, err); /* 1: it has run */
    bool is_enqueued = false;
    if (got == 0) {
        struct archive_request request = {.date = date_text(&a, today - 1),
                                          .is_scheduled = true};
        struct job job = archive_job(&a, &request);
        if (!archive_schedule(w, day, &job, &is_enqueued, err))
            got = -1;
    }
    if (got < 0)
        return -1;
    schedule->settled_day = today;
    return is_enqueued;
}
