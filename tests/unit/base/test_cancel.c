#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cancel.h"

enum { LOG_MAX = 16 };

/* A node that writes its name down when it is fired. */
struct node {
    struct cancel token;
    struct cancel_hook hook;
    struct world *world;
    char name;
};

/*  a ─┬─ b ─┬─ d
 *     │     └─ e
 *     └─ c              */
struct world {
    struct cancel_stats stats;
    struct node a, b, c, d, e;
    char log[LOG_MAX];
    unsigned logged;
    enum cancel_reason reason; /* What the last hook was given. */
};

static struct node *node_of(struct cancel_hook *hook)
{
    return (struct node *)(void *)((char *)hook - offsetof(struct node, hook));
}

static void log_name(struct cancel_hook *hook, enum cancel_reason reason)
{
    struct node *node = node_of(hook);
    assert_in_range(node->world->logged, 0, LOG_MAX - 2);
    node->world->log[node->world->logged++] = node->name;
    node->world->reason = reason;
}

static void add(struct world *world, struct node *node, char name, struct cancel *parent)
{
    node->world = world;
    node->name = name;
    if (parent == NULL)
        cancel_init_root(&node->token, &world->stats);
    else
        cancel_init(&node->token, parent);
    cancel_hook_init(&node->hook, log_name);
    assert_true(cancel_watch(&node->token, &node->hook));
}

static void begin(struct world *world)
{
    memset(world, 0, sizeof *world);
    add(world, &world->a, 'a', NULL);
    add(world, &world->b, 'b', &world->a.token);
    add(world, &world->c, 'c', &world->a.token);
    add(world, &world->d, 'd', &world->b.token);
    add(world, &world->e, 'e', &world->b.token);
}

static unsigned place_of(const struct world *world, char name)
{
    const char *place = strchr(world->log, name);
    assert_non_null(place);
    assert_null(strchr(place + 1, name));
    return (unsigned)(place - world->log);
}

static void assert_fired_before(const struct world *world, char first, char second)
{
    assert_true(place_of(world, first) < place_of(world, second));
}

static enum cancel_reason reason_of(const struct node *node)
{
    return cancel_reason_of(&node->token);
}

static void a_new_token_has_not_fired(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    assert_int_equal(reason_of(&world.a), CANCEL_NONE);
    assert_int_equal(reason_of(&world.d), CANCEL_NONE);
}

static void firing_a_parent_fires_every_live_descendant_once(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    cancel_fire(&world.a.token, CANCEL_SHUTDOWN);
    assert_int_equal(world.logged, 5);
    assert_int_equal(reason_of(&world.a), CANCEL_SHUTDOWN);
    assert_int_equal(reason_of(&world.b), CANCEL_SHUTDOWN);
    assert_int_equal(reason_of(&world.c), CANCEL_SHUTDOWN);
    assert_int_equal(reason_of(&world.d), CANCEL_SHUTDOWN);
    assert_int_equal(reason_of(&world.e), CANCEL_SHUTDOWN);
    assert_int_equal(world.reason, CANCEL_SHUTDOWN);
}

static void children_fire_before_their_parents(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    cancel_fire(&world.a.token, CANCEL_SHUTDOWN);
    assert_fired_before(&world, 'd', 'b');
    assert_fired_before(&world, 'e', 'b');
    assert_fired_before(&world, 'b', 'a');
    assert_fired_before(&world, 'c', 'a');
}

static void firing_leaves_parents_and_siblings_alone(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    cancel_fire(&world.b.token, CANCEL_DISCONNECT);
    assert_int_equal(world.logged, 3);
    assert_int_equal(reason_of(&world.a), CANCEL_NONE);
    assert_int_equal(reason_of(&world.c), CANCEL_NONE);
}

