/* The reports: one file and one row of a table each.  A report writes its members of the JSON
 * document, and rows for its CSV; the frame (report, date, generated_at, inputs, definitions,
 * warnings) is the runner's. */
#pragma once

#include "players/event.h"
#include "reports/data.h"
#include "reports/output.h"
#include "json/write.h"

struct report_run {
    const struct report_data *data;
    struct db *events; /* playmeter.db, read-only; NULL for the shell command */
};

struct report {
    const char *name;  /* of the file and of the path: "roas_d1" */
    const char *title; /* for people */
    unsigned inputs;   /* bits (1u << INPUT_X) of what it cannot do without */
    bool needs_events;
    const char *rows_member;    /* the list that the CSV form holds: "campaigns" */
    const char *const *columns; /* of the CSV, in order, up to NULL: members of its items */
    /* Adds the members behind the frame; warns before it writes the first.  Other reports are
     * written at the same time: what the run shows is only read, and no name is interned. */
    bool (*write)(struct report_output *out, const struct report_run *run, struct err *err);
    /* Adds the members of "definitions": the settings that the figures depend on. */
    void (*define)(struct json *json, const struct report_run *run);
};
/* One per report; a report's file ends with its row. */
extern const struct report REPORT_PURCHASES_CURATED;
extern const struct report REPORT_RECONCILIATION;
extern const struct report REPORT_ROAS_D1;
extern const struct report REPORT_ROAS_ANOMALY;
extern const struct report REPORT_ARPDAU_D1;
extern const struct report REPORT_DEEPLINK;

extern const struct report *const REPORTS[];
extern const size_t REPORT_COUNT;
const struct report *report_find(struct str name); /* NULL when there is none */
