#include "cli/report.h"

#include "base/clock.h"
#include "base/fs.h"
#include "cli/options.h"
#include "reports/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

struct arguments {
    const char *config, *date, *input, *output;
};

static bool
complain(const struct err *err)
{
    fprintf(stderr, "playmeter report: %s: %s\n", err_code(err), err->detail);
    return false;
}

static bool
parse_arguments(int argc, char **argv, struct arguments *out, int64_t *day)
{
    const struct option_row rows[] = {{.name = "config", .text = &out->config},
                                      {.name = "date", .text = &out->date},
                                      {.name = "input", .text = &out->input},
                                      {.name = "output", .text = &out->output},
                                      {0}};
    if (!options_parse(argc, argv, rows, NULL))
        return false;
    if (!out->input || !out->output) {
        fputs("playmeter report: --input DIR and --output DIR are needed; playmeter report "
              "--help says more\n",
              stderr);
        return false;
    }
    *day = REPORT_DAY_NEWEST;
    if (!out->date || date_parse_iso(str_from(out->date), day))
        return true;
    fprintf(stderr, "playmeter report: --date is a day like 2026-01-31, got '%s'\n", out->date);
    return false;
}

/* Only the first few warnings of each code: a bad file has a hundred such rows, and the report
 * lists them. */
#define SHOWN_OF_A_CODE 3

static size_t
count_of_code(const struct run_report *report, size_t end, struct str code)
{
    size_t n = 0;
    for (size_t i = 0; i < end; i++)
        n += str_eq(report->warnings[i].code, code);
    return n;
}

static void
print_warnings(const struct run_report *report)
{
    for (size_t i = 0; i < report->warning_count; i++) {
        const struct report_warning *warning = &report->warnings[i];
        size_t before = count_of_code(report, i, warning->code);
        if (before < SHOWN_OF_A_CODE)
            printf("  %" STR_FMT ": %" STR_FMT "\n", STR_ARG(warning->code),
                   STR_ARG(warning->detail));
        else if (before == SHOWN_OF_A_CODE)
            printf("  %" STR_FMT ": and %zu more, named in the file's warnings\n",
                   STR_ARG(warning->code),
                   count_of_code(report, report->warning_count, warning->code) - before);
    }
}

/* Prints a line for each report; false when one is missing that needs no service. */
static bool
print_result(const struct arguments *arguments, const struct run_result *result)
{
    bool is_complete = true;
    scoped_arena a = {0};
    const char *day = date_text(&a, result->day).p;
    for (size_t i = 0; i < REPORT_COUNT; i++) {
        const struct run_report *report = &result->reports[i];
        const char *name = report->report->name;
        if (report->err.kind == ERR_NONE)
            printf("%s: %s/%s/%s.json\n", name, arguments->output, day, name);
        else if (strcmp(err_code(&report->err), RUN_NEEDS_SERVICE) == 0)
            printf("%s: left out: %s\n", name, report->err.detail);
        else
            printf("%s: not made: %s: %s\n", name, err_code(&report->err), report->err.detail);
        is_complete = is_complete && (report->err.kind == ERR_NONE ||
                                      strcmp(err_code(&report->err), RUN_NEEDS_SERVICE) == 0);
        print_warnings(report);
    }
    return is_complete;
}

static bool
run(const struct arguments *arguments, int64_t day, struct err *err)
{
    scoped_arena a = {0};
    struct config config;
    if (!config_load(&a, arguments->config, &config, err))
        return complain(err);
    /* A misspelt folder would look like one without inputs. */
    scoped_fd folder = open(arguments->input, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        err_set_code(err, ERR_INVALID, "no_source", "--input %s: %s", arguments->input,
                     strerror(errno));
        return complain(err);
    }
    struct run_task task = {.config = &config,
                            .day = day,
                            .output_dir = arguments->output,
                            .generated_at = clock_now_ms()};
    struct run_result result;
    for (size_t i = 0; i < INPUT_COUNT; i++)
        task.inputs[i] = input_of_file(&a, (enum input_kind)i, arguments->input);
    if (!run_reports(&a, &task, &result, err))
        return complain(err);
    return print_result(arguments, &result);
}

int
cli_report(int argc, char **argv)
{
    struct arguments arguments = {0};
    int64_t day;
    struct err err = {0};
    if (!parse_arguments(argc, argv, &arguments, &day))
        return 2;
    return run(&arguments, day, &err) ? 0 : 1;
}
