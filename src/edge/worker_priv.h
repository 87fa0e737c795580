/* What the files of a worker share.
 *
 *     worker.c       the thread, the loop, its wake-ups
 *     accept.c       connections until their HTTP head is read
 *     admission.c    whether the loop keeps up, and new players may come
 *     epoll_slice.c  how much is read in one go
 *     watch.c        whether a client masks its frames, and when it is gone
 *     ws.c           libwebsockets: its context, its callbacks
 *     ws_io.c        shard_io on top of it
 *     http.c         plain requests: the page, health, metrics
 *     metrics.c      the figures as Prometheus text
 */
#pragma once

#include <libwebsockets.h>
#include <pthread.h>
#include <uv.h>

#include "admission_priv.h"
#include "base/list.h"
#include "base/time.h"
#include "edge/clock.h"
#include "edge/embedded.h"
#include "edge/head.h"
#include "edge/worker.h"

enum {
    HEAD_ORIGINS = 256, /* Addresses are told apart by a hash of so many values. */
    ASSEMBLY_BYTES = MESSAGE_BYTES_MAX,
    ASSEMBLIES_MAX = 1024, /* Messages in pieces at one time, per worker. */
    CLOSES_PER_TURN = 16,  /* Of some 50 microseconds each. */
};

enum source_kind {
    SOURCE_LISTENER,
    SOURCE_ADMIN,
    SOURCE_WAKE,
    SOURCE_UV,
    SOURCE_STORE,
    SOURCE_HEAD,
    SOURCE_WATCHED,
};

/* What an epoll event points to. */
struct source {
    uint8_t kind; /* enum source_kind. */
    int fd;
};

/* A connection whose HTTP head has not arrived yet. */
struct head {
    struct source source;
    bool is_admin;
    bool has_ended; /* Nothing comes any more. */
    mono_time accepted_at;
    struct list node;       /* In order of age: open ones, or free ones. */
    struct list from_node;  /* In order of age: open ones from the same part of the net. */
    struct list ready_node; /* In worker->ready_heads. */
    uint16_t from;
};

/* A connection that libwebsockets holds: its per-session data. There is one for each player: it is packed. */
struct conn {
    struct lws *wsi;
    bool is_player : 1;   /* Counted in worker_shared.players. */
    bool is_closing : 1;  /* What still arrives is ignored. */
    bool is_proxied : 1;  /* The peer is a trusted proxy. */
    bool is_answered : 1; /* A message of it was. */
    bool is_pinged : 1;   /* The last ping's pong is due. */
    bool is_paused : 1;   /* By the shard. */
    bool is_first_frame_due : 1;
    bool is_watched : 1;
    bool is_held : 1;    /* The peer is gone, and libwebsockets is to see it later. */
    bool is_leaving : 1; /* Its session knows; a close frame may be out. */
    bool is_shut : 1; /* The close frame was the last that is said, and nothing is read any more. */
    uint16_t close_code;
    uint16_t assembly_size;
    uint16_t checked_size; /* How much of the message is known to be UTF-8. */
    uint32_t ping_number;  /* The last ping's payload. */
    uint32_t arrived_us; /* A message yet to be answered: the worker's read_at_us, cut; 0: none. */
    struct handle session; /* HANDLE_NONE: not a player's. */
    struct list held_node; /* In worker->held. */
    union {
        /* A player's. What closes has no assembly: it is in one list at a time. */
        struct {
            struct list node;  /* In worker->assembling, ->closing or ->leaving. */
            uint8_t *assembly; /* A message's beginning; owns, from the worker's pool. */
            union {
                const char *close_reason; /* A constant; until it leaves. */
                mono_time leaving_until;  /* Then it is dropped. */
            };
        };
        /* HTTP's. */
        struct {
            const char *body_left; /* What is left to write. */
            size_t body_bytes_left;
            char *body; /* One of its own; owns. */
        };
    };
};

struct worker {
    struct worker_shared *shared;
    unsigned index;
    struct shard *shard;
    void *shard_memory;
    size_t shard_memory_bytes;
    struct source listener, admin, wake, uv, store, watched;
    int epoll_fd;
    uv_loop_t uv_loop;
    struct lws_context *context;
    struct lws_vhost *vhost;
    uint16_t admin_port; /* 0: this worker has no admin socket. */
    pthread_t thread;
    bool is_started;
    bool needs_uv;    /* Something was changed that libuv learns of only in a run. */
    bool is_uv_ready; /* In this turn. */
    bool is_store_ready;
    bool has_answers;       /* The store may have more. */
    bool has_read;          /* Of the players' sockets in this turn, */
    bool is_cut;            /* and more was ready, */
    uint8_t slices;         /* behind so many slices. */
    bool is_listener_ready; /* Somebody may be accepted, */
    bool is_admin_ready;    /* and of the operators. */
    bool has_input;         /* The shard was told something since its last run. */
    _Atomic bool is_empty;
    _Atomic bool has_matches;
    bool has_told_empty;

