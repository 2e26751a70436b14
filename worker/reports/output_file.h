/* One of a report's two files: written under a temporary name in the folder of the day, and
 * renamed when all reports are complete.  Private to output.c and to the cleaning after a
 * kill. */
#pragma once

#include "base/fs.h"

enum output_form { OUTPUT_JSON, OUTPUT_CSV, OUTPUT_FILE_COUNT };
#define OUTPUT_NAME_BYTES_MAX 80

struct output_file {
    int fd;
    bool is_temporary; /* the file exists, under its temporary name */
    struct buf text;   /* not written to disk yet */
    char temporary[OUTPUT_NAME_BYTES_MAX], name[OUTPUT_NAME_BYTES_MAX];
};
void output_file_init(struct output_file *file);
/* Fails when a file with the temporary name exists: run_clean_locked removes those. */
MUST_CHECK bool output_file_open(struct output_file *file, int folder, const char *report,
                                 enum output_form form, struct err *err);
/* Writes the rest, fsyncs the file, and makes it readable for others. */
MUST_CHECK bool output_file_sync(struct output_file *file, struct err *err);
/* Renames it into place.  With `root` (a folder, or -1) it appears there too. */
MUST_CHECK bool output_file_publish(struct output_file *file, int folder, int root,
                                    struct err *err);
/* Closes it, and removes it unless it was published. */
void output_file_close(struct output_file *file, int folder);
/* Is it the temporary name of a report's file? */
bool output_file_is_temporary(struct str name);
