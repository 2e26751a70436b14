/* One loop over signals that are blocked everywhere else, so nothing is interrupted and no
 * handler shares state with other code.  A reload or a stop goes through phases; the loop
 * enters the next phase when the children that the current one waits for have ended.
 *
 *   SERVING --SIGHUP--> SWAP_API --> SWAP_WRITER --> SWAP_JOBS --> SERVING
 *   any --SIGTERM--> STOP_NGINX --> STOP_API --> STOP_JOBS --> STOP_WRITER --> DONE
 *
 * The writer stops after the processes that send it changes, so that these are still answered.
 */
#include "process/supervisor.h"

#include "api/surface.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/nginx.h"
#include "players/strength.h"
#include "players/token.h"
#include "process/children.h"
#include "process/listen.h"
#include "process/migrate.h"
#include "process/nginx_child.h"
#include "process/nginx_log.h"
#include "process/prepare.h"
#include "process/probe.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum phase {
    SERVING,
    SWAP_API,
    SWAP_WRITER,
    SWAP_JOBS,
    STOP_NGINX,
    STOP_API,
    STOP_JOBS,
    STOP_WRITER,
    DONE
};

struct supervisor {
    const struct supervisor_options *options;
    struct arena arena; /* of config, so each reload frees it */
    struct config config;
    struct arena start; /* for what no reload changes */
    const char *nginx_program;
    int pid;
    int tcp_fd, http_fd; /* nginx's */
    struct nginx_log nginx_log;
    int role_fd[ROLE_JOBS]; /* of query, play, writer */
    int signal_fd;
    enum phase phase;
    unsigned generation; /* reloads done */
    bool is_reload_wanted;
    uint64_t stop_us; /* when children that have not ended are killed; 0 while serving */
    struct children children;
};

bool
supervisor_load_config(struct arena *a, const struct supervisor_options *options,
                       struct config *out, struct err *err)
{
    if (!config_load(a, options->config_path, out, err))
        return false;
    out->data_dir = str_from(options->data_dir);
    out->start = options->start;
    if (options->port)
        out->http_port = options->port;
    if (options->query_workers)
        out->workers_query = options->query_workers;
    if (options->play_workers)
        out->workers_play = options->play_workers;
    return config_check_output(out, err) && config_read_keys(a, out, err) &&
           config_read_tls(a, out, err);
}

static int
run_role(const struct role_env *env)
{
    switch (env->role) {
    case ROLE_QUERY:
    case ROLE_PLAY:
        return role_run_api(env);
    case ROLE_WRITER:
        return role_run_writer(env);
    case ROLE_JOBS:
        return role_run_jobs(env);
    }
    return 1;
}

static void
become(void *context, enum child_kind kind, unsigned index)
{
    struct supervisor *s = context;
    const int nginx_fds[] = {s->tcp_fd, s->http_fd};
    if (kind == CHILD_NGINX)
        nginx_child_become(s->nginx_program, s->options->data_dir, nginx_fds,
                           COUNT_OF(nginx_fds), s->nginx_log.write_fd, s->pid);
    if (kind == CHILD_PROBE)
        probe_become(s->pid);
    struct role_env env = {
        .config = &s->config, .role = (enum role)kind, .listen_fd = -1, .index = index};
    if (kind != CHILD_JOBS)
        env.listen_fd = s->role_fd[kind];
    /* A child that holds the socket open would take connections after the supervisor's end. */
    for (size_t i = 0; i < COUNT_OF(s->role_fd); i++)
        if (s->role_fd[i] != env.listen_fd)
            close(s->role_fd[i]);
    close(s->tcp_fd);
    close(s->http_fd);
    close(s->nginx_log.read_fd);
    close(s->nginx_log.write_fd);
    close(s->signal_fd);
    role_begin(&env, s->pid);
    exit(run_role(&env));
}

static void
start_api(struct supervisor *s)
{
    for (unsigned i = 0; i < s->config.workers_query; i++)
        children_start(&s->children, CHILD_QUERY, i);
    for (unsigned i = 0; i < s->config.workers_play; i++)
        children_start(&s->children, CHILD_PLAY, i);
}

