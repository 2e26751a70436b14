#include "cli/import.h"

#include "api/app.h"
#include "base/clock.h"
#include "cli/options.h"
#include "cli/progress_bar.h"
#include "embedded/files.h"
#include "process/prepare.h"
#include "process/writer.h"
#include "runner/load.h"
#include "json/read.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A running job keeps its lease by reporting progress. */
#define TELL_US 400000
#define LOOK_MS 100

struct session { /* the import that this process watches or runs */
    struct arena arena;
    struct config config;
    const char *data_dir;
    struct import_options options;
    struct writer_access access;
    struct progress_bar bar;
    struct str job_id;
    uint64_t told_us;
};

static volatile sig_atomic_t is_interrupted;

static void
note_interrupt(int signal_number UNUSED)
{
    is_interrupted = 1;
}

static bool
complain(const struct err *err)
{
    fprintf(stderr, "playmeter import: %s: %s\n", err_code(err), err->detail);
    return false;
}

/* ---- the command line ---- */

struct arguments {
    const char *source, *dataset, *config, *data;
};

/* Takes the options of an import from the command line. */
static bool
parse_arguments(int argc, char **argv, struct arguments *out, struct session *s)
{
    const char *values[IMPORT_OPTION_COUNT] = {0};
    struct option_row rows[IMPORT_OPTION_COUNT + 4] = {
        {.name = "dataset", .text = &out->dataset},
        {.name = "config", .text = &out->config},
        {.name = "data", .text = &out->data}};
    for (size_t i = 0; i < IMPORT_OPTION_COUNT; i++)
        rows[3 + i] = (struct option_row){.name = IMPORT_PARAMS[i].name, .text = &values[i]};
    if (!options_parse(argc, argv, rows, &out->source))
        return false;
    if (!out->source || !out->dataset) {
        fputs("playmeter import: a file (or URL) and --dataset NAME are needed; playmeter "
              "import --help says more\n",
              stderr);
        return false;
    }
    for (size_t i = 0; i < IMPORT_OPTION_COUNT; i++) {
        struct err err;
        if (values[i] &&
            !import_option_set(&s->arena, &s->options, str_from(IMPORT_PARAMS[i].name),
                               str_from(values[i]), &err))
            return complain(&err);
    }
    return true;
}

/* How --help shows the value: "replace|append|upsert", "N" or "TEXT". */
static struct str
values_of(struct arena *a, const struct route_param *param)
{
    if (param->type != PARAM_WORD)
        return param->type == PARAM_INTEGER ? STR("N") : STR("TEXT");
    scoped_buf words;
    buf_init(&words, KIB);
    for (struct str rest = str_from(param->words); rest.p;) {
        struct str word = str_cut(&rest, ' ');
        buf_printf(&words, "%s%" STR_FMT, words.n ? "|" : "", STR_ARG(word));
    }
    return arena_str(a, buf_str(&words));
}

void
cli_import_explain(void)
{
    scoped_arena a = {0};
    puts("\nOptions of the import, as in the API:");
    for (size_t i = 0; i < IMPORT_OPTION_COUNT; i++) {
        const struct route_param *param = &IMPORT_PARAMS[i];
        struct str option =
            arena_printf(&a, "--%s %" STR_FMT, param->name, STR_ARG(values_of(&a, param)));
        printf("  %-31s  %s\n", option.p, param->help);
    }
}

/* The source is opened before root's rights are given up, and copied: the user keeps the file.
 */
static bool
submit(struct session *s, const struct arguments *arguments, int source_fd, struct err *err)
{
    const char *slash = strrchr(arguments->source, '/');
    struct import_request request = {
        .config = &s->config,
        .data_dir = s->data_dir,
        .dataset = str_from(arguments->dataset),
        .options = &s->options,
        .source_fd = source_fd >= 0 ? &source_fd : NULL,
        .source_name = str_from(slash ? slash + 1 : arguments->source),
    };
    if (source_fd < 0)
        s->options.url = str_from(arguments->source);
    return import_submit(&s->arena, s->access.writer, &request, &s->job_id, err);
}

/* ---- the import ---- */

/* Prints the result of a finished job: the receipt, or why there is none. */
static bool
print_end(struct session *s, struct err *err)
{
    struct job job;
    if (!job_get(&s->arena, s->access.db, s->job_id, &job, err))
        return false;
    if (job.state == JOB_SUCCEEDED) {
        /* The last poll may be some time ago, and a bar that ends at 40 % looks like a
         * failure. */
        struct job_progress done = {STR("done"), job.bytes_total, job.bytes_total,
                                    job.rows_done, job.rows_rejected};
        progress_bar_show(&s->bar, &done);
        progress_bar_end(&s->bar);
        printf("%" STR_FMT "\n", STR_ARG(job.result));
        return true;
    }
    progress_bar_end(&s->bar);
    if (job.state == JOB_CANCELLED)
        return err_set_code(err, ERR_CONFLICT, "cancelled",
                            "the import was cancelled; the "
                            "dataset is as it was");
    const struct json_value *error = NULL;
    struct str code = STR("failed"), detail = job.error;
    struct err ignored; /* an error that is not JSON is printed as it is */
    if (json_read(&s->arena, job.error, &error, &ignored)) {
        (void)!json_as_str(json_get(error, "code"), &code);
        (void)!json_as_str(json_get(error, "detail"), &detail);
    }
    return err_set_code(err, ERR_INVALID, arena_cstr(&s->arena, code), "%" STR_FMT,
                        STR_ARG(detail));
}

