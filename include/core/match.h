/* A match: the pure state machine that referees a quiz between two players.
 *
 * Seed, settings and the ordered list of events determine everything it ever does. It reads no clock, calls nobody,
 * allocates nothing: time is in the event, chance in the match's own generator, and what it wants done leaves through
 * `effects`. It knows no connections and no frames; what every player was told is in its log, from which each message
 * can be encoded again, byte for byte (match_log_at).
 *
 * One owner (a shard), one thread. match_bytes() is its whole memory; a step is O(players * rounds).
 *
 *                 phase timer            phase timer, or all answered
 *     STARTING ───────────────► ASKING ──────────────────────► REVEALING
 *        │                        │ ▲                           │ │
 *        │                        │ └───────── phase timer ─────┘ │
 *        │ leave, gone, cancel    │ gone, cancel                  │ gone, cancel, or that was the last round
 *        │                        ▼                               │
 *        └──────────────────► SETTLING ◄──────────────────────────┘
 *                                 │ saved (finished, forfeit), or at once (cancelled, shutdown)
 *                                 ▼
 *                               ENDED
 *
 * The last round's reveal passes through REVEALING within one step: nothing is asked any more, so there is nothing to
 * wait for but the store.
 *
 * Who is there: each player is HERE, AWAY (grace timer armed) or GONE. When one is gone the other wins by forfeit, at
 * once where it is HERE. Where it is AWAY the match goes on and waits: back, it wins; gone too, it is cancelled; the
 * last round over first, it is finished. A bot is always HERE.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/cancel.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/prng.h"
#include "base/time.h"
#include "core/player.h"
#include "core/question.h"
#include "core/rating.h"
#include "core/refusal.h"

enum match_state {
    MATCH_STARTING,
    MATCH_ASKING,
    MATCH_REVEALING,
    MATCH_SETTLING,
    MATCH_ENDED,
};
enum { MATCH_STATE_COUNT = MATCH_ENDED + 1 };

enum match_mode {
    MATCH_MODE_DUEL,
    MATCH_MODE_HOUSE, /* Against a bot. */
};
enum { MATCH_MODE_COUNT = MATCH_MODE_HOUSE + 1 };

enum match_presence { PRESENCE_HERE, PRESENCE_AWAY, PRESENCE_GONE };

enum match_end_reason {
    MATCH_END_NONE,
    MATCH_END_FINISHED,
    MATCH_END_FORFEIT,
    MATCH_END_CANCELLED,
    MATCH_END_SHUTDOWN,
};

/* What the log holds, an entry per seq. */
enum match_log_kind {
    MATCH_LOG_MATCH,
    MATCH_LOG_ROUND,
    MATCH_LOG_REVEAL,
    MATCH_LOG_AWAY,
    MATCH_LOG_BACK,
    MATCH_LOG_GONE,
    MATCH_LOG_END,
};

enum {
    MATCH_WINNER_NONE = -1,
    MATCH_CHOICE_NONE = -1,
    /* match, end, a round and a reveal per round, and per player away and back ABSENCES_MAX times, and gone. */
    MATCH_LOG_MAX = 2 + 2 * MATCH_ROUNDS_MAX + MATCH_PLAYERS_MAX * (2 * ABSENCES_MAX + 1),
    MATCH_LOG_BYTES = (MATCH_LOG_MAX + 1) / 2, /* Half a byte an entry, the lower half first. */
    /* A failed commit is tried again after this; `saving` is sent once when the first try takes as long. */
    MATCH_SAVE_RETRY_MS = 1000,
    /* So many rated matches of one pair within a day: the next one is unrated. */
    MATCH_RATED_PER_DAY = 2,
    /* So many crashes of the server one match survives: the next one cancels it. */
    MATCH_RECOVERIES_MAX = 4,
};

/* Fixed when the match is created. Durations in milliseconds. */
struct match_settings {
    uint8_t mode;   /* enum match_mode. */
    uint8_t rounds; /* 1 … MATCH_ROUNDS_MAX. The last one counts double. */
    uint32_t start_ms;
    uint32_t round_time_ms; /* >= ROUND_TIME_MIN_MS. */
    uint32_t reveal_time_ms;
    uint32_t grace_ms; /* 0: a player who is away is gone at once. */
    uint32_t
        close_slack_ms; /* A round closes this much (and the largest credit) after its deadline. */
    uint32_t tau_milli; /* Of the ratings: RATING_TAU_MIN_MILLI … RATING_TAU_MAX_MILLI. */
};

