/* shard_io on libwebsockets, the store and the kernel: what a shard asks of the outside. */

#include <errno.h>
#include <openssl/sha.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "edge/clock.h"
#include "edge/log.h"
#include "tcp_rtt_priv.h"
#include "worker_priv.h"

enum {
    HEAD_MAX = 4, /* A frame's header: the server masks nothing, and no frame has 64 KB. */
    JOINED_BYTES_MAX = 4096, /* A round's receipts, reveal and question take a third. */
    PING_BYTES = 2 + sizeof(((struct conn *)0)->ping_number),
};

_Static_assert(FRAME_LARGE_BYTES <= UINT16_MAX, "a length in two bytes");

void ws_kill_later(struct worker *worker, struct conn *conn)
{
    conn->is_closing = true;
    lws_set_timeout(conn->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    lws_cancel_service(worker->context);
    worker->needs_uv = true;
}

/* One that does not take what it is sent says nothing of how fast the server is. */
static void note_written(struct worker *worker, struct conn *conn, bool is_taken)
{
    if (is_taken) {
        /* Cut to 32 bits on both sides: the difference is right up to an hour. */
        uint32_t took_us = (uint32_t)clock_us() - conn->arrived_us;
        /* The first is hello's, which waits for the player's home and the store. */
        histogram_record(conn->is_answered ? &worker->stats.arrival_to_write
                                           : &worker->stats.hello_to_write,
                         took_us);
        conn->is_answered = true;
    }
    conn->arrived_us = 0;
}

/* RFC 6455, 5.2: a whole text, not masked. Returns the bytes of the header. */
static size_t write_head(uint8_t *bytes, uint32_t payload_bytes)
{
    enum { FINAL_TEXT = 0x81, SHORT_MAX = 125, LENGTH_IN_TWO_BYTES = 126 };
    bytes[0] = FINAL_TEXT;
    if (payload_bytes <= SHORT_MAX) {
        bytes[1] = (uint8_t)payload_bytes;
        return 2;
    }
    bytes[1] = LENGTH_IN_TWO_BYTES;
    bytes[2] = (uint8_t)(payload_bytes >> 8);
    bytes[3] = (uint8_t)payload_bytes;
    return HEAD_MAX;
}

/* RFC 6455, 5.5.2. Its payload is a number, so that the pong to an old one is not taken for that to the last. */
static size_t write_ping(uint8_t *bytes, struct conn *conn)
{
    enum { FINAL_PING = 0x89, HEAD_BYTES = 2 };
    conn->ping_number++;
    conn->is_pinged = true;
    bytes[0] = FINAL_PING;
    bytes[1] = sizeof(conn->ping_number);
    memcpy(bytes + HEAD_BYTES, &conn->ping_number, sizeof(conn->ping_number));
    return PING_BYTES;
}

/* The first of them, and all behind it that fit, in one segment: to send one costs more than all
 * else that a message takes. Returns how many that were; 0: the socket is broken. A ping that is due
 * goes behind the last.
 *
 * On a WebSocket connection libwebsockets writes LWS_WRITE_HTTP as it is, and keeps what the socket
 * does not take in front of its own pongs and closes, as it does with a frame that it has made. */
static unsigned write_joined(struct conn *conn, struct frame *const frames[], unsigned count,
                             bool *is_ping_due)
{
    uint8_t bytes[JOINED_BYTES_MAX + PING_BYTES];
    size_t size = 0;
    unsigned joined = 0;
    for (; joined < count; joined++) {
        const struct frame *frame = frames[joined];
        if (HEAD_MAX + frame->size > JOINED_BYTES_MAX - size) break;
        size += write_head(bytes + size, frame->size);
        memcpy(bytes + size, frame->payload, frame->size);
        size += frame->size;
    }
    if (joined == count && *is_ping_due) {
        size += write_ping(bytes + size, conn);
        *is_ping_due = false;
    } else if (joined <= 1) {
        unsigned char *payload = (unsigned char *)frames[0]->payload;
        return lws_write(conn->wsi, payload, frames[0]->size, LWS_WRITE_TEXT) >= 0 ? 1 : 0;
    }
    return lws_write(conn->wsi, bytes, size, LWS_WRITE_HTTP) >= 0 ? joined : 0;
}

static unsigned io_send(void *context, shard_conn at, struct frame *const frames[], unsigned count,
                        bool with_ping)
{
    struct worker *worker = context;
    struct conn *conn = at;
    unsigned sent = 0;
    bool is_ping_due = with_ping;
    bool is_broken = false;
    while (sent < count && !is_broken && !lws_partial_buffered(conn->wsi)) {
        unsigned written = write_joined(conn, frames + sent, count - sent, &is_ping_due);
        sent += written;
        is_broken = written == 0;
    }
    /* What the socket does not take libwebsockets keeps. */
    if (sent == count && is_ping_due) {
        uint8_t ping[PING_BYTES];
        size_t size = write_ping(ping, conn);
        is_broken = lws_write(conn->wsi, ping, size, LWS_WRITE_HTTP) < 0;
    }
    if (is_broken) {
        /* Its close is reported by the callback. */
        ws_kill_later(worker, conn);
        return count;
    }
    if (lws_partial_buffered(conn->wsi)) worker->needs_uv = true; /* To hear when it is writable. */
    if (conn->arrived_us != 0 && sent > 0) note_written(worker, conn, sent == count);
    if (sent < count) {
        lws_callback_on_writable(conn->wsi);
        worker->needs_uv = true;
    }
    return sent;
}

void ws_apply_pause(struct worker *worker, struct conn *conn)
{
    bool is_paused = conn->is_paused || conn->is_first_frame_due || conn->is_held;
    lws_rx_flow_control(conn->wsi, is_paused ? 0 : 1);
    worker->needs_uv = true;
}

static void io_pause(void *context, shard_conn at, bool is_paused)
{
    struct worker *worker = context;
    struct conn *conn = at;
    if (conn->is_closing) return;
    conn->is_paused = is_paused;
    ws_apply_pause(worker, conn);
}

void ws_close_later(struct worker *worker, struct conn *conn, unsigned code, const char *reason)
{
    if (conn->is_closing) return;
    conn->is_closing = true;
    conn->close_code = (uint16_t)code;
    conn->close_reason = reason;
    conn->is_paused = true; /* What comes meanwhile is not to end it in another way. */
    ws_apply_pause(worker, conn);
    /* What it holds may be read until the callback that put it together returns: it goes back to a pool. */
    ws_give_assembly(worker, conn);
    list_append(&worker->closing, &conn->node);
}

static void io_close(void *context, shard_conn at, enum close_code code, const char *reason)
{
    ws_close_later(context, at, code, reason);
}

/* The last that is said on the connection. libwebsockets' own closing handshake would read, and answer pings, for as
 * long as the peer likes to send, up to a timeout that is kept in a sorted list. False: the socket is broken. */
static bool say_close(struct conn *conn)
{
    enum { FINAL_CLOSE = 0x88, HEAD_BYTES = 2, CODE_BYTES = 2, REASON_BYTES_MAX = 32 };
    uint8_t frame[HEAD_BYTES + CODE_BYTES + REASON_BYTES_MAX];
    size_t reason_bytes = strnlen(conn->close_reason, REASON_BYTES_MAX);
    size_t size = HEAD_BYTES + CODE_BYTES + reason_bytes;
    frame[0] = FINAL_CLOSE;
    frame[1] = (uint8_t)(CODE_BYTES + reason_bytes);
    frame[2] = (uint8_t)(conn->close_code >> 8);
    frame[3] = (uint8_t)conn->close_code;
    memcpy(frame + HEAD_BYTES + CODE_BYTES, conn->close_reason, reason_bytes);
    if (lws_write(conn->wsi, frame, size, LWS_WRITE_HTTP) < 0) return false;
    /* What the socket has no room for yet still goes out, in the time that the connection has to leave. */
    if (lws_partial_buffered(conn->wsi)) return true;
    conn->is_shut = true;
    (void)shutdown(lws_get_socket_fd(conn->wsi),
                   SHUT_WR); /* Who has gone meanwhile need not know. */
    return true;
}

/* Outside of all callbacks, and behind all that the shard still had to say. */
void ws_close_pending(struct worker *worker)
{
    struct list *node;
    for (unsigned i = 0; i < CLOSES_PER_TURN; i++) {
        if ((node = list_take_first(&worker->closing)) == NULL) return;
        struct conn *conn = LIST_ITEM(node, struct conn, node);
        worker->needs_uv = true;
        /* The close frame would wait behind what the client does not read. */
        bool is_deaf = conn->close_code == CLOSE_SLOW || conn->close_code == CLOSE_LOST ||
                       lws_partial_buffered(conn->wsi);
        if (is_deaf || !say_close(conn)) {
            ws_kill_later(worker, conn);
            continue;
        }
        ws_leave(worker, conn);
    }
}

void ws_drop_leaving(struct worker *worker, mono_time now)
{
    for (unsigned i = 0; i < CLOSES_PER_TURN && !list_is_empty(&worker->leaving); i++) {
        struct conn *conn = LIST_ITEM(worker->leaving.next, struct conn, node);
        if (mono_is_before(now, conn->leaving_until)) return;
        list_remove(&conn->node);
        worker->stats.leaving_dropped++;
        ws_kill_later(worker, conn);
    }
}

bool ws_next_due(const struct worker *worker, mono_time *ret_at)
{
    if (list_is_empty(&worker->leaving)) return false;
    *ret_at = LIST_ITEM(worker->leaving.next, struct conn, node)->leaving_until;
    return true;
}

static void io_random(void *context, void *ret_bytes, size_t size)
{
    (void)context;
    ssize_t got = getrandom(ret_bytes, size, 0);
    QR_ASSERT(got ==
              (ssize_t)size); /* Up to 256 bytes it cannot fail once the kernel has booted. */
}

static int io_save(void *context, struct handle match, const struct match_result *result)
{
    struct worker *worker = context;
    return store_save(worker->shared->store, worker->index, match, result);
}

static int io_load(void *context, struct handle session, const struct id *player)
{
    struct worker *worker = context;
    return store_load(worker->shared->store, worker->index, session, player);
}

static void io_cancel_load(void *context, struct handle session)
{
    struct worker *worker = context;
    store_cancel_load(worker->shared->store, worker->index, session);
}

static void io_token_write(void *context, const struct id *player, const char *name,
                           char *ret_token, size_t size)
{
    const struct worker *worker = context;
    struct token_claims claims = {.player = *player};
    size_t name_bytes = strlen(name);
    QR_ASSERT(name_bytes <= NAME_BYTES_MAX);
    memcpy(claims.name, name, name_bytes + 1);
    char token[TOKEN_BYTES_MAX];
    token_write(&worker->shared->token_key, &claims, clock_wall(), token);
    size_t bytes = strlen(token);
    QR_ASSERT(bytes < size);
    memcpy(ret_token, token, bytes + 1);
}

static bool io_token_read(void *context, const char *token, struct id *ret_player,
                          char ret_name[NAME_BYTES_MAX + 1])
{
    const struct worker *worker = context;
    struct token_claims claims;
    if (!token_read(&worker->shared->token_key, token, strlen(token), &claims)) return false;
    *ret_player = claims.player;
    memcpy(ret_name, claims.name, sizeof(claims.name));
    return true;
}

static void io_digest(void *context, const void *bytes, size_t size, uint8_t ret_digest[32])
{
    (void)context;
    (void)SHA256(bytes, size, ret_digest); /* Returns the third. */
}

static uint32_t io_rtt_us(void *context, shard_conn at)
{
    (void)context;
    const struct conn *conn = at;
    if (conn->is_proxied || conn->is_closing) return 0;
    return tcp_min_rtt_us(lws_get_socket_fd(conn->wsi));
}

static void io_wake(void *context, unsigned shard)
{
    struct worker *worker = context;
    worker_wake(worker->shared->workers[shard]);
}

static void io_log(void *context, const struct shard_note *note)
{
    struct worker *worker = context;
    char id[ID_TEXT_BYTES + 1];
    id_format(&note->match, id);
    switch ((enum shard_note_kind)note->kind) {
    case NOTE_MATCH_STARTED:
        log_event(LOG_LEVEL_DEBUG, "match_started", "shard=%u match=%s", worker->index, id);
        break;
    case NOTE_MATCH_ENDED:
        log_event(LOG_LEVEL_DEBUG, "match_ended", "shard=%u match=%s reason=%s took_ms=%llu",
                  worker->index, id, note->text, (unsigned long long)note->number);
        break;
    case NOTE_MATCH_FAULT:
        log_event(LOG_LEVEL_ERROR, "match_fault", "shard=%u match=%s what=\"%s\" event=%llu",
                  worker->index, id, note->text, (unsigned long long)note->number);
#ifdef QUIZRUSH_FAULTS_ARE_FATAL
        QR_UNREACHABLE("a match has found itself broken");
#endif
        break;
    case NOTE_SAVE_FAILED:
        log_event(LOG_LEVEL_WARNING, "save_failed", "shard=%u match=%s", worker->index, id);
        break;
    case NOTE_UNJOURNALED:
        log_event(LOG_LEVEL_ERROR, "unjournaled", "shard=%u match=%s", worker->index, id);
        break;
    case NOTE_CLOSING:
        log_event(LOG_LEVEL_DEBUG, "closing", "shard=%u reason=%s code=%llu", worker->index,
                  note->text, (unsigned long long)note->number);
        break;
    }
}

static bool io_journal(void *context, const uint8_t *record, size_t bytes)
{
    struct worker *worker = context;
    return store_append(worker->shared->store, worker->index, record, bytes);
}

struct shard_io ws_shard_io(struct worker *worker)
{
    return (struct shard_io){.context = worker,
                             .send = io_send,
                             .pause = io_pause,
                             .close = io_close,
                             .random = io_random,
                             .journal = io_journal,
                             .save = io_save,
                             .load = io_load,
                             .cancel_load = io_cancel_load,
                             .token_write = io_token_write,
                             .token_read = io_token_read,
                             .digest = io_digest,
                             .rtt_us = io_rtt_us,
                             .wake = io_wake,
                             .log = io_log};
}
