/* A game for the tests of the match: a match, the time, and what the last event caused.
 *
 * Two players, ADA and BEN, on a bank of its own. Builders bring a game into a state by playing it;
 * verbs apply one event each and leave its effects in the game; expectations read them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/match.h"

enum { ADA = 0, BEN = 1 };

enum {
    ROUNDS = 3,
    START_MS = 3000,
    ROUND_TIME_MS = 10000,
    REVEAL_TIME_MS = 4000,
    GRACE_MS = 60000, /* Longer than a game: nobody is gone unless a test wants it. */
    CLOSE_SLACK_MS = 20,
    TAU_MILLI = 500,
    ADA_CREDIT_MS = 40,
    BEN_CREDIT_MS = 100,
    CHOICES = 4,
    CREATED_AT_MS = 5000000,
};

static const int64_t WALL_AT_CREATION_MS = 1790000000000;

struct game {
    struct match match;
    struct effects effects; /* Of the last event. */
    mono_time now;
    uint32_t request_id; /* Of the last request. */
};

/* --- Builders. --- */

struct match_settings game_settings(void);
struct match_setup game_setup(void);
struct match_setup house_setup(void); /* ADA against the house's bot, in BEN's place. */

struct game game_set_up(const struct match_setup *setup);
struct game game_of(struct match_settings settings);
struct game game_starting(void);
struct game game_asking(uint8_t round);
struct game game_revealing(uint8_t round);
struct game game_settling(void); /* Finished: ADA was right in every round, BEN wrong. */
struct game game_ended(void);
struct game game_waiting_for_ada(void); /* In round 1: ADA is away, BEN is gone. */
struct game game_in(enum match_state state);

/* --- Verbs: one event each. --- */

void game_step(struct game *game, struct match_event event);

/* An answer that arrives, and is applied, so long after the start of the current round. */
void answer_at(struct game *game, uint8_t player, uint8_t choice, uint32_t raw_ms);
/* One that arrived at `stamp` and is applied now. */
void answer_stamped(struct game *game, uint8_t player, uint8_t round, uint8_t choice,
                    mono_time stamp);
/* One that arrives now. */
void answer(struct game *game, uint8_t player, uint8_t round, uint8_t choice);
void both_answer(struct game *game); /* ADA right, BEN wrong. */

void emote(struct game *game, uint8_t player);
void emote_without_id(struct game *game, uint8_t player);
void is_lost(struct game *game, uint8_t player);
void is_back(struct game *game, uint8_t player);
void is_back_with_credit(struct game *game, uint8_t player, uint16_t credit_ms);
void leaves(struct game *game, uint8_t player);            /* Without naming the match. */
void leaves_this_match(struct game *game, uint8_t player); /* Naming it. */
void leaves_and_is_lost(struct game *game, uint8_t player);
void phase_timer(struct game *game); /* The one armed last, at its time. */
void phase_timer_tagged(struct game *game, uint16_t tag);
void grace_timer(struct game *game, uint8_t player); /* That of the player's last absence. */
void grace_timer_tagged(struct game *game, uint8_t player, uint16_t tag);
void is_saved(struct game *game);
void save_failed(struct game *game);
void is_cancelled(struct game *game, enum match_end_reason reason);
/* The server is back after `gone_ms` of the wall clock. */
void server_is_back(struct game *game, uint32_t gone_ms);

/* --- Looks. --- */

uint8_t right_choice(const struct game *game);
uint8_t wrong_choice(const struct game *game);
struct match_round *current_round(struct game *game);
mono_time began_at(const struct game *game); /* The same. */

/* The first effect of a kind; fails where there is none. */
const struct effect *effect_of(const struct game *game, enum effect_kind kind);

/* The effects as words, in order: "receipt, answered, reveal, arm_phase". An announcement is the
 * name of what it announces, with the player where there is one: "away ADA". A refusal is "refuse
 * late_answer". */
enum { EFFECTS_TEXT_BYTES = 400 };
const char *effects_text(const struct game *game, char ret_text[EFFECTS_TEXT_BYTES]);

/* --- Expectations. --- */

void expect_effects(const struct game *game, const char *text);
void expect_nothing(const struct game *game);
void expect_state(const struct game *game, enum match_state state);
void expect_end(const struct game *game, enum match_end_reason reason, int winner);
void expect_fault(const struct game *game, const char *what);
void expect_presence(const struct game *game, uint8_t player, enum match_presence presence);

/* The last event was refused so, and has changed nothing since `before`. */
void expect_refusal(const struct game *game, const struct game *before, enum refusal refusal);
