/* A shard: one core's world. Sessions, matches, outboxes, timers and tokens of one thread, and, on shard 0, the lobby
 * where all shards' players are paired.
 *
 * The edge reports what happened (shard_on_…), then calls shard_run once an iteration; the shard acts there, through
 * shard_io, in a fixed order: mailboxes, timers, match rings, what could not be delivered before, flush, release.
 * shard_on_… calls queue and answer, they never end anything. Nothing is shared with other shards but mailboxes and
 * read-only data.
 *
 * One thread. All memory is the caller's, computed from the settings (shard_bytes) and mapped at start; nothing is
 * allocated later. An iteration does a bounded share of what is due (shard_state_priv.h), and shard_next_due says that
 * there is more.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mailbox.h"
#include "base/siphash.h"
#include "base/time.h"
#include "core/match.h"
#include "core/player.h"
#include "core/question.h"
#include "proto/journal.h"
#include "shard/shard_io.h"

struct shard;

struct shard_settings {
    unsigned index;
    unsigned count;             /* Shards in the process. */
    uint32_t sessions_max;      /* On this shard: see shard_share(). */
    uint32_t matches_max;       /* On this shard. */
    uint32_t match_queue_slots; /* >= MATCH_QUEUE_SLOTS_MIN. */
    uint8_t
        restored_rounds_max; /* Of matches that may come back from a journal; 0: no more than others. */
    struct match_settings match;
    const struct bank *bank; /* Outlives the shard. */
    struct mailbox
        *to[WORKERS_MAX]; /* to[i]: this shard's records for shard i (itself included). */
    struct mailbox *from[WORKERS_MAX]; /* from[i]: what shard i has for this one. */
    struct siphash_key key;            /* Keys the hash maps: random. */
    uint32_t hello_timeout_ms;
    uint32_t send_timeout_ms;
    uint32_t ping_ms;
    uint32_t match_ping_ms; /* The same for a connection whose player is in a match. */
    uint32_t rtt_credit_max_ms;
    uint32_t
        ended_keep_ms;     /* > 0: how long a match that has ended waits for who has not seen it. */
    uint32_t rematch_ms;   /* How long who asks for a rematch waits for the other. */
    uint32_t message_rate; /* A second, per connection. */
    uint32_t message_burst;
};

/* How many of `total` one of `count` shards must have room for: the kernel spreads connections by hash, unevenly. */
uint32_t shard_share(uint32_t total, unsigned count);

/* The memory a shard needs. */
size_t shard_bytes(const struct shard_settings *settings);

/* Builds the shard in `memory`: shard_bytes() zero bytes, aligned to 64, mapped but not touched until needed. */
struct shard *shard_create(void *memory, const struct shard_settings *settings,
                           const struct shard_io *io, mono_time now, wall_time wall_now);

/* Ends what shutdown has left nothing of. Requires: shard_is_empty(). */
void shard_destroy(struct shard *shard);

/* --- After a crash: what the journal says, before the first shard_run and before anybody is connected. One thread for
 * all shards; `now` of shard_create is later than anything the journal holds. --- */

enum restored {
    RESTORED_LIVE,
    RESTORED_ENDED,     /* The match is released, and its handle with it. */
    RESTORED_OTHERWISE, /* It did not come about as it was: to be cancelled, and told nothing more. */
};

/* A match that began here. HANDLE_NONE: there is no room, or it has more than restored_rounds_max. `begin` must live as long as the shard, and so must what it
 * borrows. */
struct handle shard_restore_begin(struct shard *shard, const struct journal_begin *begin);
void shard_restore_seat(struct shard *shard, struct handle match, const struct journal_seat *seat);
enum restored shard_restore_event(struct shard *shard, struct handle match,
                                  const struct journal_event *event);
/* Its result was fixed, and counts whatever comes. ENDED: what is known of the match does not lead there, and it is
 * over. */
enum restored shard_restore_result(struct shard *shard, struct handle match);
/* It will end `cancelled`. Nothing more is told it. */
void shard_restore_cancel(struct shard *shard, struct handle match);
/* It is over, or lost: nobody hears of it any more. */
void shard_restore_forget(struct shard *shard, struct handle match);
/* All has been read: those which are left go on, each player with the grace to come back. */
void shard_restored(struct shard *const shards[], unsigned count);

/* --- What the edge reports. --- */

/* A WebSocket connection was opened. HANDLE_NONE where the shard is full: the edge closes it with CLOSE_FULL. */
struct handle shard_on_connect(struct shard *shard, shard_conn conn, mono_time now);

/* There is no room for new players: that connection may say `hello` only for who comes back to a match, and soon. Any
 * other is answered `unavailable` and closed with CLOSE_FULL. */
void shard_only_for_return(struct shard *shard, struct handle session);

/* Those of them who have not come back to a match yet. */
uint32_t shard_returning(const struct shard *shard);

