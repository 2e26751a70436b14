/* The writer as a process of its own, with real sockets and a real database: batches, refusals,
 * bad clients, the handover, and kill -9.  The operations are those of the queue: a job that
 * was enqueued can be counted. */
#include "process/operations.h"
#include "process/writer.h"
#include "temp_db.h"

#include "base/clock.h"
#include "store/slots.h"
#include "writer/message.h"
#include "writer/wire.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

struct service {
    struct temp_dir *dir;
    const char *db_path, *socket_path;
    int listen_fd;
    pid_t pid; /* of the newest writer */
};

static int
make_listening_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert_true(strlen(path) < sizeof(address.sun_path));
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 4096), 0);
    return fd;
}

static pid_t
start_writer(struct service *s)
{
    /* A SIGTERM before the writer listens for it stays pending, as it does in a service. */
    sigset_t term, before;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, &before);
    pid_t pid = fork();
    if (pid == 0) {
        /* A test that is stopped leaves no writer behind. */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        struct config config = {.data_dir = str_from(s->dir->path)};
        struct role_env env = {
            .config = &config, .role = ROLE_WRITER, .listen_fd = s->listen_fd};
        /* The sanitizer would count what the test itself still holds as leaks. */
        _exit(role_run_writer(&env));
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    assert_true(pid > 0);
    return pid;
}

