/* The deadlines of cancellation tokens. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cancel.h"

/* A root and two children: one plain, one with a child of its own. */
struct world {
    struct cancel_stats stats;
    struct cancel root, plain, parent, child;
};

static void begin(struct world *world)
{
    world->stats = (struct cancel_stats){0};
    cancel_init_root(&world->root, &world->stats);
    cancel_init(&world->plain, &world->root);
    cancel_init(&world->parent, &world->root);
    cancel_init(&world->child, &world->parent);
}

static void a_token_without_a_deadline_has_none(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    assert_int_equal(world.root.deadline.ms, UINT64_MAX);
    assert_int_equal(world.child.deadline.ms, UINT64_MAX);
}

static void a_child_starts_with_its_parents_deadline(void **state)
{
    (void)state;
    struct world world;
    struct cancel child;
    begin(&world);
    assert_int_equal(cancel_set_deadline(&world.plain, (mono_time){1000}).ms, 1000);
    cancel_init(&child, &world.plain);
    assert_int_equal(child.deadline.ms, 1000);
}

static void a_deadline_is_never_later_than_the_parents(void **state)
{
    (void)state;
    struct world world;
    struct cancel child;
    begin(&world);
    cancel_set_deadline(&world.plain, (mono_time){1000});
    cancel_init(&child, &world.plain);
    assert_int_equal(cancel_set_deadline(&child, (mono_time){999}).ms, 999);
    assert_int_equal(cancel_set_deadline(&child, (mono_time){1000}).ms, 1000);
    assert_int_equal(cancel_set_deadline(&child, (mono_time){1001}).ms, 1000);
    assert_int_equal(child.deadline.ms, 1000);
}

static void a_root_may_have_any_deadline(void **state)
{
    (void)state;
    struct cancel_stats stats = {0};
    struct cancel root;
    cancel_init_root(&root, &stats);
    assert_int_equal(cancel_set_deadline(&root, (mono_time){5}).ms, 5);
    assert_int_equal(root.deadline.ms, 5);
}

static void set_deadline_requires_a_token_that_has_not_fired(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    cancel_fire(&world.plain, CANCEL_DEADLINE);
    expect_assert_failure(cancel_set_deadline(&world.plain, (mono_time){1}));
}

static void set_deadline_requires_a_token_without_children(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    expect_assert_failure(cancel_set_deadline(&world.parent, (mono_time){1}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_without_a_deadline_has_none),
        cmocka_unit_test(a_child_starts_with_its_parents_deadline),
        cmocka_unit_test(a_deadline_is_never_later_than_the_parents),
        cmocka_unit_test(a_root_may_have_any_deadline),
        cmocka_unit_test(set_deadline_requires_a_token_that_has_not_fired),
        cmocka_unit_test(set_deadline_requires_a_token_without_children),
    };
    return cmocka_run_group_tests_name("base/cancel_deadline", tests, NULL, NULL);
}
