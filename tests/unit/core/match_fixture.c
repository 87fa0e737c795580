#include "match_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/draw.h"

enum { BANK_QUESTIONS = 64 };

static struct question bank_questions[BANK_QUESTIONS];
static uint16_t bank_indices[BANK_QUESTIONS];
static struct bank test_bank;

static const struct bank *bank(void)
{
    if (test_bank.count > 0) return &test_bank;
    for (unsigned i = 0; i < BANK_QUESTIONS; i++) {
        bank_questions[i] = (struct question){
            .id = {{(uint8_t)i, 1}},
            .text = "Which?",
            .choices = {"the right one", "a", "b", "c"},
            .choice_count = CHOICES,
        };
        bank_indices[i] = (uint16_t)i;
    }
    test_bank = (struct bank){
        .questions = bank_questions,
        .count = BANK_QUESTIONS,
        .all = bank_indices,
        .categories = {{"science", bank_indices, BANK_QUESTIONS}},
        .category_count = 1,
    };
    return &test_bank;
}

static const struct match_entrant ada = {
    .player = {{0xa, 0xda, [9] = 1}},
    .record = {.name = "Ada", .rating = {150000, 35000, 60000}},
    .credit_ms = ADA_CREDIT_MS,
};
static const struct match_entrant ben = {
    .player = {{0xb, 0xe, [9] = 2}},
    .record = {.name = "Ben", .rating = {160000, 20000, 60000}},
    .credit_ms = BEN_CREDIT_MS,
};
static const struct match_entrant house = {
    .player = {{0xb, 0x07, [9] = 3}},
    .record = {.name = "House", .rating = {160000, 3000, 60000}},
    .is_bot = true,
};

/* --- Builders. --- */

struct match_settings game_settings(void)
{
    return (struct match_settings){
        .mode = MATCH_MODE_DUEL,
        .rounds = ROUNDS,
        .start_ms = START_MS,
        .round_time_ms = ROUND_TIME_MS,
        .reveal_time_ms = REVEAL_TIME_MS,
        .grace_ms = GRACE_MS,
        .close_slack_ms = CLOSE_SLACK_MS,
        .tau_milli = TAU_MILLI,
    };
}

struct match_setup game_setup(void)
{
    return (struct match_setup){
        .id = {{7}},
        .seed = {{0x5eed, 1}},
        .bank = bank(),
        .category = QUESTION_CATEGORY_ANY,
        .settings = game_settings(),
        .player_count = 2,
        .entrants = {&ada, &ben},
        .now = {CREATED_AT_MS},
        .wall_now = {WALL_AT_CREATION_MS},
    };
}

struct match_setup house_setup(void)
{
    struct match_setup setup = game_setup();
    setup.settings.mode = MATCH_MODE_HOUSE;
    setup.entrants[BEN] = &house;
    return setup;
}

struct game game_set_up(const struct match_setup *setup)
{
    struct game game;
    memset(&game, 0, sizeof(game));
    game.now = setup->now;
    match_init(&game.match, setup, &game.effects);
    return game;
}

struct game game_of(struct match_settings settings)
{
    struct match_setup setup = game_setup();
    setup.settings = settings;
    return game_set_up(&setup);
}

struct game game_starting(void)
{
    return game_of(game_settings());
}

struct game game_asking(uint8_t round)
{
    struct game game = game_starting();
    phase_timer(&game);
    while (game.match.round < round) {
        both_answer(&game);
        phase_timer(&game);
    }
    return game;
}

struct game game_revealing(uint8_t round)
{
    struct game game = game_asking(round);
    both_answer(&game);
    return game;
}

struct game game_settling(void)
{
    struct game game = game_asking(ROUNDS);
    both_answer(&game);
    return game;
}

struct game game_ended(void)
{
    struct game game = game_settling();
    is_saved(&game);
    return game;
}

struct game game_waiting_for_ada(void)
{
    struct game game = game_asking(1);
    is_lost(&game, ADA);
    leaves(&game, BEN);
    return game;
}

struct game game_in(enum match_state state)
{
    switch (state) {
    case MATCH_STARTING: return game_starting();
    case MATCH_ASKING: return game_asking(1);
    case MATCH_REVEALING: return game_revealing(1);
    case MATCH_SETTLING: return game_settling();
    case MATCH_ENDED: break;
    }
    return game_ended();
}

/* --- Verbs. --- */

void game_step(struct game *game, struct match_event event)
{
    game->effects.count = 0;
    event.at = game->now;
    match_step(&game->match, &event, &game->effects);
}