static void
retire_api(struct supervisor *s)
{
    children_retire(&s->children, CHILD_QUERY);
    children_retire(&s->children, CHILD_PLAY);
}

static bool
is_draining(const struct supervisor *s, enum child_kind kind)
{
    return children_count(&s->children, kind, CHILD_STOPPING) > 0;
}

/* Makes and tests the secrets and the password dictionary here, so that a bad one is reported
 * before any worker is started with it. */
static bool
check_credentials(const struct config *config, struct err *err)
{
    scoped_arena a = {0};
    struct token_secrets ignored;
    return token_make_secret(config, err) && token_read_secrets(&a, config, &ignored, err) &&
           strength_check_dictionary(config, err);
}

/* Installs nginx's files after nginx itself has tested them. */
static bool
write_nginx(struct supervisor *s, const struct config *config, bool *has_changed,
            struct err *err)
{
    scoped_arena a = {0};
    struct nginx_files files;
    const int fds[] = {s->tcp_fd, s->http_fd};
    nginx_render(&a, config, surface_locations(&a), &files);
    *has_changed = !nginx_is_written(&files, NGINX_CONF_DIR);
    if (!*has_changed)
        return true;
    return nginx_write(&files, NGINX_CHECK_DIR, err) &&
           nginx_child_check(s->nginx_program, s->options->data_dir, NGINX_CHECK_DIR, fds,
                             COUNT_OF(fds), err) &&
           nginx_write(&files, NGINX_CONF_DIR, err);
}

static bool
take_new_config(struct supervisor *s, bool *has_nginx_changed, struct err *err)
{
    struct arena arena = {0};
    struct config config;
    bool ok = supervisor_load_config(&arena, s->options, &config, err);
    /* With these, sockets and processes were made at the start. */
    const char *changed = NULL;
    if (ok && !str_eq(s->config.http_nginx, config.http_nginx))
        changed = "http.nginx";
    if (ok && (!str_eq(s->config.http_listen, config.http_listen) ||
               s->config.http_port != config.http_port))
        changed = "http.listen or http.port";
    if (ok && !str_eq(s->config.server_user, config.server_user))
        changed = "server.user";
    if (changed)
        ok = err_set(err, ERR_CONFLICT, "another %s needs a restart", changed);
    if (!ok || !check_credentials(&config, err) ||
        !write_nginx(s, &config, has_nginx_changed, err)) {
        arena_free(&arena);
        return false;
    }
    /* Children have copies of the old configuration. */
    arena_free(&s->arena);
    s->arena = arena;
    s->config = config;
    return true;
}

static void
reload(struct supervisor *s)
{
    struct err err = {0};
    bool has_nginx_changed = false;
    s->is_reload_wanted = false;
    if (!take_new_config(s, &has_nginx_changed, &err)) {
        log_message(LOG_ERROR, "reload_refused", "%s; the old configuration goes on",
                    err.detail);
        return;
    }
    log_message(LOG_INFO, "reloading", "nginx's files %s",
                has_nginx_changed ? "have changed" : "are the same");
    /* SIGUSR1 reopens the access log, for logrotate; a reload does that too. */
    pid_t nginx = children_pid(&s->children, CHILD_NGINX);
    if (nginx)
        kill(nginx, has_nginx_changed ? SIGHUP : SIGUSR1);
    /* Before the new ones start, so that only old ones are retired; they are signalled at the
     * next tick, when the new ones exist. */
    retire_api(s);
    start_api(s);
    s->phase = SWAP_API;
}

static void
begin_stop(struct supervisor *s, int signal_number)
{
    if (s->stop_us)
        return;
    log_message(LOG_INFO, "stopping", "%s", strsignal(signal_number));
    s->stop_us = clock_steady_us() + CHILDREN_DRAIN_US;
    /* Leaves nginx with the last copy, so new connections are refused instead of waiting. */
    close(s->tcp_fd);
    children_retire(&s->children, CHILD_PROBE);
    children_retire(&s->children, CHILD_NGINX);
    s->phase = STOP_NGINX;
}

