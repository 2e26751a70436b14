/* Versions as the engine of column files keeps them: rows.db in the folder of the version, held
 * against its checksum in the catalogue, and columns, trigrams and tfidf, which carry their
 * own. */
#pragma once

#include "catalogue/files.h"

extern const struct version_files EMBEDDED_FILES;

/* ---- for this folder ---- */

/* Of a file in the version's folder; with `file` "" of the folder. */
const char *embedded_path(struct arena *a, const char *data_dir,
                          const struct dataset_version *version, const char *file);
/* Of the table. */
MUST_CHECK bool embedded_check_rows(const char *data_dir, const struct dataset_version *version,
                                    struct err *err);
MUST_CHECK bool embedded_reindex(const char *data_dir, const struct dataset_version *version,
                                 struct err *err);
