#include "base/cancel.h"

#include <stddef.h>

static void count_live(struct cancel_stats *stats)
{
    stats->live++;
    if (stats->live > stats->live_max) stats->live_max = stats->live;
}

void cancel_init_root(struct cancel *token, struct cancel_stats *stats)
{
    *token = (struct cancel){.stats = stats, .deadline = {UINT64_MAX}};
    count_live(stats);
}

void cancel_init(struct cancel *token, struct cancel *parent)
{
    QR_ASSERT(parent->stats != NULL);
    QR_ASSERT(parent->depth + 1 < CANCEL_DEPTH_MAX);
    *token = (struct cancel){
        .parent = parent,
        .next_sibling = parent->first_child,
        .prev_sibling = &parent->first_child,
        .stats = parent->stats,
        .deadline = parent->deadline,
        .reason = parent->reason,
        .depth = (uint8_t)(parent->depth + 1),
    };
    if (parent->first_child != NULL) parent->first_child->prev_sibling = &token->next_sibling;
    parent->first_child = token;
    count_live(token->stats);
}

void cancel_fini(struct cancel *token)
{
    QR_ASSERT(token->stats != NULL);
    QR_ASSERT(!token->stats->is_firing);
    QR_ASSERT(token->first_child == NULL);
    QR_ASSERT(token->hooks == NULL);
    if (token->parent != NULL) {
        *token->prev_sibling = token->next_sibling;
        if (token->next_sibling != NULL) token->next_sibling->prev_sibling = token->prev_sibling;
    }
    token->stats->live--;
    /* Ended twice, or used as a parent, it is found out. */
    token->stats = NULL;
}

/* The recursion is as deep as the tree: CANCEL_DEPTH_MAX. The reason is set on the way down, before
 * any hook of the subtree's, so that nothing can be hung on a token whose children have been fired
 * already. */
static void fire_subtree(struct cancel *token, enum cancel_reason reason)
{
    if (token->reason != CANCEL_NONE) return;
    token->reason = (uint8_t)reason;
    for (struct cancel *child = token->first_child; child != NULL; child = child->next_sibling)
        fire_subtree(child, reason);
    while (token->hooks != NULL) {
        struct cancel_hook *hook = token->hooks;
        cancel_unwatch(hook);
        hook->on_fire(hook, reason);
    }
}

void cancel_fire(struct cancel *token, enum cancel_reason reason)
{
    QR_ASSERT(reason != CANCEL_NONE);
    QR_ASSERT(token->stats != NULL);
    QR_ASSERT(!token->stats->is_firing);
    token->stats->is_firing = true;
    fire_subtree(token, reason);
    token->stats->is_firing = false;
}

mono_time cancel_set_deadline(struct cancel *token, mono_time deadline)
{
    QR_ASSERT(token->reason == CANCEL_NONE);
    QR_ASSERT(token->first_child == NULL);
    token->deadline = deadline;
    if (token->parent != NULL && mono_is_before(token->parent->deadline, deadline))
        token->deadline = token->parent->deadline;
    return token->deadline;
}

void cancel_hook_init(struct cancel_hook *hook,
                      void (*on_fire)(struct cancel_hook *hook, enum cancel_reason reason))
{
    QR_ASSERT(on_fire != NULL);
    *hook = (struct cancel_hook){.on_fire = on_fire};
}

bool cancel_watch(struct cancel *token, struct cancel_hook *hook)
{
    QR_ASSERT(token->stats != NULL);
    QR_ASSERT(hook->on_fire != NULL);
    QR_ASSERT(hook->prev == NULL);
    if (token->reason != CANCEL_NONE) return false;
    hook->next = token->hooks;
    hook->prev = &token->hooks;
    if (hook->next != NULL) hook->next->prev = &hook->next;
    token->hooks = hook;
    return true;
}

void cancel_unwatch(struct cancel_hook *hook)
{
    if (hook->prev == NULL) return;
    *hook->prev = hook->next;
    if (hook->next != NULL) hook->next->prev = hook->prev;
    hook->next = NULL;
    hook->prev = NULL;
}

const char *cancel_reason_name(enum cancel_reason reason)
{
    switch (reason) {
    case CANCEL_NONE: return "none";
    case CANCEL_DISCONNECT: return "disconnect";
    case CANCEL_DEADLINE: return "deadline";
    case CANCEL_SHUTDOWN: return "shutdown";
    case CANCEL_FINISHED: return "finished";
    case CANCEL_OVERLOAD: return "overload";
    }
    QR_UNREACHABLE("a reason that is none");
}
