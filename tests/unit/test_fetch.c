/* Fetching: what is written, what is noticed, and how it ends. */
#include "fetch_server.h"

static void
body_is_written_however_it_is_framed(void **state)
{
    (void)state;
    assert_fetched("/ok", "a,b\n1,2\n");
    assert_fetched("/chunked", "a,b\n1,2\n");
    assert_fetched("/close", "a,b\n1,2\n");
    assert_fetched("/empty", "");
}

static void
cut_transfer_is_noticed(void **state)
{
    (void)state;
    assert_fetched("/cut", "cut_short");
    assert_fetched("/cut-chunked", "cut_short");
    assert_fetched("/nothing", "cut_short");
}

static void
size_is_bounded_with_and_without_length(void **state)
{
    (void)state;
    assert_fetched("/big", "too_large");
    assert_fetched("/endless", "too_large");
    assert_fetched("/endless-chunked", "too_large");
    assert_fetched("/endless-headers", "too_large");
    scoped_arena a = {0};
    struct fetch_policy policy = POLICY;
    policy.bytes_max = 8;
    assert_string_equal(fetched(&a, url_of(&a, "/chunked"), &policy).p, "a,b\n1,2\n");
    policy.bytes_max = 7;
    assert_string_equal(fetched(&a, url_of(&a, "/chunked"), &policy).p, "too_large");
}

static void
slow_and_silent_servers_are_given_up(void **state)
{
    (void)state;
    scoped_arena a = {0};
    assert_string_equal(fetched(&a, url_of(&a, "/slow"), &POLICY).p, "too_slow");
    struct fetch_policy policy = POLICY;
    policy.total_timeout_ms = 200;
    policy.low_speed_s = 60;
    assert_string_equal(fetched(&a, url_of(&a, "/silent"), &policy).p, "too_slow");
    assert_string_equal(fetched(&a, url_of(&a, "/slow"), &policy).p, "too_slow");
}

static void
only_a_whole_file_is_a_success(void **state)
{
    (void)state;
    assert_fetched("/404", "http_status");
    assert_fetched("/500", "http_status");
    assert_fetched("/201", "http_status");
    assert_fetched("/to-nowhere", "http_status");
}

static void
redirects_are_followed_and_each_is_checked(void **state)
{
    (void)state;
    assert_fetched("/to-ok", "a,b\n1,2\n");
    assert_fetched("/to-to-ok", "a,b\n1,2\n");
    assert_fetched("/to-blank", "a,b\n1,2\n");
    assert_fetched("/to-name", "a,b\n1,2\n");
    assert_fetched("/to-private", "address_not_allowed");
    assert_fetched("/to-metadata", "address_not_allowed");
    assert_fetched("/to-file", "bad_url");
    assert_fetched("/to-gopher", "bad_url");
    assert_fetched("/to-password", "bad_url");
    int before = server.connections;
    assert_fetched("/to-self", "too_many_redirects");
    assert_int_equal(server.connections - before, 4);
}

static void
proxy_of_the_environment_is_not_used(void **state)
{
    (void)state;
    setenv("http_proxy", "http://10.1.2.3:3128", 1);
    setenv("ALL_PROXY", "http://10.1.2.3:3128", 1);
    assert_fetched("/ok", "a,b\n1,2\n");
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
}

static bool
stop_at_once(void *context, uint64_t bytes_done, uint64_t bytes_total, struct err *err)
{
    (void)bytes_done, (void)bytes_total, (void)err;
    ++*(int *)context;
    return false;
}

static void
caller_can_cancel(void **state)
{
    (void)state;
    scoped_arena a = {0};
    scoped_fd fd = memory_file(STR(""));
    uint64_t bytes = 77;
    int calls = 0;
    struct err err = {0};
    assert_false(
        fetch_url(url_of(&a, "/silent"), fd, &POLICY, stop_at_once, &calls, &bytes, &err));
    assert_string_equal(err_code(&err), "cancelled");
    assert_int_equal(calls, 1);
    assert_int_equal(bytes, 77);
}

static void
failing_write_keeps_its_reason(void **state)
{
    (void)state;
    scoped_arena a = {0};
    scoped_fd fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    uint64_t bytes;
    struct err err = {0};
    assert_false(fetch_url(url_of(&a, "/ok"), fd, &POLICY, NULL, NULL, &bytes, &err));
    assert_int_equal(err.kind, ERR_DISK_FULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(body_is_written_however_it_is_framed),
        cmocka_unit_test(cut_transfer_is_noticed),
        cmocka_unit_test(size_is_bounded_with_and_without_length),
        cmocka_unit_test(slow_and_silent_servers_are_given_up),
        cmocka_unit_test(only_a_whole_file_is_a_success),
        cmocka_unit_test(redirects_are_followed_and_each_is_checked),
        cmocka_unit_test(proxy_of_the_environment_is_not_used),
        cmocka_unit_test(caller_can_cancel),
        cmocka_unit_test(failing_write_keeps_its_reason),
    };
    return cmocka_run_group_tests(tests, start_server, NULL);
}
