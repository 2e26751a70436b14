/* The index files of a dataset version, made again from its rows.db: for a file that is damaged
 * or gone, or that an older program made.  What they say is the same afterwards; the catalogue
 * is not touched: integrity_store_reindexed tells it. */
#pragma once

#include "catalogue/integrity.h"

/* Writes each file beside the old one, syncs and verifies it, and only then renames it over the
 * old one, so that whoever opens the version meanwhile finds files that fit each other; who has
 * it open keeps the old ones.  On failure the old files stay.  Waits for
 * another process that is at it.  Errors: not_found when the version's folder is gone,
 * rows_damaged (409), disk_full. */
MUST_CHECK bool reindex_version(const char *data_dir, const struct dataset_version *version,
                                struct err *err);