void answer_stamped(struct game *game, uint8_t player, uint8_t round, uint8_t choice,
                    mono_time stamp)
{
    game_step(game, (struct match_event){
                        .kind = MATCH_EVENT_ANSWER,
                        .player = player,
                        .request_id = ++game->request_id,
                        .answer = {.stamp = stamp, .round = round, .choice = choice},
                    });
}

void answer(struct game *game, uint8_t player, uint8_t round, uint8_t choice)
{
    answer_stamped(game, player, round, choice, game->now);
}

void answer_at(struct game *game, uint8_t player, uint8_t choice, uint32_t raw_ms)
{
    game->now = mono_after(began_at(game), raw_ms);
    answer(game, player, game->match.round, choice);
}

void both_answer(struct game *game)
{
    answer_at(game, ADA, right_choice(game), 2000);
    answer_at(game, BEN, wrong_choice(game), 3000);
}

void emote(struct game *game, uint8_t player)
{
    game_step(game, (struct match_event){
                        .kind = MATCH_EVENT_EMOTE,
                        .player = player,
                        .request_id = ++game->request_id,
                        .emote = {.code = 3},
                    });
}

void emote_without_id(struct game *game, uint8_t player)
{
    game_step(game, (struct match_event){
                        .kind = MATCH_EVENT_EMOTE,
                        .player = player,
                        .emote = {.code = 3},
                    });
}

void is_lost(struct game *game, uint8_t player)
{
    game_step(game, (struct match_event){.kind = MATCH_EVENT_PRESENCE, .player = player});
}

void is_back_with_credit(struct game *game, uint8_t player, uint16_t credit_ms)
{
    game_step(game, (struct match_event){
                        .kind = MATCH_EVENT_PRESENCE,
                        .player = player,
                        .presence = {.is_here = true, .credit_ms = credit_ms},
                    });
}

void is_back(struct game *game, uint8_t player)
{
    is_back_with_credit(game, player, game->match.players[player].credit_ms);
}

static void leave(struct game *game, uint8_t player, bool is_here, bool names_match)
{
    game_step(game, (struct match_event){
                        .kind = MATCH_EVENT_PRESENCE,
                        .player = player,
                        .request_id = ++game->request_id,
                        .presence = {.is_here = is_here,
                                     .is_leaving = true,
                                     .names_match = names_match,
                                     .credit_ms = game->match.players[player].credit_ms},
                    });
}

void leaves(struct game *game, uint8_t player)
{
    leave(game, player, true, false);
}

void leaves_this_match(struct game *game, uint8_t player)
{
    leave(game, player, true, true);
}

void leaves_and_is_lost(struct game *game, uint8_t player)
{
    leave(game, player, false, true);
}

void phase_timer_tagged(struct game *game, uint16_t tag)
{
    game_step(game, (struct match_event){.kind = MATCH_EVENT_PHASE_TIMER, .timer = {.tag = tag}});
}

void phase_timer(struct game *game)
{
    game->now = game->match.phase_at;
    phase_timer_tagged(game, game->match.phase);
}

void grace_timer_tagged(struct game *game, uint8_t player, uint16_t tag)
{
    game_step(game, (struct match_event){
                        .kind = MATCH_EVENT_GRACE_TIMER,
                        .player = player,
                        .timer = {.tag = tag},
                    });
}

void grace_timer(struct game *game, uint8_t player)
{
    grace_timer_tagged(game, player, game->match.players[player].absences);
}

void is_saved(struct game *game)
{
    game_step(game, (struct match_event){.kind = MATCH_EVENT_SAVED});
}

void save_failed(struct game *game)
{
    game_step(game, (struct match_event){.kind = MATCH_EVENT_SAVE_FAILED});
}

void server_is_back(struct game *game, uint32_t gone_ms)
{
    game->now.ms++; /* All that went before went before. */
    int64_t offset_ms = match_wall(&game->match, game->now).ms - (int64_t)game->now.ms;
    game_step(game, (struct match_event){.kind = MATCH_EVENT_RECOVERED,
                                         .recovered = {offset_ms + gone_ms}});
}

void is_cancelled(struct game *game, enum match_end_reason reason)
{
    game_step(game, (struct match_event){
                        .kind = MATCH_EVENT_CANCEL,
                        .cancel = {.reason = (uint8_t)reason},
                    });
}

/* --- Looks. --- */

struct match_round *current_round(struct game *game)
{
    assert_true(game->match.round >= 1);
    return &game->match.rounds[game->match.round - 1];
}

mono_time began_at(const struct game *game)
{
    assert_true(game->match.round >= 1);
    return match_began_at(&game->match, &game->match.rounds[game->match.round - 1]);
}

uint8_t right_choice(const struct game *game)
{
    return match_right_place(&game->match, game->match.round);
}

