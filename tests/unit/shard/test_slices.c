/* However much is due at once, an iteration does a slice of it, and the next ones go on at once. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "shard_expect.h"
#include "shard_priv.h"

enum { MATCHES = EXPIRED_PER_RUN + EXPIRED_PER_RUN / 2, PLAYERS = 2 * MATCHES, SHORTLY_MS = 500 };
enum {
    ENDED = EXPIRED_PER_RUN + EVICTION_LOOKS,
    DUELLERS = 4 * ENDED,
    LOOKS = 16,
    PAIRED_MS = 3,
    BATCH = 96, /* Of clients that do the same at once: all are told within one iteration. */
    SMALL_BYTES = 2 * MAILBOX_RECORD_BYTES_MAX
};

static struct world *world_of_many(void)
{
    return world_create((struct world_settings){
        .clients = PLAYERS, .sessions_max = PLAYERS, .matches_max = MATCHES});
}

static void everybody_is_matched(struct world *world)
{
    for (unsigned i = 0; i < PLAYERS; i++) {
        comes(world, i, 0);
        greets(world, i);
    }
    settle(world);
    for (unsigned i = 0; i < PLAYERS; i++) joins(world, i);
    settle(world);
    assert_int_equal(matches_live(world), MATCHES);
}

static unsigned count_all_said(const struct world *world, const char *type)
{
    unsigned count = 0;
    for (unsigned i = 0; i < PLAYERS; i++) count += count_said(world, i, type);
    return count;
}

static void rounds_that_begin_together_are_told_in_slices(void **state)
{
    (void)state;
    struct world *world = world_of_many();
    everybody_is_matched(world);
    stall(world, 0);
    run_ms(world, START_MS);
    go_on(world, 0);
    unsigned told = 0, runs = 0;
    for (; told < PLAYERS; runs++) {
        assert_true(run_once(world)); /* At once: no time passes. */
        unsigned more = count_all_said(world, "round") - told;
        assert_in_range(more, 0, 2 * STEPS_PER_RUN);
        told += more;
    }
    assert_in_range(runs, MATCHES / STEPS_PER_RUN, MATCHES / STEPS_PER_RUN + 2);
    world_close(world);
}

static void a_loss_of_all_connections_is_told_in_slices(void **state)
{
    (void)state;
    struct world *world = world_of_many();
    everybody_is_matched(world);
    for (unsigned i = 0; i < PLAYERS; i++) is_lost(world, i);
    unsigned left = PLAYERS;
    while (left > 0) {
        assert_true(run_once(world));
        unsigned debts = 0;
        const struct shard *shard = world->shards[0].shard;
        for (const struct list *node = shard->debts.next; node != &shard->debts; node = node->next)
            debts++;
        assert_in_range(left - debts, 0, PAYMENTS_PER_RUN);
        left = debts;
    }
    world_close(world);
}

static void matches_that_ended_together_are_forgotten_in_slices(void **state)
{
    (void)state;
    struct world *world = world_of_many();
    everybody_is_matched(world);
    for (unsigned i = 0; i < PLAYERS; i++) is_lost(world, i);
    run_ms(world, GRACE_MS + ENDED_KEEP_MS - SHORTLY_MS);
    assert_int_equal(matches_kept(world), MATCHES);
    unsigned kept = MATCHES, slices = 0;
    mono_time first = world->now;
    while (kept > 0) {
        run_ms(world, 1);
        unsigned forgotten = kept - matches_kept(world);
        assert_in_range(forgotten, 0, EXPIRED_PER_RUN);
        if (kept == MATCHES) first = world->now;
        slices += forgotten > 0;
        kept -= forgotten;
    }
    assert_int_equal(slices, 2);
    assert_in_range(mono_elapsed(first, world->now), 1, 2 * EXPIRED_PER_RUN / STEPS_PER_RUN);
    world_close(world);
}