    struct list closing;    /* Connections to be closed after the shard's run. */
    struct list leaving;    /* Those whose end has begun, in the order in which it did. */
    struct list held;       /* Those whose peers are gone, to be shown to libwebsockets. */
    struct list assembling; /* Those with an assembly, that which was begun first in front. */

    struct admission admission;
    uint32_t returning_bound;
    mono_time
        accept_again_at; /* There was no file for a connection: nobody is accepted before; 0: not so. */
    mono_time accept_logged_at;

    struct head *heads; /* half_open_max of them. */
    struct list open_heads;
    struct list ready_heads;              /* Those that are to be looked at. */
    struct list heads_from[HEAD_ORIGINS]; /* The same, by where they come from. */
    uint32_t heads_from_count[HEAD_ORIGINS];
    struct list free_heads;

    uint8_t *free_assemblies[ASSEMBLIES_MAX]; /* Allocated when first needed, kept. */
    unsigned free_assembly_count;
    unsigned assembly_count;

    uint64_t read_at_us;       /* clock_us(), when what is being read had arrived. */
    struct worker_stats stats; /* The thread's own. */
    mono_time published_at;
    pthread_mutex_t published_lock; /* Guards `published`. */
    struct worker_stats published;
};

/* Whether a phase of the turn has had its time. */
static inline bool worker_is_over(uint64_t began_us, uint32_t share_us)
{
    return clock_us() - began_us >= share_us;
}

/* accept.c */
QR_MUST_USE int accept_init(struct worker *worker);
void accept_fini(struct worker *worker);
void accept_on_listener(struct worker *worker, const struct source *source);
/* `events`: what epoll has said of it. */
void accept_on_head(struct worker *worker, struct head *head, uint32_t events);
/* Those who come: for a while, and what is left in the next turn. */
void accept_run(struct worker *worker, mono_time now);
/* False: nobody is waited for. */
bool accept_next_due(const struct worker *worker, mono_time *ret_at);

/* watch.c */
QR_MUST_USE int watch_create(struct worker *worker);
/* Nothing is read of the connection until its first frame was looked at: then it goes on, or is closed. 0, or a
 * negative errno. */
QR_MUST_USE int watch_begin(struct worker *worker, struct conn *conn);
void watch_no_frame(struct worker *worker, struct conn *conn); /* It is not waited for any more. */
void watch_end(struct worker *worker, struct conn *conn);      /* Idempotent. */
/* Before libwebsockets reads: what is ready here is looked at, and some of those that are gone are let go. False:
 * there is more to look at before libwebsockets may read. */
QR_MUST_USE bool watch_run(struct worker *worker, bool is_ready);

/* ws.c */
QR_MUST_USE int ws_create(struct worker *worker);
void ws_destroy(struct worker *worker);
/* Runs libwebsockets' callbacks for what is ready, without waiting. */
void ws_run(struct worker *worker);
/* Gives back what there is of a message. */
void ws_give_assembly(struct worker *worker, struct conn *conn);
/* The shard is told, and from here on the connection has little time to end. Idempotent. Before a close frame goes out,
 * whoever wants the close: nothing of the shard's may follow it. */
void ws_leave(struct worker *worker, struct conn *conn);
/* Takes the socket, whose own head was read already; `head` stands for it. */
void ws_adopt(struct worker *worker, int fd, const char *head);

/* What may become of one more connection: decided at its head, and again, finally, at the handshake's end, since some
 * that are under way, also on other workers, may pass the first together. */
enum admit { ADMIT_ANYBODY, ADMIT_RETURNING, ADMIT_NOBODY };
/* `players`: how many there are without it. */
enum admit accept_admit(const struct worker *worker, uint32_t players);

/* ws_io.c */
struct shard_io ws_shard_io(struct worker *worker);
/* Outside of callbacks: the close frame goes out at the end of a turn soon. What still arrives is ignored. */
void ws_close_later(struct worker *worker, struct conn *conn, unsigned code, const char *reason);
void ws_close_pending(struct worker *worker);
/* Without a close frame, from libwebsockets' own loop, in O(1). */
void ws_kill_later(struct worker *worker, struct conn *conn);
/* Those that have been leaving long enough, some of them. */
void ws_drop_leaving(struct worker *worker, mono_time now);
/* When the next of them is due. False: none leaves. */
bool ws_next_due(const struct worker *worker, mono_time *ret_at);
/* Whether the connection is read: by what the shard wants, and what is known of it. */
void ws_apply_pause(struct worker *worker, struct conn *conn);

/* http.c */
int http_on_request(struct worker *worker, struct conn *conn, const char *path);
int http_on_writable(struct conn *conn);

/* metrics.c */
/* The text, allocated; the caller frees it. NULL: no memory. */
char *metrics_render(const struct worker_shared *shared);
