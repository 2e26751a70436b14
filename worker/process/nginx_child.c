#include "process/nginx_child.h"

#include "base/fs.h"
#include "base/log.h"
#include "process/nginx_log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Two descriptors for each of 4,096 connections, and temporary files. */
#define NGINX_DESCRIPTORS 16384
/* How much of the output of `nginx -t` is kept; the rest is read and dropped. */
#define COMPLAINT_BYTES_MAX (16 * KIB)

bool
nginx_child_find(struct arena *a, struct str program, const char **out, struct err *err)
{
    const char *path = getenv("PATH");
    struct str rest = arena_printf(a, "%s:/usr/sbin:/usr/local/sbin", path ? path : "");
    if (str_find_char(program, '/') >= 0)
        rest = (struct str){0};
    const char *candidate = arena_cstr(a, program);
    while (rest.p) {
        struct str folder = str_cut(&rest, ':');
        candidate =
            arena_printf(a, "%" STR_FMT "/%" STR_FMT, STR_ARG(folder), STR_ARG(program)).p;
        if (folder.n && access(candidate, X_OK) == 0)
            break;
    }
    if (access(candidate, X_OK))
        return err_set(err, ERR_NOT_FOUND,
                       "http.nginx: there is no program '%" STR_FMT
                       "'; install it with: apt-get install nginx",
                       STR_ARG(program));
    *out = candidate;
    return true;
}

/* A login usually has a soft limit of 1,024, below nginx's worker_connections. */
static void
allow_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= NGINX_DESCRIPTORS)
        return;
    limit.rlim_cur = MIN(limit.rlim_max, NGINX_DESCRIPTORS);
    /* When the limit is refused, nginx serves fewer connections and says so in its log. */
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

NORETURN static void
run(const char *program, const char *data_dir, const char *folder, bool is_check,
    const int *listen_fds, size_t fd_count, int log_fd)
{
    char prefix[PATH_MAX], conf[PATH_MAX], inherited[64] = "NGINX=";
    snprintf(prefix, sizeof(prefix), "%s/nginx/", data_dir);
    snprintf(conf, sizeof(conf), "%s/%s/nginx.conf", data_dir, folder);
    for (size_t i = 0; i < fd_count; i++) {
        size_t n = strlen(inherited);
        snprintf(inherited + n, sizeof(inherited) - n, "%d;", listen_fds[i]);
        fcntl(listen_fds[i], F_SETFD, 0);
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    dup2(log_fd, STDERR_FILENO);
    allow_descriptors();
    char *environment[] = {inherited, "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
    char *const arguments[] = {
        "nginx", "-p", prefix, "-c", conf, "-e", "stderr", "-q", is_check ? "-t" : NULL, NULL};
    execve(program, arguments, environment);
    fprintf(stderr, "playmeter: %s: %s\n", program, strerror(errno));
    _exit(127);
}

/* The first line that is an error in nginx's output, which is read to its end. */
static struct str
read_complaint(struct arena *a, int fd)
{
    scoped_buf text;
    buf_init(&text, COMPLAINT_BYTES_MAX);
    char chunk[KIB];
    ssize_t n;
    while ((n = read(fd, chunk, sizeof(chunk))) > 0 || (n < 0 && errno == EINTR))
        if (n > 0)
            buf_add(&text, (struct str){chunk, (size_t)n});
    for (struct str rest = buf_str(&text); rest.p;) {
        struct nginx_log_line line;
        nginx_log_parse(str_cut(&rest, '\n'), &line);
        if (line.level == LOG_ERROR)
            return arena_str(a, line.message);
    }
    return arena_str(a, str_trim(buf_str(&text)));
}

bool
nginx_child_check(const char *program, const char *data_dir, const char *folder,
                  const int *listen_fds, size_t fd_count, struct err *err)
{
    scoped_arena a = {0};
    int fds[2];
    if (pipe2(fds, O_CLOEXEC))
        return err_set_errno(err, "running nginx -t");
    pid_t pid = fork();
    if (pid == 0)
        run(program, data_dir, folder, true, listen_fds, fd_count, fds[1]);
    close(fds[1]);
    struct str complaint = read_complaint(&a, fds[0]);
    close(fds[0]);
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return err_set_errno(err, "running nginx -t");
    return (WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
           err_set(err, ERR_INVALID, "nginx refuses its configuration in %s/%s: %" STR_FMT,
                   data_dir, folder, STR_ARG(complaint));
}

/* Is the process an nginx that was started in this working directory? */
static bool
is_nginx_of(const char *pid, const char *folder)
{
    char path[64], name[16], cwd[PATH_MAX];
    snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
    scoped_fd fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t name_bytes = fd < 0 ? -1 : read(fd, name, sizeof(name));
    snprintf(path, sizeof(path), "/proc/%.20s/cwd", pid);
    ssize_t cwd_bytes = readlink(path, cwd, sizeof(cwd));
    return name_bytes == 6 && memcmp(name, "nginx\n", 6) == 0 &&
           cwd_bytes == (ssize_t)strlen(folder) && memcmp(cwd, folder, (size_t)cwd_bytes) == 0;
}

void
nginx_child_end_orphans(void)
{
    char folder[PATH_MAX];
    DIR *list = opendir("/proc");
    struct dirent *entry;
    bool is_known = getcwd(folder, sizeof(folder)) != NULL;
    while (list && is_known && (entry = readdir(list))) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (pid <= 0 || !is_nginx_of(entry->d_name, folder) || kill(pid, SIGKILL))
            continue;
        log_message(LOG_WARN, "orphan_ended",
                    "nginx (pid %d) of a service that was killed still had the port", (int)pid);
    }
    if (list)
        closedir(list);
}

void
nginx_child_become(const char *program, const char *data_dir, const int *listen_fds,
                   size_t fd_count, int log_fd, int supervisor_pid)
{
    /* SIGTERM rather than SIGKILL, so that the master ends its workers. */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != supervisor_pid)
        _exit(1);
    run(program, data_dir, NGINX_CONF_DIR, false, listen_fds, fd_count, log_fd);
}
