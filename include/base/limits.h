/* Bounds that more than one module must agree on, each with its arithmetic.
 *
 * What is configurable has its bounds in the table of config keys (daemon/conf_keys.c); what is
 * here is fixed when the program is built, because a struct or a wire format depends on it.
 */
#pragma once

enum {
    /* protocol.md, Limits: 16 is the most the format provides for; this version's modes have two.
     */
    MATCH_PLAYERS_MAX = 2,
    MATCH_ROUNDS_MAX = 20,

    /* protocol.md, Limits. */
    NAME_CHARACTERS_MAX = 24,
    NAME_BYTES_MAX = 96,
    QUESTION_CHOICES_MIN = 2,
    QUESTION_CHOICES_MAX = 6,
    QUESTION_CHARACTERS_MAX = 300,
    CHOICE_CHARACTERS_MAX = 120,
    CATEGORIES_MAX = 32,
    CATEGORY_BYTES_MAX = 64,
    MESSAGE_BYTES_MAX = 4096,
    PING_AT_BYTES_MAX = 64,

    /* A question is remembered by 16 bits of its id; design of `hello`: the last 32 travel with a
       player. */
    RECENT_QUESTIONS_MAX = 32,

    /* protocol.md, Coming and going: one who was away this often is gone. */
    ABSENCES_MAX = 64,

    /* A player's client events queued in a match at one time, so that no one's flood makes
       another's answer busy. A bot's answers are among them: its timer for the next round is armed
       by a step that comes behind its answer in the ring, so it has one queued at most. */
    CLIENT_EVENTS_PER_PLAYER = 2,

    /* What of the server's own can be queued in a match's ring at one time:
     *   timers    one per player (grace) and one for the match (phase), twice: a stale one may
     * still be queued when the next expires, store     2: an answer and the answer to its
     * repetition, cancel    1, drain     1, presence  1 per player: a level, not events that pile
     * up. */
    MATCH_RESERVED_SLOTS = 2 * (MATCH_PLAYERS_MAX + 1) + 2 + 1 + 1 + MATCH_PLAYERS_MAX,
    MATCH_QUEUE_SLOTS_MIN = MATCH_RESERVED_SLOTS + CLIENT_EVENTS_PER_PLAYER * MATCH_PLAYERS_MAX,

    /* References to frames that one connection holds at most. */
    OUTBOX_SLOTS = 16,

    WORKERS_MAX = 64,
};

_Static_assert(MATCH_QUEUE_SLOTS_MIN == 16, "a duel's ring has 16 slots (docs/architecture.md)");
