/* Versions as the engine of column files keeps them: rows.db in the folder of the version, held
 * against its checksum in the catalogue, and columns, trigrams and tfidf, which carry their own. */
#pragma once

#include "catalogue/files.h"

extern const struct version_files EMBEDDED_FILES;

/* Of the table; for this folder. */
MUST_CHECK bool embedded_check_rows(const char *data_dir, const struct dataset_version *version,
                                    struct err *err);
MUST_CHECK bool embedded_reindex(const char *data_dir, const struct dataset_version *version,
                                 struct err *err);
