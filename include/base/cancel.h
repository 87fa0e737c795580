/* Cancellation tokens: a tree along which the end of one thing ends everything that hangs on it.
 *
 *     process ── shard ──┬── session ── operation
 *                        ├── match ── play ── operation
 *                        └── store ── operation
 *
 * Firing a token fires its subtree, children before parents, each once, with one reason. Letting go
 * (fire) and ending (fini) are two operations: a fired token stays in the tree, refusing new
 * children and hooks, until its owner ends it, which it may only when nothing hangs on it any more.
 *
 * A hook only enqueues an event or disarms timers; it never frees, never ends a token, never fires
 * one. It is unlinked before it is called, so that it may be initialised and watched anew.
 *
 * Tokens and hooks live inside what they serve. One tree belongs to one thread. Fire is O(subtree),
 * the rest O(1).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/wheel.h"

enum cancel_reason {
    CANCEL_NONE, /* Not fired. */
    CANCEL_DISCONNECT,
    CANCEL_DEADLINE,
    CANCEL_SHUTDOWN,
    CANCEL_FINISHED,
    CANCEL_OVERLOAD,
};

enum { CANCEL_DEPTH_MAX = 6 };

struct cancel_hook {
    struct cancel_hook *next;
    struct cancel_hook **prev; /* NULL: not watching. */
    void (*on_fire)(struct cancel_hook *hook, enum cancel_reason reason);
};

/* What one tree has in common; shared by all its tokens, owned by the root's owner. */
struct cancel_stats {
    uint32_t live; /* Tokens between init and fini. */
    uint32_t live_max;
    bool is_firing; /* What a hook may not do is refused by it: fire and end. */
};

struct cancel {
    struct cancel *parent;
    struct cancel *first_child;
    struct cancel *next_sibling;
    struct cancel **prev_sibling;
    struct cancel_hook *hooks;
    struct cancel_stats *stats;
    mono_time deadline; /* UINT64_MAX: none. The earliest of its own and its ancestors'. */
    uint8_t reason;     /* enum cancel_reason. */
    uint8_t depth;
};

/* A root. Requires: `stats` was zero before its first root, and outlives the tree. */
void cancel_init_root(struct cancel *token, struct cancel_stats *stats);

/* A child. Where the parent has fired, the child starts out fired, with the parent's reason.
 * Requires: the parent is live; the child's depth is below CANCEL_DEPTH_MAX (a root's is 0). */
void cancel_init(struct cancel *token, struct cancel *parent);

/* Ends a token. Requires: it is live, has no children and no hooks; no hook of the tree is being
 * called. */
void cancel_fini(struct cancel *token);

/* Fires the subtree. Idempotent: a token that has fired keeps its first reason, and nothing is
 * called again. The whole path down to a token has fired before its hooks are called, so a hook can
 * hang nothing on what it is called for. Hooks of one token and siblings have no order that callers
 * may count on. Requires: the token is live; reason != CANCEL_NONE; no hook of the tree is being
 * called. */
void cancel_fire(struct cancel *token, enum cancel_reason reason);

static inline enum cancel_reason cancel_reason_of(const struct cancel *token)
{
    return (enum cancel_reason)token->reason;
}

/* Sets the token's deadline, clamped to its parent's, and returns the one that holds. The owner
 * arms a timer for it and fires with CANCEL_DEADLINE. Requires: not fired, no children yet. */
mono_time cancel_set_deadline(struct cancel *token, mono_time deadline);

/* Requires: `on_fire` is not NULL. */
void cancel_hook_init(struct cancel_hook *hook,
                      void (*on_fire)(struct cancel_hook *hook, enum cancel_reason reason));

/* False where the token has fired: the caller takes the cancelled path itself.
 * Requires: the token is live; the hook is initialised and watches nothing. */
QR_MUST_USE bool cancel_watch(struct cancel *token, struct cancel_hook *hook);

/* Idempotent. */
void cancel_unwatch(struct cancel_hook *hook);

const char *cancel_reason_name(enum cancel_reason reason);