static void firing_again_keeps_the_first_reason_and_calls_nothing(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    cancel_fire(&world.c.token, CANCEL_DEADLINE);
    cancel_fire(&world.c.token, CANCEL_SHUTDOWN);
    assert_int_equal(world.logged, 1);
    assert_int_equal(reason_of(&world.c), CANCEL_DEADLINE);
}

static void a_descendant_that_has_fired_is_not_fired_again(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    cancel_fire(&world.b.token, CANCEL_FINISHED);
    cancel_fire(&world.a.token, CANCEL_SHUTDOWN);
    assert_int_equal(world.logged, 5);
    assert_int_equal(reason_of(&world.d), CANCEL_FINISHED);
    assert_int_equal(reason_of(&world.c), CANCEL_SHUTDOWN);
}

static void an_ended_descendant_is_not_fired(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    cancel_unwatch(&world.d.hook);
    cancel_fini(&world.d.token);
    cancel_fire(&world.a.token, CANCEL_SHUTDOWN);
    assert_null(strchr(world.log, 'd'));
    assert_int_equal(world.logged, 4);
}

static void fire_requires_a_reason(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    expect_assert_failure(cancel_fire(&world.a.token, CANCEL_NONE));
}

static void fire_requires_a_live_token(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    cancel_unwatch(&world.c.hook);
    cancel_fini(&world.c.token);
    expect_assert_failure(cancel_fire(&world.c.token, CANCEL_SHUTDOWN));
}

static void a_fired_parent_makes_a_fired_child(void **state)
{
    (void)state;
    struct world world;
    struct cancel child;
    struct cancel_hook hook;
    begin(&world);
    cancel_fire(&world.c.token, CANCEL_OVERLOAD);
    cancel_init(&child, &world.c.token);
    cancel_hook_init(&hook, log_name);
    assert_int_equal(cancel_reason_of(&child), CANCEL_OVERLOAD);
    assert_false(cancel_watch(&child, &hook));
}

static void watching_a_fired_token_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    struct world world;
    struct cancel_hook hook;
    begin(&world);
    cancel_fire(&world.c.token, CANCEL_DISCONNECT);
    cancel_hook_init(&hook, log_name);
    struct world token_before = world;
    struct cancel_hook hook_before = hook;
    assert_false(cancel_watch(&world.c.token, &hook));
    assert_memory_equal(&world, &token_before, sizeof world);
    assert_memory_equal(&hook, &hook_before, sizeof hook);
}

static void every_hook_of_a_token_is_called(void **state)
{
    (void)state;
    struct world world;
    struct node more = {.world = &world, .name = 'x'};
    begin(&world);
    cancel_hook_init(&more.hook, log_name);
    assert_true(cancel_watch(&world.c.token, &more.hook));
    cancel_fire(&world.c.token, CANCEL_DISCONNECT);
    assert_int_equal(world.logged, 2);
    place_of(&world, 'c');
    place_of(&world, 'x');
}

static void an_unwatched_hook_is_not_called(void **state)
{
    (void)state;
    struct world world;
    struct node more = {.world = &world, .name = 'x'};
    begin(&world);
    cancel_hook_init(&more.hook, log_name);
    assert_true(cancel_watch(&world.c.token, &more.hook));
    cancel_unwatch(&world.c.hook);
    cancel_unwatch(&world.c.hook);
    cancel_fire(&world.c.token, CANCEL_DISCONNECT);
    assert_string_equal(world.log, "x");
}

static void unwatching_a_hook_that_never_watched_is_harmless(void **state)
{
    (void)state;
    struct cancel_hook hook;
    cancel_hook_init(&hook, log_name);
    cancel_unwatch(&hook);
    assert_null(hook.prev);
}

static void a_hook_requires_a_function(void **state)
{
    (void)state;
    struct world world;
    struct cancel_hook hook = {0};
    begin(&world);
    expect_assert_failure(cancel_hook_init(&hook, NULL));
    expect_assert_failure((void)!cancel_watch(&world.a.token, &hook));
}

