/* The files of a report's two forms: made under a temporary name in the folder of the day, put
 * in place when all reports are whole.  Private to output.c and to what cleans up after a kill.
 */
#pragma once

#include "base/fs.h"

enum output_form { OUTPUT_JSON, OUTPUT_CSV, OUTPUT_FILE_COUNT };
#define OUTPUT_NAME_BYTES_MAX 80

struct output_file {
    int fd;
    bool is_temporary; /* there is a file of the temporary name */
    struct buf text;   /* not on the disk yet */
    char temporary[OUTPUT_NAME_BYTES_MAX], name[OUTPUT_NAME_BYTES_MAX];
};
void output_file_init(struct output_file *file);
/* Fails when there is one of the temporary name: see run_clean_locked. */
MUST_CHECK bool output_file_open(struct output_file *file, int folder, const char *report,
                                 enum output_form form, struct err *err);
/* What was written of it is on the disk, and may be read by others. */
MUST_CHECK bool output_file_sync(struct output_file *file, struct err *err);
/* Puts it in place.  With `root` (a folder, or -1) also there. */
MUST_CHECK bool output_file_publish(struct output_file *file, int folder, int root,
                                    struct err *err);
/* Removes it unless it was published. */
void output_file_close(struct output_file *file, int folder);
/* Is it the temporary name of a report's file? */
bool output_file_is_temporary(struct str name);
