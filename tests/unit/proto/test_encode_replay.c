/* A message of a match's log is the same bytes whenever it is encoded: as it is told, and after
 * each step that follows. docs/protocol.md, "server sends". */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/encode.h"

enum { ADA, GRACE };
enum { ROUNDS = 3, QUESTIONS = 8, TOLD_MAX = 64, TOLD_BYTES_MAX = 1024 };

static const struct match_settings settings = {
    .mode = MATCH_MODE_DUEL,
    .rounds = ROUNDS,
    .start_ms = 3000,
    .round_time_ms = 10000,
    .reveal_time_ms = 4000,
    .grace_ms = 10000,
    .close_slack_ms = 20,
    .tau_milli = 500,
};

static const uint16_t all[QUESTIONS] = {0, 1, 2, 3, 4, 5, 6, 7};
static struct question questions[QUESTIONS];
static struct bank bank;

/* A match, and what was told as it was told. */
struct stage {
    struct match match;
    struct effects effects;
    uint64_t now_ms;
    uint16_t phase_tag;
    uint64_t phase_at_ms;
    unsigned told_count;
    uint32_t told_sizes[TOLD_MAX];
    char told[TOLD_MAX][TOLD_BYTES_MAX];
};

static struct stage stage;

static uint32_t encode(uint16_t seq, char *bytes)
{
    struct wire wire;
    wire_init(&wire, bytes, TOLD_BYTES_MAX);
    encode_match_entry(&wire, &stage.match, seq);
    assert_false(wire.is_overflown);
    return wire.size;
}

static void assert_all_still_the_same(void)
{
    for (unsigned i = 0; i < stage.told_count; i++) {
        char again[TOLD_BYTES_MAX];
        assert_int_equal(encode((uint16_t)(i + 1), again), stage.told_sizes[i]);
        assert_memory_equal(again, stage.told[i], stage.told_sizes[i]);
    }
}

/* What the step announced is kept; all that was announced before has not changed. */
static void apply_effects(void)
{
    assert_null(stage.match.fault);
    for (uint32_t i = 0; i < stage.effects.count; i++) {
        const struct effect *effect = &stage.effects.items[i];
        if (effect->kind == EFFECT_ARM_PHASE) {
            stage.phase_tag = effect->tag;
            stage.phase_at_ms = effect->at.ms;
        }
        if (effect->kind != EFFECT_ANNOUNCE) continue;
        assert_int_equal(effect->seq, stage.told_count + 1);
        stage.told_sizes[stage.told_count] = encode(effect->seq, stage.told[stage.told_count]);
        stage.told_count++;
    }
    stage.effects.count = 0;
    assert_all_still_the_same();
}

static void step(struct match_event event)
{
    event.at = (mono_time){stage.now_ms};
    match_step(&stage.match, &event, &stage.effects);
    apply_effects();
}

static void phase_over(void)
{
    stage.now_ms = stage.phase_at_ms;
    step((struct match_event){.kind = MATCH_EVENT_PHASE_TIMER, .timer = {stage.phase_tag}});
}

static void answer(uint8_t player, uint8_t round, uint8_t choice, uint64_t after_ms)
{
    stage.now_ms += after_ms;
    step((struct match_event){
        .kind = MATCH_EVENT_ANSWER,
        .player = player,
        .request_id = 1,
        .answer = {.stamp = {stage.now_ms}, .round = round, .choice = choice},
    });
}

static void presence(uint8_t player, bool is_here, bool is_leaving)
{
    step((struct match_event){
        .kind = MATCH_EVENT_PRESENCE,
        .player = player,
        .request_id = is_leaving ? 2 : 0,
        .presence = {.is_here = is_here,
                     .is_leaving = is_leaving,
                     .names_match = is_leaving,
                     .credit_ms = 30},
    });
}

static void saved(void)
{
    step((struct match_event){.kind = MATCH_EVENT_SAVED});
}

static int setup(void **state)
{
    (void)state;
    for (unsigned i = 0; i < QUESTIONS; i++) {
        questions[i] = (struct question){
            .id = {{(uint8_t)i, 0x51}},
            .text = "What?",
            .choices = {"right", "wrong", "false", "off"},
            .choice_count = 4,
        };
    }
    bank = (struct bank){
        .questions = questions,
        .count = QUESTIONS,
        .all = all,
        .categories = {{.name = "all", .questions = all, .count = QUESTIONS}},
        .category_count = 1,
    };
    struct match_entrant ada = {.player = {{0xad}}, .credit_ms = 18};
    struct match_entrant grace = {.player = {{0x61}}, .credit_ms = 40};
    player_record_init(&ada.record, "Ada");
    player_record_init(&grace.record, "Grace");
    memset(&stage, 0, sizeof stage);
    stage.now_ms = 1000;
    const struct match_setup match_setup = {
        .id = {{0x2a}},
        .seed = {{1, 2}},
        .bank = &bank,
        .category = QUESTION_CATEGORY_ANY,
        .settings = settings,
        .player_count = 2,
        .entrants = {&ada, &grace},
        .now = {stage.now_ms},
        .wall_now = {1790000000000},
    };
    match_init(&stage.match, &match_setup, &stage.effects);
    apply_effects();
    return 0;
}

static enum match_log_kind last_kind(void)
{
    return match_log_at(&stage.match, stage.match.seq).kind;
}

static void every_message_stays_the_same_until_the_match_is_finished(void **state)
{
    (void)state;
    phase_over();
    answer(ADA, 1, match_right_place(&stage.match, 1), 1200);
    answer(GRACE, 1, 0, 2000);
    phase_over();
    answer(GRACE, 2, match_right_place(&stage.match, 2), 300);
    answer(GRACE, 2, 3, 10); /* A repeated answer. */
    answer(GRACE, 1, 3, 10);
    presence(ADA, false, false);
    presence(ADA, true, false);
    phase_over();
    answer(ADA, 2, 1, 5); /* Late. */
    phase_over();
    phase_over();
    assert_int_equal(last_kind(), MATCH_LOG_REVEAL);
    saved();
    assert_int_equal(last_kind(), MATCH_LOG_END);
    assert_int_equal(stage.match.reason, MATCH_END_FINISHED);
}

static void every_message_stays_the_same_when_a_player_forfeits(void **state)
{
    (void)state;
    phase_over();
    answer(ADA, 1, match_right_place(&stage.match, 1), 700);
    answer(GRACE, 1, match_right_place(&stage.match, 1), 900);
    phase_over();
    answer(ADA, 2, match_right_place(&stage.match, 2), 800);
    presence(ADA, false, true);
    assert_int_equal(last_kind(), MATCH_LOG_GONE);
    saved();
    assert_int_equal(last_kind(), MATCH_LOG_END);
    assert_int_equal(stage.match.winner, GRACE);
}

static void every_message_stays_the_same_when_the_match_is_cancelled(void **state)
{
    (void)state;
    phase_over();
    step((struct match_event){.kind = MATCH_EVENT_CANCEL, .cancel = {MATCH_END_CANCELLED}});
    assert_int_equal(last_kind(), MATCH_LOG_END);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_message_stays_the_same_until_the_match_is_finished, setup),
        cmocka_unit_test_setup(every_message_stays_the_same_when_a_player_forfeits, setup),
        cmocka_unit_test_setup(every_message_stays_the_same_when_the_match_is_cancelled, setup),
    };
    return cmocka_run_group_tests_name("encode_replay", tests, NULL, NULL);
}
