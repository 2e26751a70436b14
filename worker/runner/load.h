/* One import job from its claim to what can be published: the work of the jobs role's children,
 * and of `playmeter import` where no service runs. */
#pragma once

#include "import/import.h"
#include "runner/kind.h"

struct load {
    const struct config *config;
    struct job job;
    struct import_job import;
    int64_t dataset_id;
    struct dataset_version base; /* what is current now */
    bool has_base;
};
/* Reads the job's options, makes the dataset's row, and looks up its current version.  Strings
 * live in the arena. */
MUST_CHECK bool load_prepare(struct arena *a, struct db *db, struct writer *w,
                             const struct config *config, const struct job *job,
                             struct load *out, struct err *err);
bool load_needs_fetch(const struct load *load); /* the source is a URL */

/* Fetches the URL into the spool: on failure nothing of it is left there.  Network, no
 * database.
 */
MUST_CHECK bool load_fetch(struct arena *a, const struct load *load,
                           job_progress_fn *on_progress, void *context, struct err *err);
/* Builds the version's folder.  No network, no playmeter.db. */
MUST_CHECK bool load_run(struct arena *a, const struct load *load, job_progress_fn *on_progress,
                         void *context, struct dataset_publication *out, struct err *err);

/* Removes what a killed child left of the version's folder. */
MUST_CHECK bool load_remove_folder(struct arena *a, const struct load *load, struct err *err);

/* Receiving for a URL, then loading, then the publication. */
extern const struct job_kind JOB_IMPORT;
