/* What a run has met, over all of its worlds: how often each thing happened that must happen sometimes. Where one of them
 * stays below TALLY_LEAST in the standard run, the worlds are not what they should be, and a rule that holds in all of
 * them says less than it seems to.
 */
#pragma once

#include <stdint.h>

#include "core/match.h"

enum { TALLY_LEAST = 100 };

/* X(C name, its name in the report): docs/simulator.md says when each one counts. */
#define SIM_COUNTERS(X)                                                                            \
    X(BUSY_BOUND, "busy_bound")                                                                    \
    X(BUSY_MAILBOX, "busy_mailbox")                                                                \
    X(LATE_ANSWER, "late_answer")                                                                  \
    X(WRONG_ROUND, "wrong_round")                                                                  \
    X(BAD_CHOICE, "bad_choice")                                                                    \
    X(OTHER_MATCH, "other_match")                                                                  \
    X(DUP_RECEIPT, "dup_receipt")                                                                  \
    X(AT_DEADLINE, "at_deadline")                                                                  \
    X(CREDIT_USED, "credit_used")                                                                  \
    X(RATE_LIMITED, "rate_limited")                                                                \
    X(UNREADABLE, "unreadable")                                                                    \
    X(RESUME_QUEUED, "resume_queued")                                                              \
    X(RESUME_STARTING, "resume_starting")                                                          \
    X(RESUME_ASKING, "resume_asking")                                                              \
    X(RESUME_REVEALING, "resume_revealing")                                                        \
    X(RESUME_SETTLING, "resume_settling")                                                          \
    X(RESUME_ENDED, "resume_ended")                                                                \
    X(SEQ_NONE, "seq_none")                                                                        \
    X(SEQ_OLD, "seq_old")                                                                          \
    X(SEQ_LAST, "seq_last")                                                                        \
    X(SEQ_AHEAD, "seq_ahead")                                                                      \
    X(RESUME_BEFORE, "resume_before")                                                              \
    X(RESUME_TOKEN, "resume_token")                                                                \
    X(FOREIGN, "foreign_session")                                                                  \
    X(RESUME_EXPIRED, "resume_expired")                                                            \
    X(TAKEN_OVER, "taken_over")                                                                    \
    X(TAKEN_ACROSS, "taken_across")                                                                \
    X(FINISHED, "finished")                                                                        \
    X(FORFEIT, "forfeit")                                                                          \
    X(CANCELLED, "cancelled")                                                                      \
    X(SHUTDOWN, "shutdown")                                                                        \
    X(RATED, "rated_finished")                                                                     \
    X(UNRATED, "unrated_finished")                                                                 \
    X(HOUSE, "house_finished")                                                                     \
    X(BOTH_AWAY_FORFEIT, "both_away_forfeit")                                                      \
    X(BOTH_AWAY_CANCELLED, "both_away_cancelled")                                                  \
    X(BOTH_AWAY_FINISHED, "both_away_finished")                                                    \
    X(AWAY_64, "away_64")                                                                          \
    X(REMATCH, "rematch_agreed")                                                                   \
    X(REMATCH_TIMEOUT, "rematch_timeout")                                                          \
    X(REMATCH_LEFT, "rematch_left")                                                                \
    X(REQUEUED, "requeued")                                                                        \
    X(DODGE_PENALTY, "dodge_penalty")                                                              \
    X(SAVE_FAILED, "save_failed")                                                                  \
    X(SAVE_REFUSED, "save_refused")                                                                \
    X(SAVE_LOST, "save_lost")                                                                      \
    X(SAVING, "saving")                                                                            \
    X(LOAD_FAILED, "load_failed")                                                                  \
    X(LOAD_REFUSED, "load_refused")                                                                \
    X(LATE_TIMER, "late_timer")                                                                    \
    X(LATE_MAILBOX, "late_mailbox")                                                                \
    X(MAILBOX_FULL, "mailbox_full")                                                                \
    X(GAP, "gap")                                                                                  \
    X(SLOW_READER, "slow_reader")                                                                  \
    X(FLOOD_CLOSED, "flood_closed")                                                                \
    X(LITTER_CLOSED, "litter_closed")                                                              \
    X(NO_HELLO, "no_hello")                                                                        \
    X(SESSIONS_FULL, "sessions_full")                                                              \
    X(MATCHES_FULL, "matches_full")                                                                \
    X(DRAINED_LIVE, "drained_live")                                                                \
    X(SHUTDOWN_LIVE, "shutdown_live")                                                              \
    X(WALL_JUMP, "wall_jump")                                                                      \
    X(CRASH, "crash")                                                                              \
    X(CRASH_LIVE, "crash_live")                                                                    \
    X(CRASH_AGAIN, "crash_again")                                                                  \
    X(CRASH_DRAINING, "crash_draining")                                                            \
    X(REPLAY_KILLED, "replay_killed")                                                              \
    X(OTHER_SHARDS, "other_shards")                                                                \
    X(POWER_CUT, "power_cut")                                                                      \
    X(REWOUND, "rewound")                                                                          \
    X(NOT_RESTORED, "not_restored")                                                                \
    X(RESTORED_FINISHED, "restored_finished")                                                      \
    X(RESTORED_CANCELLED, "restored_cancelled")                                                    \
    X(FIFTH_CRASH, "fifth_crash")                                                                  \
    X(RESUME_RESTORED, "resume_restored")                                                          \
    X(RESULT_RESTORED, "result_restored")                                                          \
    X(UNJOURNALED, "unjournaled")

#define SIM_COUNTER(name, text) COUNTER_##name,
enum sim_counter { SIM_COUNTERS(SIM_COUNTER) COUNTER_COUNT };
#undef SIM_COUNTER

struct sim_tally {
    uint64_t worlds;
    uint64_t steps;
    uint64_t matches; /* Ended. */
    uint64_t counters[COUNTER_COUNT];
};

const char *tally_name(enum sim_counter counter);