uint8_t wrong_choice(const struct game *game)
{
    return (uint8_t)((right_choice(game) + 1) % CHOICES);
}

const struct effect *effect_of(const struct game *game, enum effect_kind kind)
{
    for (uint32_t i = 0; i < game->effects.count; i++) {
        if (game->effects.items[i].kind == kind) return &game->effects.items[i];
    }
    fail_msg("no such effect: %d", (int)kind);
    return NULL;
}

static const char *const effect_names[] = {
    [EFFECT_ANNOUNCE] = "announce",
    [EFFECT_RECEIPT] = "receipt",
    [EFFECT_REFUSE] = "refuse",
    [EFFECT_LEFT] = "left",
    [EFFECT_OK] = "ok",
    [EFFECT_ANSWERED] = "answered",
    [EFFECT_EMOTE] = "emote",
    [EFFECT_SAVING] = "saving",
    [EFFECT_ARM_PHASE] = "arm_phase",
    [EFFECT_ARM_GRACE] = "arm_grace",
    [EFFECT_DISARM_GRACE] = "disarm_grace",
    [EFFECT_ARM_BOT] = "arm_bot",
    [EFFECT_PLAY_OVER] = "play_over",
    [EFFECT_SAVE] = "save",
    [EFFECT_ENDED] = "ended",
};

static const char *const log_names[] = {
    [MATCH_LOG_MATCH] = "match",   [MATCH_LOG_ROUND] = "round",   [MATCH_LOG_REVEAL] = "reveal",
    [MATCH_LOG_AWAY] = "away ADA", [MATCH_LOG_BACK] = "back ADA", [MATCH_LOG_GONE] = "gone ADA",
    [MATCH_LOG_END] = "end",
};
static const char *const log_names_of_ben[] = {
    [MATCH_LOG_AWAY] = "away BEN",
    [MATCH_LOG_BACK] = "back BEN",
    [MATCH_LOG_GONE] = "gone BEN",
};

static const char *announced_name(const struct game *game, const struct effect *effect)
{
    struct match_log_entry entry = match_log_at(&game->match, effect->seq);
    return entry.player == BEN ? log_names_of_ben[entry.kind] : log_names[entry.kind];
}

const char *effects_text(const struct game *game, char ret_text[EFFECTS_TEXT_BYTES])
{
    size_t length = 0;
    ret_text[0] = '\0';
    for (uint32_t i = 0; i < game->effects.count; i++) {
        const struct effect *effect = &game->effects.items[i];
        const char *name = effect_names[effect->kind];
        const char *detail = "";
        if (effect->kind == EFFECT_ANNOUNCE) name = announced_name(game, effect);
        if (effect->kind == EFFECT_REFUSE) detail = refusal_code((enum refusal)effect->refusal);
        if (effect->kind == EFFECT_RECEIPT && effect->is_dup) detail = "dup";
        int added = snprintf(ret_text + length, EFFECTS_TEXT_BYTES - length, "%s%s%s%s",
                             i > 0 ? ", " : "", name, *detail != '\0' ? " " : "", detail);
        length += (size_t)added;
        assert_true(length < EFFECTS_TEXT_BYTES);
    }
    return ret_text;
}

/* --- Expectations. --- */

void expect_effects(const struct game *game, const char *text)
{
    char caused[EFFECTS_TEXT_BYTES];
    assert_string_equal(effects_text(game, caused), text);
    assert_null(game->match.fault);
}

void expect_nothing(const struct game *game)
{
    expect_effects(game, "");
}

void expect_state(const struct game *game, enum match_state state)
{
    assert_string_equal(match_state_name((enum match_state)game->match.state),
                        match_state_name(state));
}

void expect_end(const struct game *game, enum match_end_reason reason, int winner)
{
    assert_string_equal(match_end_reason_name((enum match_end_reason)game->match.reason),
                        match_end_reason_name(reason));
    assert_int_equal(game->match.winner, winner);
}

void expect_fault(const struct game *game, const char *what)
{
    assert_non_null(game->match.fault);
    assert_string_equal(game->match.fault, what);
}

void expect_presence(const struct game *game, uint8_t player, enum match_presence presence)
{
    assert_int_equal(game->match.players[player].presence, presence);
}

void expect_refusal(const struct game *game, const struct game *before, enum refusal refusal)
{
    assert_int_equal(game->effects.count, 1);
    const struct effect *refuse = effect_of(game, EFFECT_REFUSE);
    assert_string_equal(refusal_code((enum refusal)refuse->refusal), refusal_code(refusal));
    assert_int_equal(refuse->request_id, game->request_id);
    assert_memory_equal(&game->match, &before->match, sizeof(game->match));
}
