/* Replies are built before the commit and discarded when it fails: every answer depends on the
 * result of COMMIT. */
#include "writer/batch.h"

#include "base/log.h"
#include "writer/message.h"

/* The size of a batch of some hundred events. */
#define BULK_BYTES_MIN (16 * KIB)

/* A savepoint around each operation costs a tenth of an earn, because SQLite copies every page
 * that is changed inside it.  So the first run has none.  An operation that is refused has
 * usually changed nothing; when one has, the whole transaction is rolled back and run again
 * with savepoints, so that only that operation is undone. */
struct batch {
    struct db *db;
    struct arena arena; /* of the operation that runs */
    struct buf reply;   /* its reply, as bytes */
    int64_t changes_max;
    bool has_urgent;     /* an urgent operation has run */
    bool has_savepoints; /* the second run */
    bool is_tainted;     /* the first run: a refused operation has left changes */
    struct err aborted;  /* why SQLite rolled the transaction back; ERR_NONE: it did not */
};

static void
lose(struct batch *batch, const struct err *why)
{
    if (why->kind == ERR_DISK_FULL)
        batch->aborted = *why;
    else
        err_set_code(&batch->aborted, ERR_BUSY, "unknown_outcome",
                     "the transaction failed (%s); it may or may not have been stored",
                     why->detail);
}

/* False, with err set, when the operation was refused or the transaction was aborted. */
static bool
run_operation(struct batch *batch, struct writer_task *task, struct err *err)
{
    arena_reset(&batch->arena);
    bool ok = writer_operation_run(task->operation, &batch->arena, batch->db, task->request,
                                   &batch->reply, err);
    if (ok && batch->reply.is_full)
        ok = err_set(err, ERR_INTERNAL, "the reply of %s is over %zu bytes",
                     task->operation->name, batch->reply.max);
    if (db_is_in_transaction(batch->db))
        return ok;
    if (ok)
        err_set(err, ERR_INTERNAL, "%s ended the transaction", task->operation->name);
    lose(batch, err);
    return false;
}

static bool
run_in_savepoint(struct batch *batch, struct writer_task *task, struct err *err)
{
    if (!db_savepoint(batch->db, err)) {
        lose(batch, err);
        return false;
    }
    bool ok = run_operation(batch, task, err);
    struct err broken = {0};
    if (batch->aborted.kind != ERR_NONE)
        return false;
    if (ok ? !db_release(batch->db, &broken) : !db_rollback_to(batch->db, &broken)) {
        lose(batch, &broken);
        return false;
    }
    return ok;
}

static bool
run_bare(struct batch *batch, struct writer_task *task, struct err *err)
{
    int64_t before = db_total_changes(batch->db);
    bool ok = run_operation(batch, task, err);
    batch->is_tainted = !ok && db_total_changes(batch->db) != before;
    return ok;
}

static void
run_task(struct batch *batch, struct writer_task *task)
{
    struct err err = {0};
    buf_clear(&batch->reply);
    task->is_answered = true;
    if ((batch->has_savepoints ? run_in_savepoint : run_bare)(batch, task, &err))
        message_add_done(task->out, buf_str(&batch->reply));
    else if (batch->aborted.kind == ERR_NONE)
        message_add_refused(task->out, &err);
}

static bool
is_over(const struct batch *batch)
{
    return batch->is_tainted || batch->aborted.kind != ERR_NONE ||
           db_total_changes(batch->db) >= batch->changes_max;
}

/* A large request, such as a batch of events, takes milliseconds: longer than a commit. */
static bool
is_bulk(const struct writer_task *task)
{
    return !task->operation->is_urgent && task->request.n > BULK_BYTES_MIN;
}

/*      urgent and small ones | bulk | urgent and small ones | bulk | ...
 * Nobody who waits for a coin waits for more than one bulk operation, and none of those waits
 * for ever. */
static void
run_waiting(struct batch *batch, struct writer_task *tasks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (tasks[i].is_passed_over) {
            run_task(batch, &tasks[i]);
            return;
        }
    for (size_t i = 0; i < count && !is_over(batch); i++) {
        if (!tasks[i].operation->is_urgent)
            continue;
        run_task(batch, &tasks[i]);
        batch->has_urgent = true;
    }
    for (size_t i = 0; i < count && !is_over(batch); i++)
        if (!tasks[i].operation->is_urgent && !(batch->has_urgent && is_bulk(&tasks[i])))
            run_task(batch, &tasks[i]);
}

static void
refuse_all(struct writer_task *tasks, size_t count, const struct err *why)
{
    for (size_t i = 0; i < count; i++) {
        if (!tasks[i].is_answered)
            continue;
        buf_clear(tasks[i].out);
        message_add_refused(tasks[i].out, why);
    }
}

static void
forget_answers(struct writer_task *tasks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (tasks[i].is_answered)
            buf_clear(tasks[i].out);
        tasks[i].is_answered = false;
    }
}

/* One transaction.  False when it was tainted: it is rolled back and must be run again. */
static bool
run_transaction(struct batch *batch, struct writer_task *tasks, size_t count)
{
    struct err err = {0};
    scoped_tx tx = {0};
    if (!db_begin(batch->db, &tx, &err)) {
        for (size_t i = 0; i < count; i++)
            tasks[i].is_answered = true;
        refuse_all(tasks, count, &err);
        return true;
    }
    batch->changes_max = db_total_changes(batch->db) + WRITER_ROWS_MAX;
    run_waiting(batch, tasks, count);
    if (batch->is_tainted && batch->aborted.kind == ERR_NONE) {
        forget_answers(tasks, count);
        return false;
    }
    if (batch->aborted.kind == ERR_NONE && !db_commit(&tx, &err))
        lose(batch, &err);
    struct err follow = db_follow_error(batch->db);
    if (follow.kind != ERR_NONE)
        log_message(LOG_WARN, "commit_not_followed", "%s", follow.detail);
    if (batch->aborted.kind != ERR_NONE)
        refuse_all(tasks, count, &batch->aborted);
    return true;
}

void
writer_batch_run(struct db *db, struct writer_task *tasks, size_t count)
{
    struct batch batch = {.db = db};
    buf_init(&batch.reply, MESSAGE_BYTES_MAX / 2); /* far more than any reply */
    if (!run_transaction(&batch, tasks, count)) {
        batch.is_tainted = batch.has_urgent = false;
        batch.has_savepoints = true;
        bool is_run = run_transaction(&batch, tasks, count);
        assert(is_run);
    }
    for (size_t i = 0; i < count; i++)
        tasks[i].is_passed_over =
            !tasks[i].is_answered && batch.has_urgent && is_bulk(&tasks[i]);
    buf_free(&batch.reply);
    arena_free(&batch.arena);
}