static int
stop_writer(pid_t pid)
{
    int status = -1;
    kill(pid, SIGTERM);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
set_up(void **state)
{
    struct service *s = calloc(1, sizeof(*s));
    void *dir;
    struct err err;
    if (!s || temp_set_up(&dir))
        return -1;
    s->dir = dir;
    s->db_path = temp_path(dir, "playmeter.db");
    s->socket_path = temp_path(dir, ROLE_WRITER_SOCKET);
    struct db *db = temp_db_open(s->db_path);
    db_close(&db);
    if (!fs_make_dirs(temp_path(dir, "run"), &err))
        return -1;
    s->listen_fd = make_listening_socket(s->socket_path);
    s->pid = start_writer(s);
    *state = s;
    return 0;
}

static int
tear_down(void **state)
{
    struct service *s = *state;
    void *dir = s->dir;
    int failed = s->pid ? stop_writer(s->pid) : 0;
    close(s->listen_fd);
    free(s);
    return temp_tear_down(&dir) || failed;
}

static bool
enqueue(struct writer *w, char id[JOB_ID_DIGITS + 1], struct err *err)
{
    job_make_id(id);
    struct job job = {.id = str_from(id), .kind = STR("import"), .dataset = STR("games")};
    return job_enqueue(w, &job, err);
}

static int64_t
count_jobs(struct service *s)
{
    struct err err = {0};
    int64_t count = -1;
    scoped_db db = db_open(s->db_path, DB_READ_ONLY, &err);
    assert_non_null(db);
    assert_true(sqlite_read_i64(db_handle(db), "SELECT count(*) FROM job", &count, &err));
    return count;
}

static void
an_operation_is_stored_when_it_is_answered(void **state)
{
    struct service *s = *state;
    struct err err = {0};
    char id[JOB_ID_DIGITS + 1];
    struct writer *w = writer_open(s->socket_path);
    if (!enqueue(w, id, &err))
        fail_msg("%s", err.detail);
    assert_int_equal(count_jobs(s), 1);
    scoped_arena a = {0};
    struct job job;
    assert_int_equal(job_claim(&a, w, STR(""), &job, &err), 1);
    assert_true(str_eq(job.id, str_from(id)));
    assert_false(job_cancel(w, STR("nope"), &err));
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    assert_non_null(strstr(err.detail, "'nope'"));
    writer_close(&w);
}

static void
an_unknown_operation_is_refused(void **state)
{
    struct service *s = *state;
    struct err err = {0};
    char id[JOB_ID_DIGITS + 1];
    struct writer *w = writer_open(s->socket_path);
    const struct operation unknown = {.name = "job_explode"};
    const struct operation bad = {.name = "job_enqueue"};
    assert_false(writer_call(w, &unknown, NULL, NULL, &err));
    assert_int_equal(err.kind, ERR_INTERNAL);
    assert_false(writer_call(w, &bad, NULL, NULL, &err)); /* without an argument */
    assert_int_equal(err.kind, ERR_INTERNAL);
    assert_true(enqueue(w, id, &err)); /* the connection still serves */
    writer_close(&w);
}

static void
without_a_writer_the_call_is_busy(void **state)
{
    struct service *s = *state;
    struct err err = {0};
    scoped_arena a = {0};
    struct job job;
    struct writer *w = writer_open(temp_path(s->dir, "run/absent.sock"));
    assert_int_equal(job_claim(&a, w, STR(""), &job, &err), -1);
    assert_int_equal(err.kind, ERR_BUSY);
    writer_close(&w);
}

static uint64_t
time_refused_call(struct writer *w)
{
    struct err err = {0};
    scoped_arena a = {0};
    struct job job;
    uint64_t began_us = clock_steady_us();
    assert_int_equal(job_claim(&a, w, STR(""), &job, &err), -1);
    assert_int_equal(err.kind, ERR_BUSY);
    assert_non_null(strstr(err.detail, "1 changes wait for the writer already"));
    return clock_steady_us() - began_us;
}

static void
who_waited_in_vain_for_a_slot_does_not_wait_again_at_once(void **state)
{
    struct service *s = *state;
    struct err err = {0};
    char id[JOB_ID_DIGITS + 1];
    const char *path = temp_path(s->dir, "run/test.slots");
    struct slots others;
    struct writer *w = writer_open(s->socket_path);
    assert_true(slots_open(path, 1, &others, &err) && writer_share(w, path, 1, &err));
    int taken = slots_take(&others);
    assert_int_equal(taken, 0);
    uint64_t waited_us = time_refused_call(w), least_us = UINT64_MAX;
    assert_true(waited_us >= 200000);
    for (int i = 0; i < 10; i++)
        least_us = MIN(least_us, time_refused_call(w));
    assert_true(least_us < waited_us / 2);
    slots_give(&others, taken);
    assert_true(enqueue(w, id, &err));
    slots_close(&others);
    writer_close(&w);
}

static int
connect_raw(struct service *s)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, s->socket_path, strlen(s->socket_path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void
half_a_frame_and_garbage_disturb_nobody(void **state)
{
    struct service *s = *state;
    struct err err = {0};
    char id[JOB_ID_DIGITS + 1], answer[16];
    scoped_fd idle = connect_raw(s), half = connect_raw(s), garbage = connect_raw(s),
              empty = connect_raw(s);
    assert_int_equal(send(half, "\x40\0\0\0abc", 7, 0), 7);
    assert_int_equal(send(garbage, "GET / HTTP/1.1\r\n", 16, 0), 16);
    assert_int_equal(send(empty, "\x04\0\0\0\xff\xff\xff\xff", 8, 0), 8);
    struct writer *w = writer_open(s->socket_path);
    for (int i = 0; i < 10; i++)
        assert_true(enqueue(w, id, &err));
    assert_true(recv(garbage, answer, sizeof(answer), 0) <= 0); /* closed, unanswered */
    assert_true(recv(empty, answer, sizeof(answer), 0) <= 0);
    writer_close(&w);
    assert_int_equal(count_jobs(s), 10);
}

/* Requests sent back to back, without waiting for replies, and byte by byte. */
static void
pipelined_requests_are_answered_in_order(void **state)
{
    struct service *s = *state;
    struct err err = {0};
    scoped_fd fd = connect_raw(s);
    scoped_buf out, in, request;
    buf_init(&out, 1 * MIB);
    buf_init(&in, 1 * MIB);
    buf_init(&request, 1 * KIB);
    wire_add_str(&request, STR(""));
    wire_add_str(&request, STR(""));
    for (int i = 0; i < 50; i++)
        assert_true(message_add_request(&out, i % 2 ? "job_claim" : "unknown",
                                        buf_str(&request), &err));
    for (size_t i = 0; i < out.n; i++)
        assert_int_equal(send(fd, out.p + i, 1, 0), 1);
    struct str body;
    int answered = 0;
    while (answered < 50) {
        char chunk[4096];
        ssize_t n = recv(fd, chunk, sizeof(chunk), 0);
        assert_true(n > 0);
        buf_add(&in, (struct str){chunk, (size_t)n});
        struct str rest = buf_str(&in);
        struct message_reply reply;
        answered = 0;
        while (message_cut(&rest, &body, &err) == 1) {
            assert_true(message_read_reply(body, &reply, &err));
            assert_int_equal(reply.outcome, answered % 2 ? MESSAGE_DONE : MESSAGE_REFUSED);
            answered++;
        }
    }
}

#define LARGE (900 * KIB) /* a socket holds about 200 */

static void
send_request(int fd, const char *operation, struct str request)
{
    struct err err = {0};
    scoped_buf out;
    buf_init(&out, MESSAGE_BYTES_MAX + MESSAGE_HEADER_BYTES);
    assert_true(message_add_request(&out, operation, request, &err));
    assert_true(fs_write(fd, buf_str(&out), &err));
}

static void
a_client_that_does_not_read_holds_up_nobody(void **state)
{
    struct service *s = *state;
    struct err err = {0};
    scoped_arena a = {0};
    char id[JOB_ID_DIGITS + 1];
    job_make_id(id);
    char *options = arena_alloc(&a, LARGE);
    memset(options, '7', LARGE);
    struct job large = {.id = str_from(id), .kind = STR("x"), .options = {options, LARGE}};
    struct writer *w = writer_open(s->socket_path);
    assert_true(job_enqueue(w, &large, &err));
    scoped_fd fd = connect_raw(s);
    scoped_buf any, in;
    buf_init(&any, 64);
    wire_add_str(&any, STR(""));                  /* the job */
    wire_add_str(&any, STR(""));                  /* the kind */
    send_request(fd, "job_claim", buf_str(&any)); /* its reply fills the socket */
    send_request(fd, "job_claim", buf_str(&any)); /* and another waits behind it */
    for (int i = 0; i < 20; i++)
        assert_true(enqueue(w, id, &err));
    buf_init(&in, 2 * MESSAGE_BYTES_MAX);
    for (int answered = 0; answered < 2;) {
        char chunk[64 * KIB];
        ssize_t n = recv(fd, chunk, sizeof(chunk), 0);
        assert_true(n > 0);
        buf_add(&in, (struct str){chunk, (size_t)n});
        struct str rest = buf_str(&in), body = {0};
        for (answered = 0; message_cut(&rest, &body, &err) == 1; answered++)
            assert_true(answered > 0 || body.n > LARGE);
    }
    writer_close(&w);
}

#define CLIENTS 8
#define CALLS_MAX 20000

/* Clients are processes: a writer cannot be forked from among threads, whose locks it would
 * inherit.  This is what they share with the test. */
struct client {
    pid_t pid;
    size_t count, count_max, unknown_count, refused_count;
    bool repeats;                               /* each id twice: the second is a conflict */
    char ids[CALLS_MAX + 1][JOB_ID_DIGITS + 1]; /* that were acknowledged */
};

struct storm {
    volatile bool is_over;
    struct client clients[CLIENTS];
};

static void
call_once(struct client *c, struct writer *w)
{
    struct err err = {0};
    char *id = c->ids[c->count];
    if (enqueue(w, id, &err))
        c->count++;
    else if (strcmp(err_code(&err), "unknown_outcome") == 0)
        c->unknown_count++;
    else
        c->refused_count++;
    if (!c->repeats || c->count == 0)
        return;
    struct job again = {.id = str_from(c->ids[c->count - 1]), .kind = STR("import")};
    if (job_enqueue(w, &again, &err) || err.kind != ERR_CONFLICT)
        c->refused_count++;
}

static void
run_client(struct service *s, struct storm *storm, struct client *c)
{
    struct writer *w = writer_open(s->socket_path);
    while (!storm->is_over && c->count < c->count_max)
        call_once(c, w);
    writer_close(&w);
}

static struct storm *
start_storm(struct service *s, size_t count_max, bool repeats)
{
    struct storm *storm =
        mmap(NULL, sizeof(*storm), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(storm, MAP_FAILED);
    for (size_t i = 0; i < CLIENTS; i++) {
        struct client *c = &storm->clients[i];
        c->count_max = count_max;
        c->repeats = repeats;
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            run_client(s, storm, c);
            _exit(0);
        }
        c->pid = pid;
    }
    return storm;
}

/* Every acknowledged job is there.  Returns how many were. */
static size_t
end_storm(struct service *s, struct storm *storm, size_t *unknown_count)
{
    struct err err = {0};
    size_t total = 0, refused = 0;
    *unknown_count = 0;
    for (size_t i = 0; i < CLIENTS; i++)
        assert_int_equal(waitpid(storm->clients[i].pid, NULL, 0), storm->clients[i].pid);
    scoped_db db = db_open(s->db_path, DB_READ_ONLY, &err);
    assert_non_null(db);
    for (size_t i = 0; i < CLIENTS; i++) {
        struct client *c = &storm->clients[i];
        for (size_t k = 0; k < c->count; k++) {
            scoped_arena a = {0};
            struct job job;
            assert_true(job_get(&a, db, str_from(c->ids[k]), &job, &err));
        }
        total += c->count;
        refused += c->refused_count;
        *unknown_count += c->unknown_count;
    }
    munmap(storm, sizeof(*storm));
    assert_int_equal(refused, 0);
    return total;
}

static void
a_failing_operation_does_not_harm_its_batch(void **state)
{
    struct service *s = *state;
    size_t unknown;
    struct storm *storm = start_storm(s, 100, true);
    assert_int_equal(end_storm(s, storm, &unknown), CLIENTS * 100);
    assert_int_equal(unknown, 0);
    assert_int_equal(count_jobs(s), CLIENTS * 100);
}

static void
wait_ms(unsigned ms)
{
    uint64_t until = clock_steady_us() + ms * 1000;
    while (clock_steady_us() < until)
        clock_sleep_ms(1);
}

static size_t
count_acknowledged(const struct storm *storm)
{
    size_t count = 0;
    for (size_t i = 0; i < CLIENTS; i++)
        count += *(const volatile size_t *)&storm->clients[i].count;
    return count;
}

/* So that a writer which is slow to start, beside other tests, is stopped at work too. */
static void
wait_for_some(const struct storm *storm)
{
    size_t wanted = count_acknowledged(storm) + 20;
    uint64_t until = clock_steady_us() + 5000000;
    while (count_acknowledged(storm) < wanted && clock_steady_us() < until)
        clock_sleep_ms(1);
}

static void
a_handover_loses_and_doubles_nothing(void **state)
{
    struct service *s = *state;
    size_t unknown;
    struct storm *storm = start_storm(s, CALLS_MAX, false);
    for (int i = 0; i < 10; i++) {
        pid_t old = s->pid;
        s->pid = start_writer(s); /* waits for the lock */
        wait_for_some(storm);
        wait_ms(10 + 7 * (unsigned)i);
        assert_int_equal(stop_writer(old), 0);
    }
    wait_ms(30);
    storm->is_over = true;
    size_t acknowledged = end_storm(s, storm, &unknown);
    assert_int_equal(unknown, 0);
    assert_true(acknowledged > 100);
    assert_int_equal(count_jobs(s), acknowledged);
}

static void
a_killed_writer_loses_nothing_it_acknowledged(void **state)
{
    struct service *s = *state;
    size_t unknown;
    struct storm *storm = start_storm(s, CALLS_MAX, false);
    for (int i = 0; i < 8; i++) {
        wait_for_some(storm);
        wait_ms(20 + 5 * (unsigned)i);
        assert_int_equal(kill(s->pid, SIGKILL), 0);
        assert_int_equal(waitpid(s->pid, NULL, 0), s->pid);
        s->pid = start_writer(s);
    }
    wait_ms(30);
    storm->is_over = true;
    size_t acknowledged = end_storm(s, storm, &unknown);
    assert_true(acknowledged > 100);
    /* What was not acknowledged may be stored or not; it is at most that. */
    int64_t stored = count_jobs(s);
    assert_true(stored >= (int64_t)acknowledged);
    assert_true(stored <= (int64_t)(acknowledged + unknown));
}

static void
the_command_line_uses_the_service_or_stands_in_for_it(void **state)
{
    struct service *s = *state;
    struct err err = {0};
    char id[JOB_ID_DIGITS + 1];
    struct writer *w = writer_open(s->socket_path);
    assert_true(enqueue(w, id, &err)); /* the writer has the lock by now */
    writer_close(&w);
    assert_int_equal(writer_lock_try(s->dir->path, &err), -1);
    assert_string_equal(err_code(&err), "writer_running");
    struct writer_access access = {0};
    writer_access_close(&access);
    assert_true(writer_access_open(s->dir->path, &access, &err));
    assert_int_equal(access.lock_fd, -1);
    assert_true(enqueue(access.writer, id, &err));
    writer_access_close(&access);
    assert_int_equal(stop_writer(s->pid), 0);
    s->pid = 0;
    assert_true(writer_access_open(s->dir->path, &access, &err));
    assert_true(access.lock_fd >= 0);
    assert_true(enqueue(access.writer, id, &err));
    writer_access_close(&access);
    assert_int_equal(count_jobs(s), 3);
}

#define WRITER_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WRITER_TEST(an_operation_is_stored_when_it_is_answered),
        WRITER_TEST(an_unknown_operation_is_refused),
        WRITER_TEST(without_a_writer_the_call_is_busy),
        WRITER_TEST(who_waited_in_vain_for_a_slot_does_not_wait_again_at_once),
        WRITER_TEST(half_a_frame_and_garbage_disturb_nobody),
        WRITER_TEST(pipelined_requests_are_answered_in_order),
        WRITER_TEST(a_client_that_does_not_read_holds_up_nobody),
        WRITER_TEST(a_failing_operation_does_not_harm_its_batch),
        WRITER_TEST(a_handover_loses_and_doubles_nothing),
        WRITER_TEST(a_killed_writer_loses_nothing_it_acknowledged),
        WRITER_TEST(the_command_line_uses_the_service_or_stands_in_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
