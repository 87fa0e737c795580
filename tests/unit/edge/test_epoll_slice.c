#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <uv.h>

#include "epoll_slice_priv.h"

enum { MORE = 4 * EPOLL_SLICE };

struct crowd {
    uv_loop_t loop;
    uv_poll_t polls[MORE];
    unsigned seen;
};

static void on_ready(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    struct crowd *crowd = poll->data;
    crowd->seen++;
}

static void crowd_begin(struct crowd *crowd, unsigned count)
{
    *crowd = (struct crowd){.seen = 0};
    assert_int_equal(uv_loop_init(&crowd->loop), 0);
    for (unsigned i = 0; i < count; i++) {
        int fd = eventfd(1, EFD_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(uv_poll_init(&crowd->loop, &crowd->polls[i], fd), 0);
        crowd->polls[i].data = crowd;
        assert_int_equal(uv_poll_start(&crowd->polls[i], UV_READABLE, on_ready), 0);
    }
}

static void crowd_end(struct crowd *crowd, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uv_os_fd_t fd;
        assert_int_equal(uv_fileno((uv_handle_t *)&crowd->polls[i], &fd), 0);
        uv_close((uv_handle_t *)&crowd->polls[i], NULL);
        (void)close(fd);
    }
    while (uv_run(&crowd->loop, UV_RUN_NOWAIT) != 0) continue;
    assert_int_equal(uv_loop_close(&crowd->loop), 0);
}

static struct crowd crowd;

static void libuv_serves_a_slice_of_what_is_ready_in_one_run(void **state)
{
    (void)state;
    crowd_begin(&crowd, MORE);
    (void)uv_run(&crowd.loop, UV_RUN_NOWAIT);
    assert_int_equal(crowd.seen, EPOLL_SLICE);
    assert_true(epoll_slice_was_full());
    crowd_end(&crowd, MORE);
}

static void the_next_runs_serve_the_others_first(void **state)
{
    (void)state;
    crowd_begin(&crowd, MORE);
    for (unsigned i = 0; i < MORE / EPOLL_SLICE; i++) (void)uv_run(&crowd.loop, UV_RUN_NOWAIT);
    assert_int_equal(crowd.seen, MORE);
    (void)uv_run(&crowd.loop, UV_RUN_NOWAIT);
    assert_int_equal(crowd.seen, MORE + EPOLL_SLICE);
    crowd_end(&crowd, MORE);
}

static void a_look_that_brings_less_than_a_slice_is_not_full(void **state)
{
    (void)state;
    crowd_begin(&crowd, EPOLL_SLICE - 1);
    (void)uv_run(&crowd.loop, UV_RUN_NOWAIT);
    assert_int_equal(crowd.seen, EPOLL_SLICE - 1);
    assert_false(epoll_slice_was_full());
    crowd_end(&crowd, EPOLL_SLICE - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(libuv_serves_a_slice_of_what_is_ready_in_one_run),
        cmocka_unit_test(the_next_runs_serve_the_others_first),
        cmocka_unit_test(a_look_that_brings_less_than_a_slice_is_not_full),
    };
    return cmocka_run_group_tests_name("edge/epoll_slice", tests, NULL, NULL);
}
