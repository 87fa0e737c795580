/* Everything a shard asks of the outside, as one struct of functions.
 *
 * The daemon gives it the real edge, the simulator a fake one. Each function is called on the shard's own thread, from
 * within a shard_… call, and never calls back into the shard from inside.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "base/pool.h"
#include "core/match_result.h"
#include "proto/frame.h"

/* A connection, as the edge knows it: opaque here, valid from shard_on_connect until shard_on_disconnect. */
typedef void *shard_conn;

/* docs/protocol.md, Close codes. */
enum close_code {
    CLOSE_NORMAL = 1000,
    CLOSE_RESTART = 1012,
    CLOSE_FULL = 1013,
    CLOSE_SLOW = 4003,
    CLOSE_ABUSE = 4008,
    CLOSE_NO_HELLO = 4009,
    CLOSE_AUTH = 4500,
    CLOSE_TAKEN_OVER = 4509,
    CLOSE_LOST = 1006, /* Never on the wire: the connection is dropped without a close frame. */
};

/* What a shard reports for the log: a decision, at the point where it was taken. */
enum shard_note_kind {
    NOTE_MATCH_STARTED,
    NOTE_MATCH_ENDED, /* text: the reason. number: milliseconds it took. */
    NOTE_MATCH_FAULT, /* text: what was found broken. */
    NOTE_SAVE_FAILED, /* The commit will be tried again. */
    NOTE_UNJOURNALED, /* The journal has no room: a crash now would lose the match. */
    NOTE_CLOSING,     /* text: why. number: the close code. */
};

struct shard_note {
    uint8_t kind; /* enum shard_note_kind. */
    struct id match;
    struct id player;
    const char *text;
    uint64_t number;
};

struct shard_io {
    void *context;

    /* Sends frames in order; returns how many were taken, in full: the rest is offered again after
     * shard_on_writable. The frames are borrowed for the length of the call. With a ping, and only where all frames
     * were taken, a WebSocket ping goes behind them; its pong is reported by shard_on_heard. */
    unsigned (*send)(void *context, shard_conn conn, struct frame *const frames[], unsigned count,
                     bool with_ping);

    /* Paused: no shard_on_message for this connection until it is resumed; what arrives waits, nothing is lost. */
    void (*pause)(void *context, shard_conn conn, bool is_paused);

    /* Closes, later: shard_on_disconnect follows exactly once, not from inside. */
    void (*close)(void *context, shard_conn conn, enum close_code code, const char *reason);

    /* The kernel's randomness: ids, seeds, sessions. Cannot fail. */
    void (*random)(void *context, void *ret_bytes, size_t size);

    /* Writes a record of proto/journal.h to the journal: true, and a crash of the process takes it back no more; false
     * where there is no room. What is said after this call may be seen by players. NULL: nothing is kept. */
    bool (*journal)(void *context, const uint8_t *record, size_t bytes);

    /* Hands a result to the store: 0, and shard_on_saved follows exactly once; or -EAGAIN, and nothing follows. */
    int (*save)(void *context, struct handle match, const struct match_result *result);

    /* Reads a player from the store: 0, and shard_on_loaded follows exactly once; or -EAGAIN, and nothing follows. */
    int (*load)(void *context, struct handle session, const struct id *player);

    /* Nobody waits for the session's look-up any more: shard_on_loaded comes sooner, with LOAD_FAILED. */
    void (*cancel_load)(void *context, struct handle session);

    /* A guest's token: writes one of less than `size` bytes and a NUL; or checks one and tells whom it names (false:
     * it is not ours). */
    void (*token_write)(void *context, const struct id *player, const char *name, char *ret_token,
                        size_t size);
    bool (*token_read)(void *context, const char *token, struct id *ret_player,
                       char ret_name[NAME_BYTES_MAX + 1]);

    /* SHA-256: sessions are kept as digests of their secrets. */
    void (*digest)(void *context, const void *bytes, size_t size, uint8_t ret_digest[32]);

    /* The kernel's smallest round-trip time of the connection, in microseconds; 0 where no delay is credited (behind
     * a proxy), or where it does not know. */
    uint32_t (*rtt_us)(void *context, shard_conn conn);

    /* Something was posted to this shard's mailbox: once per batch. */
    void (*wake)(void *context, unsigned shard);

    void (*log)(void *context, const struct shard_note *note);
};