/* One player as the match is created. */
struct match_entrant {
    struct id player;
    struct player_record record;
    uint16_t credit_ms; /* The network delay granted to the connection now. */
    bool
        is_bot; /* Nobody is connected: the match draws its answers (EFFECT_ARM_BOT), and it is always HERE. */
};

struct match_answer {
    uint32_t raw_ms; /* Since the round began, with the credit: match_answer_time(). */
    uint16_t points;
    int8_t choice; /* The place, or MATCH_CHOICE_NONE. */
    bool is_right;
};

/* There are tens of thousands of them: moments are kept as the time since the match was created, in 32 bits, which is 49
 * days (match_began_at(), match_revealed_at()). */
struct match_round {
    uint32_t began_ms;
    uint32_t revealed_ms;
    uint16_t question;                    /* Index into the bank. */
    uint8_t places[QUESTION_CHOICES_MAX]; /* places[i]: the bank's choice shown at place i. */
    uint8_t choice_count;
    uint8_t weight;
    bool is_revealed;
    uint8_t streaks[MATCH_PLAYERS_MAX];     /* After this round's reveal, */
    uint16_t scores[MATCH_PLAYERS_MAX];     /* and so these. */
    uint16_t credits_ms[MATCH_PLAYERS_MAX]; /* Fixed at the round's start. */
    struct match_answer answers[MATCH_PLAYERS_MAX];
};

struct match_player {
    struct id player;
    char name[NAME_BYTES_MAX + 1];
    struct rating rating; /* Before the match; where that is rated, after the player's idle days. */
    struct rating rating_after; /* The same, until a rated match has a result. */
    uint16_t credit_ms;         /* The latest; a round fixes its own. */
    uint8_t presence;           /* enum match_presence. */
    uint8_t absences;
    bool is_bot;
    uint16_t score;
    uint8_t streak;
};

/* While the server was gone its monotonic clock, by which the match goes, stood still: the wall clock did not. */
struct match_recovery {
    mono_time at;
    int64_t wall_offset_ms; /* From `at` on. */
};

struct match {
    struct id id;
    const struct bank *bank; /* Borrows until the match is released. */
    struct match_settings settings;
    struct prng prng;
    mono_time created_at;
    int64_t wall_offset_ms; /* wall = mono + offset, fixed at creation: shown times never jump, */
    struct match_recovery recoveries[MATCH_RECOVERIES_MAX]; /* but where the server was gone. */
    struct match_player players[MATCH_PLAYERS_MAX];
    uint8_t player_count;
    bool is_rated;  /* Fixed at creation: a result changes the ratings. */
    uint8_t state;  /* enum match_state; match_move() is its only writer. */
    uint8_t round;  /* The current round, from 1; 0 before the first. */
    uint8_t reason; /* enum match_end_reason, once SETTLING. */
    int8_t winner;  /* Index or MATCH_WINNER_NONE. */
    bool is_saving; /* The store has the result and has not answered. */
    bool is_saved;
    bool has_told_saving;
    uint8_t recovery_count;
    uint16_t
        phase; /* Changes with every phase timer armed and every phase ended: an old one has another number. */
    mono_time phase_at; /* What the phase timer is armed for. */
    uint16_t seq;       /* Messages told so far. */
    uint16_t
        seq_kept; /* Those of the steps whose effects count: where a fault throws a step away, the rest go. */
    mono_time settled_at;
    const char *fault;            /* What was found broken, or NULL. Sticky. */
    uint8_t log[MATCH_LOG_BYTES]; /* What was told, by seq: match_log_at(). */
    /* settings.rounds of them are used, and those behind need not be there: match_bytes(). */
    struct match_round rounds[MATCH_ROUNDS_MAX];
};

/* The memory of a match of so many rounds, which is all that is ever touched: its owner may keep it in as little. A copy
 * is one of these bytes. */
static inline size_t match_bytes(unsigned rounds)
{
    return offsetof(struct match, rounds) + rounds * sizeof(struct match_round);
}

/* --- Events: everything that can happen to a match. --- */

