/* Removes what a killed or cancelled run left in the folder of the reports. */
#include "reports/run.h"

#include "base/date.h"
#include "base/fs.h"
#include "reports/output_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

/* A directory stream for the folder, whose descriptor stays the caller's. */
static DIR *
list(int folder)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir)
        fs_close(&fd);
    return dir;
}

static void
remove_temporary(int folder)
{
    struct dirent *entry;
    DIR *dir = list(folder);
    while (dir && (entry = readdir(dir))) {
        if (output_file_is_temporary(str_from(entry->d_name)))
            unlinkat(folder, entry->d_name, 0);
    }
    if (dir)
        closedir(dir);
}

bool
run_clean_locked(int root, struct err *err)
{
    DIR *dir = list(root);
    if (!dir)
        return err_set_errno(err, "reading the reports' folder");
    struct dirent *entry;
    while ((entry = readdir(dir))) {
        int64_t day;
        struct err ignored; /* a file or link with such a name is not ours */
        if (!date_parse_iso(str_from(entry->d_name), &day))
            continue;
        scoped_fd folder = fs_open_at(root, entry->d_name, O_RDONLY | O_DIRECTORY, &ignored);
        if (folder < 0)
            continue;
        remove_temporary(folder);
        unlinkat(root, entry->d_name, AT_REMOVEDIR); /* fails unless it is empty */
    }
    closedir(dir);
    remove_temporary(root);
    return true;
}

bool
run_clean(const char *output_dir, struct err *err)
{
    scoped_fd root = open(output_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return errno == ENOENT || err_set_errno(err, "%s", output_dir);
    if (flock(root, LOCK_EX | LOCK_NB))
        return errno == EWOULDBLOCK || err_set_errno(err, "locking %s", output_dir);
    return run_clean_locked(root, err);
}
