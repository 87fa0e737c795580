/* A shard that sends every message back: include/shard/shard.h without the game. What the edge sees of it is as in the
 * game: messages are answered in order, at the end of the turn, and a connection that has 8 yet to take is not read. */

#include <string.h>

#include "shard/shard.h"

enum {
    ECHOES_MAX = 8, /* docs/protocol.md, "What is read while a client is behind". */
    ECHO_BYTES = sizeof(struct frame) + MESSAGE_BYTES_MAX + 8 - sizeof(struct frame) % 8,
};

_Static_assert(ECHO_BYTES % 8 == 0, "frames lie aligned, one behind the other");

struct echo_session {
    shard_conn conn;
    uint8_t *frames; /* ECHOES_MAX of ECHO_BYTES, a ring. */
    uint8_t first;
    uint8_t count;
    bool is_paused;
    bool is_choked; /* Until shard_on_writable. */
};

struct shard {
    struct shard_io io;
    struct pool sessions;
    uint8_t *frames;
    uint64_t messages_in, frames_out;
};

const char *session_state_name(enum session_state state)
{
    return state == SESSION_IDLE ? "echoing" : "unused";
}

/* --- Life. --- */

static size_t aligned(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

size_t shard_bytes(const struct shard_settings *settings)
{
    size_t count = settings->sessions_max;
    return aligned(sizeof(struct shard)) + aligned(count * sizeof(struct echo_session)) +
           aligned(count * sizeof(struct pool_slot)) + count * ECHOES_MAX * ECHO_BYTES;
}

struct shard *shard_create(void *memory, const struct shard_settings *settings,
                           const struct shard_io *io, mono_time now, wall_time wall_now)
{
    (void)now; /* Nothing here is due at a time. */
    (void)wall_now;
    size_t count = settings->sessions_max;
    uint8_t *at = memory;
    struct shard *shard = memory;
    at += aligned(sizeof(struct shard));
    void *sessions = at;
    at += aligned(count * sizeof(struct echo_session));
    void *slots = at;
    at += aligned(count * sizeof(struct pool_slot));
    *shard = (struct shard){.io = *io, .frames = at};
    pool_init(&shard->sessions, sessions, slots, sizeof(struct echo_session),
              settings->sessions_max);
    return shard;
}

bool shard_has_matches(const struct shard *shard)
{
    (void)shard;
    return false;
}

bool shard_is_empty(const struct shard *shard)
{
    return shard->sessions.used == 0;
}

void shard_destroy(struct shard *shard)
{
    QR_ASSERT(shard_is_empty(shard));
}

/* --- Connections. --- */

struct handle shard_on_connect(struct shard *shard, shard_conn conn, mono_time now)
{
    (void)now;
    struct handle handle = HANDLE_NONE;
    struct echo_session *session = pool_acquire(&shard->sessions, &handle);
    if (session == NULL) return HANDLE_NONE;
    session->conn = conn;
    session->frames = shard->frames + (size_t)handle.slot * ECHOES_MAX * ECHO_BYTES;
    return handle;
}

void shard_only_for_return(struct shard *shard, struct handle session)
{
    (void)shard; /* There is nothing to come back to. */
    (void)session;
}

uint32_t shard_returning(const struct shard *shard)
{
    (void)shard;
    return 0;
}

void shard_on_disconnect(struct shard *shard, struct handle session)
{
    pool_release(&shard->sessions, session);
}

static struct echo_session *get(struct shard *shard, struct handle handle)
{
    struct echo_session *session = pool_resolve(&shard->sessions, handle);
    QR_ASSERT(session != NULL); /* It lives until shard_on_disconnect. */
    return session;
}

static struct frame *frame_at(const struct echo_session *session, unsigned index)
{
    size_t at = (size_t)((session->first + index) % ECHOES_MAX) * ECHO_BYTES;
    return (struct frame *)(void *)(session->frames + at);
}

static void update_pause(struct shard *shard, struct echo_session *session)
{
    bool is_paused = session->count == ECHOES_MAX;
    if (is_paused == session->is_paused) return;
    session->is_paused = is_paused;
    shard->io.pause(shard->io.context, session->conn, is_paused);
}

void shard_on_message(struct shard *shard, struct handle handle, const char *text, size_t bytes,
                      mono_time stamp)
{
    (void)stamp;
    struct echo_session *session = get(shard, handle);
    QR_ASSERT(session->count < ECHOES_MAX && bytes <= MESSAGE_BYTES_MAX);
    struct frame *frame = frame_at(session, session->count++);
    frame->size = (uint32_t)bytes;
    memcpy(frame->payload, text, bytes);
    shard->messages_in++;
    update_pause(shard, session);
}

void shard_on_writable(struct shard *shard, struct handle session)
{
    get(shard, session)->is_choked = false;
}

void shard_on_heard(struct shard *shard, struct handle session, bool is_pong, mono_time stamp)
{
    (void)shard; /* Nobody is taken for lost. */
    (void)session;
    (void)is_pong;
    (void)stamp;
}

/* --- A turn. --- */

static void flush(struct shard *shard, struct echo_session *session)
{
    struct frame *frames[ECHOES_MAX];
    if (session->count == 0 || session->is_choked) return;
    for (unsigned i = 0; i < session->count; i++) frames[i] = frame_at(session, i);
    unsigned sent = shard->io.send(shard->io.context, session->conn, frames, session->count, false);
    session->is_choked = sent < session->count;
    session->first = (uint8_t)((session->first + sent) % ECHOES_MAX);
    session->count = (uint8_t)(session->count - sent);
    shard->frames_out += sent;
    update_pause(shard, session);
}

bool shard_takes_input(const struct shard *shard)
{
    (void)shard;
    return true;
}

void shard_run(struct shard *shard, mono_time now, wall_time wall_now)
{
    (void)now;
    (void)wall_now;
    for (uint32_t slot = 0; slot < shard->sessions.touched; slot++) {
        struct echo_session *session = pool_at(&shard->sessions, slot);
        if (session != NULL) flush(shard, session);
    }
}

bool shard_next_due(const struct shard *shard, mono_time *ret_at)
{
    (void)shard;
    (void)ret_at;
    return false;
}

void shard_stats(struct shard *shard, struct shard_stats *ret_stats)
{
    const struct pool *sessions = &shard->sessions;
    *ret_stats = (struct shard_stats){
        .session_slots = {sessions->used, sessions->used_max, sessions->capacity},
        .messages_in = shard->messages_in,
        .frames_out = shard->frames_out,
    };
    ret_stats->sessions[SESSION_IDLE] = sessions->used;
}

/* --- What there is none of here: a store, matches to finish. --- */

void shard_on_saved(struct shard *shard, struct handle match, bool is_saved)
{
    (void)shard;
    (void)match;
    (void)is_saved;
    QR_UNREACHABLE("nothing is saved");
}

void shard_on_loaded(struct shard *shard, struct handle session, enum load_outcome outcome,
                     const struct player_record *record)
{
    (void)shard;
    (void)session;
    (void)outcome;
    (void)record;
    QR_UNREACHABLE("nothing is loaded");
}

void shard_set_journal_room(struct shard *shard, bool has_room)
{
    (void)shard;
    (void)has_room;
}

void shard_drain(struct shard *shard)
{
    (void)shard;
    QR_UNREACHABLE("an echo server ends at once");
}

void shard_shutdown(struct shard *shard)
{
    shard_drain(shard);
}
