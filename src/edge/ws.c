/* libwebsockets: handshake and codec, on a libuv loop inside this worker's epoll loop. ws_io.c
 * stands on top of it.
 *
 * What its traps are, and why it is set up as it is here, stands in docs/architecture.md,
 * "libwebsockets". Its timers, its listener and its WRITEABLE callback stay out of the hot path. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <unistr.h>

#include "edge/clock.h"
#include "edge/log.h"
#include "epoll_slice_priv.h"
#include "worker_priv.h"

/* u8_mbtoucr: right as far as it goes. */
enum { CHARACTER_INCOMPLETE = -2 };

/* Of cheap messages so many fill the shard's mailbox no more than shard_takes_input() allows for; of dear ones, and of
 * pieces, 128 bytes each, the time is up before. */
enum { SLICES_PER_TURN = 8, READ_US = 1000 };

/* Some round trips. libwebsockets itself would wait for 5 s, and then end all that are due in one go. */
enum { LEAVING_MS = 2000 };

_Static_assert((int)FRAME_HEADROOM >= (int)LWS_PRE, "a frame has room for libwebsockets' header");

/* --- Messages that arrive in pieces. --- */

void ws_give_assembly(struct worker *worker, struct conn *conn)
{
    if (conn->assembly == NULL) return;
    list_remove(&conn->node);
    worker->free_assemblies[worker->free_assembly_count++] = conn->assembly;
    conn->assembly = NULL;
    conn->assembly_size = 0;
    conn->checked_size = 0;
}

/* Where all are taken the one that was begun first has to go: a message is whole within moments,
 * unless its rest is held back on purpose. */
static void make_room(struct worker *worker)
{
    struct conn *oldest = LIST_ITEM(worker->assembling.next, struct conn, node);
    worker->stats.assembly_refused++;
    ws_give_assembly(worker, oldest);
    ws_close_later(worker, oldest, CLOSE_FULL, "overload");
}

static void take_assembly(struct worker *worker, struct conn *conn)
{
    bool is_last = worker->assembly_count == ASSEMBLIES_MAX;
    if (worker->free_assembly_count == 0 && is_last) make_room(worker);
    if (worker->free_assembly_count > 0) {
        conn->assembly = worker->free_assemblies[--worker->free_assembly_count];
    } else {
        conn->assembly = malloc(ASSEMBLY_BYTES);
        if (conn->assembly == NULL) return;
        worker->assembly_count++;
    }
    list_append(&worker->assembling, &conn->node);
}

/* Inside a callback: the close frame goes out when the callback returns the result. */
static int close_now(struct conn *conn, unsigned code, const char *reason)
{
    unsigned char text[32]; /* libwebsockets copies it, but takes no constant. */
    size_t size = strnlen(reason, sizeof(text));
    memcpy(text, reason, size);
    lws_close_reason(conn->wsi, (enum lws_close_status)code, text, size);
    return -1;
}

/* Whether what there is of a text may be UTF-8, so that what is not ends at its first wrong byte.
 * `checked_size` is where the next look goes on: a character may end in the next piece. */
static bool is_utf8_so_far(const uint8_t *text, size_t size, bool is_whole, uint16_t *checked_size)
{
    const uint8_t *odd = u8_check(text + *checked_size, size - *checked_size);
    *checked_size = (uint16_t)(odd != NULL ? odd - text : (ptrdiff_t)size);
    if (odd == NULL) return true;
    ucs4_t character;
    return !is_whole && u8_mbtoucr(&character, odd, size - *checked_size) == CHARACTER_INCOMPLETE;
}

static void on_heard(struct worker *worker, struct conn *conn, bool is_pong, mono_time stamp)
{
    worker->has_input = true;
    shard_on_heard(worker->shard, conn->session, is_pong, stamp);
}

/* A piece of a message behind those that came before. False: no memory. */
static bool assemble(struct worker *worker, struct conn *conn, const uint8_t *bytes, size_t size)
{
    if (conn->assembly == NULL) take_assembly(worker, conn);
    if (conn->assembly == NULL) return false;
    if (size > 0) memcpy(conn->assembly + conn->assembly_size, bytes, size);
    conn->assembly_size = (uint16_t)(conn->assembly_size + size);
    return true;
}

static void on_receive(struct worker *worker, struct conn *conn, const uint8_t *bytes, size_t size)
{
    if (conn->is_closing || handle_is_none(conn->session)) return;
    mono_time stamp = clock_mono();
    on_heard(worker, conn, false, stamp);
    if (lws_frame_is_binary(conn->wsi)) {
        ws_close_later(worker, conn, 1003, "binary");
        return;
    }
    bool is_whole =
        lws_is_final_fragment(conn->wsi) != 0 && lws_remaining_packet_payload(conn->wsi) == 0;
    if (size + conn->assembly_size > MESSAGE_BYTES_MAX) {
        ws_close_later(worker, conn, 1009, "too_big");
        return;
    }
    if (!is_whole || conn->assembly != NULL) {
        if (!assemble(worker, conn, bytes, size)) {
            ws_close_later(worker, conn, CLOSE_FULL, "no_memory");
            return;
        }
        bytes = conn->assembly;
        size = conn->assembly_size;
    }
    if (!is_utf8_so_far(bytes, size, is_whole, &conn->checked_size)) {
        ws_close_later(worker, conn, 1007, "not_utf8");
        return;
    }
    if (!is_whole) return;
    if (conn->arrived_us == 0) conn->arrived_us = (uint32_t)worker->read_at_us | 1;
    shard_on_message(worker->shard, conn->session, (const char *)bytes, size, stamp);
    ws_give_assembly(worker, conn);
    conn->checked_size = 0;
}