static void watch_requires_a_hook_that_watches_nothing(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    expect_assert_failure((void)!cancel_watch(&world.a.token, &world.c.hook));
}

static void watch_requires_a_live_token(void **state)
{
    (void)state;
    struct world world;
    struct cancel ended = {0};
    struct cancel_hook hook;
    cancel_hook_init(&hook, log_name);
    begin(&world);
    expect_assert_failure((void)!cancel_watch(&ended, &hook));
}

/* Watches the parent's parent, which the same fire has reached already, and the other tree's token
 * in `other`. */
struct restless {
    struct cancel_hook hook;
    struct cancel *fired;
    struct cancel *other;
    bool was_refused;
    bool was_taken;
};

static void watch_anew(struct cancel_hook *hook, enum cancel_reason reason)
{
    struct restless *restless = (struct restless *)(void *)hook;
    (void)reason;
    cancel_hook_init(hook, watch_anew);
    restless->was_refused = !cancel_watch(restless->fired, hook);
    restless->was_taken = cancel_watch(restless->other, hook);
}

static void a_hook_is_unlinked_before_it_is_called_and_may_watch_anew(void **state)
{
    (void)state;
    struct world world;
    struct cancel_stats stats = {0};
    struct cancel other;
    struct restless restless = {.fired = &world.a.token, .other = &other};
    begin(&world);
    cancel_init_root(&other, &stats);
    cancel_hook_init(&restless.hook, watch_anew);
    assert_true(cancel_watch(&world.d.token, &restless.hook));
    cancel_fire(&world.a.token, CANCEL_SHUTDOWN);
    assert_true(restless.was_refused);
    assert_true(restless.was_taken);
    assert_ptr_equal(other.hooks, &restless.hook);
}

static void fire_again(struct cancel_hook *hook, enum cancel_reason reason)
{
    cancel_fire(&node_of(hook)->token, reason);
}

static void end_itself(struct cancel_hook *hook, enum cancel_reason reason)
{
    (void)reason;
    cancel_fini(&node_of(hook)->token);
}

static void a_hook_may_not_fire(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    world.c.hook.on_fire = fire_again;
    expect_assert_failure(cancel_fire(&world.c.token, CANCEL_SHUTDOWN));
}

static void a_hook_may_not_end_a_token(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    world.c.hook.on_fire = end_itself;
    expect_assert_failure(cancel_fire(&world.c.token, CANCEL_SHUTDOWN));
}

static void the_deepest_token_is_made_and_one_below_it_is_not(void **state)
{
    (void)state;
    struct cancel_stats stats = {0};
    struct cancel chain[CANCEL_DEPTH_MAX + 1];
    cancel_init_root(&chain[0], &stats);
    cancel_init(&chain[1], &chain[0]);
    cancel_init(&chain[2], &chain[1]);
    cancel_init(&chain[3], &chain[2]);
    cancel_init(&chain[4], &chain[3]);
    cancel_init(&chain[CANCEL_DEPTH_MAX - 1], &chain[4]);
    expect_assert_failure(cancel_init(&chain[CANCEL_DEPTH_MAX], &chain[CANCEL_DEPTH_MAX - 1]));
    cancel_fire(&chain[0], CANCEL_SHUTDOWN);
    assert_int_equal(cancel_reason_of(&chain[CANCEL_DEPTH_MAX - 1]), CANCEL_SHUTDOWN);
}

static void a_child_requires_a_live_parent(void **state)
{
    (void)state;
    struct cancel ended = {0};
    struct cancel child;
    expect_assert_failure(cancel_init(&child, &ended));
}

static void fini_requires_that_no_child_is_left(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    cancel_unwatch(&world.b.hook);
    expect_assert_failure(cancel_fini(&world.b.token));
}

static void fini_requires_that_no_hook_is_left(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    expect_assert_failure(cancel_fini(&world.c.token));
}

