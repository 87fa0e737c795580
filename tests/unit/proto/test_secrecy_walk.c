/* Thousands of matches, each played in two worlds that differ in nothing but which of the shown
 * choices are right, from some round on. What is told must be the same, byte for byte, up to the
 * reveal of that round; and from there on all but the reveals and the end. docs/protocol.md: the
 * right choice never leaves the server before its round is over, in no form.
 *
 * On failure the seed is printed, and `test_proto_secrecy_walk SEED` plays it alone. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "match_walk.h"
#include "proto/encode.h"

enum { SEEDS = 200, TOLD_MAX = 1 << 17, BANK_MAX = 64 };

static uint64_t first_seed = 1;
static uint64_t last_seed = SEEDS;
static uint64_t playing_seed; /* 0: none. */

static int print_seed_of_failure(void **state)
{
    (void)state;
    if (playing_seed != 0) print_error("seed %llu\n", (unsigned long long)playing_seed);
    return 0;
}

/* One thing told: a digest of its bytes, and whether a reveal has made it free to differ. */
struct told {
    uint64_t digest;
    uint32_t size;
    uint8_t effect; /* enum effect_kind. */
    bool may_differ;
};

struct world {
    unsigned first_other; /* The first round whose right choice is another; 0: none is. */
    uint8_t swapped;      /* The bank's choice that is right there. */
    struct question questions[BANK_MAX];
    struct bank bank;
    unsigned count;
    struct told told[TOLD_MAX];
};

/* --- The other world. --- */

static uint8_t swap(uint8_t choice, uint8_t with)
{
    if (choice == 0) return with;
    return choice == with ? 0 : choice;
}

/* The bank's right choice changes places with another, and so do their places in the match: the
 * same texts are shown in the same order, and another one of them is right. */
static void swap_round(struct world *world, struct match_round *round)
{
    struct question *question = &world->questions[round->question];
    const char *right = question->choices[0];
    question->choices[0] = question->choices[world->swapped];
    question->choices[world->swapped] = right;
    for (unsigned i = 0; i < round->choice_count; i++) {
        round->places[i] = swap(round->places[i], world->swapped);
    }
}

static void record_step(const struct walk *walk, void *context);

static void enter(struct walk *walk, void *context)
{
    struct world *world = context;
    struct match *match = &walk->game.match;
    if (world->first_other > 0) {
        world->bank = *match->bank;
        assert_true(world->bank.count <= BANK_MAX);
        memcpy(world->questions, world->bank.questions,
               world->bank.count * sizeof(*world->questions));
        world->bank.questions = world->questions;
        match->bank = &world->bank;
        for (unsigned i = world->first_other; i <= match->settings.rounds; i++) {
            swap_round(world, &match->rounds[i - 1]);
        }
    }
    record_step(walk, world);
}

/* --- What is told. --- */

static const struct siphash_key digest_key = {{0xd16e, 0x57}};

static void record(struct world *world, enum effect_kind kind, const struct wire *wire,
                   bool may_differ)
{
    assert_false(wire->is_overflown);
    assert_true(world->count < TOLD_MAX);
    world->told[world->count++] = (struct told){siphash(&digest_key, wire->bytes, wire->size),
                                                wire->size, (uint8_t)kind, may_differ};
}

/* The round that differs in the other world, by which both are judged. */
static unsigned differs_from;

static bool may_entry_differ(const struct match *match, uint16_t seq)
{
    struct match_log_entry entry = match_log_at(match, seq);
    if (entry.kind == MATCH_LOG_REVEAL) return entry.round >= differs_from;
    if (entry.kind != MATCH_LOG_END) return false;
    unsigned revealed = 0;
    for (uint16_t i = 1; i < seq; i++) {
        revealed += match_log_at(match, i).kind == MATCH_LOG_REVEAL;
    }
    return revealed >= differs_from;
}

static void record_entry(struct world *world, const struct match *match, uint16_t seq)
{
    static char bytes[WIRE_MESSAGE_BYTES_MAX];
    struct wire wire;
    wire_init(&wire, bytes, sizeof(bytes));
    encode_match_entry(&wire, match, seq);
    record(world, EFFECT_ANNOUNCE, &wire, may_entry_differ(match, seq));
}

