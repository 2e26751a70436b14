/* The folders of the versions, datasets/<dataset id>/<job id>/ under the data directory: where
 * they are, which of them lie there, and what the database knows of each.  A folder has its
 * job's name, never a user's, and is made before there is a version. */
#pragma once

#include "store/db.h"

/* Of a file in a version's folder; with `file` "" of the folder. */
const char *version_folder_path(struct arena *a, const char *data_dir, int64_t dataset_id,
                                struct str job_id, const char *file);
/* Calls `visit` for each folder datasets/<number>/<job id>/ with the dataset's folder as `dir`,
 * until it returns false.  Other names are passed over. */
typedef bool version_folder_fn(void *context, int dir, int64_t dataset_id, struct str job_id,
                               struct err *err);
MUST_CHECK bool version_folders_visit(const char *data_dir, version_folder_fn *visit,
                                      void *context, struct err *err);
/* What the database knows of such a folder. */
struct version_folder {
    bool is_kept, is_dropped; /* of a version that is */
    bool is_known;            /* there is a job of that id */
    bool is_under_way;        /* it is not finished */
    bool has_failed;          /* it ended, and made no version */
    bool has_checksum;        /* of a kept version, and the database has it of rows.db */
    int64_t home_id;          /* a kept version of that job is this other dataset's; 0: none */
};
MUST_CHECK bool version_folder_look_up(struct db *db, int64_t dataset_id, struct str job_id,
                                       struct version_folder *out, struct err *err);