enum match_event_kind {
    MATCH_EVENT_ANSWER, /* A client's. */
    MATCH_EVENT_EMOTE,  /* A client's, droppable. */
    MATCH_EVENT_PRESENCE, /* A level: where the player's connection stands, and whether it wants to leave. */
    MATCH_EVENT_PHASE_TIMER, /* tag: the phase it was armed for. */
    MATCH_EVENT_GRACE_TIMER, /* tag: the absence it was armed for. */
    MATCH_EVENT_SAVED,
    MATCH_EVENT_SAVE_FAILED,
    MATCH_EVENT_CANCEL,    /* End it without a result: `reason` is CANCELLED or SHUTDOWN. */
    MATCH_EVENT_RECOVERED, /* The server was gone, and with it all connections. */
};
enum { MATCH_EVENT_COUNT = MATCH_EVENT_RECOVERED + 1 };

struct match_event {
    uint8_t kind;        /* enum match_event_kind. */
    uint8_t player;      /* Index, where a player is meant. */
    mono_time at;        /* When it is applied; never goes back within a match. */
    uint32_t request_id; /* ANSWER (0: a bot's), EMOTE (0: none), PRESENCE with leave. */
    union {
        struct {
            mono_time stamp; /* Arrival at the server's socket; not in order. */
            uint8_t round;
            uint8_t choice;
        } answer;
        struct {
            uint8_t code;
        } emote;
        struct {
            bool is_here;
            bool is_leaving;
            bool names_match; /* The leave named this match: it forfeits even before round 1. */
            uint16_t credit_ms;
        } presence;
        struct {
            uint16_t tag;
        } timer;
        struct {
            uint8_t reason; /* enum match_end_reason. */
        } cancel;
        struct {
            int64_t wall_offset_ms; /* From now on. */
        } recovered;
    };
};

/* --- Effects: what a step wants done, in this order. --- */

enum effect_kind {
    EFFECT_ANNOUNCE,     /* seq: the message of that log entry, to all players. Critical. */
    EFFECT_RECEIPT,      /* receipt: `accepted`, to player. Critical. */
    EFFECT_REFUSE,       /* request_id, refusal: `error`, to player. Critical. */
    EFFECT_LEFT,         /* request_id: `left`, to player. Critical. */
    EFFECT_OK,           /* request_id: `ok`, to player. Critical. */
    EFFECT_ANSWERED,     /* round, player: to all. Droppable. */
    EFFECT_EMOTE,        /* code, player: to all. Droppable. */
    EFFECT_SAVING,       /* To all. Droppable. */
    EFFECT_ARM_PHASE,    /* at, tag. Belongs to the play until PLAY_OVER, then to the match. */
    EFFECT_ARM_GRACE,    /* player, at, tag. Belongs to the play. */
    EFFECT_DISARM_GRACE, /* player. */
    EFFECT_ARM_BOT, /* player, at, tag: then the owner pushes match_bot_answer(). Belongs to the play. */
    EFFECT_PLAY_OVER, /* code: enum cancel_reason. Fire the play token: its timers end with it. */
    EFFECT_SAVE,      /* Hand the result to the store; answers with SAVED or SAVE_FAILED. */
    EFFECT_ENDED,     /* `end` was announced: fire the match's own token and release it. */
};

struct effect {
    uint8_t kind;   /* enum effect_kind. */
    uint8_t player; /* Index, where a player is meant. */
    uint8_t round;
    uint8_t code;
    uint8_t refusal; /* enum refusal. */
    bool is_dup;
    int8_t choice;
    uint16_t seq;
    uint16_t tag;
    uint16_t credit_ms;
    uint32_t at_ms;
    uint32_t request_id;
    mono_time at;
};

/* The most one step causes is nine: where the server was gone and there is no grace, away, away, gone, reveal, arm,
 * gone, play over, end, ended. Who comes back and leaves at once, while the other is away and alone has answered the
 * last round, is disarm, back, left, gone, reveal, play over, save, arm. An answer that ends the last round is receipt,
 * answered, reveal, play over, save, arm; a leave that cancels is left, gone, play over, end, ended; a round that begins
 * is round, arm, and a bot's arm per player. */
enum { EFFECTS_MAX = 12 };