static bool
watch(struct session *s, struct err *err)
{
    bool is_cancelled = false;
    for (;;) {
        scoped_arena a = {0};
        struct job job;
        if (!job_get(&a, s->access.db, s->job_id, &job, err))
            return false;
        if (job.state != JOB_QUEUED && job.state != JOB_RUNNING)
            return print_end(s, err);
        struct job_progress progress = {job.phase, job.bytes_total, job.bytes_done,
                                        job.rows_done, job.rows_rejected};
        if (job.state == JOB_QUEUED)
            progress.phase = STR("queued");
        progress_bar_show(&s->bar, &progress);
        if (is_interrupted && !is_cancelled && !job_cancel(s->access.writer, s->job_id, err) &&
            strcmp(err_code(err), "job_finished") != 0)
            return false;
        is_cancelled = is_interrupted;
        clock_sleep_ms(LOOK_MS);
    }
}

static bool
report(void *context, const struct job_progress *progress, struct err *err)
{
    struct session *s = context;
    uint64_t now = clock_steady_us();
    bool is_cancel_requested = false;
    progress_bar_show(&s->bar, progress);
    bool is_last = str_eq(progress->phase, STR("publishing"));
    if (is_last || now - s->told_us > TELL_US) {
        s->told_us = now;
        if (!job_report_progress(s->access.writer, s->job_id, progress, &is_cancel_requested,
                                 err))
            return false;
    }
    if (!is_interrupted && !is_cancel_requested)
        return true;
    return err_set_code(err, ERR_CONFLICT, "cancelled", "the import was cancelled");
}

static bool
run_steps(struct session *s, const struct job *job, struct load *load, struct err *err)
{
    struct dataset_publication publication;
    int64_t number;
    return load_prepare(&s->arena, s->access.db, s->access.writer, &s->config, job, load,
                        err) &&
           (!load_needs_fetch(load) || load_fetch(&s->arena, load, report, s, err)) &&
           load_run(&s->arena, load, report, s, &publication, err) &&
           dataset_publish(s->access.writer, &publication, &number, err);
}

static bool
run_here(struct session *s, struct err *err)
{
    struct job job;
    struct load load = {0};
    struct err cause, ignored;
    int got = job_claim_one(&s->arena, s->access.writer, s->job_id, &job, err);
    if (got <= 0)
        return got < 0 ? false
                       : err_set_code(err, ERR_CONFLICT, "import_running",
                                      "another import of this dataset is not finished; start "
                                      "the service, which will end it");
    if (!run_steps(s, &job, &load, &cause)) {
        bool is_cancel = strcmp(err_code(&cause), "cancelled") == 0;
        struct str error = is_cancel ? (struct str){0} : job_error_json(&s->arena, &cause);
        if (!job_finish(s->access.writer, s->job_id, is_cancel ? JOB_CANCELLED : JOB_FAILED,
                        error, (struct str){0}, err))
            return false;
        /* After a commit with an unknown outcome: by now it is certain that it failed. */
        if (load.config)
            (void)!load_remove_folder(&s->arena, &load, &ignored);
    }
    /* Folders of old versions; what cannot be removed now, the service will remove. */
    scoped_buf kept;
    buf_init(&kept, 4 * KIB);
    (void)!dataset_sweep(s->access.db, &EMBEDDED_FILES, s->data_dir,
                         (int64_t)s->config.imports_spool_kept, &kept, &ignored);
    if (kept.n)
        fprintf(stderr, "not removed:\n%" STR_FMT, STR_ARG(buf_str(&kept)));
    return print_end(s, err);
}

static bool
open_session(struct session *s, const struct arguments *arguments, struct err *err)
{
    char path[PATH_MAX];
    if (!config_load(&s->arena, arguments->config, &s->config, err) ||
        !prepare_user(s->config.server_user, arguments->data, err))
        return false;
    if (!realpath(arguments->data, path))
        return err_set_errno(err, "%s", arguments->data);
    s->config.data_dir = arena_str(&s->arena, str_from(path));
    s->data_dir = s->config.data_dir.p;
    return writer_access_open(s->data_dir, &s->access, err);
}

int
cli_import(int argc, char **argv)
{
    struct session s = {.access = {.lock_fd = -1}};
    struct arguments arguments = {.data = "var"};
    struct err err = {0};
    scoped_fd source = -1;
    if (!parse_arguments(argc, argv, &arguments, &s)) {
        arena_free(&s.arena);
        return 2;
    }
    struct sigaction action = {.sa_handler = note_interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    progress_bar_init(&s.bar);
    bool ok = true;
    if (strncmp(arguments.source, "http://", 7) != 0 &&
        strncmp(arguments.source, "https://", 8) != 0) {
        source = fs_open_named(arguments.source, &err);
        /* A mistake of the user, whatever the errno says. */
        ok = source >= 0 || err_set_code(&err, ERR_INVALID, "no_source", "%s", err.detail);
    }
    ok = ok && open_session(&s, &arguments, &err) && submit(&s, &arguments, source, &err);
    if (ok && s.access.lock_fd < 0) {
        ok = watch(&s, &err);
    } else if (ok) {
        /* A service on another data directory would never see the rows. */
        fprintf(stderr, "no service runs on %s; importing without one\n", s.data_dir);
        ok = run_here(&s, &err);
    }
    progress_bar_end(&s.bar);
    if (!ok)
        complain(&err);
    writer_access_close(&s.access);
    arena_free(&s.arena);
    return ok ? 0 : 1;
}