static void fini_requires_a_live_token(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    cancel_unwatch(&world.c.hook);
    cancel_fini(&world.c.token);
    expect_assert_failure(cancel_fini(&world.c.token));
}

static void a_fired_tree_is_ended_from_below(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    cancel_fire(&world.a.token, CANCEL_SHUTDOWN);
    cancel_fini(&world.d.token);
    cancel_fini(&world.e.token);
    cancel_fini(&world.c.token);
    cancel_fini(&world.b.token);
    cancel_fini(&world.a.token);
    assert_int_equal(world.stats.live, 0);
    assert_int_equal(world.stats.live_max, 5);
}

static void the_maximum_of_live_tokens_stays(void **state)
{
    (void)state;
    struct world world;
    struct cancel child;
    begin(&world);
    cancel_unwatch(&world.d.hook);
    cancel_fini(&world.d.token);
    cancel_init(&child, &world.b.token);
    assert_int_equal(world.stats.live, 5);
    assert_int_equal(world.stats.live_max, 5);
}

static void every_reason_has_its_name(void **state)
{
    (void)state;
    assert_string_equal(cancel_reason_name(CANCEL_NONE), "none");
    assert_string_equal(cancel_reason_name(CANCEL_DISCONNECT), "disconnect");
    assert_string_equal(cancel_reason_name(CANCEL_DEADLINE), "deadline");
    assert_string_equal(cancel_reason_name(CANCEL_SHUTDOWN), "shutdown");
    assert_string_equal(cancel_reason_name(CANCEL_FINISHED), "finished");
    assert_string_equal(cancel_reason_name(CANCEL_OVERLOAD), "overload");
    expect_assert_failure(cancel_reason_name((enum cancel_reason)(CANCEL_OVERLOAD + 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_token_has_not_fired),
        cmocka_unit_test(firing_a_parent_fires_every_live_descendant_once),
        cmocka_unit_test(children_fire_before_their_parents),
        cmocka_unit_test(firing_leaves_parents_and_siblings_alone),
        cmocka_unit_test(firing_again_keeps_the_first_reason_and_calls_nothing),
        cmocka_unit_test(a_descendant_that_has_fired_is_not_fired_again),
        cmocka_unit_test(an_ended_descendant_is_not_fired),
        cmocka_unit_test(fire_requires_a_reason),
        cmocka_unit_test(fire_requires_a_live_token),
        cmocka_unit_test(a_fired_parent_makes_a_fired_child),
        cmocka_unit_test(watching_a_fired_token_is_refused_and_changes_nothing),
        cmocka_unit_test(every_hook_of_a_token_is_called),
        cmocka_unit_test(an_unwatched_hook_is_not_called),
        cmocka_unit_test(unwatching_a_hook_that_never_watched_is_harmless),
        cmocka_unit_test(a_hook_requires_a_function),
        cmocka_unit_test(watch_requires_a_hook_that_watches_nothing),
        cmocka_unit_test(watch_requires_a_live_token),
        cmocka_unit_test(a_hook_is_unlinked_before_it_is_called_and_may_watch_anew),
        cmocka_unit_test(a_hook_may_not_fire),
        cmocka_unit_test(a_hook_may_not_end_a_token),
        cmocka_unit_test(the_deepest_token_is_made_and_one_below_it_is_not),
        cmocka_unit_test(a_child_requires_a_live_parent),
        cmocka_unit_test(fini_requires_that_no_child_is_left),
        cmocka_unit_test(fini_requires_that_no_hook_is_left),
        cmocka_unit_test(fini_requires_a_live_token),
        cmocka_unit_test(a_fired_tree_is_ended_from_below),
        cmocka_unit_test(the_maximum_of_live_tokens_stays),
        cmocka_unit_test(every_reason_has_its_name),
    };
    return cmocka_run_group_tests_name("base/cancel", tests, NULL, NULL);
}