static bool
advance_swap(struct supervisor *s)
{
    struct children *c = &s->children;
    if (s->phase == SWAP_API && !is_draining(s, CHILD_QUERY) && !is_draining(s, CHILD_PLAY)) {
        children_retire(c, CHILD_WRITER);
        /* The new writer waits for the lock of the old one. */
        children_start(c, CHILD_WRITER, 0);
        s->phase = SWAP_WRITER;
        return true;
    }
    if (s->phase == SWAP_WRITER && !is_draining(s, CHILD_WRITER)) {
        children_retire(c, CHILD_JOBS);
        s->phase = SWAP_JOBS;
        return true;
    }
    if (s->phase == SWAP_JOBS && !children_has(c, CHILD_JOBS)) {
        children_start(c, CHILD_JOBS, 0);
        s->phase = SERVING;
        struct log_line line = log_begin(LOG_INFO, "reloaded");
        log_int(&line, "generation", ++s->generation);
        log_end(&line);
        return true;
    }
    return false;
}

static bool
advance_stop(struct supervisor *s)
{
    struct children *c = &s->children;
    if (s->phase == STOP_NGINX && !children_has(c, CHILD_NGINX)) {
        retire_api(s);
        s->phase = STOP_API;
        return true;
    }
    if (s->phase == STOP_API && !children_has(c, CHILD_QUERY) && !children_has(c, CHILD_PLAY)) {
        children_retire(c, CHILD_JOBS);
        s->phase = STOP_JOBS;
        return true;
    }
    if (s->phase == STOP_JOBS && !children_has(c, CHILD_JOBS)) {
        children_retire(c, CHILD_WRITER);
        s->phase = STOP_WRITER;
        return true;
    }
    if (s->phase == STOP_WRITER && !children_has(c, CHILD_WRITER)) {
        s->phase = DONE;
        return true;
    }
    return false;
}

static void
print_ready(const struct supervisor *s)
{
    const char *scheme = s->config.http_tls_certificate.n ? "https" : "http";
    struct str host = s->config.http_listen;
    if (str_eq(host, STR("0.0.0.0")) || str_eq(host, STR("::")))
        host = STR("127.0.0.1");
    bool is_v6 = str_find_char(host, ':') >= 0;
    printf("ready %s://%s%" STR_FMT "%s:%llu\nadmin key: %s/" CONFIG_ADMIN_KEY "\n", scheme,
           is_v6 ? "[" : "", STR_ARG(host), is_v6 ? "]" : "",
           (unsigned long long)s->config.http_port, s->options->data_dir);
    fflush(stdout);
}

/* Blocked only at the end of the start: until then Ctrl-C ends the program, also while it waits
 * for a lock or a migration. */
static bool
open_signals(struct supervisor *s, struct err *err)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
    return s->signal_fd >= 0 || err_set_errno(err, "making a descriptor for signals");
}

/* Waits for a signal, at most until something is due, and logs what nginx writes meanwhile.
 * Returns the signal's number, or 0. */
static int
wait_for_signal(struct supervisor *s)
{
    uint64_t now = clock_steady_us(), due = children_next_us(&s->children);
    if (s->stop_us)
        due = MIN(due, s->stop_us);
    uint64_t wait_us = due > now ? MIN(due - now, UINT64_C(3600000000)) : 0;
    struct timespec timeout = {.tv_sec = (time_t)(wait_us / 1000000),
                               .tv_nsec = (long)(wait_us % 1000000) * 1000};
    struct pollfd fds[] = {{.fd = s->signal_fd, .events = POLLIN},
                           {.fd = s->nginx_log.read_fd, .events = POLLIN}};
    struct signalfd_siginfo info;
    if (ppoll(fds, COUNT_OF(fds), &timeout, NULL) <= 0)
        return 0;
    if (fds[1].revents)
        nginx_log_read(&s->nginx_log);
    bool has_signal = fds[0].revents && read(s->signal_fd, &info, sizeof(info)) > 0;
    return has_signal ? (int)info.ssi_signo : 0;
}

