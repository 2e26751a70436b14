/* version.json: all that the catalogue says of a version, in the version's own folder.  With it
 * a folder can be told from another data directory's, and be taken into a catalogue that does
 * not know it.  The format and how it is written; guard.h, adopt.h and the sweep say what
 * follows from it.
 *
 *     {"format":1,"directory":"<id>","catalogue_seq":12,"dataset":"games","public":true,
 *      "version":3,"job":"<id>","rows":5000,"rows_checksum":-7,"created_at":<ms>,"label":"",
 *      "source":"games.csv","source_bytes":99,"source_sha256":"...","schema":{...},
 *      "summaries":[...],"receipt":{...},"sha256":"<64 hex digits>"}
 *
 * `sha256` stands last and is that of all bytes before its comma: a file that is cut or was
 * changed is refused, since nothing else says what the columns of rows.db mean.
 * `rows_checksum` is that of rows.db, as an int64; 0 where it was not known yet.
 * `catalogue_seq` is the database's when the file was written: one that is below it does not
 * know the version.  Written and synced before the publication is committed, so an attempt that
 * came to no end may have one too; its job is unfinished then. */
#pragma once

#include "catalogue/dataset.h"

#define VERSION_FILE_NAME "version.json"

struct version_file {
    struct str directory_id; /* of the data directory */
    int64_t catalogue_seq;
    struct str dataset; /* name */
    bool is_public;
    struct dataset_version version; /* but for dataset_id and is_current: the folder says one,
                                     * the catalogue the other */
    struct str receipt_json;
};

/* Reads `folder`, a job's id, in the dataset's folder `dir`; strings are in the arena.  1 read,
 * 0 there is none, -1 it is no whole version.json of this folder, and err says why. */
MUST_CHECK int version_file_read(struct arena *a, int dir, struct str folder,
                                 struct version_file *out, struct err *err);
/* Writes what the database has of the version, and its identity; inside a transaction, what
 * that sees.  Durable when it returns. */
MUST_CHECK bool version_file_write(struct db *db, int64_t dataset_id, struct str job_id,
                                   struct err *err);