/* One whole text message, valid UTF-8, at most MESSAGE_BYTES_MAX, stamped with its arrival. */
void shard_on_message(struct shard *shard, struct handle session, const char *text, size_t bytes,
                      mono_time stamp);

/* The connection takes bytes again. */
void shard_on_writable(struct shard *shard, struct handle session);

/* The connection is gone; its shard_conn is not used again. */
void shard_on_disconnect(struct shard *shard, struct handle session);

/* The store's answer. */
void shard_on_saved(struct shard *shard, struct handle match, bool is_saved);

/* Whether the journal has room for another match: without it `join` is unavailable. At first it has. */
void shard_set_journal_room(struct shard *shard, bool has_room);

/* Bytes came in on the connection (part of a message, or some pong), or the pong to our last ping. */
void shard_on_heard(struct shard *shard, struct handle session, bool is_pong, mono_time stamp);

/* The store's answer to shard_io.load. */
enum load_outcome { LOAD_FOUND, LOAD_UNKNOWN, LOAD_FAILED };
void shard_on_loaded(struct shard *shard, struct handle session, enum load_outcome outcome,
                     const struct player_record *record);

/* False: what was read before is not worked off yet, so that more would be refused: to be asked before reading. */
bool shard_takes_input(const struct shard *shard);

/* One iteration. `now` never goes back. */
void shard_run(struct shard *shard, mono_time now, wall_time wall_now);

/* False: nothing will be due by itself. Otherwise when shard_run is next needed; may be in the past. */
bool shard_next_due(const struct shard *shard, mono_time *ret_at);

/* --- The end. --- */

/* No new matches: who waits or idles is sent away, running matches finish. Carried out in slices by shard_run. */
void shard_drain(struct shard *shard);

/* Ends running matches with reason `shutdown` as well. */
void shard_shutdown(struct shard *shard);

/* Whether a match runs, or its result is on its way. */
bool shard_has_matches(const struct shard *shard);

/* No session, no match, nothing on its way. */
bool shard_is_empty(const struct shard *shard);

/* When the last match that runs now ends at the latest, were the store to answer at once; for drain's log line. */
uint32_t shard_longest_match_ms(const struct shard_settings *settings);

/* --- Figures. --- */

enum session_state {
    SESSION_NEW,      /* Connected; hello is due. */
    SESSION_GREETING, /* hello said; the home shard's answer is due, then the store's or the match's. */
    SESSION_IDLE,     /* Welcomed. */
    SESSION_JOINING, /* join said, or back to a ticket: the lobby's answer is due. */
    SESSION_QUEUED,  /* Has a ticket. */
    SESSION_ATTACHED, /* An offer was accepted; the match's first message, or the queue again, is due. */
    SESSION_PLAYING, /* Has a seat. */
};
enum { SESSION_STATE_COUNT = SESSION_PLAYING + 1 };

const char *session_state_name(enum session_state state);

/* A depth with its bound and its highest value. */
struct shard_depth {
    uint32_t now, max, bound;
};

struct shard_stats {
    uint32_t sessions[SESSION_STATE_COUNT];
    uint32_t matches[MATCH_STATE_COUNT];
    struct shard_depth session_slots, match_slots, ended_slots, ticket_slots, offer_slots;
    struct shard_depth presence_slots, standing_slots;
    struct shard_depth away_tickets; /* Without a maximum. */
    struct shard_depth frames[FRAME_CLASSES];
    struct shard_depth outbox; /* The fullest ever; `now` is 0. */
    struct shard_depth ring;   /* The same of matches. */
    uint32_t timers_live, timers_max;
    uint32_t tokens_live, tokens_max;
    uint32_t
        lingering; /* Sessions whose connection is gone: the player may come back, or a record is owed. */
    struct shard_depth returning; /* Without a bound: it is the edge's. */
    uint64_t turned_away; /* New players that came when there was no room, and said hello. */
    uint64_t messages_in, frames_out;
    uint64_t refusals[REFUSAL_COUNT];
    uint64_t matches_started;
    uint64_t matches_ended[MATCH_END_SHUTDOWN + 1];
    uint64_t match_faults;
    uint64_t answers;
    uint64_t droppable_dropped;  /* Emotes, answered, ticket, saving that found no room. */
    uint64_t slow_readers;       /* Closed with CLOSE_SLOW. */
    uint64_t timers_late_ms_max; /* Since the last snapshot. */
    uint64_t mailbox_refused[WORKERS_MAX];
    uint32_t mailbox_used[WORKERS_MAX]; /* Towards each shard, bytes. */
    uint32_t mailbox_used_max[WORKERS_MAX];
    uint32_t mailbox_bound; /* Of each. */
};

/* A snapshot. The maxima stay; timers_late_ms_max starts anew. */
void shard_stats(struct shard *shard, struct shard_stats *ret_stats);