/* One that answers no ping of ours, or an earlier one, only shows life. */
static int on_pong(struct worker *worker, struct conn *conn, const uint8_t *bytes, size_t size)
{
    if (conn->is_closing || handle_is_none(conn->session)) return 0;
    bool is_answer = conn->is_pinged && size == sizeof(conn->ping_number) &&
                     memcmp(bytes, &conn->ping_number, size) == 0;
    if (is_answer) conn->is_pinged = false;
    on_heard(worker, conn, is_answer, clock_mono());
    return 0;
}

/* libwebsockets looks at codes below 3000 only and would send the rest back as it is. What is no
 * close frame gets none: the connection is dropped, as RFC 6455, 7.1.7 allows. */
static int on_peer_close(const uint8_t *bytes, size_t size)
{
    enum { CODE_BYTES = 2, CODE_MAX = 4999 };
    if (size == 0) return 0;
    if (size < CODE_BYTES || (bytes[0] << 8 | bytes[1]) > CODE_MAX) return -1;
    return u8_check(bytes + CODE_BYTES, size - CODE_BYTES) == NULL ? 0 : -1;
}

/* --- A connection's life. --- */

static bool is_proxied(const struct worker *worker, struct lws *wsi)
{
    struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof(peer);
    if (worker->shared->proxies.count == 0) return false;
    /* Of one that is gone already nothing will be asked. */
    (void)getpeername(lws_get_socket_fd(wsi), (struct sockaddr *)&peer, &size);
    return proxies_has(&worker->shared->proxies, &peer);
}

static int on_established(struct worker *worker, struct conn *conn, struct lws *wsi)
{
    *conn = (struct conn){.wsi = wsi, .is_player = true, .is_proxied = is_proxied(worker, wsi)};
    list_init(&conn->node);
    list_init(&conn->held_node);
    worker->stats.connections++;
    worker->has_input = true;
    enum admit admit = accept_admit(worker, atomic_fetch_add(&worker->shared->players, 1));
    if (admit != ADMIT_NOBODY) {
        conn->session = shard_on_connect(worker->shard, conn, clock_mono());
    }
    if (handle_is_none(conn->session)) {
        worker->stats.refused_full++;
        return close_now(conn, CLOSE_FULL, "full");
    }
    if (admit == ADMIT_RETURNING) shard_only_for_return(worker->shard, conn->session);
    return watch_begin(worker, conn) != 0 ? close_now(conn, CLOSE_FULL, "overload") : 0;
}

void ws_leave(struct worker *worker, struct conn *conn)
{
    if (!conn->is_player || conn->is_leaving) return;
    ws_give_assembly(worker, conn);
    list_remove(&conn->node);
    watch_no_frame(worker, conn);
    conn->is_closing = conn->is_leaving = true;
    conn->leaving_until = mono_after(clock_mono(), LEAVING_MS);
    list_append(&worker->leaving, &conn->node);
    if (++worker->stats.leaving > worker->stats.leaving_max) {
        worker->stats.leaving_max = worker->stats.leaving;
    }
    if (handle_is_none(conn->session)) return;
    worker->has_input = true;
    shard_on_disconnect(worker->shard, conn->session);
    conn->session = HANDLE_NONE;
}

static void on_closed(struct worker *worker, struct conn *conn)
{
    if (!conn->is_player) return;
    ws_leave(worker, conn); /* Where the connection just broke it was not said before. */
    list_remove(&conn->node);
    worker->stats.leaving--;
    watch_end(worker, conn);
    conn->is_player = false;
    worker->stats.connections--;
    atomic_fetch_sub(&worker->shared->players, 1);
}

static int on_writable(struct worker *worker, struct conn *conn)
{
    if (!handle_is_none(conn->session)) {
        worker->has_input = true;
        shard_on_writable(worker->shard, conn->session);
    }
    return 0;
}

static int on_http(struct worker *worker, struct conn *conn, struct lws *wsi, const char *path)
{
    *conn = (struct conn){.wsi = wsi};
    return http_on_request(worker, conn, path);
}