/* What a shard makes of an effect (src/shard/apply.c); nothing where it stays inside. */
static void encode_effect(struct wire *wire, const struct match *match, const struct effect *effect)
{
    switch ((enum effect_kind)effect->kind) {
    case EFFECT_RECEIPT:
        encode_accepted(wire, &(struct receipt){.request_id = effect->request_id,
                                                .round = effect->round,
                                                .choice = (uint8_t)effect->choice,
                                                .at_ms = effect->at_ms,
                                                .rtt_ms = effect->credit_ms,
                                                .is_dup = effect->is_dup});
        return;
    case EFFECT_REFUSE:
        encode_error(wire, effect->request_id, (enum refusal)effect->refusal, NULL, 0);
        return;
    case EFFECT_LEFT: encode_left(wire, effect->request_id); return;
    case EFFECT_OK: encode_ok(wire, effect->request_id); return;
    case EFFECT_ANSWERED: encode_answered(wire, &match->id, effect->round, effect->player); return;
    case EFFECT_EMOTE: encode_emote(wire, &match->id, effect->player, effect->code); return;
    case EFFECT_SAVING: encode_saving(wire, &match->id); return;
    case EFFECT_ANNOUNCE: /* record_entry() has it. */
    case EFFECT_ARM_PHASE:
    case EFFECT_ARM_GRACE:
    case EFFECT_DISARM_GRACE:
    case EFFECT_ARM_BOT:
    case EFFECT_PLAY_OVER:
    case EFFECT_SAVE:
    case EFFECT_ENDED: return;
    }
    fail();
}

/* Also when what stays inside happens: nobody sees it, but sees what comes of it, and when. */
static void record_effect(struct world *world, const struct match *match,
                          const struct effect *effect)
{
    char bytes[512];
    struct wire wire;
    if (effect->kind == EFFECT_ANNOUNCE) {
        record_entry(world, match, effect->seq);
        return;
    }
    wire_init(&wire, bytes, sizeof(bytes));
    encode_effect(&wire, match, effect);
    if (wire.size == 0) {
        struct effect inside = *effect;
        if (inside.kind == EFFECT_ARM_BOT) inside.tag &= 0xff00; /* Its choice is its own affair. */
        memcpy(bytes, &inside, sizeof(inside));
        wire.size = sizeof(inside);
    }
    record(world, (enum effect_kind)effect->kind, &wire, false);
}

/* What who comes back now is told: all of it again, and the clock. */
static void record_replay(struct world *world, const struct game *game)
{
    char bytes[512];
    struct wire wire;
    const struct match *match = &game->match;
    for (uint16_t seq = 1; seq <= match->seq; seq++) record_entry(world, match, seq);
    wire_init(&wire, bytes, sizeof(bytes));
    encode_clock(&wire, &match->id, match->round, match_left_ms(match, game->now),
                 match_wall(match, game->now));
    record(world, EFFECT_ANNOUNCE, &wire, false);
}

static void record_step(const struct walk *walk, void *context)
{
    struct world *world = context;
    const struct game *game = &walk->game;
    for (uint32_t i = 0; i < game->effects.count; i++) {
        record_effect(world, &game->match, &game->effects.items[i]);
    }
    bool is_back = walk->event.kind == MATCH_EVENT_PRESENCE && walk->event.presence.is_here;
    if (is_back) record_replay(world, game);
}

/* --- The two, side by side. --- */

struct harvest {
    unsigned same;
    unsigned different;
    unsigned by_effect[EFFECT_ENDED + 1];
};

static void compare(const struct world *one, const struct world *other, struct harvest *harvest)
{
    assert_int_equal(one->count, other->count);
    for (unsigned i = 0; i < one->count; i++) {
        const struct told *a = &one->told[i], *b = &other->told[i];
        assert_int_equal(a->effect, b->effect);
        assert_int_equal(a->may_differ, b->may_differ);
        bool is_same = a->size == b->size && a->digest == b->digest;
        assert_true(is_same || a->may_differ);
        harvest->same += is_same;
        harvest->different += !is_same;
        harvest->by_effect[a->effect]++;
    }
}

static void play(struct world *world, uint64_t seed)
{
    static struct walk walk;
    world->count = 0;
    walk_match_watched(&walk, seed, &(struct walk_watcher){enter, record_step, world});
}

static void what_is_told_does_not_depend_on_which_choice_is_right_before_the_reveal(void **state)
{
    (void)state;
    static struct world one, other;
    struct harvest harvest = {0};
    for (uint64_t seed = first_seed; seed <= last_seed; seed++) {
        playing_seed = seed;
        differs_from = 1 + seed % 4;
        other.first_other = differs_from;
        other.swapped = (uint8_t)(1 + seed % (CHOICES - 1));
        play(&one, seed);
        play(&other, seed);
        compare(&one, &other, &harvest);
    }
    playing_seed = 0;
    print_message("told the same %u, told differently %u\n", harvest.same, harvest.different);
    if (first_seed == last_seed) return;
    assert_true(harvest.different > SEEDS); /* A reveal of another world is another reveal. */
    for (unsigned kind = 0; kind <= EFFECT_ENDED; kind++) assert_true(harvest.by_effect[kind] > 0);
}

int main(int argc, char **argv)
{
    if (argc > 1) first_seed = last_seed = strtoull(argv[1], NULL, 10);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(
            what_is_told_does_not_depend_on_which_choice_is_right_before_the_reveal,
            print_seed_of_failure),
    };
    return cmocka_run_group_tests_name("secrecy_walk", tests, NULL, NULL);
}