static void
turn(struct supervisor *s)
{
    int got = wait_for_signal(s), probe_exit;
    if (got == SIGTERM || got == SIGINT)
        begin_stop(s, got);
    s->is_reload_wanted |= got == SIGHUP;
    if (children_reap(&s->children, &probe_exit) && probe_exit == 0)
        print_ready(s);
    if (s->phase == SERVING && s->is_reload_wanted)
        reload(s);
    while (advance_swap(s) || advance_stop(s)) {
    }
    children_tick(&s->children);
    if (s->stop_us && clock_steady_us() > s->stop_us)
        children_kill_all(&s->children);
}

/* Everything before the first fork, in the order that privileges require: the port as root, the
 * rest as the user, files only under the lock. */
static bool
prepare(struct supervisor *s, struct err *err)
{
    const char *data_dir = s->options->data_dir;
    bool has_nginx_changed;
    if (!config_load(&s->arena, s->options->config_path, &s->config, err) ||
        !nginx_child_find(&s->start, s->config.http_nginx, &s->nginx_program, err))
        return false;
    uint64_t port = s->options->port ? s->options->port : s->config.http_port;
    bool is_privileged = port < 1024;
    if (is_privileged)
        s->tcp_fd = listen_open_tcp(s->config.http_listen, port, err);
    if ((is_privileged && s->tcp_fd < 0) ||
        !prepare_user(s->config.server_user, data_dir, err) ||
        !prepare_data_dir(data_dir, err) || prepare_lock(data_dir, err) < 0 ||
        !prepare_admin_key(err) ||
        !supervisor_load_config(&s->arena, s->options, &s->config, err) ||
        !check_credentials(&s->config, err))
        return false;
    /* Only under the lock, so that a second service on the same data directory is told about
     * the lock, not that the port is in use. */
    nginx_child_end_orphans();
    if (!is_privileged)
        s->tcp_fd = listen_open_tcp(s->config.http_listen, port, err);
    if (s->tcp_fd < 0)
        return false;
    s->http_fd = listen_open_unix(PROBE_SOCKET, false, err);
    s->role_fd[ROLE_QUERY] = listen_open_unix(ROLE_QUERY_SOCKET, true, err);
    s->role_fd[ROLE_PLAY] = listen_open_unix(ROLE_PLAY_SOCKET, true, err);
    s->role_fd[ROLE_WRITER] = listen_open_unix(ROLE_WRITER_SOCKET, true, err);
    return s->http_fd >= 0 && s->role_fd[ROLE_QUERY] >= 0 && s->role_fd[ROLE_PLAY] >= 0 &&
           s->role_fd[ROLE_WRITER] >= 0 && nginx_log_open(&s->nginx_log, err) &&
           write_nginx(s, &s->config, &has_nginx_changed, err) &&
           migrate_in_child(&s->config, err) && open_signals(s, err);
}

int
supervisor_run(const struct supervisor_options *options)
{
    /* Too large for the stack. */
    static struct supervisor s;
    s = (struct supervisor){.options = options, .pid = (int)getpid(), .tcp_fd = -1};
    s.children.become = become;
    s.children.context = &s;
    struct err err = {0};
    log_set_role("supervisor");
    signal(SIGPIPE, SIG_IGN);
    /* Orphans of dead children become ours and are reaped. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (!prepare(&s, &err)) {
        fprintf(stderr, "playmeter: %s\n", err.detail);
        arena_free(&s.arena);
        arena_free(&s.start);
        return 1;
    }
    children_start(&s.children, CHILD_WRITER, 0);
    start_api(&s);
    children_start(&s.children, CHILD_JOBS, 0);
    children_start(&s.children, CHILD_NGINX, 0);
    children_start(&s.children, CHILD_PROBE, 0);
    while (s.phase != DONE)
        turn(&s);
    nginx_log_close(&s.nginx_log);
    log_message(LOG_INFO, "stopped", "all children are gone");
    arena_free(&s.arena);
    arena_free(&s.start);
    return 0;
}