/* Twice ENDED duels, half of them on each shard, with one player on each; and as many players more on shard 0. */
static struct world *world_with_a_shard_that_hangs(void)
{
    struct world *world = world_create((struct world_settings){.shards = 2,
                                                               .clients = DUELLERS + 2 * ENDED,
                                                               .sessions_max = DUELLERS,
                                                               .matches_max = ENDED,
                                                               .mailbox_bytes = SMALL_BYTES});
    world->referee.kept_ms = 0;
    for (unsigned i = 0; i < DUELLERS + 2 * ENDED; i++) {
        comes(world, i, i < DUELLERS ? i % 2 : 0);
        greets(world, i);
    }
    settle(world);
    for (unsigned i = 0; i < DUELLERS; i++) {
        joins(world, i);
        if (i % 2 == 1) run_ms(world, PAIRED_MS); /* Or some were paired within their shard. */
    }
    assert_int_equal(matches_live(world), DUELLERS / 2);
    stall(world, 1);
    jam(world, 0, 1);
    return world;
}

static unsigned house_ends(const struct world *world)
{
    unsigned ends = 0;
    for (unsigned i = DUELLERS; i < DUELLERS + 2 * ENDED; i++) ends += count_said(world, i, "end");
    return ends;
}

static void ended_matches_that_find_no_room_wait_together_and_none_is_lost(void **state)
{
    (void)state;
    struct world *world = world_with_a_shard_that_hangs();
    /* As many as are kept end, and none can be told to the other shard. */
    for (unsigned i = 0; i < DUELLERS; i += 2) leaves_this_match(world, i);
    settle(world);
    assert_int_equal(matches_kept(world), ENDED);
    for (unsigned i = DUELLERS; i < DUELLERS + 2 * ENDED; i++) {
        joins_the_house(world, i);
        if (i % BATCH == 0) settle(world);
    }
    settle(world);
    unsigned live = matches_live(world);
    unsigned ended = live - ENDED; /* Without those of the shard that hangs. */
    assert_in_range(ended, STEPS_PER_RUN + 1, ENDED);
    for (unsigned i = DUELLERS; i < DUELLERS + 2 * ENDED; i++) leaves(world, i);
    settle(world);
    assert_int_equal(matches_kept(world), ENDED);
    assert_int_equal(matches_live(world), live);
    assert_int_equal(house_ends(world), ended); /* Who plays need not wait for room. */
    for (unsigned i = 0; i < LOOKS; i++) {
        uint32_t runs = world->runs;
        run_ms(world, 1);
        assert_in_range(world->runs - runs, 0, 2);
    }
    go_on(world, 1);
    run_ms(world, CALM_MS);
    assert_int_equal(matches_live(world), 0);
    for (unsigned i = 0; i < DUELLERS; i++) assert_int_equal(count_said(world, i, "end"), 1);
    assert_int_equal(house_ends(world), ended);
    world_close(world);
}

static void no_mailbox_waits_for_another_that_is_full(void **state)
{
    (void)state;
    struct world *world = world_of(3);
    settle(world);
    stall(world, 0);
    jam(world, 1, 0);
    jam(world, 2, 0);
    uint32_t full = mailbox_bytes_used(&world->mailboxes[1][0]);
    go_on(world, 0);
    assert_true(run_once(world));
    /* A share of all that is there, not of each. */
    assert_int_equal(mailbox_bytes_used(&world->mailboxes[2][0]), full);
    assert_true(run_once(world));
    assert_true(mailbox_bytes_used(&world->mailboxes[1][0]) < full);
    assert_true(mailbox_bytes_used(&world->mailboxes[2][0]) < full);
    world_close(world);
}

static void a_shard_that_is_behind_takes_no_input_until_it_is_not(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    settle(world);
    assert_true(shard_takes_input(world->shards[0].shard));
    jam(world, 0, 0);
    assert_false(shard_takes_input(world->shards[0].shard));
    settle(world);
    assert_true(shard_takes_input(world->shards[0].shard));
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounds_that_begin_together_are_told_in_slices),
        cmocka_unit_test(a_loss_of_all_connections_is_told_in_slices),
        cmocka_unit_test(matches_that_ended_together_are_forgotten_in_slices),
        cmocka_unit_test(ended_matches_that_find_no_room_wait_together_and_none_is_lost),
        cmocka_unit_test(no_mailbox_waits_for_another_that_is_full),
        cmocka_unit_test(a_shard_that_is_behind_takes_no_input_until_it_is_not),
    };
    return cmocka_run_group_tests_name("shard/slices", tests, NULL, NULL);
}