static void on_closed_http(struct conn *conn)
{
    if (conn == NULL || conn->is_player) return;
    free(conn->body);
    conn->body = NULL;
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t size)
{
    struct worker *worker = lws_context_user(lws_get_context(wsi));
    struct conn *conn = user;
    /* libwebsockets has a hundred reasons; those not named here need nothing from us. */
    switch ((int)reason) {
    case LWS_CALLBACK_ESTABLISHED: return on_established(worker, conn, wsi);
    case LWS_CALLBACK_RECEIVE: on_receive(worker, conn, in, size); return 0;
    case LWS_CALLBACK_RECEIVE_PONG: return on_pong(worker, conn, in, size);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE: return on_peer_close(in, size);
    case LWS_CALLBACK_SERVER_WRITEABLE: return on_writable(worker, conn);
    case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL: ws_leave(worker, conn); return 0;
    case LWS_CALLBACK_CLOSED: on_closed(worker, conn); return 0;
    case LWS_CALLBACK_HTTP: return on_http(worker, conn, wsi, in);
    case LWS_CALLBACK_HTTP_WRITEABLE: return http_on_writable(conn);
    case LWS_CALLBACK_CLOSED_HTTP: on_closed_http(conn); return 0;
    default: return 0;
    }
}

/* --- Set-up. --- */

static void on_lws_log(int level, const char *line)
{
    (void)level; /* Errors only are asked for. */
    char value[LOG_VALUE_BYTES_MAX];
    char text[LOG_VALUE_BYTES_MAX];
    size_t length = strcspn(line, "\n");
    if (length >= sizeof(text)) length = sizeof(text) - 1;
    memcpy(text, line, length);
    text[length] = '\0';
    log_event(LOG_LEVEL_WARNING, "libwebsockets", "text=%s", log_value(text, value));
}

/* One for both ports: of several without a port of their own libwebsockets takes the first,
 * whatever it was given. */
static struct lws_vhost *create_vhost(struct worker *worker)
{
    static const struct lws_protocols protocols[] = {
        {.name = "quizrush.v1",
         .callback = callback,
         .per_session_data_size = sizeof(struct conn),
         .rx_buffer_size =
             128, /* Of each connection; a whole control frame must fit. Longer messages are put together. */
         .tx_packet_size = 65536},
        {.name = NULL},
    };
    static const lws_retry_bo_t no_timers = {0}; /* The default arms one per connection. */
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .vhost_name = "quizrush",
        .protocols = protocols,
        .retry_and_idle_policy = &no_timers,
        .keepalive_timeout = 5,
        .timeout_secs = 5,
    };
    return lws_create_vhost(worker->context, &info);
}

int ws_create(struct worker *worker)
{
    if (uv_loop_init(&worker->uv_loop) != 0) return -ENOMEM;
    void *loops[] = {&worker->uv_loop};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
        .foreign_loops = loops,
        .count_threads = 1,
        .max_http_header_pool = 64,
        .max_http_header_data = HEAD_BYTES_MAX,
        .user = worker,
        .gid = -1, /* libwebsockets changes neither. */
        .uid = -1,
    };
    lws_set_log_level(LLL_ERR, on_lws_log);
    worker->context = lws_create_context(&info);
    if (worker->context == NULL) return -ENOMEM;
    worker->vhost = create_vhost(worker);
    /* Its log formats into one buffer for all threads, and it has a line for each head that was
     * read beforehand: from here on it is silent. */
    lws_set_log_level(0, NULL);
    return worker->vhost != NULL ? 0 : -ENOMEM;
}

void ws_destroy(struct worker *worker)
{
    if (worker->context != NULL) {
        /* libuv closes its handles in the loop: destroy, run until idle, destroy again. */
        lws_context_destroy(worker->context);
        while (uv_run(&worker->uv_loop, UV_RUN_NOWAIT) != 0) continue;
        lws_context_destroy(worker->context);
        worker->context = NULL;
    }
    (void)uv_loop_close(&worker->uv_loop); /* Only memory of ours could be left in it. */
    while (worker->free_assembly_count > 0) {
        free(worker->free_assemblies[--worker->free_assembly_count]);
    }
}

/* What libwebsockets leaves for libuv's next run, as it does behind each callback, makes its timeout 0. */
static bool is_uv_due(const struct worker *worker)
{
    return worker->needs_uv || uv_backend_timeout(&worker->uv_loop) == 0;
}

void ws_run(struct worker *worker)
{
    worker->has_read = true;
    worker->is_cut = false;
    if (!worker->is_uv_ready && !is_uv_due(worker))
        return; /* A timer's turn, or another shard's. */
    uint64_t began_us = 0;
    worker->slices = 0;
    do {
        worker->needs_uv = false;
        (void)uv_run(&worker->uv_loop, UV_RUN_NOWAIT); /* Whether handles are left is always yes. */
        worker->is_cut = epoll_slice_was_full();
        /* The first one's time is not counted: what is closed is closed in it. */
        if (worker->slices++ == 0) began_us = clock_us();
        /* What is left takes no turn of its own. */
    } while ((worker->is_cut || is_uv_due(worker)) && worker->slices < SLICES_PER_TURN &&
             !worker_is_over(began_us, READ_US));
}

void ws_adopt(struct worker *worker, int fd, const char *head)
{
    worker->needs_uv = true;
    /* On failure libwebsockets has closed the socket. A client can bring it about, so it is counted, not logged. */
    if (lws_adopt_socket_vhost_readbuf(worker->vhost, fd, head, strlen(head)) == NULL) {
        worker->stats.adopt_failed++;
    }
}
