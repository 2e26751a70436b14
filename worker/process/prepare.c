/* Except for that of the data directory, all paths are relative to it, because it is the
 * working directory. */
#include "process/prepare.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/random.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* How often the lock is tried while a killed predecessor's children end. */
#define LOCK_ATTEMPTS 40
#define LOCK_PAUSE_MS 50
/* The path of a unix socket has at most 107 bytes, of which the longest name in run/ needs
 * some. */
#define DATA_DIR_BYTES_MAX 88

static bool
find_user(struct str user, struct passwd *out, char *name, size_t name_size, struct err *err)
{
    snprintf(name, name_size, "%" STR_FMT, STR_ARG(user));
    errno = 0;
    const struct passwd *found = getpwnam(name);
    if (!found)
        return err_set(err, ERR_INVALID,
                       "server.user: there is no user '%s'; make it with: useradd --system "
                       "--home-dir / --shell /usr/sbin/nologin %s",
                       name, name);
    if (found->pw_uid == 0)
        return err_set(err, ERR_INVALID, "server.user: '%s' is root by another name", name);
    *out = *found;
    return true;
}

static bool
is_empty_folder(const char *path)
{
    DIR *folder = opendir(path);
    size_t entries = 0;
    while (folder && readdir(folder))
        entries++;
    if (folder)
        closedir(folder);
    return entries == 2; /* . and .. */
}

static bool
give_data_dir(const char *data_dir, const struct passwd *user, struct err *err)
{
    struct stat st;
    /* The folders above must be passable for the user; the last one gets mode 0700 anyway. */
    mode_t mask = umask(0022);
    bool is_made = fs_make_dirs(data_dir, err);
    umask(mask);
    if (!is_made)
        return false;
    if (stat(data_dir, &st))
        return err_set_errno(err, "%s", data_dir);
    if (st.st_uid == user->pw_uid)
        return true;
    if (st.st_uid == 0 && is_empty_folder(data_dir))
        return (chown(data_dir, user->pw_uid, user->pw_gid) == 0 &&
                chmod(data_dir, 0700) == 0) ||
               err_set_errno(err, "giving %s to %s", data_dir, user->pw_name);
    return err_set(
        err, ERR_FORBIDDEN,
        "the data directory %s belongs to another user than '%s'; give it over with: "
        "chown -R %s: %s",
        data_dir, user->pw_name, user->pw_name, data_dir);
}

/* Names the first folder of the path that the current user cannot enter. */
static bool
explain_unreachable(const char *data_dir, const char *user, struct err *err)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s", data_dir);
    for (char *slash = path; (slash = strchr(slash + 1, '/'));) {
        *slash = '\0';
        if (access(path, X_OK))
            return err_set(err, ERR_FORBIDDEN,
                           "the user '%s' cannot enter %s, which is on the way to the data "
                           "directory %s; choose another with --data (make run "
                           "DATA=/srv/playmeter) or open the way with: chmod o+x %s",
                           user, path, data_dir, path);
        *slash = '/';
    }
    return err_set(err, ERR_FORBIDDEN, "the user '%s' cannot write to the data directory %s",
                   user, data_dir);
}

/* In such a directory, a link or file planted by another user would be taken for our own. */
static bool
check_closed(const char *data_dir, struct err *err)
{
    struct stat st;
    if (stat(data_dir, &st))
        return err_set_errno(err, "%s", data_dir);
    if (!(st.st_mode & S_IWOTH))
        return true;
    return err_set(err, ERR_FORBIDDEN,
                   "everybody can write to the data directory %s; close it with: chmod o-w %s",
                   data_dir, data_dir);
}

/* For a database made under another umask: it holds hashes of passwords and sessions. */
static bool
close_database(const char *data_dir, struct err *err)
{
    static const char *const ENDINGS[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < COUNT_OF(ENDINGS); i++) {
        struct stat st;
        char path[PATH_MAX];
        snprintf(path, sizeof(path), "%s/playmeter.db%s", data_dir, ENDINGS[i]);
        if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077) &&
            chmod(path, 0600))
            return err_set_errno(err, "closing %s to others", path);
    }
    return true;
}

bool
prepare_user(struct str user, const char *data_dir, struct err *err)
{
    struct passwd who = {0};
    char name[64];
    umask(0077);
    if (strlen(data_dir) > DATA_DIR_BYTES_MAX)
        return err_set(err, ERR_INVALID,
                       "the path of the data directory has at most %d bytes: "
                       "%s",
                       DATA_DIR_BYTES_MAX, data_dir);
    if (geteuid() != 0)
        return fs_make_dirs(data_dir, err) && check_closed(data_dir, err) &&
               close_database(data_dir, err);
    if (!find_user(user, &who, name, sizeof(name), err) || !give_data_dir(data_dir, &who, err))
        return false;
    if (initgroups(name, who.pw_gid) || setgid(who.pw_gid) || setuid(who.pw_uid))
        return err_set_errno(err, "becoming the user '%s'", name);
    if (access(data_dir, R_OK | W_OK | X_OK))
        return explain_unreachable(data_dir, name, err);
    return check_closed(data_dir, err) && close_database(data_dir, err);
}

bool
prepare_command(struct arena *a, const char *config_path, const char *data_dir,
                struct config *out, struct err *err)
{
    if (access(data_dir, F_OK))
        return err_set_errno(err, "%s", data_dir);
    return config_load(a, config_path, out, err) &&
           prepare_user(out->server_user, data_dir, err);
}

bool
prepare_data_dir(const char *data_dir, struct err *err)
{
    int status = chdir(data_dir);
    if (status && errno == EACCES)
        return err_set(err, ERR_FORBIDDEN,
                       "the data directory %s is closed to this user; start as its owner (as "
                       "root, if that is the service's user), or choose another with --data "
                       "(make run DATA=...)",
                       data_dir);
    if (status)
        return err_set_errno(err, "entering the data directory %s", data_dir);
    for (size_t i = 0; i < CONFIG_FOLDERS_COUNT; i++)
        if (!fs_make_dirs(CONFIG_FOLDERS[i], err))
            return false;
    return fs_make_dirs("nginx/body", err);
}

int
prepare_lock(const char *data_dir, struct err *err)
{
    scoped_fd fd = fs_open_at(AT_FDCWD, "run/supervisor.lock", O_RDWR | O_CREAT, err);
    if (fd < 0)
        return -1;
    for (int attempt = 1; flock(fd, LOCK_EX | LOCK_NB); attempt++) {
        if (attempt == LOCK_ATTEMPTS) {
            err_set(err, ERR_CONFLICT,
                    "playmeter serves the data directory %s already; stop it first, or choose "
                    "another with --data",
                    data_dir);
            return -1;
        }
        clock_sleep_ms(LOCK_PAUSE_MS);
    }
    int kept = fd;
    fd = -1;
    return kept;
}

bool
prepare_admin_key(struct err *err)
{
    char line[CONFIG_KEY_DIGITS + 2];
    if (access(CONFIG_ADMIN_KEY, F_OK) == 0)
        return true;
    random_hex(line, CONFIG_KEY_DIGITS);
    line[CONFIG_KEY_DIGITS] = '\n';
    return fs_replace_file(AT_FDCWD, CONFIG_ADMIN_KEY, (struct str){line, sizeof(line) - 1},
                           0600, err);
}
