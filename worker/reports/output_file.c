#include "reports/output_file.h"

#include "reports/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reports are meant to be read by people and their tools; the folder's mode decides by whom. */
#define FILE_MODE 0644

static const char *const SUFFIXES[OUTPUT_FILE_COUNT] = {"json", "csv"};

static void
name_temporary(char out[OUTPUT_NAME_BYTES_MAX], const char *report, enum output_form form)
{
    snprintf(out, OUTPUT_NAME_BYTES_MAX, ".%s.%s.new", report, SUFFIXES[form]);
}

bool
output_file_is_temporary(struct str name)
{
    char temporary[OUTPUT_NAME_BYTES_MAX];
    for (size_t i = 0; i < REPORT_COUNT; i++)
        for (size_t form = 0; form < OUTPUT_FILE_COUNT; form++) {
            name_temporary(temporary, REPORTS[i]->name, (enum output_form)form);
            if (str_eq(name, str_from(temporary)))
                return true;
        }
    return false;
}

void
output_file_init(struct output_file *file)
{
    *file = (struct output_file){.fd = -1};
    buf_init(&file->text, SIZE_MAX / 2);
}

bool
output_file_open(struct output_file *file, int folder, const char *report,
                 enum output_form form, struct err *err)
{
    snprintf(file->name, sizeof(file->name), "%s.%s", report, SUFFIXES[form]);
    name_temporary(file->temporary, report, form);
    file->fd = fs_open_at(folder, file->temporary, O_WRONLY | O_CREAT | O_EXCL, err);
    file->is_temporary = file->fd >= 0;
    return file->is_temporary;
}

bool
output_file_sync(struct output_file *file, struct err *err)
{
    if (fchmod(file->fd, FILE_MODE))
        return err_set_errno(err, "%s", file->temporary);
    return fs_sync(file->fd, err);
}

static bool
copy_to_root(const struct output_file *file, int folder, int root, struct err *err)
{
    scoped_fd from = fs_open_at(folder, file->name, O_RDONLY, err);
    scoped_fd to =
        from < 0 ? -1 : fs_open_at(root, file->temporary, O_WRONLY | O_CREAT | O_EXCL, err);
    if (to < 0)
        return false;
    char chunk[16 * KIB];
    ssize_t n;
    while ((n = read(from, chunk, sizeof(chunk))) != 0) {
        if (n < 0 && errno != EINTR)
            return err_set_errno(err, "reading a report");
        if (n > 0 && !fs_write(to, (struct str){chunk, (size_t)n}, err))
            return false;
    }
    if (fchmod(to, FILE_MODE))
        return err_set_errno(err, "%s", file->temporary);
    return fs_sync(to, err);
}

/* Gives the file a second name (a hard link): files are replaced, never changed, so both names
 * keep the content that was published.  On file systems without hard links (FAT, some network
 * file systems) it is copied. */
static bool
publish_at_root(const struct output_file *file, int folder, int root, struct err *err)
{
    bool ok = (linkat(folder, file->name, root, file->temporary, 0) == 0 ||
               copy_to_root(file, folder, root, err)) &&
              (renameat(root, file->temporary, root, file->name) == 0 ||
               err_set_errno(err, "publishing %s", file->name));
    if (!ok)
        unlinkat(root, file->temporary, 0);
    return ok;
}

bool
output_file_publish(struct output_file *file, int folder, int root, struct err *err)
{
    if (renameat(folder, file->temporary, folder, file->name))
        return err_set_errno(err, "publishing %s", file->name);
    file->is_temporary = false;
    return root < 0 || publish_at_root(file, folder, root, err);
}

void
output_file_close(struct output_file *file, int folder)
{
    fs_close(&file->fd);
    if (file->is_temporary)
        unlinkat(folder, file->temporary, 0);
    buf_free(&file->text);
}
