/* Slots that processes share: bounded, given back, and given back by the dead. */
#include "store/slots.h"
#include "temp_dir.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static struct slots
open_slots(void **state, unsigned count)
{
    struct err err = {0};
    struct slots slots = {.fd = -1};
    if (!slots_open(temp_path(*state, "slots"), count, &slots, &err))
        fail_msg("%s", err.detail);
    return slots;
}

static void
slots_are_bounded_and_given_back(void **state)
{
    struct slots a = open_slots(state, 2), b = open_slots(state, 2), c = open_slots(state, 2);
    assert_int_equal(slots_take(&a), 0);
    assert_int_equal(slots_take(&b), 1);
    assert_int_equal(slots_take(&c), -1);
    slots_give(&c, -1);
    slots_give(&a, 0);
    assert_int_equal(slots_take(&c), 0);
    slots_close(&b);
    assert_int_equal(slots_take(&a), 1);
    slots_close(&a);
    slots_close(&c);
}

static void
there_is_one_at_least(void **state)
{
    struct slots a = open_slots(state, 0), b = open_slots(state, 0);
    assert_int_equal(slots_take(&a), 0);
    assert_int_equal(slots_take(&b), -1);
    slots_close(&a);
    slots_close(&b);
}

static void
the_dead_hold_nothing(void **state)
{
    struct slots ours = open_slots(state, 1);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct slots theirs = open_slots(state, 1);
        char took = slots_take(&theirs) == 0 ? 'y' : 'n';
        (void)!write(ends[1], &took, 1);
        for (;;)
            pause();
    }
    char took = 'n';
    assert_int_equal(read(ends[0], &took, 1), 1);
    assert_int_equal(took, 'y');
    assert_int_equal(slots_take(&ours), -1);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(slots_take(&ours), 0);
    close(ends[0]);
    close(ends[1]);
    slots_close(&ours);
}

int
main(void)
{
#define SLOTS_TEST(f) cmocka_unit_test_setup_teardown(f, temp_set_up, temp_tear_down)
    const struct CMUnitTest tests[] = {
        SLOTS_TEST(slots_are_bounded_and_given_back),
        SLOTS_TEST(there_is_one_at_least),
        SLOTS_TEST(the_dead_hold_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
