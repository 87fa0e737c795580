/* What the audit's files share. Each rule is a function with its name, of one subject:
 *
 *     sim_audit.c           when what is looked at
 *     sim_audit_step.c      a match's steps, one by one, and the requests that go into its ring
 *     sim_audit_answer.c    what a step says of an answer, and how long it lets a phase go on
 *     sim_audit_inside.c    what is healed or forgotten again when an iteration is over
 *     sim_audit_match.c     matches that run, and those that have ended
 *     sim_audit_session.c   sessions and their outboxes; what a refused message leaves as it was
 *     sim_audit_home.c      who speaks for whom, and where players stand
 *     sim_audit_lobby.c     tickets and offers
 *     sim_audit_whole.c     frames, timers and tokens: that all of them belong to something
 */
#pragma once

#include "shard_priv.h"
#include "sim_audit.h"
#include "sim_world.h"

/* For how long a match could not go on, counted from when it was first seen. */
struct match_watch {
    struct handle match;
    uint64_t stalled_ms;
    uint64_t outage_ms;
    uint64_t outages;
};

struct shard_watch {
    struct match_watch *matches; /* By slot. */
    uint64_t stalled_ms;
    uint32_t runs;
};

struct audit {
    struct world *world;
    mono_time began_at;   /* With the process. */
    uint32_t whole_every; /* Iterations of a shard between two looks at everything. */
    struct shard_watch shards[SHARDS_MAX];
    uint64_t outage_ms; /* The store was not prompt, */
    uint64_t outages;   /* and how often it began to be so. */
    bool is_outage;
    uint32_t rests;
    bool are_many_away;      /* As many as may be: who is lost then loses the place in the queue. */
    uint64_t refused_before; /* By the mailboxes of the shard that is given a message. */
    struct session before;   /* The session that is given one. */
    unsigned frames_before;
};

/* How many nodes a list holds. */
static inline unsigned list_length(const struct list *head)
{
    unsigned length = 0;
    for (const struct list *node = head->next; node != head; node = node->next) length++;
    return length;
}

/* sim_audit_step.c: also makes the linker take the file, whose other functions stand in for those that the shard
 * calls. */
void step_audit_init(void);

/* sim_audit_inside.c: the same. */
void inside_audit_init(void);

/* sim_audit_answer.c */
void answer_audit(const struct match *before, const struct match *after,
                  const struct match_event *event, const struct effects *effects);

/* sim_audit_match.c */
void match_audit(const struct shard *shard, struct shard_watch *watch, const struct audit *audit);
void ended_audit(const struct shard *shard);

/* sim_audit_session.c */
void session_audit(const struct shard *shard);
void session_audit_connections(const struct world *world, unsigned index);
/* A message came, and these are the session and its frames before it. */
void session_audit_refusal(const struct session *before, const struct session *after,
                           unsigned frames_before);

/* sim_audit_home.c */
void home_audit(const struct shard *shard);
/* Nothing is under way anywhere. */
void home_audit_at_rest(const struct world *world);

/* sim_audit_lobby.c */
void lobby_audit(const struct shard *shard);

/* sim_audit_whole.c */
void whole_audit_counts(const struct shard *shard);
void whole_audit(const struct shard *shard);
