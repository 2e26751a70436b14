/* LD_PRELOAD: the process that renames a file to a name that ends as the file KILL_AT_RENAME
 * says is killed there.  The file holds "before NAME" or "after NAME", and is removed first, so
 * that one process is killed once. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
ends_with(const char *path, const char *name)
{
    size_t n = strlen(path), m = strlen(name);
    return n >= m && strcmp(path + n - m, name) == 0;
}

int
renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    char when[8] = "", name[64] = "";
    const char *order = getenv("KILL_AT_RENAME");
    FILE *f = order ? fopen(order, "re") : NULL;
    if (f) {
        if (fscanf(f, "%7s %63s", when, name) != 2)
            name[0] = '\0';
        fclose(f);
    }
    int is_due = name[0] && ends_with(to, name) && unlink(order) == 0;
    if (is_due && strcmp(when, "before") == 0)
        kill(getpid(), SIGKILL);
    int rc = (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);
    if (is_due)
        kill(getpid(), SIGKILL);
    return rc;
}