struct effects {
    uint32_t count;
    struct effect items[EFFECTS_MAX];
};

/* --- Life. --- */

struct match_setup {
    struct id id;
    struct siphash_key seed; /* 128 bits of the kernel's randomness, for this match alone. */
    const struct bank *bank;
    uint8_t category; /* Or QUESTION_CATEGORY_ANY. */
    struct match_settings settings;
    unsigned player_count;
    const struct match_entrant *entrants[MATCH_PLAYERS_MAX];
    mono_time now;
    wall_time wall_now;
};

/* Draws the questions, decides whether the match is rated (a duel of two players who are no bots and have had fewer than
 * MATCH_RATED_PER_DAY rated matches with each other within the last day), and announces it. Everybody is HERE.
 * Requires: the category has at least `rounds` questions; settings within their bounds; two players; `match` has
 * match_bytes(); effects->count == 0. */
void match_init(struct match *match, const struct match_setup *setup, struct effects *effects);

/* Applies one event. Every request in it (an answer or an emote with an id, a leave) causes exactly one of RECEIPT,
 * REFUSE, LEFT, OK. A refusal changes nothing. A match that has ENDED refuses answers and emotes with BAD_STATE,
 * confirms a leave, and ignores all else: what comes then was queued before.
 * Requires: effects->count == 0; event->player is a player's index (0 where none is meant); an emote's code is below
 * EMOTE_COUNT. */
void match_step(struct match *match, const struct match_event *event, struct effects *effects);

/* A broken invariant: keeps the first `what` and moves nothing. The owner looks after every step. */
void match_fault(struct match *match, const char *what);

/* The path of a faulted match, which trusts nothing but ids and seq: throws away what is in `effects` (and what the
 * faulted step logged, so that seq has no gap), ends the match CANCELLED without a winner, announces `end`. The fault
 * stays set. Where `end` was told before, nothing is left to do. Requires: a fault. */
void match_abort(struct match *match, struct effects *effects);

/* The answer that a bot's timer stands for when it expires: an ordinary one, without an id. `at` is what the timer was
 * armed for. Late, or of a round that is over, it changes nothing, as anybody's. */
struct match_event match_bot_answer(uint8_t player, uint16_t tag, mono_time at);

/* --- Questions. --- */

struct match_log_entry {
    enum match_log_kind kind;
    uint8_t player; /* AWAY, BACK, GONE. */
    uint8_t round;  /* ROUND and REVEAL: which, from 1. */
};

/* What was told with `seq`. Requires: 1 <= seq <= match->seq. */
struct match_log_entry match_log_at(const struct match *match, uint16_t seq);

/* How many rounds were revealed by then; never more than there are, whatever a faulted match's log says. */
unsigned match_revealed_rounds(const struct match *match, uint16_t seq);

mono_time match_began_at(const struct match *match, const struct match_round *round);
/* Requires: it is revealed. */
mono_time match_revealed_at(const struct match *match, const struct match_round *round);
/* When the player's answer arrived. Requires: there is one; and likewise for the next. */
mono_time match_answered_at(const struct match *match, const struct match_round *round,
                            unsigned player);
/* docs/protocol.md, Answer time. */
uint32_t match_answer_time(const struct match_round *round, unsigned player);

/* Where the right choice of a round is shown. Of a round that is not yet revealed this is the secret. */
uint8_t match_right_place(const struct match *match, uint8_t round);

/* Of a moment that has been. What lies ahead is shown as a distance from one: after a recovery it would have another
 * wall time, and what was told is told again in the same bytes. */
wall_time match_wall(const struct match *match, mono_time at);

/* What is left of the current phase at `now`, for `clock`; 0 once the last round is over. */
uint32_t match_left_ms(const struct match *match, mono_time now);

/* Whether `end` shows what became of the ratings: the match was rated and has a result. */
bool match_shows_ratings(const struct match *match);

/* From the last reveal (or a forfeit) on nothing changes the outcome. */
static inline bool match_is_settling(const struct match *match)
{
    return match->state >= MATCH_SETTLING;
}

const char *match_mode_name(enum match_mode mode);
const char *match_state_name(enum match_state state);
const char *match_event_name(enum match_event_kind kind);
const char *match_end_reason_name(enum match_end_reason reason);
bool match_may_move(enum match_state from, enum match_state to);
