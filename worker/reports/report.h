/* The reports: one file and one row of a table each.  A report writes its members of the JSON
 * document and rows for its CSV; output.c writes the frame (report, date, generated_at, inputs,
 * definitions, warnings). */
#pragma once

#include "players/event.h"
#include "reports/data.h"
#include "reports/output.h"
#include "json/write.h"

struct report_run {
    const struct report_data *data;
    struct db *events; /* playmeter.db, read-only; NULL for the command line */
};

struct report {
    const char *name;  /* of the file and of the path: "roas_d1" */
    const char *title; /* for people */
    unsigned inputs;   /* bits (1u << INPUT_X) of the inputs that it requires */
    bool needs_events;
    const char *rows_member;    /* the list that the CSV form holds: "campaigns" */
    const char *const *columns; /* of the CSV, in order, ended by NULL: members of its items */
    /* Writes the members after the frame; adds warnings before the first member.  Runs at the
     * same time as other reports, so it must only read `run`, and must not intern names. */
    bool (*write)(struct report_output *out, const struct report_run *run, struct err *err);
    /* Writes the members of "definitions": the settings on which the numbers depend. */
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
